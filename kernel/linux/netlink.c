/* SPDX-License-Identifier: ISC
 *
 * The rtnetlink socket for links and addresses: dumps, events, and what is done when the kernel had to drop some.  A
 * dump and the events that fall into it come through one and the same path, in the kernel's order.  Meaning is
 * rtnl.c's, decisions are the router's.
 */
#include "kernel/linux/netlink.h"

#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/fib_rules.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>

#include "kernel/kernel.h"
#include "kernel/linux/rtnl.h"
#include "kernel/linux/sock.h"
#include "lib/clock.h"
#include "lib/lines.h"

/* 1,000 events in one go; an event takes about 4 kB of kernel memory. */
#define RCVBUF (4 * 1024 * 1024)

#define DUMP_MS 10000		/* how long a dump at the start may take */
#define DUMP_AGAIN 3		/* times that an interrupted dump is repeated */
#define ALLMULTI_SEQ 0		/* sequence number of netlink_ask_allmulti(); dumps begin with 1 */

static struct {
	int fd;
	uint32_t pid;		/* our address */
	uint32_t seq;		/* of the last request */
	enum { DUMP_NONE, DUMP_LINKS, DUMP_RULES } dump;	/* the answer to seq is not complete yet */
	bool rules_wanted[FAM_N];
	bool rules_begun;	/* LINK_RULES_BEGIN was reported of the running dump */
	enum fam rules_fam;	/* of the running dump */
	bool cut;		/* the kernel says that this dump of links is not consistent */
	bool lost;		/* events were dropped: dump again */
	int cuts;		/* dumps in a row that were not consistent */
	int err;		/* errno of a dump of links that the kernel refused */
} nl = { .fd = -1 };

int kernel_link_open(void)
{
	if (nl.fd >= 0)
		return sock_fail(EALREADY);
	memset(&nl, 0, sizeof nl);
	nl.fd = sock_netlink(NETLINK_ROUTE, RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR, RCVBUF, &nl.pid);
	return nl.fd < 0 ? -1 : 0;
}

void kernel_link_close(void)
{
	if (nl.fd >= 0)
		close(nl.fd);
	nl.fd = -1;
}

int kernel_link_fd(void)
{
	return nl.fd;
}

/* RTNLGRP_IPV4_MCADDR and RTNLGRP_IPV6_MCADDR, of linux/rtnetlink.h since 6.14.  An older kernel refuses them. */
void kernel_members_follow(bool on)
{
	for (int group = 37; nl.fd >= 0 && group <= 38; group++)
		sock_set(nl.fd, SOL_NETLINK, on ? NETLINK_ADD_MEMBERSHIP : NETLINK_DROP_MEMBERSHIP, group);
}

static int netlink_dump(int dump, struct rtnl_req *req)
{
	req->h.nlmsg_seq = ++nl.seq;
	if (send(nl.fd, req, req->h.nlmsg_len, 0) < 0)
		return -1;
	nl.dump = dump;
	return 0;
}

/* The question for an interface, or with a dump for all of them. */
static void netlink_link_ask(struct rtnl_req *req, unsigned flags, int ifindex)
{
	struct ifinfomsg ifi = { .ifi_index = ifindex };
	uint32_t filter = RTEXT_FILTER_SKIP_STATS;

	rtnl_ask(req, RTM_GETLINK, flags, AF_UNSPEC, sizeof ifi);
	memcpy(req->body, &ifi, sizeof ifi);
	rtnl_ask_attr(req, IFLA_EXT_MASK, &filter, sizeof filter);
}

/* Asks for all links.  A new sweep begins, also when one was running. */
static int netlink_links_start(kernel_link_fn *fn, void *ctx)
{
	struct rtnl_req req;

	netlink_link_ask(&req, NLM_F_DUMP, 0);
	if (netlink_dump(DUMP_LINKS, &req) < 0)
		return -1;
	nl.cut = nl.lost = false;
	fn(ctx, &(struct link_event){ .kind = LINK_SWEEP_BEGIN });
	return 0;
}

/* The dump is over: well, or to be repeated.  An inconsistent one has at most missed what events reported, so where
 * links change all the time it is good enough in the end. */
static void netlink_links_end(int err, kernel_link_fn *fn, void *ctx)
{
	nl.err = err;
	if (err || (nl.cut && nl.cuts++ < DUMP_AGAIN))
		nl.lost = true;
	if (nl.lost)
		return;
	nl.cuts = 0;
	fn(ctx, &(struct link_event){ .kind = LINK_SWEEP_END });
}

/* Asks for the rules of a family for which somebody waits. */
static int netlink_rules_start(void)
{
	enum fam fam = nl.rules_wanted[FAM_4] ? FAM_4 : FAM_6;
	struct rtnl_req req;

	if (!nl.rules_wanted[fam])
		return 0;
	nl.rules_wanted[fam] = nl.rules_begun = false;
	nl.rules_fam = fam;
	rtnl_ask(&req, RTM_GETRULE, NLM_F_DUMP, rtnl_mroute_family(fam), sizeof(struct fib_rule_hdr));
	return netlink_dump(DUMP_RULES, &req);
}

void kernel_rules_ask(enum fam fam)
{
	nl.rules_wanted[fam] = true;
	/* Of two dumps on one socket at a time the kernel refuses the second. */
	if (nl.fd >= 0 && !nl.dump && !nl.lost)
		netlink_rules_start();
}

static void netlink_rules_event(enum link_kind kind, kernel_link_fn *fn, void *ctx)
{
	fn(ctx, &(struct link_event){ .kind = kind, .fam = nl.rules_fam });
}

/* The number that a file of /sys begins with, -1 when it cannot be read. */
static long netlink_sys_number(const char *name, const char *what, int base)
{
	char path[64], text[32];

	snprintf(path, sizeof path, "/sys/class/net/%s/%s", name, what);
	return lines_first(path, text, sizeof text) ? strtol(text, NULL, base) : -1;
}

int8_t netlink_allmulti(const char *name, int ifindex)
{
	long flags = netlink_sys_number(name, "ifindex", 10) == ifindex ? netlink_sys_number(name, "flags", 16) : -1;

	return flags < 0 ? -1 : (flags & IFF_ALLMULTI) != 0;
}

void netlink_ask_allmulti(int ifindex)
{
	struct rtnl_req req;

	if (nl.fd < 0)
		return;
	netlink_link_ask(&req, 0, ifindex);
	req.h.nlmsg_seq = ALLMULTI_SEQ;
	send(nl.fd, &req, req.h.nlmsg_len, 0);	/* what fails leaves the value as it was */
}

static void netlink_link(const struct rtnl_msg *m, bool is_allmulti, kernel_link_fn *fn, void *ctx)
{
	struct link_event ev;

	if (!rtnl_link(m, &ev))
		return;
	if (is_allmulti)
		ev.kind = LINK_ALLMULTI;
	if ((ev.kind == LINK_NEW || is_allmulti) && ev.allmulti < 0)
		ev.allmulti = netlink_allmulti(ev.name, ev.ifindex);
	fn(ctx, &ev);
}

/* A part of the answer to a dump. */
static void netlink_dump_part(const struct rtnl_msg *m, kernel_link_fn *fn, void *ctx)
{
	bool is_end = m->h.nlmsg_type == NLMSG_DONE || m->h.nlmsg_type == NLMSG_ERROR, is_links = nl.dump == DUMP_LINKS;
	int err = is_end ? rtnl_error(m) : 0;
	struct link_event ev;

	if (is_end)
		nl.dump = DUMP_NONE;
	if (is_links && is_end) {
		netlink_links_end(err, fn, ctx);
	} else if (is_links) {
		nl.cut |= (m->h.nlmsg_flags & NLM_F_DUMP_INTR) != 0;
		netlink_link(m, false, fn, ctx);
	} else if (!err) {
		if (!nl.rules_begun)
			netlink_rules_event(LINK_RULES_BEGIN, fn, ctx);
		nl.rules_begun = true;
		if (is_end)
			netlink_rules_event(LINK_RULES_END, fn, ctx);
		else if (rtnl_rule(m, &ev) && ev.fam == nl.rules_fam)
			fn(ctx, &ev);
	}
}

static void netlink_message(const struct rtnl_msg *m, kernel_link_fn *fn, void *ctx)
{
	if (m->h.nlmsg_pid != nl.pid)
		netlink_link(m, false, fn, ctx);
	else if (m->h.nlmsg_seq == ALLMULTI_SEQ)
		netlink_link(m, true, fn, ctx);
	else if (nl.dump && m->h.nlmsg_seq == nl.seq)	/* and not of one that was given up */
		netlink_dump_part(m, fn, ctx);
}

int kernel_link_drain(int max, kernel_link_fn *fn, void *ctx)
{
	unsigned char buf[SOCK_NETLINK_MAX];
	int n;

	nl.err = 0;
	for (n = 0; n < max; n++) {
		ssize_t len = sock_netlink_recv(nl.fd, buf);
		const unsigned char *p = buf;
		size_t left = len > 0 ? (size_t)len : 0;
		struct rtnl_msg m;

		while (rtnl_next(&p, &left, &m))
			netlink_message(&m, fn, ctx);
		if (len >= 0)
			continue;
		if (errno == EAGAIN)
			break;
		if (errno != ENOBUFS && errno != EMSGSIZE && errno != ENOMEM)
			return -1;
		nl.lost = true;
	}
	if (nl.err)
		return sock_fail(nl.err);	/* the next event tries again */
	/* Not before the queue is empty is there room for the answer. */
	if (!nl.dump && !sock_wait(nl.fd, 0) && (nl.lost ? netlink_links_start(fn, ctx) : netlink_rules_start()) < 0)
		return -1;
	return n;
}

void kernel_link_lost(void)
{
	nl.lost = true;
}

int kernel_link_dump(kernel_link_fn *fn, void *ctx)
{
	int64_t end = clock_ms() + DUMP_MS, left;

	nl.lost = true;
	while (nl.lost || nl.dump) {
		if (kernel_link_drain(64, fn, ctx) < 0)
			return -1;
		left = end - clock_ms();
		if (left <= 0)
			return sock_fail(ETIMEDOUT);
		if (nl.dump)
			sock_wait(nl.fd, (int)left);
	}
	return 0;
}
