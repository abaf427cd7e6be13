/* SPDX-License-Identifier: ISC
 *
 * Waiting in the middle of the start, while signals and clients are served as later.
 */
#ifndef APPLETS_PAUSE_H
#define APPLETS_PAUSE_H

#include "applets/state.h"

/* Lets the loop run until pause_end(), at most ms milliseconds unless that is 0.  0, or -1 when the daemon is to
 * end. */
int pause_for(struct daemon *d, int64_t ms);

/* Ends the pause: also the callback of the timer d->pause. */
void pause_end(void *d);

#endif
