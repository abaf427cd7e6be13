/* SPDX-License-Identifier: ISC
 *
 * As xt_match.c: structs of the kernel's headers, of the revisions that iptables 1.8 asks for.
 */
#include "kernel/linux/xt_target.h"

#include <netinet/in.h>
#include <stddef.h>
#include <string.h>

#include <linux/netfilter/nf_nat.h>
#include <linux/netfilter/xt_connmark.h>
#include <linux/netfilter/xt_CT.h>
#include <linux/netfilter/xt_mark.h>

/* struct ipt_TTL_info, and of IPv6 ip6t_HL_info, in a header whose name differs from that of the match in the case of
 * its letters alone, and its guard not at all. */
struct xt_ttl_target {
	uint8_t mode, ttl;
};
enum { XT_TTL_SET, XT_TTL_INC, XT_TTL_DEC };

static void xt_target_ttl(struct filter_packet *f, const void *info, size_t len, enum match reach)
{
	struct xt_ttl_target t;
	int ttl = filter_ttl(f), to = ttl;

	if (len < sizeof t)
		return;
	memcpy(&t, info, sizeof t);
	if (t.mode == XT_TTL_SET)
		to = t.ttl;
	else if (ttl >= 0)
		to = t.mode == XT_TTL_INC ? ttl + t.ttl : ttl - t.ttl;
	to = to > 255 ? 255 : to;
	filter_set_ttl(f, reach == MATCH_YES || to == ttl ? to : -1);
}

static void xt_target_mark(struct filter_packet *f, const void *info, size_t len, enum match reach)
{
	struct xt_mark_tginfo2 m;

	if (len < sizeof m)
		return;
	memcpy(&m, info, sizeof m);
	filter_set_mark(&f->mark, (struct filter_bits){ m.mark, UINT32_MAX }, m.mask, reach == MATCH_YES);
}

/* Between the mark of the packet and that of its connection: connmark_tg_shift() of net/netfilter/xt_connmark.c. */
static void xt_target_connmark(struct filter_packet *f, uint8_t revision, const void *info, size_t len, bool surely)
{
	struct xt_connmark_tginfo2 m = { .shift_bits = 0 };
	struct filter_bits v = { .known = UINT32_MAX };

	if (len < (revision == 1 ? sizeof(struct xt_connmark_tginfo1) : sizeof m))
		return;
	memcpy(&m, info, revision == 1 ? offsetof(struct xt_connmark_tginfo1, mode) : sizeof m);
	if (revision == 1)
		m.mode = ((const uint8_t *)info)[offsetof(struct xt_connmark_tginfo1, mode)];
	v.v = m.ctmark;
	if (m.mode != XT_CONNMARK_SET) {
		bool is_save = m.mode == XT_CONNMARK_SAVE;

		v = is_save ? f->mark : f->connmark;
		v.known |= ~(is_save ? m.nfmask : m.ctmask);
		v.v &= is_save ? m.nfmask : m.ctmask;
	}
	if (m.shift_bits)
		v.known = 0;
	if (m.mode == XT_CONNMARK_RESTORE)
		filter_set_mark(&f->mark, v, m.nfmask, surely);
	else
		filter_set_mark(&f->connmark, v, m.ctmask, surely);
}

/* The group becomes another one, or the address of a host: a range that is one address. */
static void xt_target_dnat(struct filter_packet *f, uint8_t revision, const void *info, size_t len, enum match reach)
{
	struct nf_nat_ipv4_multi_range_compat old;
	struct nf_nat_range2 r = { .flags = 0 };
	size_t size = f->v4 ? 4 : 16;

	if (revision == 0 && len >= sizeof old) {
		memcpy(&old, info, sizeof old);
		r.flags = old.range[0].flags;
		r.min_addr.ip = old.range[0].min_ip;
		r.max_addr.ip = old.range[0].max_ip;
	} else if (len >= sizeof(struct nf_nat_range)) {
		memcpy(&r, info, sizeof(struct nf_nat_range));
	}
	if (f->untracked == 1)
		return;
	memset(f->ports_known, 0, sizeof f->ports_known);
	if (r.flags & NF_NAT_RANGE_MAP_IPS)
		filter_set_group(f, memcmp(&r.min_addr, &r.max_addr, size) ? NULL : &r.min_addr, reach == MATCH_YES);
}

static bool xt_is_among(const char *name, const char *const *list)
{
	while (*list && strcmp(*list, name))
		list++;
	return *list;
}

unsigned xt_target(struct filter_packet *f, const char *name, uint8_t revision, const void *info, size_t len,
		   enum match reach)
{
	static const char *const queues[] = { "NFQUEUE", "QUEUE", "NETMAP", "REDIRECT", "TPROXY", NULL };
	static const char *const sources[] = { "MASQUERADE", "SNAT", NULL };
	struct xt_ct_target_info ct = { .flags = 0 };

	if (!strcmp(name, "REJECT") || !strcmp(name, "DROP"))
		return FILTER_DROPPED;
	if (!strcmp(name, "ACCEPT"))
		return FILTER_ACCEPTED;
	if (xt_is_among(name, queues))
		return FILTER_EITHER;
	if (xt_is_among(name, sources)) {
		f->is_renamed = true;
		return FILTER_ACCEPTED;
	}
	if (!strcmp(name, "DNAT")) {
		xt_target_dnat(f, revision, info, len, reach);
		return FILTER_ACCEPTED;
	}
	if (!strcmp(name, "TTL") || !strcmp(name, "HL"))
		xt_target_ttl(f, info, len, reach);
	else if (!strcmp(name, "MARK") && revision == 2)
		xt_target_mark(f, info, len, reach);
	else if (!strcmp(name, "CONNMARK"))
		xt_target_connmark(f, revision, info, len, reach == MATCH_YES);
	if (!strcmp(name, "CT") && len >= sizeof ct.flags)
		memcpy(&ct.flags, info, sizeof ct.flags);
	if (!strcmp(name, "NOTRACK") || ct.flags & XT_CT_NOTRACK)
		f->untracked = reach == MATCH_YES ? 1 : -1;
	return 0;
}
