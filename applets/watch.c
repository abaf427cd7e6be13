/* SPDX-License-Identifier: ISC
 *
 * The descriptors that the kernel talks through: how they are opened, what is said when that fails, and which entry
 * point of the router answers them.
 */
#include "applets/watch.h"

#include <errno.h>
#include <malloc.h>
#include <poll.h>
#include <string.h>

#include "applets/reload.h"
#include "applets/result.h"
#include "kernel/kernel.h"
#include "lib/status.h"

/* Messages taken from a socket before others get their turn. */
#define WATCH_LINKS 64
#define WATCH_NEIGHBOURS 16	/* solicitations, queries */

#define WATCH_FAILURES 8	/* of all sockets that are answered at once, each WATCH_SICK_MS */
#define WATCH_SICK_MS 1000

/* What was freed goes back to the system: glibc keeps it as long as anything lies behind it. */
static void watch_give_back(void)
{
#ifdef __GLIBC__
	malloc_trim(0);
#endif
}

void watch_arm(void *ctx)
{
	struct daemon *d = ctx;
	int64_t due = router_due(&d->router), now = loop_now(d->loop);

	if (d->router.has_shrunk)
		watch_give_back();
	d->router.has_shrunk = false;
	reload_count(d);
	if (d->reload.ended && d->reload.stage == RELOAD_NONE)
		result_waits(d);
	if (due && (!d->tick.due || due < d->tick.due))
		timer_set(d->loop, &d->tick, due > now ? due - now : 0);
}

void watch_tick(void *ctx)
{
	struct daemon *d = ctx;

	router_tick(&d->router, loop_now(d->loop));
	reload_settle(d);
	if (d->control)
		server_resume(d->control);
	watch_arm(d);
}

void watch_failed(struct daemon *d, int fd, const char *whose, const char *what)
{
	/* Read again at once it would keep the loop busy, and one error now and then is no reason to be late. */
	if (!d->failures++)
		timer_set(d->loop, &d->sick, WATCH_SICK_MS);
	if (d->failures > WATCH_FAILURES)
		loop_events(d->loop, fd, 0);
	log_limited(&d->lim_socket, loop_now(d->loop), LOG_LVL_ERR, "%s%s: %s", whose, what, strerror(errno));
}

static void watch_on_link(void *ctx, const struct link_event *ev)
{
	struct daemon *d = ctx;

	router_link_event(&d->router, ev);
}

/* Has what no memory was there for be told again, in a while. */
static void watch_lost(struct daemon *d)
{
	if (!d->router.links_lost)
		return;
	d->router.links_lost = false;
	kernel_link_lost();
	errno = ENOMEM;
	watch_failed(d, kernel_link_fd(), "", "rtnetlink");
}

static void watch_on_netlink(void *ctx, int fd, short revents)
{
	struct daemon *d = ctx;

	(void)revents;
	d->router.now = loop_now(d->loop);
	if (kernel_link_drain(WATCH_LINKS, watch_on_link, d) < 0)
		watch_failed(d, fd, "", "rtnetlink");
	watch_lost(d);
	router_sync(&d->router);
	watch_arm(d);
}

void watch_again(void *ctx)
{
	struct daemon *d = ctx;

	d->failures = 0;
	loop_events(d->loop, kernel_link_fd(), POLLIN);
	for (enum fam f = 0; f < FAM_N; f++) {
		loop_events(d->loop, kernel_mroute_fd(f), POLLIN);
		loop_events(d->loop, kernel_mrdisc_fd(f), POLLIN);
		loop_events(d->loop, kernel_report_fd(f), POLLIN);
	}
	/* A dump that could not be asked for is asked for now. */
	watch_on_netlink(d, kernel_link_fd(), 0);
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
		watch_failed(d, fd, fam_str(f), " router discovery socket");
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
		watch_failed(d, fd, fam_str(f), " query socket");
	watch_arm(d);
}

int watch_links(struct daemon *d)
{
	d->router.now = loop_now(d->loop);
	if (kernel_link_open() < 0 || kernel_link_dump(watch_on_link, d) < 0 ||
	    loop_add(d->loop, kernel_link_fd(), POLLIN, watch_on_netlink, d) < 0) {
		log_errno("rtnetlink");
		return EXIT_SYSTEM;
	}
	watch_lost(d);
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
