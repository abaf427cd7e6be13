/* SPDX-License-Identifier: ISC
 *
 * The pass that makes the kernel match what is wanted.
 */
#ifndef ROUTER_SYNC_H
#define ROUTER_SYNC_H

#include "router/group.h"
#include "router/state.h"

/* What a slice may cost: 128 calls of the kernel, or what takes as long, some 0.3 ms.  Beyond the least it ends when
 * packets wait, for which is looked so often. */
#define SYNC_SLICE 8192
#define SYNC_LEAST 1024
#define SYNC_LOOK 512

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
