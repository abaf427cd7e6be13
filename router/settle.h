/* SPDX-License-Identifier: ISC
 *
 * What is no longer there costs nothing: when many rules, names, entries or memberships have gone, those that are left
 * get places before them, and the memory behind them goes back.
 */
#ifndef ROUTER_SETTLE_H
#define ROUTER_SETTLE_H

#include "router/state.h"

/* Does so with one table for which it is time, and has router_due() ask for the next tick when there was one: numbers
 * of rules, names, lists and entries are others then.  Not while router_is_busy(); nothing is done while somebody has
 * numbers for longer (r->readers). */
void settle_step(struct router *r);

#endif
