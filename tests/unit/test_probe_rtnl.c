/* SPDX-License-Identifier: ISC
 *
 * The codec of what only looks, on messages made by hand, whole and cut short at
 * every length.
 */
#include "kernel/linux/probe_rtnl.h"

#include <net/if.h>
#include <sys/socket.h>

#include <linux/fib_rules.h>
#include <linux/if_link.h>
#include <linux/mroute.h>
#include <linux/netconf.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>

#include "tests/unit/nlmsg.h"
#include "tests/unit/test.h"

static void bridge_link(void)
{
	struct ifinfomsg ifi = { .ifi_family = AF_UNSPEC, .ifi_index = 7, .ifi_flags = IFF_UP | IFF_MULTICAST };
	struct rtnl_link_stats64 st = { .rx_packets = 1234567890123, .multicast = 42 };
	struct probe_link l;
	size_t info, data;

	start(RTM_NEWLINK, &ifi, sizeof ifi);
	attr(IFLA_IFNAME, "br0", 4);
	attr_u32(IFLA_MTU, 1400);
	attr_u32(IFLA_MASTER, 9);
	attr(IFLA_STATS64, &st, sizeof st);
	attr_u32(61, 2);
	info = nest(IFLA_LINKINFO);
	attr(IFLA_INFO_KIND, "bridge", 7);
	data = nest(IFLA_INFO_DATA);
	attr(IFLA_BR_MCAST_SNOOPING, "\1", 1);
	attr(IFLA_BR_MCAST_QUERIER, "\0", 1);
	nest_end(data);
	nest_end(info);
	WHOLE(w);
	CHECK(probe_rtnl_link(&w, &l));
	CHECK_STR(l.name, "br0");
	CHECK_STR(l.kind, "bridge");
	CHECK_INT(l.ifindex, 7);
	CHECK_INT(l.mtu, 1400);
	CHECK_INT(l.master, 9);
	CHECK_INT(l.flags, LINK_UP | LINK_MULTICAST);
	CHECK_INT(l.packets, 1234567890123);
	CHECK_INT(l.multicast, 42);
	CHECK_INT(l.allmulti, 1);
	CHECK_INT(l.bridge.snoops, 1);
	CHECK_INT(l.port.state, PORT_NONE);
	CHECK_INT(l.rp_filter, -1);
	END;
	CUTS(probe_rtnl_link(&m, &l));
}

/* What the carrier says, not the flag that follows it later. */
static void carrier(void)
{
	for (unsigned on = 0; on < 2; on++) {
		struct ifinfomsg ifi = { .ifi_index = 7, .ifi_flags = on ? IFF_UP : IFF_UP | IFF_RUNNING };
		struct probe_link l;

		start(RTM_NEWLINK, &ifi, sizeof ifi);
		attr(IFLA_IFNAME, "br0", 4);
		attr(IFLA_CARRIER, on ? "\1" : "\0", 1);
		WHOLE(w);
		CHECK(probe_rtnl_link(&w, &l));
		CHECK_INT(l.flags, on ? LINK_UP | LINK_RUNNING : LINK_UP);
		END;
	}
}

static void netconf(void)
{
	struct netconfmsg h = { .ncm_family = AF_INET };
	struct probe_link l = { .ifindex = 7 };
	struct probe_links all = { .v = &l, .n = 1 };

	start(RTM_NEWNETCONF, &h, sizeof h);
	attr_u32(NETCONFA_IFINDEX, (uint32_t)NETCONFA_IFINDEX_ALL);
	attr_u32(NETCONFA_RP_FILTER, 2);
	attr_u32(NETCONFA_MC_FORWARDING, 3);
	WHOLE(w);
	CHECK_INT(probe_rtnl_netconf(&all, &w), 0);
	CHECK_INT(all.rp_all, 2);
	CHECK(all.taken[FAM_4] == 1 && !all.taken[FAM_6] && !l.rp_own && !l.routing[FAM_4]);
	END;
	CUTS(probe_rtnl_netconf(&all, &m));
	h.ncm_family = AF_INET6;
	start(RTM_NEWNETCONF, &h, sizeof h);
	attr_u32(NETCONFA_IFINDEX, 7);
	attr_u32(NETCONFA_RP_FILTER, 2);
	attr_u32(NETCONFA_MC_FORWARDING, 3);
	WHOLE(six);
	CHECK_INT(probe_rtnl_netconf(&all, &six), 0);
	CHECK(l.routing[FAM_6] == 1 && !l.routing[FAM_4] && !l.rp_own && !all.taken[FAM_6]);
	END;
}

static void address(void)
{
	struct ifaddrmsg ifa = { .ifa_family = AF_INET6, .ifa_index = 7 };
	struct probe_link l = { .ifindex = 7 };
	struct probe_links all = { .v = &l, .n = 1 };

	start(RTM_NEWADDR, &ifa, sizeof ifa);
	WHOLE(w);
	CHECK_INT(probe_rtnl_addr(&all, &w), 0);
	CHECK(l.address[FAM_6] && !l.address[FAM_4]);
	END;
	CUTS(probe_rtnl_addr(&all, &m));
	free(all.addresses);
}

static void vifs(void)
{
	struct ifinfomsg ifi = { .ifi_family = RTNL_FAMILY_IPMR };
	uint64_t n = 77;
	struct probe_vif v[4];
	size_t spec, list, vif;

	start(RTM_NEWLINK, &ifi, sizeof ifi);
	spec = nest(IFLA_AF_SPEC);
	attr_u32(IPMRA_TABLE_ID, 100);
	list = nest(IPMRA_TABLE_VIFS);
	for (unsigned i = 0; i < 3; i++) {
		vif = nest(IPMRA_VIF);
		attr_u32(IPMRA_VIFA_IFINDEX, 10 + i);
		attr_u32(IPMRA_VIFA_VIF_ID, i);
		attr(IPMRA_VIFA_PACKETS_OUT, &n, sizeof n);
		nest_end(vif);
	}
	nest_end(list);
	nest_end(spec);
	WHOLE(w);
	CHECK_INT(probe_rtnl_vifs(&w, v, 4), 3);
	CHECK_INT(v[2].table, 100);
	CHECK_INT(v[2].ifindex, 12);
	CHECK_INT(v[2].vif, 2);
	CHECK_INT(v[2].st.out_packets, 77);
	CHECK_INT(v[2].st.in_packets, 0);
	CHECK_INT(probe_rtnl_vifs(&w, v, 2), 2);
	END;
	CUTS(probe_rtnl_vifs(&m, v, 4));
}

static void entries(void)
{
	struct rtmsg rtm = { .rtm_family = RTNL_FAMILY_IPMR, .rtm_table = 253 };
	struct rta_mfc_stats st = { .mfcs_packets = 50, .mfcs_bytes = 5000, .mfcs_wrong_if = 20 };
	struct rtnexthop hops[40];
	struct probe_mfc e;

	for (int i = 0; i < 40; i++)
		hops[i] = (struct rtnexthop){ .rtnh_len = sizeof *hops, .rtnh_hops = 5, .rtnh_ifindex = 100 + i };
	start(RTM_NEWROUTE, &rtm, sizeof rtm);
	attr(RTA_SRC, "\12\1\0\11", 4);
	attr(RTA_DST, "\341\1\2\3", 4);
	attr_u32(RTA_IIF, 3);
	attr(RTA_MULTIPATH, hops, 2 * sizeof *hops);
	attr(RTA_MFC_STATS, &st, sizeof st);
	WHOLE(w);
	CHECK(probe_rtnl_mfc(&w, &e));
	CHECK_INT(e.table, 253);
	CHECK_INT(e.iif, 3);
	CHECK_INT(e.noifs, 2);
	CHECK_INT(e.oif[1], 101);
	CHECK_INT(e.ttl[1], 5);
	CHECK_INT(e.st.packets, 30);
	CHECK_INT(e.st.wrong_if, 20);
	CHECK(!e.unresolved);
	END;
	CUTS(probe_rtnl_mfc(&m, &e));

	/* More outputs than there can be; one that says it is longer than it is; one of length 0. */
	for (int bad = 0; bad < 3; bad++) {
		hops[1].rtnh_len = (unsigned short)(bad == 1 ? 4000 : bad == 2 ? 0 : sizeof *hops);
		start(RTM_NEWROUTE, &rtm, sizeof rtm);
		attr(RTA_SRC, "\12\1\0\11", 4);
		attr(RTA_DST, "\341\1\2\3", 4);
		attr(RTA_MULTIPATH, hops, sizeof hops);
		WHOLE(b);
		CHECK(probe_rtnl_mfc(&b, &e));
		CHECK_INT(e.noifs, bad ? 1 : KERNEL_VIFS);
		END;
	}
	rtm.rtm_flags = RTNH_F_UNRESOLVED;
	start(RTM_NEWROUTE, &rtm, sizeof rtm);
	attr(RTA_SRC, "\12\1\0\11", 4);
	attr(RTA_DST, "\341\1\2\3", 4);
	WHOLE(u);
	CHECK(probe_rtnl_mfc(&u, &e) && e.unresolved);
	END;
}

static void entry(unsigned char family)
{
	struct rtmsg rtm = { .rtm_family = family, .rtm_table = 253 };

	start(RTM_NEWROUTE, &rtm, sizeof rtm);
}

static void entries_of_others(void)
{
	struct probe_mfc e;
	char a[ADDR_STRLEN];

	entry(RTNL_FAMILY_IP6MR);
	attr_u32(RTA_TABLE, 1000);
	attr(RTA_SRC, "\xfd\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1", 16);
	attr(RTA_DST, "\xff\x0e\0\0\0\0\0\0\0\0\0\0\0\0\0\3", 16);
	WHOLE(six);
	CHECK(probe_rtnl_mfc(&six, &e));
	CHECK_INT(e.table, 1000);
	CHECK_STR(addr_str(&e.flow.source, a), "fd00::1");
	CHECK_STR(addr_str(&e.flow.group, a), "ff0e::3");
	END;

	entry(RTNL_FAMILY_IPMR);	/* addresses of the other family */
	attr(RTA_SRC, "\xfd\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1", 16);
	attr(RTA_DST, "\xff\x0e\0\0\0\0\0\0\0\0\0\0\0\0\0\3", 16);
	WHOLE(mixed);
	CHECK(!probe_rtnl_mfc(&mixed, &e));
	END;
	entry(AF_INET);
	attr(RTA_SRC, "\x0a\0\0\1", 4);
	attr(RTA_DST, "\xe1\1\2\3", 4);
	WHOLE(unicast);
	CHECK(!probe_rtnl_mfc(&unicast, &e));
	END;
}

static void rules_and_routes(void)
{
	struct fib_rule_hdr h = { .family = RTNL_FAMILY_IP6MR, .action = FR_ACT_TO_TBL };
	struct rtmsg rtm = { .rtm_family = AF_INET, .rtm_type = RTN_UNICAST };
	struct link_event ev;
	struct probe_route way;

	start(RTM_NEWRULE, &h, sizeof h);
	attr_u32(FRA_TABLE, 1000);
	attr(FRA_IIFNAME, "a1", 3);
	WHOLE(w);
	CHECK(rtnl_rule(&w, &ev) && ev.kind == LINK_RULE && ev.fam == FAM_6);
	CHECK_INT(ev.table, 1000);
	CHECK_STR(ev.name, "a1");
	END;
	CUTS(rtnl_rule(&m, &ev));
	attr_u32(FRA_FWMARK, 1);
	WHOLE(marked);
	CHECK(!rtnl_rule(&marked, &ev));
	END;

	start(RTM_NEWROUTE, &rtm, sizeof rtm);
	attr_u32(RTA_OIF, 4);
	WHOLE(x);
	CHECK_INT(probe_rtnl_route(&way, &x), 0);
	CHECK(way.n == 1 && way.oif[0] == 4 && !way.none && !way.local);
	END;
	CUTS(probe_rtnl_route(&way, &m));
}

TEST_MAIN(TEST(bridge_link) TEST(carrier) TEST(netconf) TEST(address) TEST(vifs) TEST(entries) TEST(entries_of_others)
	  TEST(rules_and_routes))
