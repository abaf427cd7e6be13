/* SPDX-License-Identifier: ISC
 *
 * What outlives the daemon in the hands of whoever watches it: the sockets of the kernel room and the journal of what
 * clients asked for, stored as systemd has it (sd_pid_notify_with_fds(3), FDSTORE=1), for the next daemon.
 */
#ifndef APPLETS_STORE_H
#define APPLETS_STORE_H

#include "applets/state.h"

/* Takes the journal out of what was handed over, and from here on has each socket stored as it comes and forgotten as
 * it goes.  To be called before handover_adopt(). */
void store_init(struct daemon *d);

/* The rules of the file are in place and the kernel does not know yet: restores what clients asked for, the first time,
 * and forgets what ends with a reload.  For struct router_ops. */
void store_applied(void *d);

/* Forgets what was stored under a name by a daemon that we took over from, unless it is in use; after store_all(), so
 * that nothing is missing in between. */
void store_forget(struct daemon *d, const char *name);

/* Stores everything there is, when the daemon is ready. */
void store_all(struct daemon *d);

/* The same again, where that failed as the other side was behind: for the timer d->store_again, whose ctx is the
 * daemon. */
void store_again(void *d);

/* Ends that.  True when another daemon is going to use it: then nothing is to be undone.  status: with which this
 * process will end. */
bool store_end(struct daemon *d, int status);

#endif
