/* SPDX-License-Identifier: ISC
 *
 * The descriptors that the kernel talks through, and when the router is called.
 */
#ifndef APPLETS_WATCH_H
#define APPLETS_WATCH_H

#include "applets/state.h"

/* Opens each family on its own; 0 when one at least is there, otherwise an exit status. */
int watch_families(struct daemon *d);

/* Opens rtnetlink and reads which interfaces there are: 0, or an exit status. */
int watch_links(struct daemon *d);

/* Opens the sockets of router discovery, for which there will be no capability later. */
void watch_mrdisc(struct daemon *d);

/* Opens the sockets by which queriers are heard and memberships reported again, for the same reason. */
void watch_refresh(struct daemon *d);

/* Calls the router: for the timer d->tick, whose ctx is the daemon. */
void watch_tick(void *d);

/* Answers upcalls that were read ahead: for the timer d->upcalls, whose ctx is the daemon. */
void watch_upcalls(void *d);

/* Sees that the router is called when it has something to do: for router_ops, whose ctx is the daemon. */
void watch_arm(void *d);

#endif
