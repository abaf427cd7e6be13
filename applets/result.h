/* SPDX-License-Identifier: ISC
 *
 * What came of a reading of the configuration, for the log, clients and the init system.
 */
#ifndef APPLETS_RESULT_H
#define APPLETS_RESULT_H

#include "applets/state.h"

/* Makes d->reload.result: how many rules and groups there are, and what was changed in the kernel. */
void result_put(struct daemon *d);

/* Logs it after the word `what`. */
void result_log(struct daemon *d, const char *what);

/* Tells the init system that the daemon is ready, how much it has to do, and why the last reload failed, "" if it did
 * not. */
void result_ready(struct daemon *d, const char *trouble);

/* Tells the init system what is waited for where that has changed. */
void result_waits(struct daemon *d);

#endif
