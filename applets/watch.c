/* SPDX-License-Identifier: ISC
 *
 * The descriptors that the kernel talks through: how they are opened, what is said when that fails, and which entry
 * point of the router answers them.
 */
#include "applets/watch.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

#include "applets/reload.h"
#include "kernel/kernel.h"
#include "lib/priv.h"
#include "lib/status.h"

/* Messages taken from a socket before others get their turn. */
#define WATCH_UPCALLS 128
#define WATCH_LINKS 64
#define WATCH_NEIGHBOURS 16	/* solicitations, queries */

void watch_arm(void *ctx)
{
	struct daemon *d = ctx;
	int64_t due = router_due(&d->router), now = loop_now(d->loop);

	if (d->running && !d->starting && !d->reloading)
		reload_waits(d);
	if (due && (!d->tick.due || due < d->tick.due))
		timer_set(d->loop, &d->tick, due > now ? due - now : 0);
}

void watch_tick(void *ctx)
{
	struct daemon *d = ctx;

	router_tick(&d->router, loop_now(d->loop));
	if (d->reloading && groups_done(d->router.groups, d->reloading))
		reload_done(d);
	if (d->control)
		server_resume(d->control);
	if (d->starting && !groups_ticket(d->router.groups))
		loop_stop(d->loop, 0);
	watch_arm(d);
}

/* Says that a socket failed, which may be so again and again. */
static void watch_log_failed(struct daemon *d, const char *whose, const char *what)
{
	log_limited(&d->lim_socket, loop_now(d->loop), LOG_LVL_ERR, "%s%s: %s", whose, what, strerror(errno));
}

static void watch_on_upcall(void *ctx, const struct upcall *up)
{
	struct daemon *d = ctx;

	router_upcall(&d->router, up, loop_now(d->loop));
}

static void watch_drain_upcalls(struct daemon *d, enum fam f)
{
	int n = kernel_mroute_drain(f, WATCH_UPCALLS, watch_on_upcall, d);

	if (n < 0)
		watch_log_failed(d, fam_str(f), " routing socket");
	/* The rest has been read already, so the descriptor will not tell. */
	if (n == WATCH_UPCALLS)
		timer_set(d->loop, &d->upcalls, 0);
	watch_arm(d);
}

void watch_upcalls(void *ctx)
{
	for (enum fam f = 0; f < FAM_N; f++)
		if (kernel_mroute_fd(f) >= 0)
			watch_drain_upcalls(ctx, f);
}

static void watch_on_mroute(void *ctx, int fd, short revents)
{
	(void)revents;
	watch_drain_upcalls(ctx, fd == kernel_mroute_fd(FAM_6) ? FAM_6 : FAM_4);
}

static void watch_on_link(void *ctx, const struct link_event *ev)
{
	struct daemon *d = ctx;

	router_link_event(&d->router, ev);
}

static void watch_on_netlink(void *ctx, int fd, short revents)
{
	struct daemon *d = ctx;

	(void)fd;
	(void)revents;
	d->router.now = loop_now(d->loop);
	if (kernel_link_drain(WATCH_LINKS, watch_on_link, d) < 0)
		watch_log_failed(d, "", "rtnetlink");
	router_sync(&d->router);
	watch_arm(d);
}

static void watch_on_solicit(void *ctx, enum fam fam, int ifindex)
{
	struct daemon *d = ctx;

	mrdisc_solicited(&d->router, fam, ifindex);
}

static void watch_on_mrdisc(void *ctx, int fd, short revents)
{
	struct daemon *d = ctx;
	enum fam f = fd == kernel_mrdisc_fd(FAM_6) ? FAM_6 : FAM_4;

	(void)revents;
	d->router.now = loop_now(d->loop);
	if (kernel_mrdisc_drain(f, WATCH_NEIGHBOURS, watch_on_solicit, d) < 0)
		watch_log_failed(d, fam_str(f), " router discovery socket");
	watch_arm(d);
}

static void watch_on_query(void *ctx, enum fam fam, int ifindex, unsigned version)
{
	struct daemon *d = ctx;

	refresh_queried(&d->router, fam, ifindex, version);
}

static void watch_on_report(void *ctx, int fd, short revents)
{
	struct daemon *d = ctx;
	enum fam f = fd == kernel_report_fd(FAM_6) ? FAM_6 : FAM_4;

	(void)revents;
	d->router.now = loop_now(d->loop);
	if (kernel_report_drain(f, WATCH_NEIGHBOURS, watch_on_query, d) < 0)
		watch_log_failed(d, fam_str(f), " query socket");
	watch_arm(d);
}

/* Why a family could not be had.  Of two reasons the last, which the user can mend most easily, is the verdict. */
enum watch_reason { WATCH_NO_KERNEL, WATCH_SYSTEM, WATCH_BUSY, WATCH_DENIED };

/* The reason for an errno, after saying it in words. */
static enum watch_reason watch_log_family(const struct daemon *d, enum fam fam, int err)
{
	const char *name = fam_str(fam), *symbol = fam == FAM_4 ? "IP" : "IPV6";
	bool table = d->set->table;
	char comm[64];
	int pid;

	switch (err) {
	case EADDRINUSE:
		if (kernel_mroute_holder(fam, &pid, comm, sizeof comm))
			log_err("%s multicast routing is taken by %s (pid %d)%s", name, comm, pid,
				!strncmp(comm, "smcroute", 8) ? ": already running, use smcroutectl reload" : "");
		else
			log_err("%s multicast routing is taken by another process; "
				"only one can have it in a routing table", name);
		return WATCH_BUSY;
	case EPERM:
	case EACCES:
		log_err("%s multicast routing: not permitted; %s is missing", name,
			table && !priv_has(PRIV_NET_ADMIN) ? "the capability CAP_NET_ADMIN (for -t)" :
			"the right to this network namespace (CAP_NET_RAW in the user namespace that owns it)");
		return WATCH_DENIED;
	case EAFNOSUPPORT:	/* as by ipv6.disable=1 on the kernel's command line */
		log_notice("%s is off", name);
		return WATCH_NO_KERNEL;
	case ENOPROTOOPT:
	case EOPNOTSUPP:
	case EPROTONOSUPPORT:
	case EINVAL:
		log_err("%s multicast routing is not in this kernel; it needs CONFIG_%s_MROUTE%s%s%s", name, symbol,
			table ? " and CONFIG_" : "", table ? symbol : "", table ? "_MROUTE_MULTIPLE_TABLES" : "");
		return WATCH_NO_KERNEL;
	default:
		log_err("%s multicast routing: %s", name, strerror(err));
		return WATCH_SYSTEM;
	}
}

int watch_families(struct daemon *d)
{
	static const int status[] = {
		[WATCH_NO_KERNEL] = EXIT_NOKERNEL, [WATCH_SYSTEM] = EXIT_SYSTEM,
		[WATCH_BUSY] = EXIT_BUSY, [WATCH_DENIED] = EXIT_DENIED,
	};
	enum watch_reason worst = WATCH_NO_KERNEL;
	bool any = false;

	for (enum fam f = 0; f < FAM_N; f++) {
		if (kernel_mroute_open(f, d->set->table) < 0) {
			enum watch_reason why = watch_log_family(d, f, errno);

			worst = why > worst ? why : worst;
			continue;
		}
		if (loop_add(d->loop, kernel_mroute_fd(f), POLLIN, watch_on_mroute, d) < 0)
			return EXIT_SYSTEM;
		if (!kernel_mroute_has_pim(f))
			log_notice("%s: the kernel has no CONFIG_%s_PIMSM_V2, "
				   "wrong interfaces are noticed only where they are an output",
				   fam_str(f), f == FAM_4 ? "IP" : "IPV6");
		router_family(&d->router, f, true);
		any = true;
	}
	return any ? 0 : status[worst];
}

int watch_links(struct daemon *d)
{
	d->router.now = loop_now(d->loop);
	if (kernel_link_open() < 0 || kernel_link_dump(watch_on_link, d) < 0 ||
	    loop_add(d->loop, kernel_link_fd(), POLLIN, watch_on_netlink, d) < 0) {
		log_errno("rtnetlink");
		return EXIT_SYSTEM;
	}
	return 0;
}

/* Says that a family lacks something, by errno, unless it is off and that has been said. */
static void watch_log_without(enum fam f, const char *what)
{
	if (errno != EAFNOSUPPORT)
		log_notice("no %s for %s: %s", what, fam_str(f), strerror(errno));
}

void watch_mrdisc(struct daemon *d)
{
	for (enum fam f = 0; WITH_MRDISC && f < FAM_N; f++) {
		if (kernel_mrdisc_open(f) < 0 ||
		    loop_add(d->loop, kernel_mrdisc_fd(f), POLLIN, watch_on_mrdisc, d) < 0) {
			watch_log_without(f, "multicast router discovery");
			continue;
		}
		d->router.mrdisc->up[f] = true;
	}
}

void watch_refresh(struct daemon *d)
{
	for (enum fam f = 0; f < FAM_N; f++) {
		if (kernel_report_open(f) < 0 ||
		    loop_add(d->loop, kernel_report_fd(f), POLLIN, watch_on_report, d) < 0) {
			watch_log_without(f, "refresh of memberships");
			continue;
		}
		d->router.refresh->up[f] = true;
	}
}
