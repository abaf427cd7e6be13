/* SPDX-License-Identifier: ISC
 *
 * Another instance with our files.  One that lives is left alone; one that is on its way out is waited for, so that
 * `kill PID; smcrouted` always ends with a daemon.
 */
#ifndef APPLETS_PREDECESSOR_H
#define APPLETS_PREDECESSOR_H

#include "applets/state.h"

/* Waits a little for the instance that has our socket or PID file, if it is on its way out: true when that may be gone
 * now.  False: it stays, or has been waited for long enough, or d->stopping. */
bool predecessor_wait(struct daemon *d);

/* The same for one that was ended and still has the routing sockets. */
bool predecessor_wait_closing(struct daemon *d);

#endif
