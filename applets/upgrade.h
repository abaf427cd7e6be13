/* SPDX-License-Identifier: ISC
 *
 * An upgrade: the program at the path that the daemon was started by is run with the same options, and takes over as in
 * give.h.  This is about the child until it does, and about what is told to whoever asked for it.
 *
 * What the child writes to standard error comes here by a pipe, is passed on, and the end of it is kept for the client,
 * until the child has taken over: the real standard error is among what it is given.
 *
 * The pid of process 1 cannot change, and that of a daemon that may not write its PID file any more had better not.
 * There the program is first tried in a child, which reads the configuration and touches nothing, and is then run in
 * this process, in whose environment SUCCESSOR_FDS names the descriptors, once no request and no run of the hook is
 * under way.  When it fails there all the same, only a keeper or the init system is left to go on.
 */
#ifndef APPLETS_UPGRADE_H
#define APPLETS_UPGRADE_H

#include <sys/types.h>

#include "applets/state.h"

/* Prepares it. */
void upgrade_init(struct daemon *d);

/* Begins an upgrade, and answers once it has succeeded or failed; for struct call_daemon. */
int upgrade_by_client(void *d, struct call *call);

/* True while one goes on. */
bool upgrade_goes_on(const struct daemon *d);

/* Begins one; what becomes of it is logged.  For SIGUSR2, ctx is the daemon. */
void upgrade_by_signal(void *d);

/* Tells that a child of this process has ended: true when it was that of an upgrade. */
bool upgrade_ended(struct daemon *d, pid_t pid, int status);

/* Ends the child, when this process ends and has not handed over. */
void upgrade_stop(struct daemon *d);

#endif
