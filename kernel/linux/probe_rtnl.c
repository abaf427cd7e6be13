/* SPDX-License-Identifier: ISC */
#include "kernel/linux/probe_rtnl.h"

#include <net/if.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/gen_stats.h>
#include <linux/if_link.h>
#include <linux/netconf.h>
#include <linux/netlink.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>

#include "kernel/linux/mroute_codec.h"
#include "kernel/linux/probe_bridge.h"
#include "lib/grow.h"

#define DISABLE_IPV6 26		/* DEVCONF_DISABLE_IPV6 of linux/ipv6.h, which musl does not bear */

static bool probe_family(unsigned their, enum fam *fam)
{
	*fam = their == AF_INET ? FAM_4 : FAM_6;
	return their == AF_INET || their == AF_INET6;
}

/* The settings of IPv6 there, one number each (inet6_fill_ifla6_attrs()); an interface without IPv6 has none. */
static tristate probe_has_v6(const struct rtnl_attr *link)
{
	struct rtnl_attr families, v6, conf;
	uint32_t off;

	if (!rtnl_attr(link, IFLA_AF_SPEC, &families))
		return -1;
	if (!rtnl_attr(&families, AF_INET6, &v6) || !rtnl_attr(&v6, IFLA_INET6_CONF, &conf))
		return 0;
	if (conf.len < (DISABLE_IPV6 + 1) * sizeof off)
		return -1;
	memcpy(&off, conf.p + DISABLE_IPV6 * sizeof off, sizeof off);
	return !off;
}

/* Whether a program is attached to an interface (XDP_ATTACHED_* of linux/if_link.h). */
static bool probe_has_program(const struct rtnl_attr *link)
{
	struct rtnl_attr xdp;
	uint8_t attached = 0;

	rtnl_attr(link, IFLA_XDP, &xdp);
	return rtnl_value(&xdp, IFLA_XDP_ATTACHED, &attached, sizeof attached) && attached;
}

/* Whether it has a carrier: the flag follows that only within a second or more (net/core/link_watch.c). */
static unsigned probe_running(const struct rtnl_attr *link, unsigned flags)
{
	uint8_t carrier;

	if (!rtnl_value(link, IFLA_CARRIER, &carrier, sizeof carrier))
		return flags;
	return carrier ? flags | LINK_RUNNING : flags & ~(unsigned)LINK_RUNNING;
}

bool probe_rtnl_link(const struct rtnl_msg *m, struct probe_link *l)
{
	struct rtnl_link_stats64 st = { 0 };
	struct rtnl_attr at, info, data, ns;
	struct link_event ev;
	struct ifinfomsg ifi;

	if (!rtnl_body(m, RTM_NEWLINK, &ifi, sizeof ifi, &at) || !rtnl_link(m, &ev))
		return false;
	/* What is behind these has come to it over time. */
	rtnl_value(&at, IFLA_STATS64, &st, offsetof(struct rtnl_link_stats64, collisions));
	*l = (struct probe_link){
		.ifindex = ev.ifindex, .master = ev.master, .flags = probe_running(&at, ev.flags),
		.mtu = ev.mtu, .allmulti = ev.allmulti,
		.rp_filter = -1, .rp_own = -1, .routing = { -1, -1 },
		.packets = st.rx_packets, .multicast = st.multicast, .sent = st.tx_packets,
		.unsent = st.tx_dropped,
	};
	l->v6 = probe_has_v6(&at);
	memcpy(l->name, ev.name, sizeof l->name);
	/* The index of one in another network namespace means nothing here. */
	if (!rtnl_attr(&at, IFLA_LINK_NETNSID, &ns))
		l->lower = (int)rtnl_u32(&at, IFLA_LINK, 0);
	rtnl_attr(&at, IFLA_LINKINFO, &info);
	/* A kind is shorter than an interface name in all of the kernel; another is as good as none. */
	rtnl_ifname(&info, IFLA_INFO_KIND, l->kind);
	rtnl_attr(&info, IFLA_INFO_DATA, &data);
	if (!strcmp(l->kind, "vlan"))
		rtnl_value(&data, IFLA_VLAN_ID, &l->vlan, sizeof l->vlan);
	probe_bridge_link(&info, l);
	l->has_program = probe_has_program(&at);
	return true;
}

static struct probe_link *probe_links_find(struct probe_links *l, int ifindex)
{
	for (uint32_t i = 0; i < l->n; i++)
		if (l->v[i].ifindex == ifindex)
			return &l->v[i];
	return NULL;
}

int probe_rtnl_qdisc(void *links, const struct rtnl_msg *m)
{
	struct rtnl_attr at, stats;
	struct gnet_stats_queue q = { .drops = 0 };
	struct probe_link *l;
	struct tcmsg t;
	char kind[KERNEL_IFNAME];

	if (!rtnl_body(m, RTM_NEWQDISC, &t, sizeof t, &at) || !(l = probe_links_find(links, t.tcm_ifindex)))
		return 0;
	rtnl_attr(&at, TCA_STATS2, &stats);
	rtnl_value(&stats, TCA_STATS_QUEUE, &q, sizeof q);
	/* Both count in 32 bits (struct gnet_stats_queue). */
	if (t.tcm_parent == TC_H_ROOT && rtnl_ifname(&at, TCA_KIND, l->queue))
		l->queue_drops = q.drops;
	else if (rtnl_ifname(&at, TCA_KIND, kind) && (!strcmp(kind, "clsact") || !strcmp(kind, "ingress")))
		l->filter_drops = q.drops;
	return 0;
}

int probe_rtnl_addr(void *links, const struct rtnl_msg *m)
{
	struct probe_links *all = links;
	struct probe_link *l;
	struct probe_address *v;
	struct ifaddrmsg ifa;
	struct rtnl_attr at;
	enum fam fam;

	if (!rtnl_body(m, RTM_NEWADDR, &ifa, sizeof ifa, &at) || !probe_family(ifa.ifa_family, &fam) ||
	    !(l = probe_links_find(all, (int)ifa.ifa_index)))
		return 0;
	l->address[fam] = true;
	v = grow(all->addresses, &all->caddresses, all->naddresses + 1, sizeof *v);
	if (!v)
		return -1;
	all->addresses = v;
	v += all->naddresses;
	v->ifindex = l->ifindex;
	/* Of the two ends of a point-to-point link ours. */
	all->naddresses += rtnl_addr(fam, &at, IFA_LOCAL, &v->addr) || rtnl_addr(fam, &at, IFA_ADDRESS, &v->addr);
	return 0;
}

int probe_rtnl_netconf(void *links, const struct rtnl_msg *m)
{
	struct probe_links *all = links;
	struct netconfmsg conf;
	struct probe_link *l;
	struct rtnl_attr at;
	enum fam fam;
	int ifindex;

	if (!rtnl_body(m, RTM_NEWNETCONF, &conf, sizeof conf, &at) || !probe_family(conf.ncm_family, &fam))
		return 0;
	ifindex = (int)rtnl_u32(&at, NETCONFA_IFINDEX, 0);
	l = probe_links_find(all, ifindex);
	/* MRT_INIT counts on "all" (net/ipv4/ipmr.c, net/ipv6/ip6mr.c). */
	if (!l && ifindex != NETCONFA_IFINDEX_ALL)
		return 0;
	*(l ? &l->routing[fam] : &all->taken[fam]) = rtnl_truth(&at, NETCONFA_MC_FORWARDING);
	if (fam == FAM_4)
		*(l ? &l->rp_own : &all->rp_all) = (int8_t)rtnl_u32(&at, NETCONFA_RP_FILTER, UINT32_MAX);
	return 0;
}

/* ---- VIFs: IPMRA_* of linux/mroute.h, ipmr_rtm_dumplink() ---- */

int probe_rtnl_vifs(const struct rtnl_msg *m, struct probe_vif *v, int max)
{
	static const struct {
		unsigned type;
		size_t size, at;
	} fields[] = {
		{ IPMRA_VIFA_VIF_ID, 4, offsetof(struct probe_vif, vif) },
		{ IPMRA_VIFA_IFINDEX, 4, offsetof(struct probe_vif, ifindex) },
		{ IPMRA_VIFA_PACKETS_IN, 8, offsetof(struct probe_vif, st.in_packets) },
		{ IPMRA_VIFA_BYTES_IN, 8, offsetof(struct probe_vif, st.in_bytes) },
		{ IPMRA_VIFA_PACKETS_OUT, 8, offsetof(struct probe_vif, st.out_packets) },
		{ IPMRA_VIFA_BYTES_OUT, 8, offsetof(struct probe_vif, st.out_bytes) },
	};
	struct rtnl_attr at, vifs, vif;
	struct ifinfomsg ifi;
	int n;

	if (!rtnl_body(m, RTM_NEWLINK, &ifi, sizeof ifi, &at) || ifi.ifi_family != RTNL_FAMILY_IPMR)
		return 0;
	rtnl_attr(&at, IFLA_AF_SPEC, &at);
	rtnl_attr(&at, IPMRA_TABLE_VIFS, &vifs);
	for (n = 0; n < max && rtnl_attr_next(&vifs, IPMRA_VIF, &vif); n++, v++) {
		*v = (struct probe_vif){ 0 };
		v->table = rtnl_u32(&at, IPMRA_TABLE_ID, 0);
		for (unsigned i = 0; i < sizeof fields / sizeof *fields; i++)
			rtnl_value(&vif, fields[i].type, (char *)v + fields[i].at, fields[i].size);
	}
	return n;
}

bool probe_rtnl_mfc(const struct rtnl_msg *m, struct probe_mfc *e)
{
	struct rtnl_mfc in;

	if (!rtnl_mfc(m, &in))
		return false;
	*e = (struct probe_mfc){ .table = in.table, .flow = in.flow, .unresolved = in.unresolved, .noifs = in.noifs,
				 .iif = in.iif, .st = in.st,
				 .idle_ms = in.idle < INT32_MAX ? (int64_t)in.idle * 1000 / sysconf(_SC_CLK_TCK) :
					    INT32_MAX };
	memcpy(e->ttl, in.ttl, sizeof e->ttl);
	memcpy(e->oif, in.oif, sizeof e->oif);
	return true;
}

int probe_rtnl_route(void *route, const struct rtnl_msg *m)
{
	struct probe_route *r = route;
	struct rtnl_attr at, hops;
	struct rtnexthop h;
	struct rtmsg rtm;

	if (!rtnl_body(m, RTM_NEWROUTE, &rtm, sizeof rtm, &at))
		return 0;
	*r = (struct probe_route){
		.local = rtm.rtm_type == RTN_LOCAL,
		.none = rtm.rtm_type != RTN_LOCAL && rtm.rtm_type != RTN_UNICAST && rtm.rtm_type != RTN_MULTICAST,
	};
	r->table = rtnl_u32(&at, RTA_TABLE, rtm.rtm_table);
	if (r->table == RT_TABLE_MAIN || r->table == RT_TABLE_LOCAL)
		r->table = 0;
	r->n = rtnl_value(&at, RTA_OIF, &r->oif[0], sizeof r->oif[0]);
	rtnl_attr(&at, RTA_MULTIPATH, &hops);
	while (r->n < sizeof r->oif / sizeof *r->oif && rtnl_hop_next(&hops, &h))
		r->oif[r->n++] = h.rtnh_ifindex;
	return 0;
}
