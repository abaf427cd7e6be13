/* SPDX-License-Identifier: ISC
 *
 * What the options of smcrouted come to, and the run of the daemon with them.
 */
#ifndef APPLETS_DAEMON_H
#define APPLETS_DAEMON_H

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
	bool running;			/* the file has been read */
	bool stopping;			/* asked to leave */
	bool starting;			/* the loop runs until its memberships are joined */
	struct router router;
	struct timer tick, upcalls, watchdog, lifetime, delay;
	struct pidfile pidfile;
	struct priv_id id;
	struct log_limit lim_socket;
	struct router_changes reloaded;	/* what the last reload changed */
};

/* Runs the daemon to its end: the exit status. */
int daemon_run(const struct settings *s);

/* ---- watch.c ---- */

/* Opens each family on its own; 0 when one at least is there, otherwise an exit status. */
int watch_families(struct daemon *d);

/* Opens rtnetlink and reads which interfaces there are: 0, or an exit status. */
int watch_links(struct daemon *d);

/* Opens the sockets of router discovery, for which there will be no capability later. */
void watch_mrdisc(struct daemon *d);

/* Calls the router: for the timer d->tick, whose ctx is the daemon. */
void watch_tick(void *d);

/* Answers upcalls that were read ahead: for the timer d->upcalls, whose ctx is the daemon. */
void watch_upcalls(void *d);

/* Sees that the router is called when it has something to do: for router_ops, whose ctx is the daemon. */
void watch_arm(void *d);

/* ---- reload.c ---- */

/* The first reading of the file: 0, or an exit status. */
int reload_first(struct daemon *d);

/* Reads the file again and applies the difference: the exit status of the client, whose call->note or
 * call->error and call->diag are filled in.  Errors leave everything as it is.  For struct call_daemon. */
int reload_again(void *d, struct call *call);

/* Ends a reload whose memberships are joined and left. */
void reload_done(struct daemon *d);

/* Logs what was read came to. */
void reload_result(const struct daemon *d, const char *what);

/* Tells the init system that the daemon is ready, how much it has to do, and why the last reload
 * failed, "" if it did not. */
void reload_ready(const struct daemon *d, const char *trouble);

/* Runs the hook with `reload`. */
void reload_hook(struct daemon *d);

#endif
