/* SPDX-License-Identifier: ISC
 *
 * A small reading of net/netfilter/xt_*.c.  The structs are those that the kernel has in its headers for programs; of
 * each the revision that iptables 1.8 asks for.
 */
#include "kernel/linux/xt_match.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>

#include <linux/if_packet.h>
#include <linux/netfilter/xt_addrtype.h>
#include <linux/netfilter/xt_conntrack.h>
#include <linux/netfilter/xt_iprange.h>
#include <linux/netfilter/xt_connmark.h>
#include <linux/netfilter/xt_mark.h>
#include <linux/netfilter/xt_multiport.h>
#include <linux/netfilter/xt_physdev.h>
#include <linux/netfilter/xt_pkttype.h>
#include <linux/netfilter/xt_rpfilter.h>
#include <linux/netfilter/xt_state.h>
#include <linux/netfilter/xt_tcpudp.h>
#include <linux/netfilter_bridge/ebt_ip.h>
#include <linux/netfilter_bridge/ebt_ip6.h>
#include <linux/netfilter_ipv4/ipt_ttl.h>

/* What struct ebt_ip_info and ebt_ip6_info have; their flags are the same. */
struct xt_frame {
	const void *src, *src_mask, *dst, *dst_mask;
	const uint16_t *sport, *dport;
	uint8_t protocol, bits, inverted;
};

#define STATE_ALIAS 0x2000	/* XT_CONNTRACK_STATE_ALIAS: it was written as -m state */

/* A function for each match: info is a copy of its struct, as many bytes as the table says. */
typedef enum match xt_match_fn(const struct filter_packet *f, const void *info);

static enum match xt_match_udp(const struct filter_packet *f, const void *info)
{
	const struct xt_udp *u = info;

	return filter_and(filter_not(filter_port(f, false, u->spts[0], u->spts[1]), u->invflags & XT_UDP_INV_SRCPT),
		      filter_not(filter_port(f, true, u->dpts[0], u->dpts[1]), u->invflags & XT_UDP_INV_DSTPT));
}

static enum match xt_match_multiport(const struct filter_packet *f, const void *info)
{
	const struct xt_multiport_v1 *m = info;
	enum match any = MATCH_NO;

	for (unsigned i = 0; i < m->count && i < XT_MULTI_PORTS; i++) {
		uint16_t lo = m->ports[i], hi = lo;

		if (m->pflags[i] && i + 1 < XT_MULTI_PORTS)
			hi = m->ports[++i];
		for (unsigned dst = 0; dst < 2; dst++) {
			enum match one = MATCH_NO;

			if (m->flags != (dst ? XT_MULTIPORT_SOURCE : XT_MULTIPORT_DESTINATION))
				one = filter_port(f, dst, lo, hi);
			any = one > any ? one : any;
		}
	}
	return filter_not(any, m->invert);
}

static enum match xt_match_addrtype(const struct filter_packet *f, const void *info)
{
	const struct xt_addrtype_info_v1 *t = info;
	enum match all = MATCH_YES;

	if (t->dest)
		all = filter_not(t->dest & XT_ADDRTYPE_MULTICAST ? MATCH_YES : MATCH_NO,
				 t->flags & XT_ADDRTYPE_INVERT_DEST);
	if (t->source)
		all = filter_and(all, f->p->routes_back != 1 ? MATCH_MAY :
			     filter_not(t->source & XT_ADDRTYPE_UNICAST ? MATCH_YES : MATCH_NO,
					t->flags & XT_ADDRTYPE_INVERT_SOURCE));
	return all;
}

static enum match xt_match_pkttype(const struct filter_packet *f, const void *info)
{
	const struct xt_pkttype_info *t = info;

	return f->p->is_frame != 1 ? MATCH_MAY :
	       filter_not(t->pkttype == PACKET_MULTICAST ? MATCH_YES : MATCH_NO, t->invert);
}

/* The state that a flow to a group has, among those of a mask. */
static enum match xt_state_among(const struct filter_packet *f, uint32_t mask, uint32_t untracked)
{
	uint32_t known, state = filter_state(f, &known), wanted = mask & ~untracked;

	if (mask & untracked)
		wanted |= FILTER_STATE_UNTRACKED;
	if (known != UINT32_MAX)
		return (wanted & ~known) == ~known ? MATCH_YES : wanted & ~known ? MATCH_MAY : MATCH_NO;
	return wanted & state ? MATCH_YES : MATCH_NO;
}

static enum match xt_match_state(const struct filter_packet *f, const void *info)
{
	const struct xt_state_info *s = info;

	return xt_state_among(f, s->statemask, XT_STATE_UNTRACKED);
}

static enum match xt_match_conntrack(const struct filter_packet *f, const void *info)
{
	const struct xt_conntrack_mtinfo3 *c = info;
	unsigned others = XT_CONNTRACK_STATE | XT_CONNTRACK_STATUS | STATE_ALIAS;
	enum match m = MATCH_YES;

	if (c->match_flags & XT_CONNTRACK_STATE)
		m = filter_not(xt_state_among(f, c->state_mask, XT_CONNTRACK_STATE_UNTRACKED),
			       c->invert_flags & XT_CONNTRACK_STATE);
	if (c->match_flags & XT_CONNTRACK_STATUS && !(c->status_mask & ~FILTER_STATUS_NONE))
		m = filter_and(m, filter_not(MATCH_NO, c->invert_flags & XT_CONNTRACK_STATUS));
	else
		others &= ~(unsigned)XT_CONNTRACK_STATUS;
	/* The other flags ask for more, so a state that matches does not settle it. */
	return c->match_flags & ~others ? filter_and(m, MATCH_MAY) : m;
}

static enum match xt_match_mark(const struct filter_packet *f, const void *info)
{
	const struct xt_mark_mtinfo1 *m = info;

	return filter_not(filter_mark(&f->mark, m->mark, m->mask), m->invert);
}

static enum match xt_match_connmark(const struct filter_packet *f, const void *info)
{
	const struct xt_connmark_mtinfo1 *m = info;

	return f->untracked == 1 ? MATCH_NO : filter_not(filter_mark(&f->connmark, m->mark, m->mask), m->invert);
}

static enum match xt_match_iprange(const struct filter_packet *f, const void *info)
{
	const struct xt_iprange_mtinfo *r = info;
	size_t len = f->v4 ? 4 : 16, at = f->v4 ? 12 : 8;
	enum match m = MATCH_YES;

	if (r->flags & IPRANGE_SRC)
		m = filter_not(filter_header(f, at, &r->src_min, &r->src_max, len), r->flags & IPRANGE_SRC_INV);
	if (r->flags & IPRANGE_DST)
		m = filter_and(m, filter_not(filter_header(f, at + len, &r->dst_min, &r->dst_max, len),
					 r->flags & IPRANGE_DST_INV));
	return m;
}

/* struct ip6t_hl_info is the same for the hop limit. */
static enum match xt_match_ttl(const struct filter_packet *f, const void *info)
{
	const struct ipt_ttl_info *t = info;
	int ttl = filter_ttl(f);
	bool is;

	if (ttl < 0)
		return MATCH_MAY;
	is = t->mode == IPT_TTL_EQ ? ttl == t->ttl : t->mode == IPT_TTL_NE ? ttl != t->ttl :
	     t->mode == IPT_TTL_LT ? ttl < t->ttl : ttl > t->ttl;
	return is ? MATCH_YES : MATCH_NO;
}

static enum match xt_match_rpfilter(const struct filter_packet *f, const void *info)
{
	const struct xt_rpfilter_info *r = info;
	tristate back = f->p->routes_back;

	if (back < 0 || (!back && r->flags & XT_RPFILTER_LOOSE))
		return MATCH_MAY;
	return filter_not(back ? MATCH_YES : MATCH_NO, r->flags & XT_RPFILTER_INVERT);
}

/* Ports of bridges: of a packet that is routed, nothing was bridged (physdev_mt()). */
static enum match xt_match_physdev(const struct filter_packet *f, const void *info)
{
	const struct xt_physdev_info *p = info;

	(void)f;
	return p->bitmask & XT_PHYSDEV_OP_BRIDGED && !(p->invert & XT_PHYSDEV_OP_BRIDGED) ? MATCH_NO :
	       p->bitmask == XT_PHYSDEV_OP_BRIDGED ? MATCH_YES : MATCH_MAY;
}

/* Of ebtables: addresses, protocol and ports behind its own frame; TOS and ICMP are not known. */
static enum match xt_match_frame(const struct filter_packet *f, const struct xt_frame *a)
{
	size_t len = f->v4 ? 4 : 16, at = f->v4 ? 12 : 8;
	enum match m = a->bits & ~(EBT_IP_SOURCE | EBT_IP_DEST | EBT_IP_PROTO | EBT_IP_SPORT | EBT_IP_DPORT) ?
		       MATCH_MAY : MATCH_YES;

	if (a->bits & EBT_IP_SOURCE)
		m = filter_and(m, filter_not(filter_masked(f->ip + at, f->ip_known + at, a->src, a->src_mask, len),
					     a->inverted & EBT_IP_SOURCE));
	if (a->bits & EBT_IP_DEST)
		m = filter_and(m, filter_not(filter_masked(f->ip + at + len, f->ip_known + at + len, a->dst,
							   a->dst_mask, len), a->inverted & EBT_IP_DEST));
	if (a->bits & EBT_IP_PROTO)
		m = filter_and(m, filter_not(a->protocol == f->protocol ? MATCH_YES : MATCH_NO,
					     a->inverted & EBT_IP_PROTO));
	if (a->bits & EBT_IP_SPORT)
		m = filter_and(m, filter_not(filter_port(f, false, a->sport[0], a->sport[1]),
					     a->inverted & EBT_IP_SPORT));
	if (a->bits & EBT_IP_DPORT)
		m = filter_and(m, filter_not(filter_port(f, true, a->dport[0], a->dport[1]),
					     a->inverted & EBT_IP_DPORT));
	return m;
}

static enum match xt_match_frame4(const struct filter_packet *f, const void *info)
{
	const struct ebt_ip_info *i = info;

	return !f->v4 ? MATCH_NO : xt_match_frame(f, &(struct xt_frame){
		.src = &i->saddr, .src_mask = &i->smsk, .dst = &i->daddr, .dst_mask = &i->dmsk, .sport = i->sport,
		.dport = i->dport, .protocol = i->protocol, .bits = i->bitmask, .inverted = i->invflags });
}

static enum match xt_match_frame6(const struct filter_packet *f, const void *info)
{
	const struct ebt_ip6_info *i = info;

	return f->v4 ? MATCH_NO : xt_match_frame(f, &(struct xt_frame){
		.src = &i->saddr, .src_mask = &i->smsk, .dst = &i->daddr, .dst_mask = &i->dmsk, .sport = i->sport,
		.dport = i->dport, .protocol = i->protocol, .bits = i->bitmask, .inverted = i->invflags });
}

/* Who sends: nobody here does. */
static enum match xt_match_never(const struct filter_packet *f, const void *info)
{
	(void)f;
	(void)info;
	return MATCH_NO;
}

static enum match xt_match_always(const struct filter_packet *f, const void *info)
{
	(void)f;
	(void)info;
	return MATCH_YES;
}

static const struct {
	const char *name;
	int revision;			/* -1 = any */
	size_t size;			/* of the struct that is looked at */
	xt_match_fn *match;		/* NULL: chance decides */
} xt_matches[] = {
	{ "comment", -1, 0, xt_match_always },
	{ "udp", 0, sizeof(struct xt_udp), xt_match_udp },
	{ "multiport", 1, sizeof(struct xt_multiport_v1), xt_match_multiport },
	{ "addrtype", 1, sizeof(struct xt_addrtype_info_v1), xt_match_addrtype },
	{ "pkttype", 0, sizeof(struct xt_pkttype_info), xt_match_pkttype },
	{ "state", 0, sizeof(struct xt_state_info), xt_match_state },
	{ "conntrack", 3, sizeof(struct xt_conntrack_mtinfo3), xt_match_conntrack },
	{ "mark", 1, sizeof(struct xt_mark_mtinfo1), xt_match_mark },
	{ "connmark", 1, sizeof(struct xt_connmark_mtinfo1), xt_match_connmark },
	{ "iprange", 1, sizeof(struct xt_iprange_mtinfo), xt_match_iprange },
	{ "ttl", 0, sizeof(struct ipt_ttl_info), xt_match_ttl },
	{ "hl", 0, sizeof(struct ipt_ttl_info), xt_match_ttl },
	{ "rpfilter", 0, sizeof(struct xt_rpfilter_info), xt_match_rpfilter },
	{ "physdev", 0, sizeof(struct xt_physdev_info), xt_match_physdev },
	{ "ip", 0, sizeof(struct ebt_ip_info), xt_match_frame4 },
	{ "ip6", 0, sizeof(struct ebt_ip6_info), xt_match_frame6 },
	{ "owner", -1, 0, xt_match_never },
	{ "tcp", -1, 0, xt_match_never },
	{ "limit", -1, 0, NULL }, { "hashlimit", -1, 0, NULL }, { "statistic", -1, 0, NULL },
	{ "quota", -1, 0, NULL }, { "connlimit", -1, 0, NULL }, { "rateest", -1, 0, NULL },
};

enum match xt_match(const struct filter_packet *f, const char *name, uint8_t revision, const void *info, size_t len,
		    unsigned *why)
{
	union {
		uint64_t align;
		uint8_t v[512];
	} copy;

	for (unsigned i = 0; i < sizeof xt_matches / sizeof *xt_matches; i++) {
		size_t size = xt_matches[i].size;

		if (strcmp(xt_matches[i].name, name) || size > len || size > sizeof copy.v ||
		    (xt_matches[i].revision >= 0 && xt_matches[i].revision != revision))
			continue;
		if (!xt_matches[i].match) {
			*why = MAY_BY_CHANCE;
			return MATCH_MAY;
		}
		if (size)
			memcpy(copy.v, info, size);
		return xt_matches[i].match(f, copy.v);
	}
	return MATCH_MAY;
}
