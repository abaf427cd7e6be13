/* SPDX-License-Identifier: ISC
 *
 * The codec of what only looks.  As in rtnl.c nothing is read past the end of
 * an attribute, and what a kernel does not tell stays "not seen".
 */
#include "kernel/rtnl_look.h"

#include <net/if.h>
#include <string.h>
#include <sys/socket.h>

#include <linux/fib_rules.h>
#include <linux/if_link.h>
#include <linux/mroute.h>
#include <linux/netconf.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>

/* linux/if_link.h has these names since 6.0 and 5.16. */
#define ALLMULTI 61		/* IFLA_ALLMULTI */
#define QUERIER_STATE 47	/* IFLA_BR_MCAST_QUERIER_STATE */

static uint64_t u64(const struct rtnl_attr *a)
{
	uint64_t v = 0;

	if (a->p)
		memcpy(&v, a->p, sizeof v);
	return v;
}

static bool family(unsigned their, enum fam *fam)
{
	*fam = their == AF_INET || their == RTNL_FAMILY_IPMR ? FAM_4 : FAM_6;
	return their == AF_INET || their == AF_INET6 || their == RTNL_FAMILY_IPMR ||
	       their == RTNL_FAMILY_IP6MR;
}

/* ---- interfaces ---- */

static void bridge(const struct rtnl_attr *data, struct look_link *l)
{
	enum { SNOOPING, QUERIER, STATE, ATTRS };
	struct rtnl_attr at[ATTRS] = {
		[SNOOPING] = { .type = IFLA_BR_MCAST_SNOOPING, .least = 1 },
		[QUERIER] = { .type = IFLA_BR_MCAST_QUERIER, .least = 1 },
		[STATE] = { .type = QUERIER_STATE },
	};

	if (!rtnl_attrs_find(data->p, data->len, at, ATTRS))
		return;
	if (at[SNOOPING].p)
		l->snooping = *at[SNOOPING].p != 0;
	/* The state names a querier that was heard; its attribute is there even when empty. */
	if (at[QUERIER].p)
		l->querier = *at[QUERIER].p || at[STATE].len > 0;
}

static bool link_info(const struct rtnl_attr *info, struct look_link *l)
{
	enum { KIND, DATA, ATTRS };
	struct rtnl_attr at[ATTRS] = {
		[KIND] = { .type = IFLA_INFO_KIND },
		[DATA] = { .type = IFLA_INFO_DATA },
	};

	if (!info->p)
		return true;
	if (!rtnl_attrs_find(info->p, info->len, at, ATTRS))
		return false;
	/* A kind is shorter than an interface name in all of the kernel; another is as good as none. */
	if (!rtnl_ifname(&at[KIND], l->kind))
		return true;
	if (at[DATA].p && !strcmp(l->kind, "bridge"))
		bridge(&at[DATA], l);
	return true;
}

bool rtnl_look_link(const struct rtnl_msg *m, struct look_link *l)
{
	enum { NAME, MTU, MASTER, INFO, STATS, MULTI, ATTRS };
	struct rtnl_attr at[ATTRS] = {
		[NAME] = { .type = IFLA_IFNAME },
		[MTU] = { .type = IFLA_MTU, .least = 4 },
		[MASTER] = { .type = IFLA_MASTER, .least = 4 },
		[INFO] = { .type = IFLA_LINKINFO },
		[STATS] = { .type = IFLA_STATS64 },
		[MULTI] = { .type = ALLMULTI, .least = 4 },
	};
	struct rtnl_link_stats64 st = { 0 };
	struct ifinfomsg ifi;

	if (m->type != RTM_NEWLINK || m->len < sizeof ifi)
		return false;
	memcpy(&ifi, m->body, sizeof ifi);
	if (ifi.ifi_family != AF_UNSPEC || ifi.ifi_index <= 0)
		return false;
	if (!rtnl_attrs(m, sizeof ifi, at, ATTRS))
		return false;
	if (at[STATS].p)
		memcpy(&st, at[STATS].p, at[STATS].len < sizeof st ? at[STATS].len : sizeof st);
	*l = (struct look_link){
		.ifindex = ifi.ifi_index,
		.master = (int)rtnl_u32(&at[MASTER]),
		.flags = rtnl_link_flags(ifi.ifi_flags),
		.mtu = rtnl_u32(&at[MTU]),
		.allmulti = at[MULTI].p ? rtnl_u32(&at[MULTI]) > 0 : -1,
		.snooping = -1,
		.querier = -1,
		.rp_filter = -1,
		.rp_own = -1,
		.routing = { -1, -1 },
		.packets = st.rx_packets,
		.multicast = st.multicast,
	};
	return rtnl_ifname(&at[NAME], l->name) && l->name[0] && link_info(&at[INFO], l);
}

bool rtnl_look_addr(const struct rtnl_msg *m, int *ifindex, enum fam *fam)
{
	struct ifaddrmsg ifa;

	if (m->type != RTM_NEWADDR || m->len < sizeof ifa)
		return false;
	memcpy(&ifa, m->body, sizeof ifa);
	*ifindex = (int)ifa.ifa_index;
	return family(ifa.ifa_family, fam);
}

bool rtnl_look_netconf(const struct rtnl_msg *m, struct rtnl_netconf *c)
{
	enum { INDEX, RP, MC, ATTRS };
	struct rtnl_attr at[ATTRS] = {
		[INDEX] = { .type = NETCONFA_IFINDEX, .least = 4 },
		[RP] = { .type = NETCONFA_RP_FILTER, .least = 4 },
		[MC] = { .type = NETCONFA_MC_FORWARDING, .least = 4 },
	};

	if (m->type != RTM_NEWNETCONF || m->len < sizeof(struct netconfmsg))
		return false;
	if (!family(m->body[0], &c->fam) || !rtnl_attrs(m, sizeof(struct netconfmsg), at, ATTRS))
		return false;
	c->ifindex = (int)rtnl_u32(&at[INDEX]);
	c->rp_filter = at[RP].p ? (int)rtnl_u32(&at[RP]) : -1;
	c->mc_forwarding = at[MC].p ? (int)rtnl_u32(&at[MC]) : -1;
	return at[INDEX].p;
}

/* ---- VIFs: IPMRA_* of linux/mroute.h, ipmr_rtm_dumplink() ---- */

static bool vif(const struct rtnl_attr *a, uint32_t table, struct look_vif *v)
{
	enum { INDEX, ID, BYTES_IN, BYTES_OUT, IN, OUT, ATTRS };
	struct rtnl_attr at[ATTRS] = {
		[INDEX] = { .type = IPMRA_VIFA_IFINDEX, .least = 4 },
		[ID] = { .type = IPMRA_VIFA_VIF_ID, .least = 4 },
		[BYTES_IN] = { .type = IPMRA_VIFA_BYTES_IN, .least = 8 },
		[BYTES_OUT] = { .type = IPMRA_VIFA_BYTES_OUT, .least = 8 },
		[IN] = { .type = IPMRA_VIFA_PACKETS_IN, .least = 8 },
		[OUT] = { .type = IPMRA_VIFA_PACKETS_OUT, .least = 8 },
	};

	if (a->type != IPMRA_VIF || !rtnl_attrs_find(a->p, a->len, at, ATTRS))
		return false;
	*v = (struct look_vif){
		.table = table,
		.vif = (int)rtnl_u32(&at[ID]),
		.ifindex = (int)rtnl_u32(&at[INDEX]),
		.st = { u64(&at[IN]), u64(&at[BYTES_IN]), u64(&at[OUT]), u64(&at[BYTES_OUT]) },
	};
	return at[INDEX].p;
}

bool rtnl_look_vifs(const struct rtnl_msg *m, rtnl_vif_fn *fn, void *ctx)
{
	struct rtnl_attr spec = { .type = IFLA_AF_SPEC }, a;
	enum { TABLE, VIFS, ATTRS };
	struct rtnl_attr at[ATTRS] = {
		[TABLE] = { .type = IPMRA_TABLE_ID, .least = 4 },
		[VIFS] = { .type = IPMRA_TABLE_VIFS },
	};
	struct look_vif v;

	if (m->type != RTM_NEWLINK || m->len < sizeof(struct ifinfomsg) || m->body[0] != RTNL_FAMILY_IPMR)
		return false;
	if (!rtnl_attrs(m, sizeof(struct ifinfomsg), &spec, 1) || !spec.p)
		return false;
	if (!rtnl_attrs_find(spec.p, spec.len, at, ATTRS) || !at[TABLE].p)
		return false;
	for (size_t n = at[VIFS].len; rtnl_attr_next(&at[VIFS].p, &n, &a);)
		if (vif(&a, rtnl_u32(&at[TABLE]), &v))
			fn(ctx, &v);
	return true;
}

/* ---- forwarding entries and routes ---- */

/* Takes the next hop off *p, n bytes; its interface, or 0 at the end. */
static int hop_next(const unsigned char **p, size_t *n, uint8_t *hops)
{
	struct rtnexthop h;
	size_t step;

	if (!*p || *n < sizeof h)
		return 0;
	memcpy(&h, *p, sizeof h);
	if (h.rtnh_len < sizeof h || h.rtnh_len > *n)
		return 0;
	step = RTNH_ALIGN((size_t)h.rtnh_len);
	if (step > *n)
		step = *n;
	*p += step;
	*n -= step;
	*hops = h.rtnh_hops;
	return h.rtnh_ifindex;
}

bool rtnl_look_mfc(const struct rtnl_msg *m, struct look_mfc *e)
{
	enum { TABLE, SRC, DST, IIF, HOPS, ATTRS };
	struct rtnl_attr at[ATTRS] = {
		[TABLE] = { .type = RTA_TABLE, .least = 4 },
		[SRC] = { .type = RTA_SRC },
		[DST] = { .type = RTA_DST },
		[IIF] = { .type = RTA_IIF, .least = 4 },
		[HOPS] = { .type = RTA_MULTIPATH },
	};
	struct rtnl_mfc known;
	struct rtmsg rtm;
	enum fam fam;
	size_t n;
	int oif;

	if (m->type != RTM_NEWROUTE || m->len < sizeof rtm)
		return false;
	memcpy(&rtm, m->body, sizeof rtm);
	/* A kernel without this family answers with unicast routes. */
	if (rtm.rtm_family != RTNL_FAMILY_IPMR && rtm.rtm_family != RTNL_FAMILY_IP6MR)
		return false;
	family(rtm.rtm_family, &fam);
	if (!rtnl_attrs(m, sizeof rtm, at, ATTRS))
		return false;
	*e = (struct look_mfc){
		.table = at[TABLE].p ? rtnl_u32(&at[TABLE]) : rtm.rtm_table,
		.unresolved = rtm.rtm_flags & RTNH_F_UNRESOLVED,
		.iif = (int)rtnl_u32(&at[IIF]),
	};
	if (!rtnl_addr(fam, &at[SRC], &e->src) || !rtnl_addr(fam, &at[DST], &e->grp))
		return false;
	if (rtnl_mfc(m, &known))
		e->st = known.st;
	n = at[HOPS].len;
	while (e->noifs < KERNEL_VIFS && (oif = hop_next(&at[HOPS].p, &n, &e->ttl[e->noifs])))
		e->oif[e->noifs++] = oif;
	return true;
}

bool rtnl_look_route(const struct rtnl_msg *m, struct look_route *r)
{
	enum { OIF, HOPS, ATTRS };
	struct rtnl_attr at[ATTRS] = {
		[OIF] = { .type = RTA_OIF, .least = 4 },
		[HOPS] = { .type = RTA_MULTIPATH },
	};
	struct rtmsg rtm;
	uint8_t hops;
	size_t n;
	int oif;

	if (m->type != RTM_NEWROUTE || m->len < sizeof rtm)
		return false;
	memcpy(&rtm, m->body, sizeof rtm);
	if (!rtnl_attrs(m, sizeof rtm, at, ATTRS))
		return false;
	*r = (struct look_route){
		.local = rtm.rtm_type == RTN_LOCAL,
		.none = rtm.rtm_type != RTN_LOCAL && rtm.rtm_type != RTN_UNICAST,
	};
	if (at[OIF].p)
		r->oif[r->n++] = (int)rtnl_u32(&at[OIF]);
	n = at[HOPS].len;
	while (r->n < sizeof r->oif / sizeof *r->oif && (oif = hop_next(&at[HOPS].p, &n, &hops)))
		r->oif[r->n++] = oif;
	return true;
}

bool rtnl_look_rule(const struct rtnl_msg *m, enum fam fam, struct rtnl_rule *r)
{
	enum { TABLE, IIF, PRIORITY, MARK, OIF, SRC, DST, ATTRS };
	struct rtnl_attr at[ATTRS] = {
		[TABLE] = { .type = FRA_TABLE, .least = 4 },
		[IIF] = { .type = FRA_IIFNAME },
		[PRIORITY] = { .type = FRA_PRIORITY, .least = 4 },
		[MARK] = { .type = FRA_FWMARK },
		[OIF] = { .type = FRA_OIFNAME },
		[SRC] = { .type = FRA_SRC },
		[DST] = { .type = FRA_DST },
	};
	struct fib_rule_hdr h;

	*r = (struct rtnl_rule){ 0 };
	if (m->type != RTM_NEWRULE || m->len < sizeof h)
		return false;
	memcpy(&h, m->body, sizeof h);
	if (h.family != (fam == FAM_4 ? RTNL_FAMILY_IPMR : RTNL_FAMILY_IP6MR))
		return false;
	if (!rtnl_attrs(m, sizeof h, at, ATTRS) || !rtnl_ifname(&at[IIF], r->iif))
		return false;
	r->priority = rtnl_u32(&at[PRIORITY]);
	r->table = at[TABLE].p ? rtnl_u32(&at[TABLE]) : h.table;
	r->lookup = h.action == FR_ACT_TO_TBL;
	r->more = at[MARK].p || at[OIF].p || at[SRC].p || at[DST].p || (h.flags & FIB_RULE_INVERT);
	return true;
}
