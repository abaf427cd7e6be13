/* SPDX-License-Identifier: ISC
 *
 * The daemon's life: what is tried in which order at the start, which callback answers which descriptor, timer and
 * signal, and what is undone at the end.  No policy in here: that is router/.
 */
#include "applets/daemon.h"

#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <string.h>
#include <sys/random.h>
#include <sys/wait.h>
#include <unistd.h>

#include "applets/applet.h"
#include "applets/events.h"
#include "applets/families.h"
#include "applets/give.h"
#include "applets/pause.h"
#include "applets/reach.h"
#include "applets/reload.h"
#include "applets/result.h"
#include "applets/rights.h"
#include "applets/store.h"
#include "applets/takeover.h"
#include "applets/upgrade.h"
#include "applets/watch.h"
#include "conf/conf.h"
#include "kernel/kernel.h"
#include "lib/hook.h"
#include "lib/loop.h"
#include "lib/notify.h"
#include "lib/pidfile.h"
#include "lib/priv.h"
#include "lib/proc.h"
#include "lib/status.h"
#include "applets/control/server.h"
#include "router/router.h"

/* ---- events ---- */

/* What could not be had may be there now. */
static void daemon_retry(struct daemon *d)
{
	/* The PID file is for a daemon that is ready. */
	if (!d->reload.ended)
		return;
	reach_reload(d);
	families_again(d);
}

/* For struct call_daemon: see reload_by_client(). */
static int daemon_reload(void *ctx, struct call *call)
{
	/* First, as what it lacks is in the answer. */
	if (!call->is_again)
		daemon_retry(ctx);
	return reload_by_client(ctx, call);
}

/* For struct call_daemon, too. */
static bool daemon_has_ended(void *ctx, uint64_t later)
{
	return later == CALL_UPGRADE ? !upgrade_goes_on(ctx) : reload_has_ended(ctx, later);
}

static void daemon_on_hup(void *ctx)
{
	struct daemon *d = ctx;

	daemon_retry(d);
	reload_by_signal(d);
}

static void daemon_on_stop(void *ctx)
{
	struct daemon *d = ctx;

	d->stopping = true;
	/* Another process is the daemon now: see daemon_pass_on(). */
	if (d->give.is_given)
		return;
	loop_stop(d->loop, 0);
}

static const struct router_ops daemon_router_ops = {
	.event = events_tell, .has_packets = families_has_packets, .wake = watch_arm, .applied = store_applied,
	.adopting = takeover_adopting,
};

static void daemon_on_child(void *ctx)
{
	struct daemon *d = ctx;
	int status;

	/* As process 1 we have the children of others, too. */
	for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;)
		if (!upgrade_ended(d, pid, status))
			hook_ended(d->hook, pid, status);
}

static void daemon_on_watchdog(void *ctx)
{
	struct daemon *d = ctx;

	notify_send("WATCHDOG=1");
	timer_set(d->loop, &d->watchdog, (int64_t)(notify_watchdog_usec() / 2000));
}

/* ---- start ---- */

/* Prepares timer t to call fn, and starts it unless seconds is 0. */
static void daemon_init_timer(struct daemon *d, struct timer *t, loop_fn *fn, unsigned seconds)
{
	t->fn = fn;
	t->ctx = d;
	if (seconds)
		timer_set(d->loop, t, (int64_t)seconds * 1000);
}

/* Opens the log; at the start of a background daemon somebody may be looking at standard error, too. */
static void daemon_open_log(const struct settings *s, enum log_dest in_background)
{
	log_open(s->ident, !s->foreground ? in_background : s->syslog ? LOG_TO_SYSLOG : LOG_TO_STDERR);
}

/* Lets the parent of a background daemon go.  Standard error is another one now, also after an upgrade. */
static void daemon_leave_parent(struct daemon *d)
{
	proc_ready(0);
	daemon_open_log(d->set, LOG_TO_SYSLOG);
}

/* Waits for the seconds of -d: as pause_for(). */
static int daemon_wait_delay(struct daemon *d)
{
	int status;

	if (!d->set->delay || d->hands_over)
		return 0;
	/* Who asks for a delay does not want to wait for it.  A file on standard input has to be read before. */
	if (strcmp(d->set->conf, "-"))
		daemon_leave_parent(d);
	/* What a client changes now would be lost when the file is read. */
	server_hold(d->control, true);
	status = pause_for(d, d->set->delay * INT64_C(1000));
	server_hold(d->control, false);
	return status;
}

/* Waits until the file has been read and the kernel has all that comes of it: as pause_for(), or an exit status. */
static int daemon_wait_file(struct daemon *d)
{
	reload_first(d);
	return pause_for(d, 0) < 0 ? -1 : d->reload.status;
}

/* Opens and adopts what the kernel talks through: 0, or an exit status. */
static int daemon_open(struct daemon *d)
{
	int status;

	store_init(d);
	handover_adopt(&d->handed, d->set->table);
	if ((status = reach_claim(d)) || (status = daemon_wait_delay(d)) || (status = families_open(d)) ||
	    (status = watch_links(d)))
		return status;
	families_adopt(d);
	watch_mrdisc(d);
	watch_refresh(d);
	return takeover_step(d, "it had adopted the sockets");
}

/* All is done: says so to whoever waits for it. */
static void daemon_begin(struct daemon *d)
{
	d->hands_over = false;
	events_reloaded(d);
	/* A file by its number (-f /dev/fd/N) has been read.  A keeper knows that it is ready before any harm. */
	proc_close_inherited();
	store_all(d);
	result_ready(d, "");
	daemon_leave_parent(d);
	result_log(d, "started");
	if (notify_watchdog_usec())
		daemon_on_watchdog(d);
	reload_follow(d);
	watch_arm(d);
}

static int daemon_shed_by_exec(struct daemon *d)
{
	daemon_leave_parent(d);
	return rights_shed_by_exec(d);
}

static int daemon_start(struct daemon *d)
{
	bool needs_rights = !geteuid() || d->set->user;
	int status;

	d->control = server_new(d->loop, &d->for_clients);
	if (!d->control) {
		log_err("out of memory");
		return EXIT_SYSTEM;
	}
	if ((status = takeover_begin(d)))
		return status;
	/* Before anything else, as who is not root lacks the right to the run directory, too. */
	if ((status = rights_check(d)) || (status = daemon_open(d)) || (status = daemon_wait_file(d)))
		return status;
	handover_settle(&d->handed);
	if ((status = takeover_step(d, "it had applied its configuration")))
		return status;
	if (d->set->hook && !(d->hook = hook_new(d->loop, d->set->hook, HOOK_LIMIT_MS))) {
		log_errno("hook");
		return EXIT_SYSTEM;
	}
	/* Before the PID file, which says that the file was read, where that takes no rights. */
	if (!needs_rights && (status = rights_drop(d)))
		return status;
	if (d->sheds_by_exec && !d->takeover.is_open)
		return daemon_shed_by_exec(d);
	if ((status = reach_finish(d)) || (needs_rights && (status = rights_drop(d))) || (status = takeover_finish(d)))
		return status;
	if (d->sheds_by_exec)
		return daemon_shed_by_exec(d);
	daemon_begin(d);
	return 0;
}

static int daemon_set_up(struct daemon *d)
{
	d->loop = loop_new();
	journal_init(&d->journal, &d->router);
	if (!d->loop || router_init(&d->router, &daemon_router_ops, d) < 0)
		return -1;
	d->for_clients = (struct call_daemon){
		.router = &d->router, .reload = daemon_reload, .is_ended = daemon_has_ended,
		.packets = families_packets, .stop = daemon_on_stop, .ctx = d, .journal = &d->journal,
	};
	give_init(d);
	upgrade_init(d);
	d->router.table = d->set->table;
	d->router.expire_sec = d->set->expire;
	d->router.mrdisc->interval = d->set->mrdisc;
	/* By the seed of this process: other routers are not to send at the same time. */
	d->router.mrdisc->rnd = hash_bytes("mrdisc", 6);
	d->router.max_dynamic = d->set->max_dynamic;
	daemon_init_timer(d, &d->tick, watch_tick, 0);
	daemon_init_timer(d, &d->upcalls, families_upcalls, 0);
	daemon_init_timer(d, &d->families, families_retry, 0);
	daemon_init_timer(d, &d->pause, pause_end, 0);
	daemon_init_timer(d, &d->watchdog, daemon_on_watchdog, 0);
	daemon_init_timer(d, &d->reach, reach_again, 0);
	daemon_init_timer(d, &d->sick, watch_again, 0);
	d->lim_client.burst = 30;
	d->lim_diag.burst = 1000;
	daemon_init_timer(d, &d->store_again, store_again, 0);
	daemon_init_timer(d, &d->lifetime, daemon_on_stop, d->set->lifetime);
	signal(SIGPIPE, SIG_IGN);
	if (loop_signal(d->loop, SIGTERM, daemon_on_stop, d) || loop_signal(d->loop, SIGINT, daemon_on_stop, d) ||
	    loop_signal(d->loop, SIGCHLD, daemon_on_child, d) || loop_signal(d->loop, SIGHUP, daemon_on_hup, d) ||
	    loop_signal(d->loop, SIGUSR2, upgrade_by_signal, d))
		return -1;
	return 0;
}

/* Another process is the daemon, and what is left here are runs of the hook that wait.  Who wanted the daemon to end
 * meant the one that an upgrade has put in our place, too; a takeover may be the very reason why an init system ends
 * this one. */
static void daemon_pass_on(struct daemon *d)
{
	hook_finish(d->hook);
	d->stopping |= loop_is_told_to_end(d->loop);
	if (d->give.child && d->stopping)
		kill(d->give.child, SIGTERM);
}

/* Another process goes on with what it has of ours: that stays where it is. */
static void daemon_let_go(struct daemon *d)
{
	takeover_end(d);
	if (!d->hands_over)
		return;
	if (d->give.has_control || d->takeover.has_control)
		server_release(d->control);
	if (d->give.has_pidfile || d->takeover.has_pidfile)
		pidfile_release(&d->pidfile);
}

/* Undoes what was done, at whichever step the start ended. */
static void daemon_tear_down(struct daemon *d, int status)
{
	if (d->give.is_given)
		d->hands_over = true;
	else
		d->hands_over |= store_end(d, status);
	if (!d->give.is_given && !d->takeover.is_open)
		notify_send("STOPPING=1");
	if (d->control) {
		give_call_off(d, "the running daemon was told to end");
		daemon_let_go(d);
		upgrade_stop(d);
	}
	reload_stop(d);
	priv_raise();
	/* The socket tells a successor that we leave, the PID file that all is released; clients see the end last. */
	if (d->control)
		server_unlisten(d->control);
	if (d->hands_over)
		kernel_release();
	else
		router_shutdown(&d->router);
	kernel_link_close();
	pidfile_remove(&d->pidfile);
	server_free(d->control);
	/* Clients may have been in the middle of it. */
	router_free(&d->router);
	priv_lower();
	journal_free(&d->journal);
	handover_free(&d->handed);
}

/* glibc raises the size from which it asks the system for memory of its own when a large piece is freed (mallopt(3)),
 * and then a third of the heap would be holes after a reload: 175 bytes a route in place of 110. */
static void daemon_fix_malloc(void)
{
#ifdef M_MMAP_THRESHOLD
	mallopt(M_MMAP_THRESHOLD, 2 * 1024);
	mallopt(M_TRIM_THRESHOLD, 16 * 1024);
	mallopt(M_TOP_PAD, 4 * 1024);
#endif
}

/* What comes before anything is asked of the kernel: NULL, or what failed, with errno. */
static const char *daemon_prepare(struct daemon *d)
{
	const struct settings *s = d->set;

	if (proc_open_std() < 0)
		return "/dev/null";
	daemon_open_log(s, LOG_TO_BOTH);
	if (!s->foreground && !s->keeper && !takeover_is_child() && proc_daemonize() < 0)
		return "going to the background";
	notify_init();
	log_info("smcroute %s", applet_version());
	return daemon_set_up(d) < 0 ? "event loop" : NULL;
}

/* Lets the loop run to the end of the daemon: its exit status. */
static int daemon_loop(struct daemon *d)
{
	int status = loop_run(d->loop);

	if (status < 0) {
		log_errno("event loop");
		status = errno == ENOMEM ? EXIT_SYSTEM : EXIT_INTERNAL;
	}
	log_notice("leaving");
	return status;
}

int daemon_run(const struct settings *s, struct handover *handed)
{
	/* Its loop is there to the end of the process, so that no signal is lost. */
	static struct daemon d;
	uint64_t seed = (uint64_t)getpid() << 32 ^ (uintptr_t)&d;
	const char *failed;
	int status;

	d = (struct daemon){ .set = s, .handed = *handed, .journal_handed = -1 };
	daemon_fix_malloc();
	/* Early at boot there may be no better one. */
	(void)!getrandom(&seed, sizeof seed, GRND_NONBLOCK);
	hash_seed(seed);
	log_set_level(s->level);
	failed = daemon_prepare(&d);
	if (failed) {
		log_errno("cannot start: %s", failed);
		status = EXIT_SYSTEM;
	} else {
		status = daemon_start(&d);
	}
	/* Less than 0: ended while it waited. */
	status = !status ? daemon_loop(&d) : status < 0 ? 0 : status;
	daemon_tear_down(&d, status);
	proc_ready(status);
	if (d.give.is_given)
		daemon_pass_on(&d);
	hook_free(d.hook);
	return status;
}
