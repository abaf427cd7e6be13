/* SPDX-License-Identifier: ISC
 *
 * The keeper (-k): a small parent of the daemon that holds its descriptors, see keep.h, and starts it again when it
 * dies.  It reads nothing but the messages of its child.
 *
 *	state		ends by						and then
 *	child runs	it dies by a signal, or exits with 70 or 71,	pause
 *			and one was ready before; in the foreground
 *			a signal alone will do
 *			it ends in any other way, or we were asked to	the keeper ends in the same way
 *	pause		its time, 0 at first and longer each time	child runs, with what is kept
 *			SIGTERM, SIGINT					the keeper ends with 0
 *
 * When daemons die one after the other before they are ready, something that may be the reason is given up after every
 * third death: first the program on disk, for the one in memory; then what clients asked for; then all that is kept.
 */
#ifndef APPLETS_KEEPER_H
#define APPLETS_KEEPER_H

#include "applets/handover.h"
#include "applets/state.h"

/* The pid of the keeper that this program has, 0 = none; the environment does not tell any more afterwards. */
pid_t keeper_pid(void);

/* Becomes the keeper, and returns only in its children, which are to go on as the daemon, *h being what was kept and
 * set what they are told.  Before, *h is what this process was handed itself. */
void keeper_run(struct settings *set, struct handover *h);

#endif
