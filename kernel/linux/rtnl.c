/* SPDX-License-Identifier: ISC */
#include "kernel/linux/rtnl.h"

#include <errno.h>
#include <net/if.h>
#include <string.h>
#include <sys/socket.h>

#include <linux/fib_rules.h>
#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>

#include "kernel/linux/mroute_codec.h"

bool rtnl_take(const unsigned char **p, size_t *n, size_t header, size_t len)
{
	size_t step = NLMSG_ALIGN(len);

	if (len < header || len > *n)
		return false;
	if (step > *n)
		step = *n;
	*p += step;
	*n -= step;
	return true;
}

bool rtnl_next(const unsigned char **p, size_t *n, struct rtnl_msg *m)
{
	if (*n < sizeof m->h)
		return false;
	memcpy(&m->h, *p, sizeof m->h);
	m->body = *p + sizeof m->h;
	m->len = m->h.nlmsg_len - sizeof m->h;
	return rtnl_take(p, n, sizeof m->h, m->h.nlmsg_len);
}

bool rtnl_body(const struct rtnl_msg *m, unsigned type, void *header, size_t size, struct rtnl_attr *attrs)
{
	size_t at = NLMSG_ALIGN(size);

	if (m->h.nlmsg_type != type || m->len < size)
		return false;
	memcpy(header, m->body, size);
	*attrs = (struct rtnl_attr){ m->body + at, m->len > at ? m->len - at : 0 };
	return true;
}

bool rtnl_attr_next(struct rtnl_attr *in, unsigned type, struct rtnl_attr *a)
{
	struct rtattr h;

	while (in->len >= sizeof h) {
		memcpy(&h, in->p, sizeof h);
		*a = (struct rtnl_attr){ in->p + sizeof h, h.rta_len - sizeof h };
		if (!rtnl_take(&in->p, &in->len, sizeof h, h.rta_len))
			break;
		if ((h.rta_type & NLA_TYPE_MASK) == type)
			return true;
	}
	*a = (struct rtnl_attr){ 0 };
	return false;
}

bool rtnl_attr(const struct rtnl_attr *in, unsigned type, struct rtnl_attr *a)
{
	struct rtnl_attr rest = *in;

	return rtnl_attr_next(&rest, type, a);
}

bool rtnl_value(const struct rtnl_attr *in, unsigned type, void *value, size_t size)
{
	struct rtnl_attr a;

	if (!rtnl_attr(in, type, &a) || a.len < size)
		return false;
	memcpy(value, a.p, size);
	return true;
}

uint32_t rtnl_u32(const struct rtnl_attr *in, unsigned type, uint32_t v)
{
	rtnl_value(in, type, &v, sizeof v);
	return v;
}

int rtnl_error(const struct rtnl_msg *m)
{
	int err;

	/* An empty NLMSG_DONE is a good end; NLMSG_ERROR is never empty. */
	if (m->len < sizeof err)
		return m->h.nlmsg_type == NLMSG_DONE ? 0 : EBADMSG;
	memcpy(&err, m->body, sizeof err);
	return err > 0 || err < -4095 ? EBADMSG : -err;
}

int8_t rtnl_truth(const struct rtnl_attr *in, unsigned type)
{
	int v = (int)rtnl_u32(in, type, UINT32_MAX);

	return v < 0 ? -1 : v > 0;
}

#define ALLMULTI 61		/* IFLA_ALLMULTI, which linux/if_link.h has since 6.0 */

#define FLAGS (LINK_UP | LINK_LOOPBACK | LINK_POINTOPOINT | LINK_RUNNING | LINK_MULTICAST)
_Static_assert((int)LINK_UP == (int)IFF_UP && (int)LINK_LOOPBACK == (int)IFF_LOOPBACK &&
	       (int)LINK_POINTOPOINT == (int)IFF_POINTOPOINT && (int)LINK_RUNNING == (int)IFF_RUNNING &&
	       (int)LINK_MULTICAST == (int)IFF_MULTICAST, "flags of an interface");

bool rtnl_ifname(const struct rtnl_attr *in, unsigned type, char *name)
{
	struct rtnl_attr a;
	size_t n;

	memset(name, 0, KERNEL_IFNAME);
	if (!rtnl_attr(in, type, &a))
		return true;
	n = strnlen((const char *)a.p, a.len);
	if (n >= KERNEL_IFNAME)
		return false;
	memcpy(name, a.p, n);
	return true;
}

/* RTM_NEWMULTICAST and RTM_DELMULTICAST, which linux/rtnetlink.h has since 6.14. */
#define NEWMULTICAST 56
#define DELMULTICAST 57

/* Of RTM_NEWADDR and the like. */
static bool rtnl_address(const struct rtnl_msg *m, enum link_kind kind, struct link_event *ev)
{
	struct ifaddrmsg ifa;
	struct rtnl_attr at;

	if (!rtnl_body(m, m->h.nlmsg_type, &ifa, sizeof ifa, &at) || !ifa.ifa_index || ifa.ifa_index > INT32_MAX)
		return false;
	*ev = (struct link_event){ .kind = kind, .ifindex = (int)ifa.ifa_index };
	return true;
}

/* drivers/net/vrf.c, vrf_fill_slave_info() */
uint32_t rtnl_vrf(const struct rtnl_attr *link)
{
	struct rtnl_attr info, port;
	char kind[KERNEL_IFNAME] = "";

	if (!rtnl_attr(link, IFLA_LINKINFO, &info) || !rtnl_ifname(&info, IFLA_INFO_SLAVE_KIND, kind) ||
	    strcmp(kind, "vrf") || !rtnl_attr(&info, IFLA_INFO_SLAVE_DATA, &port))
		return 0;
	return rtnl_u32(&port, IFLA_VRF_PORT_TABLE, 0);
}

/* The interface whose multicast packets one gets as well.  They come in there first: drivers/net/macvlan.c,
 * macvlan_broadcast_enqueue(), and drivers/net/ipvlan/ipvlan_core.c, ipvlan_multicast_enqueue(). */
static int rtnl_copies(const struct rtnl_attr *link)
{
	static const char *const kinds[] = { "macvlan", "macvtap", "ipvlan", "ipvtap" };
	struct rtnl_attr info, away;
	char kind[KERNEL_IFNAME] = "";

	/* The index of one in another network namespace means nothing here. */
	if (rtnl_attr(link, IFLA_LINK_NETNSID, &away) || !rtnl_attr(link, IFLA_LINKINFO, &info) ||
	    !rtnl_ifname(&info, IFLA_INFO_KIND, kind))
		return 0;
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		if (!strcmp(kind, kinds[i]))
			return (int)rtnl_u32(link, IFLA_LINK, 0);
	return 0;
}

bool rtnl_link(const struct rtnl_msg *m, struct link_event *ev)
{
	unsigned type = m->h.nlmsg_type;
	struct rtnl_attr at, wireless;
	struct ifinfomsg ifi;

	if (type == RTM_NEWADDR || type == RTM_DELADDR)
		return rtnl_address(m, LINK_ADDR, ev);
	if (type == NEWMULTICAST || type == DELMULTICAST)
		return rtnl_address(m, LINK_MEMBERS, ev);
	if ((type != RTM_NEWLINK && type != RTM_DELLINK) || !rtnl_body(m, type, &ifi, sizeof ifi, &at))
		return false;
	/* A port that joins or leaves a bridge is reported twice, by AF_BRIDGE (net/bridge/br_netlink.c) and by
	 * AF_UNSPEC.  Scan results and the like come without the attributes that make up a link
	 * (net/wireless/wext-core.c). */
	if (ifi.ifi_family != AF_UNSPEC || ifi.ifi_index <= 0 || rtnl_attr(&at, IFLA_WIRELESS, &wireless))
		return false;
	*ev = (struct link_event){
		.kind = type == RTM_NEWLINK ? LINK_NEW : LINK_DEL, .ifindex = ifi.ifi_index,
		.flags = ifi.ifi_flags & FLAGS, .mtu = rtnl_u32(&at, IFLA_MTU, 0),
		.master = (int)rtnl_u32(&at, IFLA_MASTER, 0), .vrf = rtnl_vrf(&at),
		.allmulti = rtnl_truth(&at, ALLMULTI), .copies = rtnl_copies(&at),
	};
	return rtnl_ifname(&at, IFLA_IFNAME, ev->name) && (ev->name[0] || ev->kind == LINK_DEL);
}

bool rtnl_rule(const struct rtnl_msg *m, struct link_event *ev)
{
	static const unsigned others[] = { FRA_FWMARK, FRA_OIFNAME, FRA_SRC, FRA_DST };
	struct rtnl_attr at, a;
	struct fib_rule_hdr h;

	if (!rtnl_body(m, RTM_NEWRULE, &h, sizeof h, &at) || (h.flags & FIB_RULE_INVERT) ||
	    (h.action != FR_ACT_TO_TBL && h.action < FR_ACT_BLACKHOLE) ||
	    (h.family != RTNL_FAMILY_IPMR && h.family != RTNL_FAMILY_IP6MR))
		return false;
	for (unsigned i = 0; i < sizeof others / sizeof *others; i++)
		if (rtnl_attr(&at, others[i], &a))
			return false;
	*ev = (struct link_event){
		.kind = LINK_RULE, .fam = h.family == RTNL_FAMILY_IPMR ? FAM_4 : FAM_6,
		.table = h.action == FR_ACT_TO_TBL ? rtnl_u32(&at, FRA_TABLE, h.table) : 0,
		/* A VRF brings one for all interfaces, which matches those in one (l3mdev_fib_rule_match()). */
		.by_vrf = rtnl_attr(&at, FRA_L3MDEV, &a),
	};
	return rtnl_ifname(&at, FRA_IIFNAME, ev->name);
}

bool rtnl_addr(enum fam fam, const struct rtnl_attr *in, unsigned type, struct addr *out)
{
	struct rtnl_attr a;
	uint8_t len;

	if (!rtnl_attr(in, type, &a) || a.len != (fam == FAM_4 ? 4 : 16))
		return false;
	addr_any(fam, out, &len);
	memcpy(out->b + sizeof out->b - a.len, a.p, a.len);
	return addr_fam(out) == fam;
}

/* Takes the next hop off *hops; false at the end. */
bool rtnl_hop_next(struct rtnl_attr *hops, struct rtnexthop *h)
{
	if (hops->len < sizeof *h)
		return false;
	memcpy(h, hops->p, sizeof *h);
	return rtnl_take(&hops->p, &hops->len, sizeof *h, h->rtnh_len) && h->rtnh_ifindex;
}

/* net/ipv4/ipmr_base.c, mr_fill_mroute(). */
bool rtnl_mfc(const struct rtnl_msg *m, struct rtnl_mfc *e)
{
	struct rta_mfc_stats st = { 0 };
	struct rtnl_attr at, hops;
	struct rtnexthop h;
	struct rtmsg rtm;
	enum fam fam;

	/* A kernel without this family answers with unicast routes. */
	if (!rtnl_body(m, RTM_NEWROUTE, &rtm, sizeof rtm, &at) ||
	    (rtm.rtm_family != RTNL_FAMILY_IPMR && rtm.rtm_family != RTNL_FAMILY_IP6MR))
		return false;
	fam = rtm.rtm_family == RTNL_FAMILY_IPMR ? FAM_4 : FAM_6;
	rtnl_value(&at, RTA_MFC_STATS, &st, sizeof st);
	*e = (struct rtnl_mfc){ .unresolved = rtm.rtm_flags & RTNH_F_UNRESOLVED };
	mroute_stats(&e->st, st.mfcs_packets, st.mfcs_bytes, st.mfcs_wrong_if);
	e->table = rtnl_u32(&at, RTA_TABLE, rtm.rtm_table);
	e->iif = (int)rtnl_u32(&at, RTA_IIF, 0);
	rtnl_value(&at, RTA_EXPIRES, &e->idle, sizeof e->idle);
	rtnl_attr(&at, RTA_MULTIPATH, &hops);
	while (e->noifs < KERNEL_VIFS && rtnl_hop_next(&hops, &h)) {
		e->ttl[e->noifs] = h.rtnh_hops;
		e->oif[e->noifs++] = h.rtnh_ifindex;
	}
	return rtnl_addr(fam, &at, RTA_SRC, &e->flow.source) && rtnl_addr(fam, &at, RTA_DST, &e->flow.group);
}

uint32_t rtnl_mroute_table(enum fam fam, uint32_t id)
{
	/* ipmr_get_table() and ip6mr_get_table() without MRT_TABLE. */
	return id ? id : fam == FAM_4 ? RT_TABLE_DEFAULT : RT_TABLE_MAIN;
}

unsigned char rtnl_mroute_family(enum fam fam)
{
	return fam == FAM_4 ? RTNL_FAMILY_IPMR : RTNL_FAMILY_IP6MR;
}

void rtnl_ask(struct rtnl_req *r, unsigned type, unsigned flags, unsigned family, size_t size)
{
	*r = (struct rtnl_req){ .h = {
		.nlmsg_len = (uint32_t)NLMSG_SPACE(size),
		.nlmsg_type = (uint16_t)type,
		.nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags),
	} };
	r->body[0] = (unsigned char)family;
}

void rtnl_ask_attr(struct rtnl_req *r, unsigned type, const void *value, size_t size)
{
	struct rtattr a = { (uint16_t)RTA_LENGTH(size), (uint16_t)type };
	unsigned char *at = (unsigned char *)r + r->h.nlmsg_len;

	memcpy(at, &a, sizeof a);
	memcpy(at + sizeof a, value, size);
	r->h.nlmsg_len += (uint32_t)RTA_SPACE(size);
}
