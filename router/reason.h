/* SPDX-License-Identifier: ISC
 *
 * Why rules and memberships wait, in words for people.
 */
#ifndef ROUTER_REASON_H
#define ROUTER_REASON_H

#include "router/state.h"

/* Why a membership has no interface now: a constant text, NULL when it has one. */
const char *reason_of_join(const struct router *r, const struct ifname *iif, enum fam fam);

/* Why a name of a route is of no use now, and *which the first such name, or interface of a wildcard, valid until the
 * next edit; NULL when all work. */
const char *reason_of_route(const struct router *r, const struct rule *rule, const char **which);

/* Why an interface that rules refer to has no VIF, or no MIF; NULL when it has, or none refers to it. */
const char *reason_of_interface(const struct iface *i);

#endif
