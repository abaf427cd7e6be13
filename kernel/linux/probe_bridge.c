/* SPDX-License-Identifier: ISC */
#include "kernel/linux/probe_bridge.h"

#include <string.h>
#include <sys/socket.h>

#include <linux/if_bridge.h>
#include <linux/if_ether.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>

#include "lib/grow.h"

/* Younger than the oldest linux/if_link.h and linux/if_bridge.h that this is built with. */
#define IGMP_VERSION 43		/* IFLA_BR_MCAST_IGMP_VERSION, 4.10 */
#define MLD_VERSION 44		/* IFLA_BR_MCAST_MLD_VERSION */
#define BOOLOPT 46		/* IFLA_BR_MULTI_BOOLOPT, 5.0 */
#define BOOLOPT_VLAN_SNOOPING 1	/* BR_BOOLOPT_MCAST_VLAN_SNOOPING, 5.15 */
#define QUERIER_STATE 47	/* IFLA_BR_MCAST_QUERIER_STATE, 5.15, empty = not there */
#define QUERIER_TIMER4 3	/* BRIDGE_QUERIER_IP_OTHER_TIMER */
#define QUERIER_ADDR6 5		/* BRIDGE_QUERIER_IPV6_ADDRESS */
#define QUERIER_TIMER6 7	/* BRIDGE_QUERIER_IPV6_OTHER_TIMER */
#define ISOLATED 33		/* IFLA_BRPORT_ISOLATED, 4.18 */
#define LOCKED 39		/* IFLA_BRPORT_LOCKED, 5.18 */
#define ROUTER_TIMER4 3		/* MDBA_ROUTER_PATTR_INET_TIMER, 5.14 */
#define ROUTER_TIMER6 4		/* MDBA_ROUTER_PATTR_INET6_TIMER */
#define ROUTER_VLAN 5		/* MDBA_ROUTER_PATTR_VID, 5.15 */
#define ENTRY_MODE 3		/* MDBA_MDB_EATTR_GROUP_MODE, 5.10 */
#define ENTRY_SOURCE 4		/* MDBA_MDB_EATTR_SOURCE, 5.10 */
#define ENTRY_BLOCKED 8		/* MDB_FLAGS_BLOCKED, 5.10 */

static tristate probe_bridge_bool(const struct rtnl_attr *in, unsigned type)
{
	uint8_t on;

	return rtnl_value(in, type, &on, sizeof on) ? on != 0 : -1;
}

/* br_multicast_dump_querier_state() of net/bridge/br_multicast.c: the timer of another querier is there while it runs;
 * IPv6 queries of its own need an address of its own (br_ip6_multicast_alloc_query()), else :: is shown. */
static void probe_bridge_querier(const struct rtnl_attr *data, bool has_state, struct probe_bridge *b)
{
	tristate own = probe_bridge_bool(data, IFLA_BR_MCAST_QUERIER);
	struct rtnl_attr state, at;
	struct addr six;

	/* Before 5.15 another one does not show. */
	b->querier[FAM_4] = b->querier[FAM_6] = own == 0 && !has_state ? -1 : own;
	if (!rtnl_attr(data, QUERIER_STATE, &state))
		return;
	if (own == 1 && rtnl_addr(FAM_6, &state, QUERIER_ADDR6, &six))
		b->querier[FAM_6] = six.w[0] || six.w[1] || six.w[2] || six.w[3];
	else if (own == 1)
		b->querier[FAM_6] = 0;
	b->querier[FAM_4] = rtnl_attr(&state, QUERIER_TIMER4, &at) ? 1 : b->querier[FAM_4];
	b->querier[FAM_6] = rtnl_attr(&state, QUERIER_TIMER6, &at) ? 1 : b->querier[FAM_6];
}

void probe_bridge_link(const struct rtnl_attr *info, struct probe_link *l)
{
	struct br_boolopt_multi opts = { 0 };
	struct rtnl_attr data, port;
	char kind[KERNEL_IFNAME] = "";
	uint8_t v;

	l->bridge = (struct probe_bridge){
		.snoops = -1, .querier = { -1, -1 }, .takes_all = -1, .has_stp = -1, .filters_vlans = -1,
		.snoops_vlans = -1,
	};
	l->port = (struct probe_port){ .state = PORT_NONE };
	if (!strcmp(l->kind, "bridge") && rtnl_attr(info, IFLA_INFO_DATA, &data)) {
		l->bridge.snoops = probe_bridge_bool(&data, IFLA_BR_MCAST_SNOOPING);
		l->bridge.takes_all = rtnl_value(&data, IFLA_BR_MCAST_ROUTER, &v, sizeof v) ? v == 2 : -1;
		l->bridge.by_source[FAM_4] = rtnl_value(&data, IGMP_VERSION, &v, sizeof v) && v == 3;
		l->bridge.by_source[FAM_6] = rtnl_value(&data, MLD_VERSION, &v, sizeof v) && v == 2;
		l->bridge.has_stp = rtnl_truth(&data, IFLA_BR_STP_STATE);
		l->bridge.filters_vlans = probe_bridge_bool(&data, IFLA_BR_VLAN_FILTERING);
		rtnl_value(&data, BOOLOPT, &opts, sizeof opts);
		l->bridge.snoops_vlans = opts.optval >> BOOLOPT_VLAN_SNOOPING & 1;
		probe_bridge_querier(&data, opts.optmask >> BOOLOPT_VLAN_SNOOPING & 1, &l->bridge);
	}
	if (!rtnl_ifname(info, IFLA_INFO_SLAVE_KIND, kind) || strcmp(kind, "bridge") ||
	    !rtnl_attr(info, IFLA_INFO_SLAVE_DATA, &port) || !rtnl_value(&port, IFLA_BRPORT_STATE, &v, sizeof v))
		return;
	l->port.state = v < PORT_NONE ? (enum probe_port_state)v : PORT_DISABLED;
	l->port.is_isolated = probe_bridge_bool(&port, ISOLATED) == 1;
	l->port.is_locked = probe_bridge_bool(&port, LOCKED) == 1;
}

/* A port behind which routers are (br_rports_fill_info()); before 5.14 they are not told apart by family. */
static void probe_bridge_router(const struct rtnl_attr *port, int bridge, probe_mdb_fn *fn, void *ctx)
{
	struct probe_mdb e = { .bridge = bridge, .is_router = true };
	struct rtnl_attr at, timer;
	uint32_t ifindex;

	if (port->len < sizeof ifindex)
		return;
	memcpy(&ifindex, port->p, sizeof ifindex);
	at = (struct rtnl_attr){ port->p + sizeof ifindex, port->len - sizeof ifindex };
	e.port = (int)ifindex;
	e.routes[FAM_4] = rtnl_attr(&at, ROUTER_TIMER4, &timer);
	e.routes[FAM_6] = rtnl_attr(&at, ROUTER_TIMER6, &timer);
	if (!e.routes[FAM_4] && !e.routes[FAM_6])
		e.routes[FAM_4] = e.routes[FAM_6] = true;
	rtnl_value(&at, ROUTER_VLAN, &e.vlan, sizeof e.vlan);
	fn(ctx, &e);
}

/* One port, or the host, that is a member (__mdb_fill_info()). */
static void probe_bridge_member(const struct rtnl_attr *info, int bridge, probe_mdb_fn *fn, void *ctx)
{
	size_t size = NLMSG_ALIGN(sizeof(struct br_mdb_entry));
	struct probe_mdb e = { .bridge = bridge };
	struct br_mdb_entry entry;
	struct rtnl_attr at;
	uint8_t mode, len;
	enum fam fam;

	if (info->len < sizeof entry)
		return;
	memcpy(&entry, info->p, sizeof entry);
	at = (struct rtnl_attr){ info->p + size, info->len > size ? info->len - size : 0 };
	fam = entry.addr.proto == htons(ETH_P_IP) ? FAM_4 : FAM_6;
	if (fam == FAM_6 && entry.addr.proto != htons(ETH_P_IPV6))
		return;			/* a hardware address */
	e.port = (int)entry.ifindex;
	e.vlan = entry.vid;
	e.is_blocked = entry.flags & ENTRY_BLOCKED;
	e.is_include = rtnl_value(&at, ENTRY_MODE, &mode, sizeof mode) && mode;
	addr_any(fam, &e.flow.group, &len);
	memcpy(e.flow.group.b + 16 - (fam == FAM_4 ? 4 : 16), &entry.addr.u, fam == FAM_4 ? 4 : 16);
	if (!rtnl_addr(fam, &at, ENTRY_SOURCE, &e.flow.source))
		addr_any(fam, &e.flow.source, &len);
	fn(ctx, &e);
}

void probe_bridge_mdb(const struct rtnl_msg *m, probe_mdb_fn *fn, void *ctx)
{
	struct rtnl_attr at, list, entry, one;
	struct br_port_msg head;

	if (!rtnl_body(m, RTM_GETMDB, &head, sizeof head, &at))
		return;
	rtnl_attr(&at, MDBA_ROUTER, &list);
	while (rtnl_attr_next(&list, MDBA_ROUTER_PORT, &one))
		probe_bridge_router(&one, (int)head.ifindex, fn, ctx);
	rtnl_attr(&at, MDBA_MDB, &list);
	while (rtnl_attr_next(&list, MDBA_MDB_ENTRY, &entry))
		while (rtnl_attr_next(&entry, MDBA_MDB_ENTRY_INFO, &one))
			probe_bridge_member(&one, (int)head.ifindex, fn, ctx);
}

/* br_fill_ifvlaninfo_compressed() of net/bridge/br_netlink.c: single ones, or the first and the last of a range. */
int probe_bridge_vlans(void *links, const struct rtnl_msg *m)
{
	struct probe_links *all = links;
	struct bridge_vlan_info vlan;
	struct rtnl_attr at, one;
	struct ifinfomsg ifi;
	uint16_t first = 0;

	if (!rtnl_body(m, RTM_NEWLINK, &ifi, sizeof ifi, &at) || ifi.ifi_family != AF_BRIDGE)
		return 0;
	rtnl_attr(&at, IFLA_AF_SPEC, &at);
	while (rtnl_attr_next(&at, IFLA_BRIDGE_VLAN_INFO, &one)) {
		struct probe_vlan *v;

		if (one.len < sizeof vlan)
			continue;
		memcpy(&vlan, one.p, sizeof vlan);
		if (vlan.flags & BRIDGE_VLAN_INFO_RANGE_BEGIN) {
			first = vlan.vid;
			continue;
		}
		v = grow(all->vlans, &all->cvlans, all->nvlans + 1, sizeof *v);
		if (!v)
			return -1;
		all->vlans = v;
		v[all->nvlans++] = (struct probe_vlan){
			.port = ifi.ifi_index, .last = vlan.vid, .is_untagged = vlan.flags & BRIDGE_VLAN_INFO_PVID,
			.first = vlan.flags & BRIDGE_VLAN_INFO_RANGE_END ? first : vlan.vid,
		};
	}
	return 0;
}
