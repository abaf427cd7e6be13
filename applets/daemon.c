/* SPDX-License-Identifier: ISC
 *
 * The daemon's life: what is tried in which order at the start, which callback
 * answers which descriptor, timer and signal, and what is undone at the end.
 * No policy in here: that is router/.
 */
#include "applets/daemon.h"

#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "applets/applet.h"
#include "conf/conf.h"
#include "kernel/kernel.h"
#include "lib/hook.h"
#include "lib/loop.h"
#include "lib/notify.h"
#include "lib/priv.h"
#include "lib/proc.h"
#include "lib/status.h"
#include "router/command.h"
#include "router/control.h"
#include "router/event.h"
#include "router/router.h"

/* ---- events ---- */

static int on_reload(void *ctx, struct cmd *c)
{
	return reload_again(ctx, c);
}

static void on_hup(void *ctx)
{
	struct daemon *d = ctx;
	struct cmd c = { 0 };

	/* Not started yet: the file is still to be read. */
	if (!d->running)
		return;
	if (reload_again(d, &c))
		log_err("reload failed: %s", c.error);
	buf_free(&c.diag);
}

static void on_stop(void *ctx)
{
	struct daemon *d = ctx;

	d->stopping = true;
	loop_stop(d->loop, 0);
}

static void hook_install(struct daemon *d, const struct event *ev)
{
	char source[ADDR_STRLEN + 8] = "source=", group[ADDR_STRLEN + 8] = "group=", iif[KERNEL_IFNAME + 4];
	struct buf oifs = { 0 };

	addr_str(ev->source, source + 7);
	addr_str(ev->group, group + 6);
	snprintf(iif, sizeof iif, "iif=%s", ev->iif ? ev->iif : "");
	buf_str(&oifs, "oifs=");
	for (int vif = 0; vif < KERNEL_VIFS; vif++) {
		const struct iface *i = ev->oifs >> vif & 1 ? iface_by_vif(&d->router.ifs, ev->fam, vif) : NULL;

		if (i)
			buf_printf(&oifs, "%s%s", oifs.p[oifs.len - 1] == '=' ? "" : " ", i->name);
	}
	const char *env[] = {
		source, group, iif, buf_cstr(&oifs), ev->fam == FAM_4 ? "family=ipv4" : "family=ipv6",
		ev->kind == EVENT_MOVED ? "event=moved" : "event=learned",
	};
	hook_run(d->hook, "install", env, sizeof env / sizeof *env);
	buf_free(&oifs);
}

static void on_event(void *ctx, const struct event *ev)
{
	struct daemon *d = ctx;

	if (d->hook && (ev->kind == EVENT_LEARNED || ev->kind == EVENT_MOVED))
		hook_install(d, ev);
	if (d->control && control_followed(d->control)) {
		struct buf text = { 0 }, json = { 0 };
		struct timespec ts;

		clock_gettime(CLOCK_REALTIME, &ts);
		event_lines(&d->router, ev, &ts, &text, &json);
		control_event(d->control, buf_cstr(&text), buf_cstr(&json));
		buf_free(&text);
		buf_free(&json);
	}
}

static void on_wake(void *ctx)
{
	watch_arm(ctx);
}

static const struct router_ops ops = { on_reload, on_stop, on_event, on_wake };

static void on_child(void *ctx)
{
	struct daemon *d = ctx;

	hook_reap(d->hook);
}

static void on_watchdog(void *ctx)
{
	struct daemon *d = ctx;

	notify_send("WATCHDOG=1");
	timer_set(d->loop, &d->watchdog, (int64_t)(notify_watchdog_usec() / 2000));
}

/* ---- start ---- */

/* Takes what tells instances apart: the PID file is only looked at here. */
static int claim(struct daemon *d)
{
	const struct settings *s = d->set;
	pid_t owner = pidfile_owner(s->pidfile);

	if (owner) {
		log_err("%s: already running as pid %d", s->pidfile, (int)owner);
		return EXIT_BUSY;
	}
	if (s->user && priv_lookup(s->user, &d->id) < 0) {
		log_err("option -p: %s: no such user or group", s->user);
		return EXIT_USAGE;
	}
	d->control = control_new(d->loop, &d->router);
	if (d->control && control_listen(d->control, s->socket, s->user ? 0660 : 0600,
					 s->user ? d->id.uid : (uid_t)-1, s->user ? d->id.gid : (gid_t)-1) == 0)
		return 0;
	if (errno == EADDRINUSE)
		log_err("%s: another instance answers on this socket", s->socket);
	else
		log_errno("control socket %s", s->socket);
	return errno == EADDRINUSE ? EXIT_BUSY : errno == EACCES || errno == EPERM ? EXIT_DENIED : EXIT_SYSTEM;
}

static int shed(struct daemon *d)
{
	bool keep = d->hook != NULL;

	if ((d->set->user ? priv_drop(&d->id, keep) : priv_shed(keep)) == 0)
		return 0;
	log_errno("cannot give up privileges");
	return EXIT_DENIED;
}

static int write_pidfile(struct daemon *d)
{
	if (pidfile_write(&d->pidfile, d->set->pidfile) == 0)
		return 0;
	if (errno == EBUSY)
		log_err("%s: held by a living instance", d->set->pidfile);
	else
		log_errno("PID file %s", d->set->pidfile);
	return errno == EBUSY ? EXIT_BUSY : errno == EACCES || errno == EPERM ? EXIT_DENIED : EXIT_SYSTEM;
}

static void on_delay(void *ctx)
{
	struct daemon *d = ctx;

	loop_stop(d->loop, 0);
}

/* Lets the loop run for the seconds of -d: a signal ends it as ever. */
static int wait_delay(struct daemon *d)
{
	if (!d->set->delay)
		return 0;
	d->delay = (struct timer){ .fn = on_delay, .ctx = d };
	if (timer_set(d->loop, &d->delay, (int64_t)d->set->delay * 1000) < 0)
		return EXIT_SYSTEM;
	/* What a client asks for now would go when the file is read. */
	control_hold(d->control, true);
	loop_run(d->loop);
	control_hold(d->control, false);
	return d->stopping ? -1 : 0;
}

/* Lets the loop run until the memberships of the file are joined. */
static int wait_groups(struct daemon *d)
{
	d->running = true;
	d->starting = groups_ticket(&d->router.groups) != 0;
	if (d->starting)
		loop_run(d->loop);
	d->starting = false;
	return d->stopping ? -1 : 0;
}

static int start(struct daemon *d)
{
	int status;

	if ((status = claim(d)) || (status = wait_delay(d)) || (status = watch_families(d)) ||
	    (status = watch_links(d)))
		return status;
	watch_mrdisc(d);
	if ((status = reload_first(d)) || (status = wait_groups(d)))
		return status;
	if (d->set->hook && !(d->hook = hook_new(d->loop, d->set->hook))) {
		log_errno("hook");
		return EXIT_SYSTEM;
	}
	if ((status = write_pidfile(d)) || (status = shed(d)))
		return status;
	reload_hook(d);
	proc_ready(0);
	/* Until here the user may be looking at stderr. */
	if (!d->set->foreground)
		log_open(d->set->ident, LOG_TO_SYSLOG);
	reload_result(d, "started");
	reload_ready(d, "");
	if (notify_watchdog_usec())
		on_watchdog(d);
	watch_arm(d);
	return 0;
}

static int set_up(struct daemon *d)
{
	d->loop = loop_new();
	if (!d->loop || router_init(&d->router, &ops, d) < 0)
		return -1;
	d->router.table = d->set->table;
	d->router.expire_sec = d->set->expire;
	d->router.mrdisc.interval = d->set->mrdisc;
	d->router.max_dynamic = d->set->max_dynamic;
	d->tick = (struct timer){ .fn = watch_tick, .ctx = d };
	d->upcalls = (struct timer){ .fn = watch_upcalls, .ctx = d };
	d->watchdog = (struct timer){ .fn = on_watchdog, .ctx = d };
	d->lifetime = (struct timer){ .fn = on_stop, .ctx = d };
	if (d->set->lifetime && timer_set(d->loop, &d->lifetime, (int64_t)d->set->lifetime * 1000) < 0)
		return -1;
	signal(SIGPIPE, SIG_IGN);
	if (loop_signal(d->loop, SIGTERM, on_stop, d) < 0 || loop_signal(d->loop, SIGINT, on_stop, d) < 0 ||
	    loop_signal(d->loop, SIGCHLD, on_child, d) < 0 || loop_signal(d->loop, SIGHUP, on_hup, d) < 0)
		return -1;
	return 0;
}

static void tear_down(struct daemon *d)
{
	notify_send("STOPPING=1");
	hook_free(d->hook);
	/* Routes first, then the files by which others know us; the clients see the end last. */
	router_shutdown(&d->router);
	kernel_link_close();
	pidfile_remove(&d->pidfile);
	if (d->control) {
		control_unlisten(d->control);
		control_free(d->control);
	}
	if (d->loop)
		loop_free(d->loop);
}

/* Has arrays come from the system and go back to it whole, and freed ends of the heap too.  glibc raises
 * its threshold when a large one was freed, and after a reload a third of the heap would be holes
 * (mallopt(3)). */
static void fix_malloc(void)
{
#ifdef M_MMAP_THRESHOLD
	mallopt(M_MMAP_THRESHOLD, 8 * 1024);
	mallopt(M_TRIM_THRESHOLD, 16 * 1024);
	mallopt(M_TOP_PAD, 4 * 1024);
#endif
}

int daemon_run(const struct settings *s)
{
	struct daemon d = { .set = s };
	uint64_t seed;
	int status;

	fix_malloc();
	if (getrandom(&seed, sizeof seed, GRND_NONBLOCK) != sizeof seed)
		seed = (uint64_t)getpid() << 32 ^ (uintptr_t)&d;
	hash_seed(seed);
	log_set_level(s->level);
	if (proc_open_std() < 0) {
		log_errno("cannot start");
		return EXIT_SYSTEM;
	}
	log_open(s->ident, !s->foreground ? LOG_TO_BOTH : s->syslog ? LOG_TO_SYSLOG : LOG_TO_STDERR);
	if (!s->foreground && proc_daemonize() < 0) {
		log_errno("cannot start");
		return EXIT_SYSTEM;
	}
	notify_init();
	log_info("smcroute %s", applet_version());
	if (set_up(&d) < 0) {
		log_errno("cannot start");
		status = EXIT_SYSTEM;
	} else {
		status = start(&d);
	}
	if (!status) {
		status = loop_run(d.loop);
		if (status < 0) {
			log_errno("event loop");
			status = errno == ENOMEM ? EXIT_SYSTEM : EXIT_INTERNAL;
		}
		log_notice("leaving");
	} else if (status < 0) {
		/* Ended while it waited. */
		status = 0;
	}
	tear_down(&d);
	proc_ready(status);
	return status;
}
