/* SPDX-License-Identifier: ISC
 *
 * The configuration file of the running daemon.
 */
#ifndef APPLETS_RELOAD_H
#define APPLETS_RELOAD_H

#include "applets/state.h"

/* Reads the file for reload_first() at once, before anything else is begun, and an error in it is the end: 0, or an
 * exit status. */
int reload_prepare(struct daemon *d);

/* Begins the first reading of the file.  Until its rules are in force the loop is held, and when the kernel has got
 * them it is stopped: d->reload.status is 0 then, or the exit status. */
void reload_first(struct daemon *d);

/* Begins another reading, or has one follow that goes on.  Errors in the file leave everything as it is; what comes of
 * it is logged. */
void reload_by_signal(struct daemon *d);

/* The same for a client, who waits for it with call->later: the exit status.  When it is called again call->note, or
 * call->error, and call->diag say what came of it.  For struct call_daemon, as the next one. */
int reload_by_client(void *d, struct call *call);

/* True when a reading has ended, by the number in call->later. */
bool reload_has_ended(void *d, uint64_t which);

/* Begins the reading that was asked for while another one went on. */
void reload_follow(struct daemon *d);

/* Notes what a reading has changed, when the pass of the router is at its end. */
void reload_count(struct daemon *d);

/* Ends a reading when the kernel has all that comes of it. */
void reload_settle(struct daemon *d);

/* Forgets a reading, wherever it is. */
void reload_stop(struct daemon *d);

#endif
