/* SPDX-License-Identifier: ISC
 *
 * What is wrong with a configuration, in the log of the daemon.
 */
#ifndef APPLETS_DIAGLOG_H
#define APPLETS_DIAGLOG_H

#include "conf/conf.h"
#include "conf/diag.h"
#include "lib/log.h"

/* Logs a diagnostic, with its line and a caret where debug messages are shown; lim as in log_limited(), or NULL. */
void diaglog_put(const struct conf *c, const struct diag *d, struct log_limit *lim, int64_t now);

#endif
