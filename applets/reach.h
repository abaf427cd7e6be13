/* SPDX-License-Identifier: ISC
 *
 * How others find the daemon: its control socket and its PID file.
 */
#ifndef APPLETS_REACH_H
#define APPLETS_REACH_H

#include "applets/state.h"

/* Takes the control socket, which one instance alone can have: 0, or an exit status after saying why, or -1 when the
 * daemon is to end.  An instance that is on its way out is waited for.  0 too when the directory is missing or may not
 * be written: reach_finish() says so, as the start may fail for a reason that matters more. */
int reach_claim(struct daemon *d);

/* Writes the PID file, when all else is done.  What cannot be made because of its directory is told and tried again
 * later.  0, or an exit status after saying why. */
int reach_finish(struct daemon *d);

/* Tries again to make what is missing, also what somebody removed, and says that it is still missing. */
void reach_reload(struct daemon *d);

/* The same without a word, until all is there: for the timer d->reach, whose ctx is the daemon. */
void reach_again(void *d);

#endif
