/* SPDX-License-Identifier: ISC
 *
 * The descriptors that the kernel talks through, and when the router is called.
 */
#ifndef APPLETS_WATCH_H
#define APPLETS_WATCH_H

#include "applets/state.h"

/* Opens rtnetlink and reads which interfaces there are: 0, or an exit status. */
int watch_links(struct daemon *d);

/* Opens the sockets of router discovery, for which there will be no capability later. */
void watch_mrdisc(struct daemon *d);

/* Opens the sockets by which queriers are heard and memberships reported again, for the same reason. */
void watch_refresh(struct daemon *d);

/* Calls the router: for the timer d->tick, whose ctx is the daemon. */
void watch_tick(void *d);

/* Sees that the router is called when it has something to do: for router_ops, whose ctx is the daemon. */
void watch_arm(void *d);

/* Says by errno that socket fd failed.  One that does so again and again is left alone for a while. */
void watch_failed(struct daemon *d, int fd, const char *whose, const char *what);

/* For the timer d->sick: those that were left alone have another try. */
void watch_again(void *d);

#endif
