/* SPDX-License-Identifier: ISC
 *
 * What the options of smcrouted come to, and all that the running daemon has.  Nothing is done here.
 */
#ifndef APPLETS_STATE_H
#define APPLETS_STATE_H

#include <stdbool.h>
#include <stdint.h>
#include "lib/hook.h"
#include "lib/log.h"
#include "lib/loop.h"
#include "lib/pidfile.h"
#include "lib/priv.h"
#include "applets/control/call.h"
#include "applets/control/server.h"
#include "router/router.h"

struct settings {
	const char *ident;		/* -i */
	const char *check;		/* -F, or NULL */
	/* Paths, for daemon_run() absolute. */
	const char *conf;		/* -f, may be "-" */
	const char *pidfile;		/* -P */
	const char *socket;		/* -u */
	const char *hook;		/* -e, or NULL; without a slash it is in PATH */
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

struct daemon {
	const struct settings *set;
	struct loop *loop;
	struct server *control;
	struct call_daemon for_clients;	/* what they can have done */
	struct hook *hook;
	uint64_t reloading;		/* groups_ticket() of a reload that is still at work */
	uint64_t waits;			/* router.waits.changes as the init system knows it */
	bool running;			/* the file has been read */
	bool stopping;			/* asked to leave */
	bool starting;			/* the loop runs until its memberships are joined */
	struct router router;
	struct timer tick, upcalls, watchdog, lifetime, delay;
	struct timer families;		/* runs while somebody else has a family */
	int holder_fd[FAM_N];		/* of the process that has one, or 0 */
	struct timer reach;		/* runs while socket or PID file could not be made */
	bool has_socket;		/* clients can come */
	struct pidfile pidfile;
	struct priv_id id;
	struct log_limit lim_socket;
	struct router_changes reloaded;	/* what the last reload changed */
};

#endif
