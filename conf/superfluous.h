/* SPDX-License-Identifier: ISC
 *
 * Warnings about rules that another rule makes superfluous: a wider one with the same outputs, or one of the same range
 * that has all of them.
 */
#ifndef CONF_SUPERFLUOUS_H
#define CONF_SUPERFLUOUS_H

#include "conf/overlap.h"

void superfluous_warn(struct overlap *o);

#endif
