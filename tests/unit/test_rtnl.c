/* SPDX-License-Identifier: ISC
 *
 * The rtnetlink codec on messages made by hand: well-formed ones of each kind,
 * and each way in which one can be cut short, too long or meant for others.
 */
#include "kernel/linux/rtnl.h"

#include <errno.h>
#include <net/if.h>
#include <stdlib.h>
#include <sys/socket.h>

#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>

#include "tests/unit/test.h"

static unsigned char buf[1024];
static size_t len;

static void start(uint16_t type, const void *body, size_t n)
{
	struct nlmsghdr h = { .nlmsg_type = type, .nlmsg_flags = NLM_F_MULTI, .nlmsg_seq = 7, .nlmsg_pid = 8 };

	memset(buf, 0, sizeof buf);
	memcpy(buf, &h, sizeof h);
	memcpy(buf + sizeof h, body, n);
	len = sizeof h + NLMSG_ALIGN(n);
	memcpy(buf, &(uint32_t){ (uint32_t)len }, 4);
}

static void attr(uint16_t type, const void *p, size_t n)
{
	struct rtattr a = { (unsigned short)RTA_LENGTH(n), type };

	memcpy(buf + len, &a, sizeof a);
	memcpy(buf + len + RTA_LENGTH(0), p, n);
	len += RTA_SPACE(n);
	memcpy(buf, &(uint32_t){ (uint32_t)len }, 4);
}

static void attr_u32(uint16_t type, uint32_t v)
{
	attr(type, &v, sizeof v);
}

static void link(uint16_t type, int family, int ifindex, unsigned flags)
{
	struct ifinfomsg ifi = { .ifi_family = (unsigned char)family, .ifi_index = ifindex, .ifi_flags = flags };

	start(type, &ifi, sizeof ifi);
}

static bool next(struct rtnl_msg *m)
{
	const unsigned char *p = buf;
	size_t n = len;

	return rtnl_next(&p, &n, m) && !n;
}

static bool decode(struct link_event *ev)
{
	struct rtnl_msg m;

	memset(ev, 0xa5, sizeof *ev);
	return next(&m) && rtnl_link(&m, ev);
}

static void messages(void)
{
	unsigned char two[64] = { 0 };
	struct nlmsghdr h = { .nlmsg_len = 17, .nlmsg_type = 16, .nlmsg_seq = 1, .nlmsg_pid = 2 };
	const unsigned char *p = two;
	size_t n = 37;		/* 17, three of padding, 17 */
	struct rtnl_msg m;

	memcpy(two, &h, sizeof h);
	two[16] = 'a';
	h.nlmsg_type = 17;
	memcpy(two + 20, &h, sizeof h);
	two[36] = 'b';
	CHECK(rtnl_next(&p, &n, &m));
	CHECK(m.h.nlmsg_type == 16 && m.h.nlmsg_seq == 1 && m.h.nlmsg_pid == 2 && m.len == 1 && m.body[0] == 'a');
	CHECK(rtnl_next(&p, &n, &m));
	CHECK(m.h.nlmsg_type == 17 && m.len == 1 && m.body[0] == 'b');
	CHECK(!rtnl_next(&p, &n, &m) && !n);
	for (n = 0; n < 17; n++) {
		size_t left = n;

		p = two;
		CHECK(!rtnl_next(&p, &left, &m));
	}
	for (uint32_t bad = 0; bad < 16; bad++) {
		p = two;
		n = 37;
		memcpy(two, &bad, 4);
		CHECK(!rtnl_next(&p, &n, &m));
	}
	memset(two, 0xff, 4);
	p = two;
	n = 37;
	CHECK(!rtnl_next(&p, &n, &m));
}

static void errors(void)
{
	struct rtnl_msg m = { .h.nlmsg_type = NLMSG_DONE };
	int v = -EBUSY;

	CHECK_INT(rtnl_error(&m), 0);
	m.h.nlmsg_type = NLMSG_ERROR;
	CHECK_INT(rtnl_error(&m), EBADMSG);
	m.body = (unsigned char *)&v;
	m.len = sizeof v;
	CHECK_INT(rtnl_error(&m), EBUSY);
	v = 0;
	CHECK_INT(rtnl_error(&m), 0);
	v = INT32_MIN;
	CHECK_INT(rtnl_error(&m), EBADMSG);
	v = 5;
	CHECK_INT(rtnl_error(&m), EBADMSG);
}

static void new_link(void)
{
	struct link_event ev;

	link(RTM_NEWLINK, AF_UNSPEC, 5, IFF_UP | IFF_MULTICAST | IFF_RUNNING | IFF_BROADCAST);
	attr(IFLA_IFNAME, "eth0", 5);
	attr_u32(IFLA_MTU, 1500);
	attr_u32(IFLA_MASTER, 9);
	attr(IFLA_ADDRESS, "\1\2\3\4\5\6", 6);
	CHECK(decode(&ev));
	CHECK(ev.kind == LINK_NEW && ev.ifindex == 5 && ev.mtu == 1500 && ev.master == 9);
	CHECK_INT(ev.flags, LINK_UP | LINK_MULTICAST | LINK_RUNNING);
	CHECK_STR(ev.name, "eth0");

	link(RTM_NEWLINK, AF_UNSPEC, 1, IFF_LOOPBACK | IFF_POINTOPOINT);
	attr(IFLA_IFNAME, "lo", 2);	/* no NUL */
	CHECK(decode(&ev));
	CHECK_STR(ev.name, "lo");
	CHECK(!ev.mtu && !ev.master && ev.flags == (LINK_LOOPBACK | LINK_POINTOPOINT));
}

static void names(void)
{
	struct link_event ev;

	link(RTM_NEWLINK, AF_UNSPEC, 5, 0);
	attr(IFLA_IFNAME, "fifteen_letters", 16);
	CHECK(decode(&ev));
	CHECK_STR(ev.name, "fifteen_letters");
	link(RTM_NEWLINK, AF_UNSPEC, 5, 0);
	attr(IFLA_IFNAME, "q\"u\\\x80o", 7);
	CHECK(decode(&ev));
	CHECK_STR(ev.name, "q\"u\\\x80o");
	link(RTM_NEWLINK, AF_UNSPEC, 5, 0);
	attr(IFLA_IFNAME, "sixteen__letters", 16);
	CHECK(!decode(&ev));
	link(RTM_NEWLINK, AF_UNSPEC, 5, 0);
	attr(IFLA_IFNAME, "", 1);
	CHECK(!decode(&ev));
	link(RTM_NEWLINK, AF_UNSPEC, 5, 0);
	attr(IFLA_IFNAME, "", 0);
	CHECK(!decode(&ev));
	link(RTM_NEWLINK, AF_UNSPEC, 5, 0);
	CHECK(!decode(&ev));
	link(RTM_DELLINK, AF_UNSPEC, 5, 0);
	CHECK(decode(&ev) && ev.kind == LINK_DEL && ev.ifindex == 5 && !ev.name[0]);
}

static void meant_for_others(void)
{
	struct link_event ev;

	for (int type = RTM_NEWLINK; type <= RTM_DELLINK; type++) {
		link((uint16_t)type, AF_BRIDGE, 5, IFF_UP);
		attr(IFLA_IFNAME, "eth0", 5);
		attr_u32(IFLA_MASTER, 9);
		CHECK(!decode(&ev));
	}
	link(RTM_NEWLINK, AF_UNSPEC, 5, IFF_UP);
	attr(IFLA_IFNAME, "wlan0", 6);
	attr(IFLA_WIRELESS, "scan", 4);
	CHECK(!decode(&ev));
	link(RTM_NEWLINK, AF_UNSPEC, 0, IFF_UP);
	attr(IFLA_IFNAME, "eth0", 5);
	CHECK(!decode(&ev));
	link(RTM_NEWLINK, AF_UNSPEC, -5, IFF_UP);
	attr(IFLA_IFNAME, "eth0", 5);
	CHECK(!decode(&ev));
	link(RTM_NEWNEIGH, AF_UNSPEC, 5, IFF_UP);
	CHECK(!decode(&ev));
}

static void cut_short(void)
{
	struct link_event ev;
	struct rtnl_msg m;
	size_t whole;

	link(RTM_NEWLINK, AF_UNSPEC, 5, 0);
	attr(IFLA_IFNAME, "eth0", 5);
	attr_u32(IFLA_MTU, 1500);
	whole = len;
	/* Every shorter message in memory of just its size, for the sanitizer to watch. */
	for (size_t n = 0; n < whole; n++) {
		unsigned char *p = malloc(n ? n : 1);
		const unsigned char *q = p;
		size_t left = n;

		memcpy(p, buf, n);
		if (n >= 4)
			memcpy(p, &(uint32_t){ (uint32_t)n }, 4);
		if (rtnl_next(&q, &left, &m))
			rtnl_link(&m, &ev);
		free(p);
	}
	link(RTM_NEWLINK, AF_UNSPEC, 5, 0);
	attr(IFLA_IFNAME, "eth0", 5);
	attr(IFLA_MTU, "\1\2", 2);		/* counts as none */
	CHECK(decode(&ev) && !ev.mtu);
	link(RTM_NEWLINK, AF_UNSPEC, 5, 0);
	attr(IFLA_IFNAME, "eth0", 5);
	memcpy(buf + 32, "\xff\xff", 2);	/* rta_len past the end */
	CHECK(!decode(&ev));
	memcpy(buf + 32, "\3\0", 2);		/* and shorter than itself */
	CHECK(!decode(&ev));
	memcpy(buf + 32, "\0\0", 2);
	CHECK(!decode(&ev));
	start(RTM_NEWLINK, "", 1);
	CHECK(!decode(&ev));
	start(RTM_NEWADDR, "", 1);
	CHECK(!decode(&ev));
}

static void addresses(void)
{
	struct ifaddrmsg ifa = { .ifa_family = AF_INET, .ifa_prefixlen = 24, .ifa_index = 6 };
	struct link_event ev;

	start(RTM_NEWADDR, &ifa, sizeof ifa);
	CHECK(decode(&ev) && ev.kind == LINK_ADDR && ev.ifindex == 6 && !ev.name[0]);
	start(RTM_DELADDR, &ifa, sizeof ifa);
	CHECK(decode(&ev) && ev.kind == LINK_ADDR && ev.ifindex == 6);
	ifa.ifa_index = 0x80000000;
	start(RTM_DELADDR, &ifa, sizeof ifa);
	CHECK(!decode(&ev));
}

static void attributes(void)
{
	struct ifinfomsg ifi;
	struct rtnl_attr at, a;
	struct rtnl_msg m;
	uint32_t v = 9;

	link(RTM_NEWLINK, AF_UNSPEC, 5, 0);
	attr_u32(7, 1);
	attr_u32(8 | NLA_F_NESTED, 2);
	attr_u32(7, 3);
	attr(9, "\1\2\3", 3);
	CHECK(next(&m));
	CHECK(!rtnl_body(&m, RTM_DELLINK, &ifi, sizeof ifi, &at));
	CHECK(rtnl_body(&m, RTM_NEWLINK, &ifi, sizeof ifi, &at) && ifi.ifi_index == 5);
	CHECK_INT(rtnl_u32(&at, 7, 5), 1);
	CHECK_INT(rtnl_u32(&at, 8, 5), 2);
	CHECK_INT(rtnl_u32(&at, 9, 5), 5);
	CHECK_INT(rtnl_u32(&at, 10, 5), 5);
	CHECK(!rtnl_value(&at, 9, &v, 4) && v == 9);
	CHECK(rtnl_attr(&at, 9, &a) && a.len == 3 && !memcmp(a.p, "\1\2\3", 3));
	CHECK(!rtnl_attr(&at, 10, &a) && !a.p && !a.len);
	for (uint32_t want = 1; want <= 3; want += 2) {
		CHECK(rtnl_attr_next(&at, 7, &a) && a.len == 4);
		CHECK(!memcmp(a.p, &want, 4));
	}
	CHECK(!rtnl_attr_next(&at, 7, &a) && !at.len);
}

static void requests(void)
{
	uint32_t mask = 8;
	struct rtnl_req req;
	const unsigned char *p = (const unsigned char *)&req;
	struct rtnl_attr attrs;
	struct ifinfomsg ifi;
	struct rtnl_msg m;
	size_t n;

	rtnl_ask(&req, RTM_GETLINK, NLM_F_DUMP, RTNL_FAMILY_IPMR, sizeof ifi);
	rtnl_ask_attr(&req, IFLA_EXT_MASK, &mask, sizeof mask);
	req.h.nlmsg_seq = 42;
	n = req.h.nlmsg_len;
	CHECK_INT(n, 40);
	CHECK(rtnl_next(&p, &n, &m) && !n);
	CHECK(m.h.nlmsg_flags == (NLM_F_REQUEST | NLM_F_DUMP) && m.h.nlmsg_seq == 42);
	CHECK(rtnl_body(&m, RTM_GETLINK, &ifi, sizeof ifi, &attrs));
	CHECK_INT(ifi.ifi_family, RTNL_FAMILY_IPMR);
	CHECK_INT(rtnl_u32(&attrs, IFLA_EXT_MASK, 0), 8);
	rtnl_ask(&req, RTM_GETROUTE, NLM_F_DUMP, AF_INET, 1);
	CHECK_INT(req.h.nlmsg_len, 20);
}

/* Whatever was there before: the name alone, or nothing. */
static void name_alone(void)
{
	char name[KERNEL_IFNAME];
	struct rtnl_attr at;
	struct ifinfomsg ifi;
	struct rtnl_msg m;

	link(RTM_NEWLINK, AF_UNSPEC, 2, 0);
	attr(IFLA_IFNAME, "a1", 2);
	CHECK(next(&m) && rtnl_body(&m, RTM_NEWLINK, &ifi, sizeof ifi, &at));
	memset(name, 'x', sizeof name);
	CHECK(rtnl_ifname(&at, IFLA_IFNAME, name));
	CHECK_STR(name, "a1");
	memset(name, 'x', sizeof name);
	CHECK(rtnl_ifname(&at, IFLA_IFALIAS, name));
	CHECK_STR(name, "");
}

TEST_MAIN(TEST(messages) TEST(errors) TEST(new_link) TEST(names) TEST(name_alone) TEST(meant_for_others)
	  TEST(cut_short) TEST(addresses) TEST(attributes) TEST(requests))
