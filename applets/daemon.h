/* SPDX-License-Identifier: ISC
 *
 * The run of the daemon.
 */
#ifndef APPLETS_DAEMON_H
#define APPLETS_DAEMON_H

#include "applets/state.h"

/* Runs the daemon to its end: the exit status. */
int daemon_run(const struct settings *s);

#endif
