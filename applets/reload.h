/* SPDX-License-Identifier: ISC
 *
 * The configuration file of the running daemon.
 */
#ifndef APPLETS_RELOAD_H
#define APPLETS_RELOAD_H

#include "applets/state.h"

/* The first reading of the file: 0, or an exit status. */
int reload_first(struct daemon *d);

/* Reads the file again and applies the difference: the exit status of the client, whose call->note or call->error and
 * call->diag are filled in.  Errors leave everything as it is.  For struct call_daemon. */
int reload_again(void *d, struct call *call);

/* Ends a reload whose memberships are joined and left. */
void reload_done(struct daemon *d);

/* Logs how many rules and groups there are, and what was changed in the kernel, after the word `what`. */
void reload_result(const struct daemon *d, const char *what);

/* Tells the init system that the daemon is ready, how much it has to do, and why the last reload failed, "" if it did
 * not. */
void reload_ready(struct daemon *d, const char *trouble);

/* Tells the init system what is waited for where that has changed. */
void reload_waits(struct daemon *d);

/* Runs the hook with `reload`. */
void reload_hook(struct daemon *d);

#endif
