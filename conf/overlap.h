/* SPDX-License-Identifier: ISC
 *
 * Warnings about rules that another rule makes superfluous.
 */
#ifndef CONF_OVERLAP_H
#define CONF_OVERLAP_H

#include "conf/flow_index.h"

/* Appends them to s->d; false when memory ran out. */
bool overlap_warn(struct flow_search *s);

#endif
