/* SPDX-License-Identifier: ISC
 *
 * Messages about bridges and their database of members, on messages made by hand, whole and cut short at every length.
 */
#include "kernel/linux/probe_bridge.h"

#include <net/if.h>
#include <sys/socket.h>

#include <linux/if_bridge.h>
#include <linux/if_ether.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>

#include "tests/unit/nlmsg.h"
#include "tests/unit/test.h"

static void link_of(const struct rtnl_msg *m, struct probe_link *l)
{
	struct rtnl_attr at, info = { 0 };
	struct ifinfomsg ifi;

	if (rtnl_body(m, RTM_NEWLINK, &ifi, sizeof ifi, &at))
		rtnl_attr(&at, IFLA_LINKINFO, &info);
	probe_bridge_link(&info, l);
}

/* A querier is what asks, itself or another: the timer of that one, or for IPv6 an address of its own. */
static void bridge(void)
{
	struct ifinfomsg ifi = { .ifi_index = 7 };
	struct probe_link l = { .kind = "bridge" };
	struct br_boolopt_multi opts = { .optval = 2, .optmask = 3 };
	uint64_t timer = 5;
	size_t info, data, state;

	for (unsigned i = 0; i < 4; i++) {
		start(RTM_NEWLINK, &ifi, sizeof ifi);
		info = nest(IFLA_LINKINFO);
		data = nest(IFLA_INFO_DATA);
		attr(IFLA_BR_MCAST_SNOOPING, "\1", 1);
		attr(IFLA_BR_MCAST_QUERIER, i & 1 ? "\1" : "\0", 1);
		attr(IFLA_BR_MCAST_ROUTER, "\2", 1);
		attr(43, "\3", 1);
		attr(44, "\1", 1);
		attr(46, &opts, sizeof opts);
		state = nest(47);
		if (i & 2) {
			attr(3, &timer, sizeof timer);
			attr(5, "\xfe\x80\0\0\0\0\0\0\0\0\0\0\0\0\0\1", 16);
		}
		nest_end(state);
		nest_end(data);
		nest_end(info);
		WHOLE(w);
		link_of(&w, &l);
		CHECK_INT(l.bridge.snoops, 1);
		CHECK_INT(l.bridge.takes_all, 1);
		CHECK_INT(l.bridge.snoops_vlans, 1);
		CHECK(l.bridge.by_source[FAM_4] && !l.bridge.by_source[FAM_6]);
		CHECK_INT(l.bridge.querier[FAM_4], i != 0);
		CHECK_INT(l.bridge.querier[FAM_6], i == 3);
		END;
		CUTS(link_of(&m, &l));
	}
}

static void port(void)
{
	struct ifinfomsg ifi = { .ifi_index = 7 };
	struct probe_link l = { .kind = "veth" };
	size_t info, data;

	start(RTM_NEWLINK, &ifi, sizeof ifi);
	info = nest(IFLA_LINKINFO);
	attr(IFLA_INFO_SLAVE_KIND, "bridge", 7);
	data = nest(IFLA_INFO_SLAVE_DATA);
	attr(IFLA_BRPORT_STATE, "\2", 1);
	attr(33, "\1", 1);
	attr(39, "\0", 1);
	nest_end(data);
	nest_end(info);
	WHOLE(w);
	link_of(&w, &l);
	CHECK_INT(l.port.state, PORT_LEARNING);
	CHECK(l.port.is_isolated && !l.port.is_locked);
	CHECK_INT(l.bridge.snoops, -1);
	END;
	CUTS(link_of(&m, &l));
}

static struct probe_mdb got[8];
static unsigned ngot;

static void take(void *ctx, const struct probe_mdb *e)
{
	(void)ctx;
	got[ngot++ % 8] = *e;
}

static void member(int ifindex, uint16_t proto, const void *group, size_t n, uint8_t flags, const char *source)
{
	struct br_mdb_entry e = { .ifindex = (uint32_t)ifindex, .vid = 5, .flags = flags, .addr.proto = htons(proto) };
	size_t at = nest(MDBA_MDB_ENTRY), info;

	memcpy(&e.addr.u, group, n);
	info = len;
	attr(MDBA_MDB_ENTRY_INFO, &e, sizeof e);
	attr_u32(MDBA_MDB_EATTR_TIMER, 7);
	attr(3, "\1", 1);
	if (source)
		attr(4, source, n);
	nest_end(info);
	nest_end(at);
}

static void database(void)
{
	struct br_port_msg head = { .family = AF_BRIDGE, .ifindex = 3 };
	uint32_t router = 9;
	size_t list, one;

	start(RTM_GETMDB, &head, sizeof head);
	list = nest(MDBA_MDB);
	member(4, ETH_P_IP, "\341\1\2\3", 4, 0, NULL);
	member(5, ETH_P_IP, "\341\1\2\3", 4, 8, "\12\1\0\11");
	member(3, ETH_P_IPV6, "\xff\x2e\0\0\0\0\0\0\0\0\0\0\0\0\1\x23", 16, 0, NULL);
	member(4, ETH_P_ARP, "\1\2\3\4\5\6", 6, 0, NULL);
	nest_end(list);
	list = nest(MDBA_ROUTER);
	one = len;
	attr(MDBA_ROUTER_PORT, &router, sizeof router);
	attr_u32(4, 7);
	nest_end(one);
	one = len;
	attr(MDBA_ROUTER_PORT, &router, sizeof router);
	nest_end(one);
	nest_end(list);
	WHOLE(w);
	probe_bridge_mdb(&w, take, NULL);
	CHECK_INT(ngot, 5);
	CHECK(got[0].is_router && got[0].bridge == 3 && got[0].port == 9);
	CHECK(!got[0].routes[FAM_4] && got[0].routes[FAM_6]);
	CHECK(got[1].is_router && got[1].routes[FAM_4] && got[1].routes[FAM_6]);
	CHECK(!got[2].is_router && got[2].port == 4 && got[2].vlan == 5 && got[2].is_include && !got[2].is_blocked);
	CHECK(flow_fam(&got[2].flow) == FAM_4 && flow_any_source(&got[2].flow));
	CHECK(got[3].is_blocked && !flow_any_source(&got[3].flow) && flow_fam(&got[3].flow) == FAM_4);
	CHECK(got[4].port == got[4].bridge && flow_fam(&got[4].flow) == FAM_6);
	END;
	CUTS(probe_bridge_mdb(&m, take, NULL));
}

static void vlans(void)
{
	struct bridge_vlan_info v[3] = { { BRIDGE_VLAN_INFO_PVID, 1 }, { BRIDGE_VLAN_INFO_RANGE_BEGIN, 10 },
					 { BRIDGE_VLAN_INFO_RANGE_END, 20 } };
	struct ifinfomsg ifi = { .ifi_family = AF_BRIDGE, .ifi_index = 7 };
	struct probe_links all = { 0 };
	size_t spec;

	start(RTM_NEWLINK, &ifi, sizeof ifi);
	spec = nest(IFLA_AF_SPEC);
	for (unsigned i = 0; i < 3; i++)
		attr(IFLA_BRIDGE_VLAN_INFO, &v[i], sizeof *v);
	nest_end(spec);
	WHOLE(w);
	CHECK_INT(probe_bridge_vlans(&all, &w), 0);
	CHECK_INT(all.nvlans, 2);
	CHECK(all.vlans[0].is_untagged && all.vlans[0].first == 1 && all.vlans[0].last == 1);
	CHECK(!all.vlans[1].is_untagged && all.vlans[1].first == 10 && all.vlans[1].last == 20);
	CHECK_INT(all.vlans[1].port, 7);
	END;
	CUTS(probe_bridge_vlans(&all, &m));
	free(all.vlans);
}

TEST_MAIN(TEST(bridge) TEST(port) TEST(database) TEST(vlans))
