/* SPDX-License-Identifier: ISC
 *
 * The new side of a handover: this process starts, and another one is the daemon.  The conversation is in give.h.
 *
 *	1. the configuration is read; with an error in it the start ends here, and nobody was asked
 *	2. takeover_begin() asks; from "wait" to "go" it keeps what is sent
 *	3. the daemon starts as always, but that sockets are adopted (handover.h), the listening socket and the PID file
 *	   taken as they are; takeover_step() is called in between
 *	4. takeover_finish() says "done", waits for "bye", and serves the clients
 *
 * Until "done" d->takeover.is_open is true, the old one has everything still, and whatever ends this process leaves all
 * as it is.  When the old one ends without a word, we have everything that came: the start goes on as the only one.
 *
 * Without -T, and with -T when nobody answers, all of this does nothing.
 */
#ifndef APPLETS_TAKEOVER_H
#define APPLETS_TAKEOVER_H

#include "applets/state.h"

/* True when this process was started by an upgrade: it is in the background already, or belongs into the foreground. */
bool takeover_is_child(void);

/* Steps 1 and 2: 0, or an exit status.  d->handed has the sockets. */
int takeover_begin(struct daemon *d);

/* Says what is done next, a word or a few: 0, or the exit status when the old one has called it off. */
int takeover_step(struct daemon *d, const char *what);

/* The same while tables of the kernel are read: for router_ops, whose ctx is the daemon. */
void takeover_adopting(void *d);

/* The sockets are ours now, and whoever waits for us can be served.  0, or an exit status. */
int takeover_finish(struct daemon *d);

/* Closes what is left. */
void takeover_end(struct daemon *d);

#endif
