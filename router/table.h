/* SPDX-License-Identifier: ISC
 *
 * Rules of the system (`ip mrule`) that a routing table other than the default
 * one needs: without them the kernel never looks into it.
 */
#ifndef ROUTER_TABLE_H
#define ROUTER_TABLE_H

#include "router/state.h"

/* With r->table: asks the kernel for its rules when there is an inbound interface of which it is not known
 * whether its packets get to that table. */
void table_check(struct router *r);

/* Takes in LINK_RULES_BEGIN, LINK_RULE, LINK_RULES_END.  At the end logs, once for each interface and family,
 * the rule that is missing for packets of an inbound interface to get to the table. */
void table_event(struct router *r, const struct link_event *ev);

#endif
