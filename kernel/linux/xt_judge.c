/* SPDX-License-Identifier: ISC
 *
 * Rules are told by their offset in the table: one that jumps has the offset to go to, and the head of a chain of users
 * has its name, as the text of an error that it never is.
 */
#include "kernel/linux/xt_judge.h"

#include <arpa/inet.h>
#include <stddef.h>
#include <string.h>

#include <linux/netfilter.h>
#include <linux/netfilter_ipv4/ip_tables.h>
#include <linux/netfilter_ipv6/ip6_tables.h>

#include "kernel/linux/xt_match.h"
#include "kernel/linux/xt_target.h"

#define DEPTH 16
#define STEPS 20000		/* rules looked at for one packet */
#define GOES_ON 4u		/* further bit: at the next rule */
#define RETURN (-NF_REPEAT - 1)	/* XT_RETURN */

/* A rule with its lengths checked. */
struct xt_rule {
	uint32_t at, matches, target, next;	/* offsets */
	char name[XT_NAME];			/* of its target */
	int verdict;				/* where that is "" */
	bool is_goto;
	union {
		struct ipt_ip v4;
		struct ip6t_ip6 v6;
	} ip;
};

struct xt_way {
	struct xt_rules *t;
	struct filter_packet *f;
	struct filter_fate *out;
	unsigned steps, hook;
};

int xt_priority(const struct xt_rules *t)
{
	/* NF_IP_PRI_* of linux/netfilter_ipv4.h, those of IPv6 are the same; nat has 100 where packets leave. */
	return !strcmp(t->name, "raw") ? -300 : !strcmp(t->name, "mangle") ? -150 : !strcmp(t->name, "nat") ? -100 :
	       !strcmp(t->name, "security") ? 50 : 0;
}

/* Reads a rule; false at the end and where it cannot be one. */
static bool xt_rule_read(const struct xt_rules *t, uint32_t at, struct xt_rule *r)
{
	bool v4 = t->fam == FAM_4;
	size_t size = v4 ? sizeof(struct ipt_entry) : sizeof(struct ip6t_entry), left;
	uint16_t target, next;
	struct xt_entry_target head;
	const char *p;

	if (at > t->rules.len || size > t->rules.len - at)
		return false;
	p = t->rules.p + at;
	left = t->rules.len - at;
	memcpy(&target, p + (v4 ? offsetof(struct ipt_entry, target_offset) :
			     offsetof(struct ip6t_entry, target_offset)), sizeof target);
	memcpy(&next, p + (v4 ? offsetof(struct ipt_entry, next_offset) : offsetof(struct ip6t_entry, next_offset)),
	       sizeof next);
	if (next > left || target < size || target > next || sizeof head > (size_t)next - target)
		return false;
	memcpy(&head, p + target, sizeof head);
	*r = (struct xt_rule){ .at = at, .matches = at + (uint32_t)size, .target = at + target, .next = at + next };
	memcpy(&r->ip, p, v4 ? sizeof r->ip.v4 : sizeof r->ip.v6);
	memcpy(r->name, head.u.user.name, sizeof head.u.user.name);
	r->name[XT_NAME - 1] = '\0';
	r->is_goto = v4 ? r->ip.v4.flags & IPT_F_GOTO : r->ip.v6.flags & IP6T_F_GOTO;
	if (*r->name)
		return true;
	if ((size_t)next - target < sizeof(struct xt_standard_target))
		return false;
	memcpy(&r->verdict, p + target + offsetof(struct xt_standard_target, verdict), sizeof r->verdict);
	return true;
}

static enum match xt_name_asks(bool has, const char *name, const char *want, const unsigned char *mask, bool inverted)
{
	static const unsigned char none[IFNAMSIZ];

	if (!memcmp(mask, none, IFNAMSIZ))
		return MATCH_YES;
	return has && *name ? filter_not(filter_masked(name, NULL, want, mask, IFNAMSIZ), inverted) :
	       has ? filter_not(MATCH_NO, inverted) : MATCH_MAY;
}

/* What its head asks for: ip_packet_match() and ip6_packet_match(), whose IPT_INV_* are those of IP6T_INV_*. */
static enum match xt_head_asks(const struct filter_packet *f, bool v4, const struct ipt_ip *a, const struct ip6t_ip6 *b)
{
	size_t len = v4 ? 4 : 16, src = v4 ? 12 : 8, dst = src + len;
	uint8_t inverted = v4 ? a->invflags : b->invflags;
	uint16_t protocol = v4 ? a->proto : b->flags & IP6T_F_PROTO ? b->proto : 0;
	enum match m;

	m = filter_not(filter_masked(f->ip + src, f->ip_known + src, v4 ? (const void *)&a->src : &b->src,
				     v4 ? (const void *)&a->smsk : &b->smsk, len), inverted & IPT_INV_SRCIP);
	m = filter_and(m, filter_not(filter_masked(f->ip + dst, f->ip_known + dst, v4 ? (const void *)&a->dst : &b->dst,
						   v4 ? (const void *)&a->dmsk : &b->dmsk, len),
				     inverted & IPT_INV_DSTIP));
	m = filter_and(m, xt_name_asks(f->has_iif, f->iif_name, v4 ? a->iniface : b->iniface,
				       v4 ? a->iniface_mask : b->iniface_mask, inverted & IPT_INV_VIA_IN));
	m = filter_and(m, xt_name_asks(f->has_oif, f->oif_name, v4 ? a->outiface : b->outiface,
				       v4 ? a->outiface_mask : b->outiface_mask, inverted & IPT_INV_VIA_OUT));
	if (protocol)
		m = filter_and(m, filter_not(protocol == f->protocol ? MATCH_YES : MATCH_NO, inverted & XT_INV_PROTO));
	return v4 && a->flags & IPT_F_FRAG ? filter_and(m, MATCH_MAY) : m;
}

/* Whether a rule matches. */
static enum match xt_rule_asks(const struct xt_way *w, const struct xt_rule *r, unsigned *why)
{
	enum match m = xt_head_asks(w->f, w->t->fam == FAM_4, &r->ip.v4, &r->ip.v6), one;
	struct xt_entry_match head;
	char name[XT_NAME];

	if (m == MATCH_MAY)
		*why |= MAY_UNKNOWN;
	for (uint32_t at = r->matches; m != MATCH_NO && r->target - at >= sizeof head;) {
		unsigned reason = MAY_UNKNOWN;

		memcpy(&head, w->t->rules.p + at, sizeof head);
		if (head.u.match_size < sizeof head || head.u.match_size > r->target - at)
			return MATCH_MAY;
		memset(name, 0, sizeof name);
		memcpy(name, head.u.user.name, sizeof head.u.user.name);
		name[XT_NAME - 1] = '\0';
		one = xt_match(w->f, name, head.u.user.revision, w->t->rules.p + at + sizeof head,
			       head.u.match_size - sizeof head, &reason);
		if (one == MATCH_MAY)
			*why |= reason;
		m = filter_and(m, one);
		at += head.u.match_size;
	}
	return m;
}

/* What its target decides by itself: FILTER_* bits, GOES_ON where the chain returns, 0: the next rule, or a jump. */
static unsigned xt_rule_decides(struct xt_way *w, const struct xt_rule *r, enum match reach)
{
	struct xt_entry_target head;

	if (*r->name) {
		memcpy(&head, w->t->rules.p + r->target, sizeof head);
		return xt_target(w->f, r->name, head.u.user.revision, w->t->rules.p + r->target + sizeof head,
				 r->next - r->target - sizeof head, reach);
	}
	return r->verdict == -NF_DROP - 1 ? FILTER_DROPPED : r->verdict == -NF_ACCEPT - 1 ? FILTER_ACCEPTED :
	       r->verdict == RETURN ? GOES_ON : r->verdict < 0 ? FILTER_EITHER : 0;
}

/* The chain that a rule is in, and its number there. */
static void xt_tell(struct xt_way *w, uint32_t first, uint32_t at)
{
	static const char *const hooks[] = { "PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING" };
	struct xt_rules *t = w->t;
	struct xt_rule r;

	w->out->rule = 1;
	w->out->chain = t->chain;
	for (uint32_t i = first; i < at && xt_rule_read(t, i, &r); i = r.next)
		w->out->rule++;
	strcpy(t->chain, hooks[w->hook]);
	for (uint32_t i = 0; i < first && xt_rule_read(t, i, &r); i = r.next)
		if (r.next == first && !strcmp(r.name, XT_ERROR_TARGET) &&
		    r.next - r.target >= sizeof(struct xt_error_target))
			memcpy(t->chain, t->rules.p + r.target + offsetof(struct xt_error_target, errorname),
			       XT_NAME - 1);
	if (at == t->policy[w->hook])
		w->out->chain = NULL;
}

static unsigned xt_chain_judge(struct xt_way *w, uint32_t first, unsigned depth, enum match reach)
{
	struct xt_rule r;
	unsigned maybe = 0;

	for (uint32_t at = first; xt_rule_read(w->t, at, &r); at = r.next) {
		unsigned why = 0, bits;
		enum match match, sure;
		bool jumps, was_changed;

		if (w->steps++ > STEPS)
			break;
		match = xt_rule_asks(w, &r, &why);
		if (match == MATCH_NO)
			continue;
		sure = filter_and(match, maybe ? MATCH_MAY : reach);
		was_changed = w->f->is_changed;
		bits = xt_rule_decides(w, &r, sure);
		if (w->f->is_changed && !was_changed)
			xt_tell(w, first, at);
		jumps = !*r.name && r.verdict >= 0;
		if (!bits && !jumps)
			continue;
		w->out->why |= match == MATCH_MAY ? why : bits == FILTER_EITHER ? MAY_UNKNOWN : 0;
		if (bits & FILTER_DROPPED)
			xt_tell(w, first, at);
		/* A goto, like a chain that ends, goes back to where the last jump was. */
		if (jumps)
			bits = depth < DEPTH ? xt_chain_judge(w, (uint32_t)r.verdict, depth + 1, sure) :
			       FILTER_EITHER | GOES_ON;
		if (jumps && !r.is_goto) {
			if (match == MATCH_YES && !(bits & GOES_ON))
				return maybe | bits;
			maybe |= bits & ~GOES_ON;
			continue;
		}
		if (match == MATCH_YES)
			return maybe | bits;
		maybe |= bits;
	}
	/* Every chain ends with a rule that decides: what does not was not understood. */
	w->out->why |= MAY_UNKNOWN;
	return maybe | FILTER_EITHER | GOES_ON;
}

void xt_judge(struct xt_rules *t, unsigned hook, struct filter_packet *f, struct filter_fate *out)
{
	struct xt_way w = { .t = t, .f = f, .out = out, .hook = hook };
	struct xt_rule r;

	*out = (struct filter_fate){ .bits = 0 };
	out->bits = xt_chain_judge(&w, t->entry[hook], 0, MATCH_YES);
	if (out->bits & GOES_ON && xt_rule_read(t, t->policy[hook], &r))
		out->bits |= xt_rule_decides(&w, &r, MATCH_MAY);
	out->bits &= FILTER_EITHER;
}
