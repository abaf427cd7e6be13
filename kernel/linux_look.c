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

#include "kernel/nlask.h"
#include "kernel/rtnl_look.h"
#include "kernel/words.h"
#include "lib/grow.h"
#include "lib/lines.h"

/* Asks for a dump of a type with a family header of len bytes. */
static int dump(uint16_t type, const void *body, size_t len, nlask_fn *fn, void *ctx)
{
	unsigned char req[RTNL_REQUEST_MAX];
	size_t n = rtnl_ask(req, type, NLM_F_DUMP, NLASK_SEQ, body, len, 0, NULL, 0);

	return nlask(NETLINK_ROUTE, req, n, false, fn, ctx);
}

static unsigned char mroute_family(enum fam fam)
{
	return fam == FAM_4 ? RTNL_FAMILY_IPMR : RTNL_FAMILY_IP6MR;
}

uint32_t kernel_default_table(enum fam fam)
{
	/* ipmr_get_table() and ip6mr_get_table() without MRT_TABLE. */
	return fam == FAM_4 ? RT_TABLE_DEFAULT : RT_TABLE_MAIN;
}

/* ---- interfaces ---- */

struct links_ctx {
	struct look_links *l;
	bool failed;		/* out of memory */
};

static void link_one(void *ctx, const struct rtnl_msg *m)
{
	struct links_ctx *c = ctx;
	struct look_links *l = c->l;
	struct look_link one, *v;

	if (!rtnl_look_link(m, &one))
		return;
	v = grow(l->v, &l->cap, l->n + 1, sizeof *v);
	if (!v) {
		c->failed = true;
		return;
	}
	l->v = v;
	l->v[l->n++] = one;
}

static struct look_link *by_index(struct look_links *l, int ifindex)
{
	for (uint32_t i = 0; i < l->n; i++)
		if (l->v[i].ifindex == ifindex)
			return &l->v[i];
	return NULL;
}

static void address_one(void *ctx, const struct rtnl_msg *m)
{
	struct links_ctx *c = ctx;
	struct look_link *l;
	enum fam fam;
	int ifindex;

	if (!rtnl_look_addr(m, &ifindex, &fam))
		return;
	l = by_index(c->l, ifindex);
	if (l)
		l->address[fam] = true;
}

static void netconf_one(void *ctx, const struct rtnl_msg *m)
{
	struct links_ctx *c = ctx;
	struct rtnl_netconf conf;
	struct look_link *l;

	if (!rtnl_look_netconf(m, &conf))
		return;
	/* MRT_INIT counts on "all" (net/ipv4/ipmr.c, net/ipv6/ip6mr.c). */
	if (conf.ifindex == NETCONFA_IFINDEX_ALL) {
		c->l->taken[conf.fam] = conf.mc_forwarding < 0 ? -1 : conf.mc_forwarding > 0;
		if (conf.fam == FAM_4)
			c->l->rp_all = (int8_t)conf.rp_filter;
		return;
	}
	l = by_index(c->l, conf.ifindex);
	if (!l)
		return;
	l->routing[conf.fam] = conf.mc_forwarding < 0 ? -1 : conf.mc_forwarding > 0;
	if (conf.fam == FAM_4)
		l->rp_own = (int8_t)conf.rp_filter;
}

/* For kernels before 6.0.  /sys may be of another network namespace, so the index is compared. */
static seen_t sys_allmulti(const struct look_link *l)
{
	static const char *const files[] = { "ifindex", "flags" };
	char path[64], text[2][32];

	for (unsigned i = 0; i < 2; i++) {
		snprintf(path, sizeof path, "/sys/class/net/%s/%s", l->name, files[i]);
		if (!lines_first(path, text[i], sizeof text[i]))
			return -1;
	}
	if (strtol(text[0], NULL, 10) != l->ifindex)
		return -1;
	return (strtoul(text[1], NULL, 16) & IFF_ALLMULTI) != 0;
}

int kernel_look_links(struct look_links *l)
{
	struct links_ctx c = { l, false };
	struct ifinfomsg ifi = { .ifi_family = AF_UNSPEC };
	struct ifaddrmsg ifa = { .ifa_family = AF_UNSPEC };
	struct netconfmsg conf = { .ncm_family = AF_INET };

	*l = (struct look_links){ .taken = { -1, -1 }, .rp_all = -1 };
	if (dump(RTM_GETLINK, &ifi, sizeof ifi, link_one, &c) < 0)
		return -1;
	if (c.failed) {
		errno = ENOMEM;
		return -1;
	}
	if (dump(RTM_GETADDR, &ifa, sizeof ifa, address_one, &c) < 0)
		return -1;
	/* Old kernels lack these: what they would tell stays unseen. */
	dump(RTM_GETNETCONF, &conf, sizeof conf, netconf_one, &c);
	conf.ncm_family = AF_INET6;
	dump(RTM_GETNETCONF, &conf, sizeof conf, netconf_one, &c);
	for (uint32_t i = 0; i < l->n; i++) {
		struct look_link *one = &l->v[i];

		if (one->rp_own >= 0 && l->rp_all >= 0)
			one->rp_filter = one->rp_own > l->rp_all ? one->rp_own : l->rp_all;
		if (one->allmulti < 0)
			one->allmulti = sys_allmulti(one);
	}
	return 0;
}

void kernel_look_links_free(struct look_links *l)
{
	free(l->v);
	*l = (struct look_links){ 0 };
}

/* ---- VIFs ---- */

struct vifs_ctx {
	struct look_vif *v;
	int n, max;
};

static void vif_one(void *ctx, const struct look_vif *v)
{
	struct vifs_ctx *c = ctx;

	if (c->n < c->max)
		c->v[c->n++] = *v;
}

static void vifs_message(void *ctx, const struct rtnl_msg *m)
{
	rtnl_look_vifs(m, vif_one, ctx);
}

static int vifs4(struct look_vif *v, int max)
{
	struct ifinfomsg ifi = { .ifi_family = RTNL_FAMILY_IPMR };
	struct vifs_ctx c = { v, 0, max };

	return dump(RTM_GETLINK, &ifi, sizeof ifi, vifs_message, &c) < 0 ? -1 : c.n;
}

/* VIFs of the default table. */
static int vifs_proc(enum fam fam, struct look_vif *v, int max)
{
	struct lines l;
	char *line, *w[6];
	int n = 0;

	if (lines_open(&l, fam == FAM_4 ? "/proc/net/ip_mr_vif" : "/proc/net/ip6_mr_vif") < 0)
		return -1;
	while (n < max && (line = lines_next(&l))) {
		if (words_cut(line, w, 6) < 6 || w[0][0] < '0' || w[0][0] > '9')
			continue;
		v[n++] = (struct look_vif){
			.table = kernel_default_table(fam),
			.vif = atoi(w[0]),
			.ifindex = (int)if_nametoindex(w[1]),
			.st.in_bytes = strtoull(w[2], NULL, 10),
			.st.in_packets = strtoull(w[3], NULL, 10),
			.st.out_bytes = strtoull(w[4], NULL, 10),
			.st.out_packets = strtoull(w[5], NULL, 10),
		};
	}
	lines_close(&l);
	return n;
}

int kernel_look_vifs(enum fam fam, struct look_vif *v, int max)
{
	int n;

	/* Rtnetlink has no such dump for IPv6, and none for IPv4 before 4.13. */
	if (fam == FAM_4 && (n = vifs4(v, max)) > 0)
		return n;
	return vifs_proc(fam, v, max);
}

/* ---- forwarding entries ---- */

struct mfc_ctx {
	enum fam fam;
	look_mfc_fn *fn;
	void *ctx;
};

static void mfc_one(void *ctx, const struct rtnl_msg *m)
{
	struct mfc_ctx *c = ctx;
	struct look_mfc e;

	if (rtnl_look_mfc(m, &e) && addr_fam(&e.grp) == c->fam)
		c->fn(c->ctx, &e);
}

int kernel_look_mfc(enum fam fam, look_mfc_fn *fn, void *ctx)
{
	struct rtmsg rtm = { .rtm_family = mroute_family(fam) };
	struct mfc_ctx c = { fam, fn, ctx };

	return dump(RTM_GETROUTE, &rtm, sizeof rtm, mfc_one, &c);
}

/* ---- rules ---- */

struct table_ctx {
	enum fam fam;
	const char *iif;
	struct rtnl_rule best;
	bool found;
};

static void rule_one(void *ctx, const struct rtnl_msg *m)
{
	struct table_ctx *c = ctx;
	struct rtnl_rule r;

	if (!rtnl_look_rule(m, c->fam, &r) || !r.lookup || r.more)
		return;
	if (r.iif[0] && strcmp(r.iif, c->iif))
		return;
	/* They come in order of priority; of equal ones the first counts. */
	if (!c->found || r.priority < c->best.priority)
		c->best = r;
	c->found = true;
}

int kernel_look_table(enum fam fam, const char *iif, uint32_t *table)
{
	struct fib_rule_hdr h = { .family = mroute_family(fam) };
	struct table_ctx c = { .fam = fam, .iif = iif };

	if (dump(RTM_GETRULE, &h, sizeof h, rule_one, &c) < 0)
		return -1;
	*table = c.found ? c.best.table : 0;
	return 0;
}

/* ---- routes ---- */

static void route_one(void *ctx, const struct rtnl_msg *m)
{
	rtnl_look_route(m, ctx);
}

int kernel_look_route(const struct addr *host, struct look_route *r)
{
	enum fam fam = addr_fam(host);
	unsigned len = fam == FAM_4 ? 4 : 16;
	struct rtmsg rtm = {
		.rtm_family = fam == FAM_4 ? AF_INET : AF_INET6,
		.rtm_dst_len = (unsigned char)(len * 8),
		.rtm_flags = RTM_F_FIB_MATCH,	/* the route with all its ways, not a choice of one */
	};
	unsigned char req[RTNL_REQUEST_MAX];
	size_t n = rtnl_ask(req, RTM_GETROUTE, NLM_F_ACK, NLASK_SEQ, &rtm, sizeof rtm, RTA_DST,
			    host->b + sizeof host->b - len, len);

	*r = (struct look_route){ .none = true };
	if (nlask(NETLINK_ROUTE, req, n, false, route_one, r) == 0)
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
