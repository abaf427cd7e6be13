/* SPDX-License-Identifier: ISC
 *
 * Rtnetlink names interfaces where the routing socket has numbers of VIFs, and of IPv6 it does not list those at all.
 * So the socket adds an entry that no packet meets for each VIF, and what the kernel reports of it to whoever follows
 * the table names the interface, and the table.
 */
#include "kernel/linux/mroute_read.h"

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/rtnetlink.h>

#include "kernel/held.h"
#include "kernel/linux/mroute_codec.h"
#include "kernel/linux/probe_ask.h"
#include "kernel/linux/rtnl.h"
#include "kernel/linux/sock.h"
#include "lib/fd.h"
#include "lib/priv.h"

/* How long a report may take that is there when the entry is. */
#define WAIT_MS 1000

/* Sources and groups that are in no network: RFC 7600, RFC 6676, RFC 6666. */
static struct flow mroute_trial(enum fam fam)
{
	if (fam == FAM_4)
		return (struct flow){ .source = { .b = { [10] = 0xff, 0xff, 192, 0, 0, 8 } },
				      .group = { .b = { [10] = 0xff, 0xff, 233, 252, 0, 250 } } };
	return (struct flow){ .source = { .b = { 1, [15] = 8 } },
			      .group = { .b = { 0xff, 0x0e, [10] = 0x0d, 0xb8, [15] = 250 } } };
}

/* Reads reports until one is of the entry; 0, or -1 with errno. */
static int mroute_trial_read(int nl, const struct flow *flow, struct rtnl_mfc *e)
{
	unsigned char buf[SOCK_NETLINK_MAX];

	while (sock_wait(nl, WAIT_MS)) {
		ssize_t len = sock_netlink_recv(nl, buf);
		const unsigned char *p = buf;
		size_t left = len > 0 ? (size_t)len : 0;
		struct rtnl_msg m;

		if (len < 0 && errno != EAGAIN)
			return -1;
		while (rtnl_next(&p, &left, &m))
			if (rtnl_mfc(&m, e) && flow_eq(&e->flow, flow))
				return 0;
	}
	return sock_fail(ETIMEDOUT);
}

/* Adds the entry on a VIF, sees what is reported and takes it out again.  0, or -1 with errno: EACCES the socket does
 * not hold the table. */
static int mroute_try(int fd, int nl, enum fam fam, int vif, struct rtnl_mfc *e)
{
	struct flow flow = mroute_trial(fam);
	union mroute_arg a;
	int len = mroute_mfc(&a, &flow, vif, 0, NULL), res;

	if (setsockopt(fd, sock_level(fam), MRT_ADD_MFC, &a, (socklen_t)len) < 0)
		return -1;
	res = mroute_trial_read(nl, &flow, e);
	setsockopt(fd, sock_level(fam), MRT_DEL_MFC, &a, (socklen_t)len);
	return res;
}

static int mroute_follow(enum fam fam)
{
	uint32_t pid;

	return sock_netlink(NETLINK_ROUTE, fam == FAM_4 ? RTMGRP_IPV4_MROUTE : RTMGRP_IPV6_MROUTE, 256 * 1024, &pid);
}

int mroute_check_ledger(int fd)
{
	(void)fd;
	return EINVAL;
}

int mroute_check(int fd, enum fam fam, uint32_t table)
{
	/* With this capability anybody may add entries (net/ipv4/ipmr.c, ip_mroute_setsockopt). */
	bool had = priv_set(PRIV_NET_ADMIN, false);
	int nl = mroute_follow(fam), err = 0;
	struct rtnl_mfc e;

	if (nl < 0 || mroute_try(fd, nl, fam, 0, &e) < 0)
		err = errno == EACCES || errno == ENOENT ? ESTALE : errno == ETIMEDOUT ? EXDEV : errno;
	else if (e.table != rtnl_mroute_table(fam, table))
		err = ESRCH;
	fd_fail(nl);
	if (had)
		priv_set(PRIV_NET_ADMIN, true);
	return err;
}

int mroute_read_vifs(int fd, enum fam fam, int ifindex[KERNEL_VIFS])
{
	int nl = mroute_follow(fam), res = nl < 0 ? -1 : 0;
	struct rtnl_mfc e = { .iif = 0 };

	memset(ifindex, 0, KERNEL_VIFS * sizeof *ifindex);
	for (int vif = 0; !res && vif < KERNEL_VIFS; vif++) {
		union mroute_arg a = { .count = { .vifi = (vifi_t)vif } };

		/* With a program of 32 bits and a kernel of 64 IPv6 has no such request (net/ipv6/af_inet6.c,
		 * inet6_compat_ioctl); then an entry of a VIF that is not there names no interface. */
		if (ioctl(fd, SIOCGETVIFCNT, &a) < 0 && errno != ENOTTY)
			continue;
		res = mroute_try(fd, nl, fam, vif, &e);
		if (!res)
			ifindex[vif] = e.iif;
	}
	fd_fail(nl);
	return res;
}

struct mroute_reading {
	enum fam fam;
	uint32_t table;
	const int *ifindex;		/* of each VIF */
	int64_t tick_ms;
	kernel_mfc_found_fn *fn;
	void *ctx;
};

/* The number of the VIF of an interface, -1 when it has none. */
static int mroute_vif_of(const struct mroute_reading *r, int ifindex)
{
	for (int vif = 0; ifindex > 0 && vif < KERNEL_VIFS; vif++)
		if (r->ifindex[vif] == ifindex)
			return vif;
	return -1;
}

static int mroute_read_entry(void *ctx, const struct rtnl_msg *m)
{
	const struct mroute_reading *r = ctx;
	struct mfc_found f;
	struct rtnl_mfc e;

	if (!rtnl_mfc(m, &e) || flow_fam(&e.flow) != r->fam || e.table != r->table)
		return 0;
	f = (struct mfc_found){
		.flow = e.flow, .is_unresolved = e.unresolved, .iif = mroute_vif_of(r, e.iif), .st = e.st,
		.idle_ms = e.idle < INT32_MAX ? (int64_t)e.idle * r->tick_ms : 0,
	};
	for (unsigned i = 0; i < e.noifs; i++) {
		int vif = mroute_vif_of(r, e.oif[i]);

		/* What comes in on the interface of an entry for all sources never goes out of it. */
		if (vif < 0 || (vif == f.iif && flow_any_source(&f.flow)))
			continue;
		f.oifs |= UINT32_C(1) << vif;
		f.ttl[vif] = e.ttl[i];
	}
	r->fn(r->ctx, &f);
	return 0;
}

int mroute_read_entries(enum fam fam, uint32_t table, const int ifindex[KERNEL_VIFS], kernel_mfc_found_fn *fn,
			void *ctx)
{
	long hz = sysconf(_SC_CLK_TCK);
	struct mroute_reading r = { fam, rtnl_mroute_table(fam, table), ifindex, 1000 / (hz > 0 ? hz : 100), fn, ctx };

	return probe_ask_dump(NETLINK_ROUTE, RTM_GETROUTE, rtnl_mroute_family(fam), sizeof(struct rtmsg),
			      mroute_read_entry, &r);
}

static int mroute_stats_read(void *ctx, const struct rtnl_msg *m)
{
	struct rtnl_mfc *e = ctx;

	rtnl_mfc(m, e);
	return 0;
}

int mroute_read_stats(const struct flow *flow, uint32_t table, struct mfc_stats *st)
{
	enum fam fam = flow_fam(flow);
	size_t size = fam == FAM_4 ? 4 : 16;
	uint32_t id = rtnl_mroute_table(fam, table);
	struct rtnl_mfc e = { .table = 0 };
	struct rtnl_req req;

	rtnl_ask(&req, RTM_GETROUTE, NLM_F_ACK, rtnl_mroute_family(fam), sizeof(struct rtmsg));
	req.body[offsetof(struct rtmsg, rtm_dst_len)] = req.body[offsetof(struct rtmsg, rtm_src_len)] =
		(unsigned char)(size * 8);
	rtnl_ask_attr(&req, RTA_DST, flow->group.b + sizeof flow->group.b - size, size);
	rtnl_ask_attr(&req, RTA_SRC, flow->source.b + sizeof flow->source.b - size, size);
	rtnl_ask_attr(&req, RTA_TABLE, &id, sizeof id);
	if (probe_ask(NETLINK_ROUTE, &req, mroute_stats_read, &e) < 0)
		return -1;
	if (!flow_eq(&e.flow, flow))
		return sock_fail(ENOENT);
	*st = e.st;
	return 0;
}
