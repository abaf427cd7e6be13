/* SPDX-License-Identifier: ISC
 *
 * Why rules and memberships wait, in words for people.
 */
#ifndef ROUTER_REASON_H
#define ROUTER_REASON_H

#include "lib/buf.h"
#include "router/state.h"

/* The reason of a name in full that no interface has. */
extern const char reason_missing[];

/* Why an interface is of no use to routes, or to memberships, by a name that means it: NULL when it is. */
const char *reason_of_iface(const struct iface *i, const struct ifname *name, enum fam fam, bool routes);

/* Why a name is of no use, NULL when it is.  One that means several interfaces is of use to memberships when one of
 * them is, and to routes when none lacks a VIF.  *which: the interface, or the name. */
const char *reason_of_name(const struct router *r, const struct ifname *name, enum fam fam, bool routes,
			   const char **which);

/* Why a membership has no interface now: a constant text, NULL when it has one. */
const char *reason_of_join(const struct router *r, const struct ifname *iif, enum fam fam);

/* True when a route does not do all that it says now: because of its names, of an output that is held back, or as it is
 * a rule of the kernel and is kept out of it. */
bool reason_is_there(const struct router *r, const struct rule *rule);

/* Why that is, NULL when it does; where it is no constant text it is put into *text and stays as long as that.  *which:
 * the first name or interface that it is about, valid until the next edit, or NULL when it is about none. */
const char *reason_of_route(const struct router *r, const struct rule *rule, struct buf *text, const char **which);

/* Why an interface that rules refer to has no VIF, or no MIF; NULL when it has, or none refers to it. */
const char *reason_of_interface(const struct iface *i);

/* True when the kernel refused a membership that the configuration asks for. */
bool reason_is_join_refused(struct router *r);

#endif
