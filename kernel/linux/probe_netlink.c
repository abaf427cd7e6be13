/* SPDX-License-Identifier: ISC
 *
 * What this host's network is like, asked of rtnetlink, which answers anybody: interfaces with their settings, VIFs,
 * forwarding entries, rules, routes.  No /proc/sys: it may be masked.
 */
#include "kernel/probe.h"

#include <errno.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <linux/fib_rules.h>
#include <linux/if_bridge.h>
#include <linux/if_link.h>
#include <linux/netconf.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>

#include "kernel/linux/netlink.h"
#include "kernel/linux/probe_ask.h"
#include "kernel/linux/probe_bridge.h"
#include "kernel/linux/probe_release.h"
#include "kernel/linux/probe_rtnl.h"
#include "lib/grow.h"
#include "lib/lines.h"

uint32_t probe_default_table(enum fam fam)
{
	return rtnl_mroute_table(fam, 0);
}

static int probe_links_take(void *ctx, const struct rtnl_msg *m)
{
	struct probe_links *l = ctx;
	struct probe_link *v = grow(l->v, &l->cap, l->n + 1, sizeof *v);

	if (!v)
		return -1;
	l->v = v;
	l->n += probe_rtnl_link(m, &v[l->n]);
	return 0;
}

static void probe_links_vlans(struct probe_links *l)
{
	uint32_t mask = RTEXT_FILTER_BRVLAN_COMPRESSED;
	struct rtnl_req req;

	rtnl_ask(&req, RTM_GETLINK, NLM_F_DUMP, AF_BRIDGE, sizeof(struct ifinfomsg));
	rtnl_ask_attr(&req, IFLA_EXT_MASK, &mask, sizeof mask);
	probe_ask(NETLINK_ROUTE, &req, probe_bridge_vlans, l);
}

int probe_links(struct probe_links *l)
{
	bool filters_vlans = false;

	*l = (struct probe_links){ .taken = { -1, -1 }, .rp_all = -1 };
	/* br_handle_frame_finish() of net/bridge/br_input.c, or with a patch of the distribution. */
	l->heeds_allmulti = probe_release_is_since(6, 16);
	if (probe_ask_dump(NETLINK_ROUTE, RTM_GETLINK, AF_UNSPEC, sizeof(struct ifinfomsg), probe_links_take, l) < 0 ||
	    probe_ask_dump(NETLINK_ROUTE, RTM_GETADDR, AF_UNSPEC, sizeof(struct ifaddrmsg), probe_rtnl_addr, l) < 0)
		return -1;
	/* Old kernels lack these: what they would tell stays unseen. */
	probe_ask_dump(NETLINK_ROUTE, RTM_GETNETCONF, AF_INET, sizeof(struct netconfmsg), probe_rtnl_netconf, l);
	probe_ask_dump(NETLINK_ROUTE, RTM_GETNETCONF, AF_INET6, sizeof(struct netconfmsg), probe_rtnl_netconf, l);
	probe_ask_dump(NETLINK_ROUTE, RTM_GETQDISC, AF_UNSPEC, sizeof(struct tcmsg), probe_rtnl_qdisc, l);
	for (struct probe_link *v = l->v; v < l->v + l->n; v++) {
		filters_vlans |= v->bridge.filters_vlans == 1;
		if (v->rp_own >= 0 && l->rp_all >= 0)
			v->rp_filter = v->rp_own > l->rp_all ? v->rp_own : l->rp_all;
		if (v->allmulti < 0)
			v->allmulti = netlink_allmulti(v->name, v->ifindex);
	}
	if (filters_vlans)
		probe_links_vlans(l);
	return 0;
}

void probe_links_free(struct probe_links *l)
{
	free(l->v);
	free(l->addresses);
	free(l->vlans);
	*l = (struct probe_links){ 0 };
}

struct probe_vifs_ctx {
	struct probe_vif *v;
	int n, max;
};

static int probe_vifs_take(void *ctx, const struct rtnl_msg *m)
{
	struct probe_vifs_ctx *c = ctx;

	c->n += probe_rtnl_vifs(m, c->v + c->n, c->max - c->n);
	return 0;
}

/* VIFs of the default table, from /proc. */
static int probe_vifs_proc(enum fam fam, struct probe_vif *v, int max)
{
	char *line, *w[6];
	struct lines l;
	int n = 0;

	if (lines_open(&l, fam == FAM_4 ? "/proc/net/ip_mr_vif" : "/proc/net/ip6_mr_vif") < 0)
		return -1;
	while (n < max && (line = lines_next(&l))) {
		if (lines_words(line, w, 6) < 6 || w[0][0] < '0' || w[0][0] > '9')
			continue;
		v[n++] = (struct probe_vif){
			.table = probe_default_table(fam), .vif = atoi(w[0]), .ifindex = (int)if_nametoindex(w[1]),
			.st = { .in_bytes = strtoull(w[2], NULL, 10), .in_packets = strtoull(w[3], NULL, 10),
				.out_bytes = strtoull(w[4], NULL, 10), .out_packets = strtoull(w[5], NULL, 10) },
		};
	}
	lines_close(&l);
	return n;
}

int probe_vifs(enum fam fam, struct probe_vif *v, int max)
{
	struct probe_vifs_ctx c = { v, 0, max };

	/* Rtnetlink has no such dump for IPv6, and none for IPv4 before 4.13. */
	if (fam == FAM_4 && probe_ask_dump(NETLINK_ROUTE, RTM_GETLINK, RTNL_FAMILY_IPMR, sizeof(struct ifinfomsg),
					   probe_vifs_take, &c) == 0 && c.n)
		return c.n;
	return probe_vifs_proc(fam, v, max);
}

struct probe_mfc_ctx {
	enum fam fam;
	probe_mfc_fn *fn;
	void *ctx;
};

static int probe_mfc_take(void *ctx, const struct rtnl_msg *m)
{
	struct probe_mfc_ctx *c = ctx;
	struct probe_mfc e;

	if (probe_rtnl_mfc(m, &e) && flow_fam(&e.flow) == c->fam)
		c->fn(c->ctx, &e);
	return 0;
}

int probe_mfc(enum fam fam, probe_mfc_fn *fn, void *ctx)
{
	struct probe_mfc_ctx c = { fam, fn, ctx };

	return probe_ask_dump(NETLINK_ROUTE, RTM_GETROUTE, rtnl_mroute_family(fam), sizeof(struct rtmsg),
			      probe_mfc_take, &c);
}

struct probe_mdb_ctx {
	probe_mdb_fn *fn;
	void *ctx;
};

static int probe_mdb_take(void *ctx, const struct rtnl_msg *m)
{
	const struct probe_mdb_ctx *c = ctx;

	probe_bridge_mdb(m, c->fn, c->ctx);
	return 0;
}

int probe_mdb(probe_mdb_fn *fn, void *ctx)
{
	struct probe_mdb_ctx c = { fn, ctx };

	return probe_ask_dump(NETLINK_ROUTE, RTM_GETMDB, AF_BRIDGE, sizeof(struct br_port_msg), probe_mdb_take, &c);
}

#define TABLE_VIFS (8 * KERNEL_VIFS)

struct probe_table_ctx {
	enum fam fam;
	const char *iif;		/* NULL: the first rule for it was found */
	uint32_t vrf;			/* table of the VRF that it is in, 0 = none */
	struct probe_lookup found;
	int nvifs;
	struct probe_vif vifs[TABLE_VIFS];
};

/* Of IPv4 it is known which tables are there; a rule for one that is not is passed over (ipmr_rule_action()). */
static bool probe_table_exists(const struct probe_table_ctx *c, uint32_t table)
{
	for (int i = 0; i < c->nvifs; i++)
		if (c->vifs[i].table == table)
			return true;
	return c->fam != FAM_4 || c->nvifs < 0 || table == probe_default_table(c->fam);
}

/* The first counts: they come in order of priority. */
static int probe_table_take(void *ctx, const struct rtnl_msg *m)
{
	struct probe_table_ctx *c = ctx;
	struct rtnl_attr at, a;
	char name[KERNEL_IFNAME];
	struct fib_rule_hdr h;
	uint32_t table, pref;

	if (!c->iif || !rtnl_body(m, RTM_NEWRULE, &h, sizeof h, &at) || h.family != rtnl_mroute_family(c->fam) ||
	    (h.action != FR_ACT_TO_TBL && h.action < FR_ACT_BLACKHOLE) ||
	    rtnl_attr(&at, FRA_OIFNAME, &a) || h.src_len || h.dst_len || h.flags & FIB_RULE_INVERT ||
	    !rtnl_ifname(&at, FRA_IIFNAME, name) || (name[0] && strcmp(name, c->iif)))
		return 0;
	/* A VRF brings a rule for all interfaces, which matches those in a VRF (l3mdev_fib_rule_match()). */
	if (rtnl_attr(&at, FRA_L3MDEV, &a) && !c->vrf)
		return 0;
	table = h.action == FR_ACT_TO_TBL ? rtnl_u32(&at, FRA_TABLE, h.table) : PROBE_REFUSED;
	if (rtnl_attr(&at, FRA_L3MDEV, &a))
		table = c->vrf;
	pref = rtnl_u32(&at, FRA_PRIORITY, 0);
	if (table != PROBE_REFUSED && !probe_table_exists(c, table))
		return 0;
	if (rtnl_u32(&at, FRA_FWMARK, 0)) {
		c->found.marked_pref = c->found.marked ? c->found.marked_pref : pref;
		c->found.marked = c->found.marked ? c->found.marked : table;
		return 0;
	}
	c->iif = NULL;
	c->found.table = table;
	c->found.pref = pref;
	return 0;
}

/* In which VRF the interface is. */
static int probe_table_link(void *ctx, const struct rtnl_msg *m)
{
	struct probe_table_ctx *c = ctx;
	char name[KERNEL_IFNAME] = "";
	struct ifinfomsg ifi;
	struct rtnl_attr at;

	if (rtnl_body(m, RTM_NEWLINK, &ifi, sizeof ifi, &at) && rtnl_ifname(&at, IFLA_IFNAME, name) &&
	    !strcmp(name, c->iif))
		c->vrf = rtnl_vrf(&at);
	return 0;
}

int probe_table(enum fam fam, const char *iif, struct probe_lookup *l)
{
	struct probe_table_ctx c = { .fam = fam, .iif = iif };

	c.nvifs = fam == FAM_4 ? probe_vifs(fam, c.vifs, TABLE_VIFS) : -1;
	if (iif[0])
		probe_ask_dump(NETLINK_ROUTE, RTM_GETLINK, AF_UNSPEC, sizeof(struct ifinfomsg), probe_table_link, &c);
	if (probe_ask_dump(NETLINK_ROUTE, RTM_GETRULE, rtnl_mroute_family(fam), sizeof(struct fib_rule_hdr),
			   probe_table_take, &c) < 0)
		return -1;
	*l = c.found;
	return 0;
}

static int probe_route_ask(const struct addr *to, int oif, unsigned flags, struct probe_route *r)
{
	bool v4 = addr_fam(to) == FAM_4;
	unsigned len = v4 ? 4 : 16;
	struct rtmsg rtm = { .rtm_family = v4 ? AF_INET : AF_INET6, .rtm_dst_len = (unsigned char)(len * 8),
			     .rtm_flags = flags };
	struct rtnl_req req;

	*r = (struct probe_route){ .none = true };
	rtnl_ask(&req, RTM_GETROUTE, NLM_F_ACK, 0, sizeof rtm);
	memcpy(req.body, &rtm, sizeof rtm);
	rtnl_ask_attr(&req, RTA_DST, to->b + sizeof to->b - len, len);
	if (oif)
		rtnl_ask_attr(&req, RTA_OIF, &oif, sizeof oif);
	if (probe_ask(NETLINK_ROUTE, &req, probe_rtnl_route, r) == 0)
		return 0;
	r->why = errno;
	/* No route, one that prohibits, a blackhole; an interface that has no IPv4. */
	return errno == ENETUNREACH || errno == EHOSTUNREACH || errno == EACCES || errno == EINVAL ||
	       (oif && errno == ENODEV) ? 0 : -1;
}

int probe_route(const struct addr *host, struct probe_route *r)
{
	/* The route with all its ways, not a choice of one, and its table. */
	return probe_route_ask(host, 0, RTM_F_FIB_MATCH | RTM_F_LOOKUP_TABLE, r);
}

int probe_route_out(const struct addr *group, int oif, struct probe_route *r)
{
	return probe_route_ask(group, oif, 0, r);
}
