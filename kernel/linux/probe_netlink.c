/* SPDX-License-Identifier: ISC
 *
 * What this host's network is like, asked of rtnetlink, which answers anybody:
 * interfaces with their settings, VIFs, forwarding entries, rules, routes.  No
 * /proc/sys: it may be masked.
 */
#include "kernel/kernel.h"

#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <linux/fib_rules.h>
#include <linux/if_link.h>
#include <linux/netconf.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>

#include "kernel/linux/netlink.h"
#include "kernel/linux/nlask.h"
#include "kernel/linux/probe_rtnl.h"
#include "kernel/linux/words.h"
#include "lib/grow.h"
#include "lib/lines.h"

uint32_t kernel_default_table(enum fam fam)
{
	/* ipmr_get_table() and ip6mr_get_table() without MRT_TABLE. */
	return fam == FAM_4 ? RT_TABLE_DEFAULT : RT_TABLE_MAIN;
}

/* ---- interfaces ---- */

static int link_one(void *ctx, const struct rtnl_msg *m)
{
	struct look_links *l = ctx;
	struct look_link *v = grow(l->v, &l->cap, l->n + 1, sizeof *v);

	if (!v)
		return -1;
	l->v = v;
	l->n += rtnl_look_link(m, &v[l->n]);
	return 0;
}

static struct look_link *by_index(struct look_links *l, int ifindex)
{
	for (uint32_t i = 0; i < l->n; i++)
		if (l->v[i].ifindex == ifindex)
			return &l->v[i];
	return NULL;
}

static int address_one(void *ctx, const struct rtnl_msg *m)
{
	struct look_link *l;
	enum fam fam;
	int ifindex;

	if (rtnl_look_addr(m, &ifindex, &fam) && (l = by_index(ctx, ifindex)))
		l->address[fam] = true;
	return 0;
}

static int netconf_one(void *ctx, const struct rtnl_msg *m)
{
	struct look_links *all = ctx;
	struct rtnl_netconf conf;
	struct look_link *l = NULL;

	if (!rtnl_look_netconf(m, &conf))
		return 0;
	/* MRT_INIT counts on "all" (net/ipv4/ipmr.c, net/ipv6/ip6mr.c). */
	if (conf.ifindex == NETCONFA_IFINDEX_ALL)
		all->taken[conf.fam] = conf.mc_forwarding;
	else if ((l = by_index(all, conf.ifindex)))
		l->routing[conf.fam] = conf.mc_forwarding;
	else
		return 0;
	if (conf.fam == FAM_4)
		*(l ? &l->rp_own : &all->rp_all) = conf.rp_filter;
	return 0;
}

int kernel_look_links(struct look_links *l)
{
	*l = (struct look_links){ .taken = { -1, -1 }, .rp_all = -1 };
	if (nlask_dump(NETLINK_ROUTE, RTM_GETLINK, AF_UNSPEC, sizeof(struct ifinfomsg), link_one, l) < 0 ||
	    nlask_dump(NETLINK_ROUTE, RTM_GETADDR, AF_UNSPEC, sizeof(struct ifaddrmsg), address_one, l) < 0)
		return -1;
	/* Old kernels lack these: what they would tell stays unseen. */
	nlask_dump(NETLINK_ROUTE, RTM_GETNETCONF, AF_INET, sizeof(struct netconfmsg), netconf_one, l);
	nlask_dump(NETLINK_ROUTE, RTM_GETNETCONF, AF_INET6, sizeof(struct netconfmsg), netconf_one, l);
	for (uint32_t i = 0; i < l->n; i++) {
		struct look_link *one = &l->v[i];

		if (one->rp_own >= 0 && l->rp_all >= 0)
			one->rp_filter = one->rp_own > l->rp_all ? one->rp_own : l->rp_all;
		if (one->allmulti < 0)
			one->allmulti = netlink_allmulti(one->name, one->ifindex);
	}
	return 0;
}

void kernel_look_links_free(struct look_links *l)
{
	free(l->v);
	*l = (struct look_links){ 0 };
}

/* ---- VIFs ---- */

struct vifs {
	struct look_vif *v;
	int n, max;
};

static int vifs_one(void *ctx, const struct rtnl_msg *m)
{
	struct vifs *c = ctx;

	c->n += rtnl_look_vifs(m, c->v + c->n, c->max - c->n);
	return 0;
}

/* VIFs of the default table. */
static int vifs_proc(enum fam fam, struct look_vif *v, int max)
{
	uint64_t count[4];
	struct lines l;
	char *w[6];
	int n = 0;

	if (lines_open(&l, fam == FAM_4 ? "/proc/net/ip_mr_vif" : "/proc/net/ip6_mr_vif") < 0)
		return -1;
	while (n < max && words_next(&l, w, 6)) {
		if (w[0][0] < '0' || w[0][0] > '9')
			continue;
		for (unsigned i = 0; i < 4; i++)
			count[i] = strtoull(w[2 + i], NULL, 10);
		v->table = kernel_default_table(fam);
		v->vif = atoi(w[0]);
		v->ifindex = (int)if_nametoindex(w[1]);
		v->st = (struct vif_stats){ count[1], count[0], count[3], count[2] };
		v++;
		n++;
	}
	lines_close(&l);
	return n;
}

int kernel_look_vifs(enum fam fam, struct look_vif *v, int max)
{
	struct vifs c = { v, 0, max };

	/* Rtnetlink has no such dump for IPv6, and none for IPv4 before 4.13. */
	if (fam == FAM_4 &&
	    nlask_dump(NETLINK_ROUTE, RTM_GETLINK, RTNL_FAMILY_IPMR, sizeof(struct ifinfomsg), vifs_one, &c) == 0 &&
	    c.n)
		return c.n;
	return vifs_proc(fam, v, max);
}

/* ---- forwarding entries ---- */

struct mfc_ctx {
	enum fam fam;
	look_mfc_fn *fn;
	void *ctx;
};

static int mfc_one(void *ctx, const struct rtnl_msg *m)
{
	struct mfc_ctx *c = ctx;
	struct look_mfc e;

	if (rtnl_look_mfc(m, &e) && flow_fam(&e.flow) == c->fam)
		c->fn(c->ctx, &e);
	return 0;
}

int kernel_look_mfc(enum fam fam, look_mfc_fn *fn, void *ctx)
{
	struct mfc_ctx c = { fam, fn, ctx };

	return nlask_dump(NETLINK_ROUTE, RTM_GETROUTE, rtnl_mroute_family(fam), sizeof(struct rtmsg), mfc_one, &c);
}

/* ---- rules ---- */

struct table_ctx {
	enum fam fam;
	const char *iif;
	uint32_t table;
	bool found;
};

/* The first counts: they come in order of priority. */
static int rule_one(void *ctx, const struct rtnl_msg *m)
{
	struct table_ctx *c = ctx;
	struct link_event ev;

	if (!c->found && rtnl_rule(m, &ev) && ev.fam == c->fam && (!ev.name[0] || !strcmp(ev.name, c->iif))) {
		c->found = true;
		c->table = ev.table;
	}
	return 0;
}

int kernel_look_table(enum fam fam, const char *iif, uint32_t *table)
{
	struct table_ctx c = { .fam = fam, .iif = iif };

	if (nlask_dump(NETLINK_ROUTE, RTM_GETRULE, rtnl_mroute_family(fam), sizeof(struct fib_rule_hdr), rule_one,
		       &c) < 0)
		return -1;
	*table = c.table;
	return 0;
}

/* ---- routes ---- */

static int route_one(void *ctx, const struct rtnl_msg *m)
{
	rtnl_look_route(m, ctx);
	return 0;
}

int kernel_look_route(const struct addr *host, struct look_route *r)
{
	bool v4 = addr_fam(host) == FAM_4;
	unsigned len = v4 ? 4 : 16;
	struct rtmsg rtm = {
		.rtm_family = v4 ? AF_INET : AF_INET6,
		.rtm_dst_len = (unsigned char)(len * 8),
		.rtm_flags = RTM_F_FIB_MATCH,	/* the route with all its ways, not a choice of one */
	};
	struct rtnl_req req;

	*r = (struct look_route){ .none = true };
	rtnl_ask(&req, RTM_GETROUTE, NLM_F_ACK, 0, sizeof rtm);
	memcpy(req.body, &rtm, sizeof rtm);
	rtnl_ask_attr(&req, RTA_DST, host->b + sizeof host->b - len, len);
	if (nlask(NETLINK_ROUTE, &req, route_one, r) == 0)
		return 0;
	switch (errno) {
	case ENETUNREACH:
	case EHOSTUNREACH:
	case EACCES:		/* a route that prohibits */
	case EINVAL:		/* a blackhole */
		return 0;
	default:
		return -1;
	}
}
