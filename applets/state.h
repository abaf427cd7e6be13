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
#include "applets/control/journal.h"
#include "applets/control/server.h"
#include "applets/handover.h"
#include "conf/read.h"
#include "lib/talk.h"
#include "router/router.h"

struct settings {
	const char *ident;		/* -i */
	const char *check;		/* -F, or NULL */
	/* Paths, for daemon_run() absolute. */
	const char *program;		/* that this process is, as it was started, or NULL */
	const char **words;		/* all options and their values, n_words and a NULL behind them */
	size_t n_words;
	const char *conf;		/* -f, may be "-" */
	const char *pidfile;		/* -P */
	const char *socket;		/* -u */
	const char *hook;		/* -e, or NULL; without a slash it is in PATH */
	const char *user;		/* -p, or NULL */
	enum log_level level;		/* -l */
	bool conf_given;		/* -f was there */
	bool foreground;		/* -n */
	bool syslog;			/* -s */
	bool has_keeper;		/* -k */
	pid_t keeper;			/* ours, so this is in the background already, if it is to go there; or 0 */
	bool takes_over;		/* -T */
	unsigned delay;			/* -d, seconds */
	unsigned expire;		/* -c, seconds, 0 = never */
	unsigned mrdisc;		/* -m, seconds */
	unsigned lifetime;		/* -D, seconds, 0 = no end */
	uint32_t table;			/* -t, 0 = the default one */
	uint32_t max_dynamic;		/* -M */
};

/* Where a reading of the config file is: its lines are parsed, what is wrong with them is told, it takes the place of
 * the rules, and the kernel follows. */
enum reload_stage { RELOAD_NONE, RELOAD_READ, RELOAD_TELL, RELOAD_APPLY, RELOAD_SETTLE };

/* The readings of the config file.  One goes on in slices, so that packets and clients are answered meanwhile; whoever
 * asks for one then has it begin anew behind that. */
struct reload {
	enum reload_stage stage;
	struct timer slice;
	int64_t patience;		/* until when nothing is said of a file that does not come, ms; 0 = it was */
	uint64_t begun, ended;		/* so far; the first is that of the start */
	bool by_signal;			/* SIGHUP asked for it */
	bool is_asked, is_signalled;	/* another one is to follow; SIGHUP asked for that */
	struct conf_reader *reader;
	struct conf *conf;
	struct diags diags;
	uint32_t told;			/* of them */
	struct buf telling;		/* to be `diag` */
	bool is_whole;			/* the file could be read to its end */
	uint64_t ticket;		/* of the router, for all that it asks for */
	struct router_changes changes;	/* that it made in the kernel ... */
	bool is_counted;		/* ... and these are all */
	/* What came of the last one that has ended. */
	int status;			/* exit status of a client */
	struct buf result, diag;	/* one line; what was wrong with the file */
	bool is_private;		/* and that is of files that not everybody may read */
};

/* What another process is told and given that takes over: see give.h. */
struct give {
	bool is_asked;			/* it goes on */
	bool is_given;			/* the other one is the daemon now */
	bool has_control, has_pidfile;	/* and listens on our socket, holds our PID file */
	pid_t pid;			/* the other one, 0 = it cannot be seen */
	pid_t child;			/* the program of an upgrade, 0 = none */
	char version[64];		/* of the other one */
	char step[64];			/* it said last */
	char why[256];			/* it failed, "" = it did not */
	struct talk talk;
	struct timer again;
	int64_t since, word;		/* it asked, "wait" was said */
};

/* The program that is to take over, see upgrade.h. */
struct upgrade {
	struct timer limit;
	bool is_late;
	bool is_trial;			/* it only reads the configuration */
	bool is_tried;			/* it did, and is run in this process as soon as that cuts nothing short */
	struct timer again;
	int64_t since;			/* it is tried */
	int status;			/* of a client, when it failed */
	int said_fd;			/* what it writes to standard error, or -1 */
	struct buf said, why;
};

/* What this process takes over, see takeover.h. */
struct takeover {
	struct talk talk;
	struct timer word;
	bool is_in_place;		/* another program, or this one, ran in this process before */
	bool is_open;			/* the old one waits: what we do is not in force yet */
	bool is_reached;		/* by the path of its socket */
	bool is_done;			/* we have said that we are the daemon now */
	int status;			/* it called that off: to exit with */
	/* Descriptors, -1 = none. */
	int control, pidfile, err, upgrade;
	bool has_control, has_pidfile;	/* they are in use */
	struct handover clients;
	struct buf names;		/* of what was handed over, each with its NUL */
};

struct daemon {
	const struct settings *set;
	struct loop *loop;
	struct server *control;
	struct call_daemon for_clients;	/* what they can have done */
	struct hook *hook;
	struct reload reload;
	struct give give;
	struct upgrade upgrade;
	struct takeover takeover;
	uint64_t waits;			/* router.waits.changes as the init system knows it */
	struct handover handed;		/* descriptors that another process handed over */
	bool adopted[FAM_N];		/* the routing socket is one of them */
	bool hands_over;		/* routes and memberships stay when we end: somebody else holds the sockets */
	bool stopping;			/* asked to leave */
	bool sheds_by_exec;		/* no other way to give up capabilities */
	struct router router;
	struct timer tick, upcalls, watchdog, lifetime, pause;
	int64_t patience;		/* until when a predecessor is waited for, ms; 0 = there was none */
	struct timer families;		/* runs while somebody else has a family */
	int holder_fd[FAM_N];		/* of the process that has one, or 0 */
	struct timer reach;		/* runs while socket or PID file could not be made */
	bool has_socket;		/* clients can come */
	struct pidfile pidfile;
	struct priv_id id;
	struct log_limit lim_socket;
	struct log_limit lim_client;	/* what clients have us do */
	struct log_limit lim_diag;	/* what is wrong with a file that is read again */
	struct timer sick;		/* runs while sockets that fail are left alone, or were a moment ago */
	unsigned failures;		/* of them since it was set */
	struct journal journal;
	int journal_handed;		/* of the daemon before, until the file has been read; or -1 */
	bool was_handed;		/* routes, at the start */
	bool stored;			/* all that is needed to go on */
	bool store_failed;		/* and it was said */
	struct timer store_again;	/* runs then */
	struct buf store_removed;	/* what it is to let go of, each with its NUL */
};

#endif
