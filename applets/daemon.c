/* SPDX-License-Identifier: ISC
 *
 * The daemon's life: what is tried in which order at the start, which callback
 * answers which descriptor, timer and signal, and what is undone at the end.
 * No policy in here: that is router/.
 */
#include "applets/daemon.h"

#include <errno.h>
#include <poll.h>
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

/* Messages taken from a socket before others get their turn. */
#define UPCALLS_A_TURN 512
#define LINKS_A_TURN 64
#define SOLICITS_A_TURN 16

struct daemon {
	const struct settings *set;
	struct loop *loop;
	struct router router;
	struct control *control;
	struct hook *hook;
	struct pidfile pidfile;
	struct timer tick, watchdog, lifetime, delay;
	struct priv_id id;
	struct log_limit lim_socket;
	bool running;
};

/* ---- reload ---- */

static void hook_reload(struct daemon *d)
{
	if (d->hook)
		hook_run(d->hook, "reload", NULL, 0);
}

static void log_diags(const struct conf *c, const struct diags *diags)
{
	struct buf b = { 0 };

	diags_print(&b, c, diags, log_shows(LOG_LVL_DEBUG));
	for (const char *p = buf_cstr(&b), *end; *p; p = *end ? end + 1 : end) {
		end = p + strcspn(p, "\n");
		log_at(strstr(p, ": warning:") && strstr(p, ": warning:") < end ? LOG_LVL_INFO : LOG_LVL_ERR,
		       "%.*s", (int)(end - p), p);
	}
	buf_free(&b);
}

static void log_result(const struct daemon *d, const char *what)
{
	const struct router_changes *ch = &d->router.changes;

	log_notice("%s: %u rules, %u groups; kernel entries: %u added, %u changed, %u removed%s", what,
		   d->router.conf->nmroutes - d->router.rules.removed, d->router.conf->nmgroups,
		   ch->added, ch->changed, ch->removed, ch->failed ? ", some were refused" : "");
}

/* Reads the file again and applies the difference; errors leave everything as it is. */
static int reload_conf(struct daemon *d, struct cmd *c)
{
	struct diags diags = { 0 };
	struct conf *conf;
	struct event ev = { .kind = EVENT_RELOAD };
	int status = 0;

	if (!strcmp(d->set->conf, "-"))
		return cmd_fail(c, EXIT_CONFIG, "the configuration came from standard input and cannot be read again");
	conf = conf_new();
	if (!conf)
		return cmd_fail(c, EXIT_SYSTEM, "out of memory");
	notify_reloading();
	conf_parse_file(conf, &diags, d->set->conf);
	log_diags(conf, &diags);
	if (diags.errors) {
		diags_print(&c->diag, conf, &diags, false);
		status = cmd_fail(c, EXIT_CONFIG, "%s: %u error%s, nothing was changed", d->set->conf, diags.errors,
				  diags.errors == 1 ? "" : "s");
		conf_free(conf);
	} else if (router_apply_conf(&d->router, conf, loop_touch(d->loop)) < 0) {
		status = cmd_fail(c, EXIT_SYSTEM, "out of memory, nothing was changed");
		conf_free(conf);
	} else {
		const struct router_changes *ch = &d->router.changes;

		d->router.count.reloads++;
		log_result(d, "reloaded");
		cmd_note(c, "reloaded: %u entries added, %u changed, %u removed", ch->added, ch->changed, ch->removed);
		pidfile_touch(&d->pidfile);
		hook_reload(d);
		router_event(&d->router, &ev);
	}
	diags_free(&diags);
	notify_send("READY=1");
	return status;
}

static int on_reload(void *ctx, struct cmd *c)
{
	return reload_conf(ctx, c);
}

static void on_hup(void *ctx)
{
	struct daemon *d = ctx;
	struct cmd c = { 0 };

	/* Not started yet: the file is still to be read. */
	if (!d->running)
		return;
	if (reload_conf(d, &c))
		log_err("reload failed: %s", c.error);
	buf_free(&c.diag);
}

/* ---- events ---- */

static void on_stop(void *ctx)
{
	struct daemon *d = ctx;

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
		event_text(&d->router, ev, ts.tv_sec * INT64_C(1000000) + ts.tv_nsec / 1000, &text);
		event_json(&d->router, ev, ts.tv_sec * INT64_C(1000000) + ts.tv_nsec / 1000, &json);
		control_event(d->control, buf_cstr(&text), buf_cstr(&json));
		buf_free(&text);
		buf_free(&json);
	}
}

static const struct router_ops ops = { on_reload, on_stop, on_event };

/* Sees that the router is called when it has something to do. */
static void arm_tick(struct daemon *d)
{
	int64_t due = router_due(&d->router), now = loop_now(d->loop);

	if (due && (!d->tick.due || due < d->tick.due))
		timer_set(d->loop, &d->tick, due > now ? due - now : 0);
}

static void on_tick(void *ctx)
{
	struct daemon *d = ctx;

	router_tick(&d->router, loop_now(d->loop));
	arm_tick(d);
}

static void on_upcall(void *ctx, const struct upcall *up)
{
	struct daemon *d = ctx;

	router_upcall(&d->router, up, loop_now(d->loop));
}

static void on_mroute(void *ctx, int fd, short revents)
{
	struct daemon *d = ctx;

	(void)revents;
	for (enum fam f = 0; f < FAM_N; f++)
		if (fd == kernel_mroute_fd(f) && kernel_mroute_drain(f, UPCALLS_A_TURN, on_upcall, d) < 0)
			log_limited(&d->lim_socket, loop_now(d->loop), LOG_LVL_ERR, "%s routing socket: %s",
				    fam_str(f), strerror(errno));
	arm_tick(d);
}

static void on_link(void *ctx, const struct link_event *ev)
{
	struct daemon *d = ctx;

	router_link_event(&d->router, ev);
}

static void on_netlink(void *ctx, int fd, short revents)
{
	struct daemon *d = ctx;

	(void)fd;
	(void)revents;
	d->router.now = loop_now(d->loop);
	if (kernel_link_drain(LINKS_A_TURN, on_link, d) < 0)
		log_limited(&d->lim_socket, loop_now(d->loop), LOG_LVL_ERR, "rtnetlink: %s", strerror(errno));
	router_sync(&d->router);
	arm_tick(d);
}

static void on_solicit(void *ctx, enum fam fam, int ifindex)
{
	struct daemon *d = ctx;

	mrdisc_solicited(&d->router, fam, ifindex);
}

static void on_mrdisc(void *ctx, int fd, short revents)
{
	struct daemon *d = ctx;

	(void)revents;
	d->router.now = loop_now(d->loop);
	for (enum fam f = 0; f < FAM_N; f++)
		if (fd == kernel_mrdisc_fd(f) && kernel_mrdisc_drain(f, SOLICITS_A_TURN, on_solicit, d) < 0)
			log_limited(&d->lim_socket, loop_now(d->loop), LOG_LVL_ERR, "%s router discovery socket: %s",
				    fam_str(f), strerror(errno));
	arm_tick(d);
}

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

/* Why the routing socket of a family could not be had, in words, and as an exit status. */
static int explain_family(const struct daemon *d, enum fam fam, int err)
{
	char comm[64];
	int pid;

	switch (err) {
	case EADDRINUSE:
		if (kernel_mroute_holder(fam, &pid, comm, sizeof comm))
			log_err("%s multicast routing is taken by %s (pid %d)%s", fam_str(fam), comm, pid,
				!strncmp(comm, "smcroute", 8) ? ": already running, use smcroutectl reload" : "");
		else
			log_err("%s multicast routing is taken by another process; only one can have it in a routing table",
				fam_str(fam));
		return EXIT_BUSY;
	case EPERM:
	case EACCES:
		log_err("%s multicast routing: not permitted; %s is missing", fam_str(fam),
			!priv_has(PRIV_NET_RAW) ? "the capability CAP_NET_RAW" :
			d->set->table && !priv_has(PRIV_NET_ADMIN) ? "the capability CAP_NET_ADMIN (for -t)" :
			"the right to this network namespace (CAP_NET_RAW in the user namespace that owns it)");
		return EXIT_DENIED;
	case ENOPROTOOPT:
	case EOPNOTSUPP:
	case EAFNOSUPPORT:
	case EPROTONOSUPPORT:
	case EINVAL:
		log_err("%s multicast routing is not in this kernel; it needs %s%s", fam_str(fam),
			fam == FAM_4 ? "CONFIG_IP_MROUTE" : "CONFIG_IPV6_MROUTE",
			!d->set->table ? "" : fam == FAM_4 ? " and CONFIG_IP_MROUTE_MULTIPLE_TABLES" :
			" and CONFIG_IPV6_MROUTE_MULTIPLE_TABLES");
		return EXIT_NOKERNEL;
	default:
		log_err("%s multicast routing: %s", fam_str(fam), strerror(err));
		return EXIT_SYSTEM;
	}
}

/* Opens each family on its own; 0 when one at least is there. */
static int open_families(struct daemon *d)
{
	/* Of two failures the one that the user can mend most easily is the verdict. */
	static const int order[] = { EXIT_DENIED, EXIT_BUSY, EXIT_SYSTEM, EXIT_NOKERNEL };
	int status[FAM_N] = { 0 };
	bool any = false;

	for (enum fam f = 0; f < FAM_N; f++) {
		if (kernel_mroute_open(f, d->set->table) < 0) {
			status[f] = explain_family(d, f, errno);
			continue;
		}
		if (loop_add(d->loop, kernel_mroute_fd(f), POLLIN, on_mroute, d) < 0)
			return EXIT_SYSTEM;
		if (!kernel_mroute_has_pim(f))
			log_notice("%s: the kernel has no CONFIG_%s, wrong interfaces are noticed only where they are an output",
				   fam_str(f), f == FAM_4 ? "IP_PIMSM_V2" : "IPV6_PIMSM_V2");
		router_family(&d->router, f, true);
		any = true;
	}
	for (unsigned i = 0; !any && i < sizeof order / sizeof *order; i++)
		if (status[FAM_4] == order[i] || status[FAM_6] == order[i])
			return order[i];
	return 0;
}

static int open_links(struct daemon *d)
{
	if (kernel_link_open() < 0 || kernel_link_dump(on_link, d) < 0 ||
	    loop_add(d->loop, kernel_link_fd(), POLLIN, on_netlink, d) < 0) {
		log_errno("rtnetlink");
		return EXIT_SYSTEM;
	}
	return 0;
}

/* Sockets of router discovery, for which there will be no capability later. */
static void open_mrdisc(struct daemon *d)
{
	for (enum fam f = 0; WITH_MRDISC && f < FAM_N; f++) {
		if (kernel_mrdisc_open(f) < 0 ||
		    loop_add(d->loop, kernel_mrdisc_fd(f), POLLIN, on_mrdisc, d) < 0) {
			log_notice("no multicast router discovery for %s: %s", fam_str(f), strerror(errno));
			continue;
		}
		d->router.mrdisc.up[f] = true;
	}
}

/* The first reading of the file: lines with errors are told and skipped. */
static int first_conf(struct daemon *d)
{
	struct conf *conf = conf_new();
	struct diags diags = { 0 };

	if (!conf)
		return EXIT_SYSTEM;
	if (!conf_parse_file(conf, &diags, d->set->conf) && errno == ENOENT && !d->set->conf_given)
		log_notice("no config file %s, waiting for commands", d->set->conf);
	else
		log_diags(conf, &diags);
	diags_free(&diags);
	if (router_apply_conf(&d->router, conf, loop_touch(d->loop)) < 0) {
		conf_free(conf);
		log_err("out of memory");
		return EXIT_SYSTEM;
	}
	return 0;
}

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

/* Lets the loop run for the seconds of -d: a signal ends it as ever. */
static int wait_delay(struct daemon *d)
{
	if (!d->set->delay)
		return 0;
	d->delay = (struct timer){ .fn = on_stop, .ctx = d };
	if (timer_set(d->loop, &d->delay, (int64_t)d->set->delay * 1000) < 0)
		return EXIT_SYSTEM;
	loop_run(d->loop);
	/* Still due: it was not the timer that ended the wait. */
	return d->delay.due ? -1 : 0;
}

static int start(struct daemon *d)
{
	int status;

	if ((status = claim(d)) || (status = wait_delay(d)) || (status = open_families(d)) ||
	    (status = open_links(d)))
		return status;
	open_mrdisc(d);
	if ((status = first_conf(d)))
		return status;
	if (d->set->hook && !(d->hook = hook_new(d->loop, d->set->hook))) {
		log_errno("hook");
		return EXIT_SYSTEM;
	}
	if ((status = write_pidfile(d)) || (status = shed(d)))
		return status;
	hook_reload(d);
	proc_ready(0);
	/* Until here the user may be looking at stderr. */
	if (!d->set->foreground)
		log_open(d->set->ident, LOG_TO_SYSLOG);
	log_result(d, "started");
	notify_send("READY=1\nSTATUS=routing");
	if (notify_watchdog_usec())
		on_watchdog(d);
	arm_tick(d);
	return 0;
}

static int set_up(struct daemon *d)
{
	d->loop = loop_new();
	if (!d->loop || router_init(&d->router, &ops, d) < 0)
		return -1;
	d->router.expire_sec = d->set->expire;
	d->router.mrdisc.interval = d->set->mrdisc;
	d->router.max_dynamic = d->set->max_dynamic;
	d->tick = (struct timer){ .fn = on_tick, .ctx = d };
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

int daemon_run(const struct settings *s)
{
	struct daemon d = { .set = s };
	uint64_t seed;
	int status;

	if (getrandom(&seed, sizeof seed, GRND_NONBLOCK) != sizeof seed)
		seed = (uint64_t)getpid() << 32 ^ (uintptr_t)&d;
	hash_seed(seed);
	log_set_level(s->level);
	log_open(s->ident, s->syslog ? LOG_TO_SYSLOG : LOG_TO_STDERR);
	if (proc_open_std() < 0 || (!s->foreground && proc_daemonize() < 0)) {
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
		d.running = true;
		status = loop_run(d.loop);
		if (status < 0) {
			log_errno("event loop");
			status = EXIT_SYSTEM;
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
