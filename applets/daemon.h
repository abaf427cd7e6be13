/* SPDX-License-Identifier: ISC
 *
 * The run of the daemon.
 */
#ifndef APPLETS_DAEMON_H
#define APPLETS_DAEMON_H

#include "applets/state.h"

/* Runs the daemon to its end: the exit status.  It goes on with what was handed to this process, which is its own from
 * then on. */
int daemon_run(const struct settings *s, struct handover *handed);

#endif
