/* SPDX-License-Identifier: ISC
 *
 * What the options of smcrouted come to, and the run of the daemon with them.
 */
#ifndef APPLETS_DAEMON_H
#define APPLETS_DAEMON_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/log.h"

struct settings {
	const char *ident;		/* -i */
	const char *conf;		/* -f: absolute path, or "-" */
	const char *pidfile;		/* -P: absolute path */
	const char *socket;		/* -u: absolute path */
	const char *hook;		/* -e, or NULL */
	const char *user;		/* -p, or NULL */
	enum log_level level;		/* -l */
	bool conf_given;		/* -f was there */
	bool foreground;		/* -n */
	bool syslog;			/* -s */
	unsigned delay;			/* -d, seconds */
	unsigned expire;		/* -c, seconds, 0 = never */
	unsigned mrdisc;		/* -m, seconds */
	unsigned lifetime;		/* -D, seconds, 0 = no end */
	uint32_t table;			/* -t, 0 = the default one */
	uint32_t max_dynamic;		/* -M */
};

/* Runs the daemon to its end: the exit status. */
int daemon_run(const struct settings *s);

#endif
