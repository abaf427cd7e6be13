/* SPDX-License-Identifier: ISC
 *
 * Warnings about rules that go both ways: one sends from a to b what another sends from b to a.  That is often
 * meant, and a loop wherever a and b also meet elsewhere.
 */
#ifndef CONF_MUTUAL_H
#define CONF_MUTUAL_H

#include "conf/flow_index.h"

/* Appends them to s->d; false when memory ran out. */
bool mutual_warn(struct flow_search *s);

#endif
