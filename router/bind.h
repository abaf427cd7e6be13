/* SPDX-License-Identifier: ISC
 *
 * What the names of rules mean on this machine now: VIF bits.
 */
#ifndef ROUTER_BIND_H
#define ROUTER_BIND_H

#include "router/state.h"

/* Looks at names that are new: those that no interface has mean nothing to others, and have r->rules.names.refs_changed
 * not set. */
void bind_fresh(struct router *r);

/* Finds out what names and lists of outputs mean now.  bind_rule() must follow for each route, and bind_end(). */
void bind_names(struct router *r);

/* Marks the entries of a route that sees a difference, and reports when it begins or ceases to wait.  True when it was
 * marked. */
bool bind_rule(struct router *r, uint32_t id);

/* All routes have seen the difference. */
void bind_end(struct router *r);

#endif
