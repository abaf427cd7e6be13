/* SPDX-License-Identifier: ISC
 *
 * The rtnetlink codec.  Attributes are looked up in a table of places that the
 * decoder names beforehand with their least length, so that nobody reads past
 * one.  Bytes are copied out: nothing is assumed of their alignment.
 */
#include "kernel/rtnl.h"

#include <errno.h>
#include <net/if.h>
#include <string.h>
#include <sys/socket.h>

#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>

/* ---- messages and attributes ---- */

bool rtnl_next(const unsigned char **p, size_t *n, struct rtnl_msg *m)
{
	struct nlmsghdr h;
	size_t step;

	if (*n < sizeof h)
		return false;
	memcpy(&h, *p, sizeof h);
	if (h.nlmsg_len < sizeof h || h.nlmsg_len > *n)
		return false;
	*m = (struct rtnl_msg){ h.nlmsg_type, h.nlmsg_flags, h.nlmsg_seq, h.nlmsg_pid,
				*p + sizeof h, h.nlmsg_len - sizeof h };
	step = NLMSG_ALIGN((size_t)h.nlmsg_len);
	if (step > *n)
		step = *n;
	*p += step;
	*n -= step;
	return true;
}

bool rtnl_attr_next(const unsigned char **p, size_t *n, struct rtnl_attr *a)
{
	struct rtattr h;
	size_t step;

	if (*n < sizeof h)
		return false;
	memcpy(&h, *p, sizeof h);
	if (h.rta_len < sizeof h || h.rta_len > *n)
		return false;
	a->type = h.rta_type & NLA_TYPE_MASK;
	a->len = (uint16_t)(h.rta_len - sizeof h);
	a->p = *p + sizeof h;
	step = RTA_ALIGN((size_t)h.rta_len);
	if (step > *n)
		step = *n;
	*p += step;
	*n -= step;
	return true;
}

bool rtnl_attrs_find(const unsigned char *p, size_t n, struct rtnl_attr *want, unsigned wants)
{
	struct rtnl_attr a;

	while (n >= sizeof(struct rtattr)) {
		if (!rtnl_attr_next(&p, &n, &a))
			return false;
		for (unsigned i = 0; i < wants; i++) {
			if (want[i].type != a.type)
				continue;
			want[i].len = a.len;
			want[i].p = a.p;
			if (a.len < want[i].least)
				return false;
		}
	}
	return true;
}

bool rtnl_attrs(const struct rtnl_msg *m, size_t hdr, struct rtnl_attr *want, unsigned wants)
{
	size_t at = NLMSG_ALIGN(hdr);

	return at >= m->len || rtnl_attrs_find(m->body + at, m->len - at, want, wants);
}

uint32_t rtnl_u32(const struct rtnl_attr *a)
{
	uint32_t v = 0;

	if (a->p)
		memcpy(&v, a->p, sizeof v);
	return v;
}

int rtnl_error(const struct rtnl_msg *m)
{
	int err;

	/* An empty NLMSG_DONE is a good end; NLMSG_ERROR is never empty. */
	if (m->len < sizeof err)
		return m->type == NLMSG_DONE ? 0 : EBADMSG;
	memcpy(&err, m->body, sizeof err);
	return err > 0 || err < -4095 ? EBADMSG : -err;
}

/* ---- links ---- */

unsigned rtnl_link_flags(unsigned ifi_flags)
{
	static const struct { unsigned theirs, ours; } map[] = {
		{ IFF_UP, LINK_UP },
		{ IFF_MULTICAST, LINK_MULTICAST },
		{ IFF_LOOPBACK, LINK_LOOPBACK },
		{ IFF_POINTOPOINT, LINK_POINTOPOINT },
		{ IFF_RUNNING, LINK_RUNNING },
	};
	unsigned flags = 0;

	for (unsigned i = 0; i < sizeof map / sizeof *map; i++)
		if (ifi_flags & map[i].theirs)
			flags |= map[i].ours;
	return flags;
}

bool rtnl_ifname(const struct rtnl_attr *a, char *name)
{
	size_t n = a->p ? strnlen((const char *)a->p, a->len) : 0;

	if (n >= KERNEL_IFNAME)
		return false;
	if (n)
		memcpy(name, a->p, n);
	return true;
}

static bool link_change(const struct rtnl_msg *m, struct link_event *ev)
{
	enum { NAME, MTU, MASTER, WIRELESS, ATTRS };
	struct rtnl_attr at[ATTRS] = {
		[NAME] = { .type = IFLA_IFNAME },
		[MTU] = { .type = IFLA_MTU, .least = 4 },
		[MASTER] = { .type = IFLA_MASTER, .least = 4 },
		[WIRELESS] = { .type = IFLA_WIRELESS },
	};
	struct ifinfomsg ifi;

	if (m->len < sizeof ifi)
		return false;
	memcpy(&ifi, m->body, sizeof ifi);
	/* Bridges tell of their ports in messages of AF_BRIDGE: those joined or left a
	 * bridge (net/bridge/br_netlink.c), of which AF_UNSPEC tells as well. */
	if (ifi.ifi_family != AF_UNSPEC || ifi.ifi_index <= 0)
		return false;
	if (!rtnl_attrs(m, sizeof ifi, at, ATTRS))
		return false;
	/* Scan results and the like, without the attributes that make up a link
	 * (net/wireless/wext-core.c). */
	if (at[WIRELESS].p)
		return false;
	*ev = (struct link_event){
		.kind = m->type == RTM_NEWLINK ? LINK_NEW : LINK_DEL,
		.ifindex = ifi.ifi_index,
		.flags = rtnl_link_flags(ifi.ifi_flags),
		.mtu = rtnl_u32(&at[MTU]),
		.master = (int)rtnl_u32(&at[MASTER]),
	};
	return rtnl_ifname(&at[NAME], ev->name) && (ev->name[0] || ev->kind == LINK_DEL);
}

static bool link_address(const struct rtnl_msg *m, struct link_event *ev)
{
	struct ifaddrmsg ifa;

	if (m->len < sizeof ifa)
		return false;
	memcpy(&ifa, m->body, sizeof ifa);
	if (!ifa.ifa_index || ifa.ifa_index > INT32_MAX)
		return false;
	*ev = (struct link_event){ .kind = LINK_ADDR, .ifindex = (int)ifa.ifa_index };
	return true;
}

bool rtnl_link(const struct rtnl_msg *m, struct link_event *ev)
{
	switch (m->type) {
	case RTM_NEWLINK:
	case RTM_DELLINK:
		return link_change(m, ev);
	case RTM_NEWADDR:
	case RTM_DELADDR:
		return link_address(m, ev);
	default:
		return false;
	}
}

/* ---- forwarding entries ---- */

/* Milliseconds of clock_t: USER_HZ is 100 on all machines but alpha (asm-generic/param.h). */
#define CLOCK_MS 10

bool rtnl_addr(enum fam fam, const struct rtnl_attr *a, struct addr *out)
{
	uint8_t len;

	if (!a->p || a->len != (fam == FAM_4 ? 4 : 16))
		return false;
	addr_any(fam, out, &len);
	memcpy(out->b + sizeof out->b - a->len, a->p, a->len);
	return addr_fam(out) == fam;
}

bool rtnl_mfc(const struct rtnl_msg *m, struct rtnl_mfc *mfc)
{
	enum { TABLE, SRC, DST, STATS, EXPIRES, ATTRS };
	struct rtnl_attr at[ATTRS] = {
		[TABLE] = { .type = RTA_TABLE, .least = 4 },
		[SRC] = { .type = RTA_SRC },
		[DST] = { .type = RTA_DST },
		[STATS] = { .type = RTA_MFC_STATS, .least = sizeof(struct rta_mfc_stats) },
		[EXPIRES] = { .type = RTA_EXPIRES, .least = 8 },
	};
	struct rta_mfc_stats st;
	struct rtmsg rtm;
	enum fam fam;
	uint64_t age = 0;

	if (m->type != RTM_NEWROUTE || m->len < sizeof rtm)
		return false;
	memcpy(&rtm, m->body, sizeof rtm);
	if (rtm.rtm_family != RTNL_FAMILY_IPMR && rtm.rtm_family != RTNL_FAMILY_IP6MR)
		return false;
	fam = rtm.rtm_family == RTNL_FAMILY_IPMR ? FAM_4 : FAM_6;
	if (!rtnl_attrs(m, sizeof rtm, at, ATTRS) || !at[STATS].p)
		return false;
	if (!rtnl_addr(fam, &at[SRC], &mfc->src) || !rtnl_addr(fam, &at[DST], &mfc->grp))
		return false;
	memcpy(&st, at[STATS].p, sizeof st);
	if (at[EXPIRES].p)
		memcpy(&age, at[EXPIRES].p, sizeof age);
	mfc->table = at[TABLE].p ? rtnl_u32(&at[TABLE]) : rtm.rtm_table;
	mfc->st = (struct mfc_stats){
		.packets = st.mfcs_packets > st.mfcs_wrong_if ? st.mfcs_packets - st.mfcs_wrong_if : 0,
		.bytes = st.mfcs_bytes,
		.wrong_if = st.mfcs_wrong_if,
	};
	mfc->idle_ms = age > UINT64_MAX / CLOCK_MS ? UINT64_MAX : age * CLOCK_MS;
	return true;
}

/* ---- requests ---- */

size_t rtnl_ask(unsigned char *buf, uint16_t type, uint16_t flags, uint32_t seq,
		const void *body, size_t len, uint16_t attr, const void *value, size_t vlen)
{
	struct rtattr a = { (uint16_t)RTA_LENGTH(vlen), attr };
	size_t at = NLMSG_HDRLEN + NLMSG_ALIGN(len), size = at + (attr ? RTA_SPACE(vlen) : 0);
	struct nlmsghdr h = {
		.nlmsg_len = (uint32_t)size,
		.nlmsg_type = type,
		.nlmsg_flags = NLM_F_REQUEST | flags,
		.nlmsg_seq = seq,
	};

	memset(buf, 0, size);
	memcpy(buf, &h, sizeof h);
	memcpy(buf + NLMSG_HDRLEN, body, len);
	if (attr) {
		memcpy(buf + at, &a, sizeof a);
		memcpy(buf + at + RTA_LENGTH(0), value, vlen);
	}
	return size;
}

size_t rtnl_ask_links(unsigned char *buf, uint32_t seq)
{
	struct ifinfomsg ifi = { .ifi_family = AF_UNSPEC };
	uint32_t filter = RTEXT_FILTER_SKIP_STATS;

	return rtnl_ask(buf, RTM_GETLINK, NLM_F_DUMP, seq, &ifi, sizeof ifi, IFLA_EXT_MASK,
			&filter, sizeof filter);
}

size_t rtnl_ask_mfc(unsigned char *buf, uint32_t seq, enum fam fam, uint32_t table)
{
	struct rtmsg rtm = { .rtm_family = fam == FAM_4 ? RTNL_FAMILY_IPMR : RTNL_FAMILY_IP6MR };

	return rtnl_ask(buf, RTM_GETROUTE, NLM_F_DUMP, seq, &rtm, sizeof rtm, RTA_TABLE, &table,
			sizeof table);
}
