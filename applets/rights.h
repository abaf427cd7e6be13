/* SPDX-License-Identifier: ISC
 *
 * What the daemon may do at its start, and what it keeps of that.
 */
#ifndef APPLETS_RIGHTS_H
#define APPLETS_RIGHTS_H

#include "applets/state.h"

/* Whether sockets can be opened: 0, or an exit status after saying what is missing. */
int rights_check(const struct daemon *d);

/* Gives up what is no longer needed, when all sockets and files are there: 0, or an exit status after saying why.  It
 * is 0 with d->sheds_by_exec, too: then rights_shed_by_exec() is to be called at the end of the start. */
int rights_drop(struct daemon *d);

/* Becomes the same program without capabilities, which goes on with all that this one has.  An exit status, after
 * saying why, when that failed. */
int rights_shed_by_exec(struct daemon *d);

#endif
