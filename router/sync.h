/* SPDX-License-Identifier: ISC
 *
 * The pass that makes the kernel match what is wanted.
 */
#ifndef ROUTER_SYNC_H
#define ROUTER_SYNC_H

#include "router/group.h"
#include "router/state.h"

/* What a slice may cost: 512 calls of the kernel, or what takes as long, some 2 ms. */
#define SYNC_SLICE 32768

/* Looks at what was marked, a slice of it: where router_is_busy() says afterwards that there is more, router_tick()
 * goes on, in time that others leave.  Errors are counted in r->changes and logged. */
void router_sync(struct router *r);

/* True while a configuration is being applied, or a pass of router_sync() is not at its end. */
static inline bool router_is_busy(const struct router *r)
{
	return r->apply || r->sync.is_busy;
}

/* A ticket for all that the router has to do now, 0 when that is nothing; and whether it has been done.  Of the
 * memberships that is known only when the pass is at its end, so *ticket may become another one, but never 0. */
#define ROUTER_PASS UINT64_MAX
static inline uint64_t router_ticket(const struct router *r)
{
	return router_is_busy(r) ? ROUTER_PASS : groups_ticket(r->groups);
}
bool router_is_done(const struct router *r, uint64_t *ticket);

#endif
