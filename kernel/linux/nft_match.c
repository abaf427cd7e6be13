/* SPDX-License-Identifier: ISC */
#include "kernel/linux/nft_match.h"

#include <arpa/inet.h>
#include <string.h>

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nf_tables_compat.h>

#include "kernel/linux/nft_sets.h"
#include "kernel/linux/xt_match.h"
#include "kernel/linux/xt_target.h"

#define ELEM_EXPRESSIONS 11	/* NFTA_SET_ELEM_EXPRESSIONS of linux/netfilter/nf_tables.h since 5.11 */
#define DYNSET_EXPRESSIONS 10	/* NFTA_DYNSET_EXPRESSIONS, the same */

static void nft_match_cmp(struct nft_run *r, const struct rtnl_attr *data)
{
	static const uint8_t least[FILTER_VALUE];
	struct rtnl_attr v = nft_inside(data, NFTA_CMP_DATA, NFTA_DATA_VALUE);
	uint32_t op = nft_u32(data, NFTA_CMP_OP);
	uint8_t most[FILTER_VALUE];
	struct filter_value a;
	enum match m;

	if (!nft_reg_get(r, nft_u32(data, NFTA_CMP_SREG), v.len, &a)) {
		nft_and(r, MATCH_MAY, MAY_UNKNOWN);
		return;
	}
	memset(most, 0xff, sizeof most);
	switch (op) {
	case NFT_CMP_EQ: case NFT_CMP_NEQ:
		m = filter_not(filter_between(&a, 0, v.p, v.p, v.len), op == NFT_CMP_NEQ);
		break;
	case NFT_CMP_GTE: case NFT_CMP_LT:
		m = filter_not(filter_between(&a, 0, v.p, most, v.len), op == NFT_CMP_LT);
		break;
	case NFT_CMP_LTE: case NFT_CMP_GT:
		m = filter_not(filter_between(&a, 0, least, v.p, v.len), op == NFT_CMP_GT);
		break;
	default:
		m = MATCH_MAY;
	}
	nft_and(r, m, MAY_UNKNOWN);
}

static void nft_match_range(struct nft_run *r, const struct rtnl_attr *data)
{
	struct rtnl_attr lo = nft_inside(data, NFTA_RANGE_FROM_DATA, NFTA_DATA_VALUE);
	struct rtnl_attr hi = nft_inside(data, NFTA_RANGE_TO_DATA, NFTA_DATA_VALUE);
	struct filter_value a;
	enum match m = MATCH_MAY;

	if (lo.len == hi.len && nft_reg_get(r, nft_u32(data, NFTA_RANGE_SREG), lo.len, &a))
		m = filter_not(filter_between(&a, 0, lo.p, hi.p, lo.len),
			       nft_u32(data, NFTA_RANGE_OP) == NFT_RANGE_NEQ);
	nft_and(r, m, MAY_UNKNOWN);
}

/* Takes what a rule, or an element of a map, decides. */
static void nft_take_verdict(struct nft_run *r, struct rtnl_attr at)
{
	int code = (int)nft_u32(&at, NFTA_VERDICT_CODE);

	if (code == NFT_JUMP || code == NFT_GOTO) {
		r->chain = nft_text(&at, NFTA_VERDICT_CHAIN);
		r->returns = code == NFT_JUMP;
	} else if (code == NF_DROP || code == NF_ACCEPT) {
		r->verdict = code == NF_DROP ? FILTER_DROPPED : FILTER_ACCEPTED;
	} else if (code == NFT_RETURN) {
		r->verdict = NFT_GOES_ON;
	} else if (code > 0 && (code & NF_VERDICT_MASK) == NF_QUEUE) {
		r->verdict = FILTER_EITHER;
	}
}

static void nft_match_immediate(struct nft_run *r, const struct rtnl_attr *data)
{
	nft_take_verdict(r, nft_inside(data, NFTA_IMMEDIATE_DATA, NFTA_DATA_VERDICT));
}

/* Whether an element of a set does no more than to count. */
static bool nft_counts_only(const struct rtnl_attr *e)
{
	struct rtnl_attr all, one;

	if (rtnl_attr(e, NFTA_SET_ELEM_EXPR, &one) && strcmp(nft_text(&one, NFTA_EXPR_NAME), "counter"))
		return false;
	for (rtnl_attr(e, ELEM_EXPRESSIONS, &all); rtnl_attr_next(&all, NFTA_LIST_ELEM, &one);)
		if (strcmp(nft_text(&one, NFTA_EXPR_NAME), "counter"))
			return false;
	return true;
}

/* Sets, and maps to verdicts and values. */
static void nft_match_lookup(struct nft_run *r, const struct rtnl_attr *data)
{
	uint32_t dreg = nft_u32(data, NFTA_LOOKUP_DREG), flags = nft_u32(data, NFTA_LOOKUP_FLAGS);
	const struct nft_set *s = nft_set_find(r->n, r->in->family, r->in->table, nft_text(data, NFTA_LOOKUP_SET));
	enum match is = s && s->is_read ? MATCH_NO : MATCH_MAY;
	size_t len = s ? nft_set_key(s) : 0;
	struct rtnl_attr e = { NULL, 0 }, at;
	struct filter_value a, value;
	unsigned why = MAY_UNKNOWN;

	if (len && is == MATCH_NO)
		is = nft_reg_get(r, nft_u32(data, NFTA_LOOKUP_SREG), len, &a) ? nft_set_look(s, &a, &e) : MATCH_MAY;
	/* Packets add and time takes away: it may be empty now. */
	if (is == MATCH_NO && s->flags & (NFT_SET_EVAL | NFT_SET_TIMEOUT) && dreg == UINT32_MAX)
		is = MATCH_MAY;
	if (is == MATCH_YES && !nft_counts_only(&e)) {
		is = MATCH_MAY;
		why = MAY_BY_CHANCE;
	}
	if (dreg == NFT_REG_VERDICT && is == MATCH_MAY) {
		r->verdict = FILTER_EITHER;
	} else if (dreg == NFT_REG_VERDICT && is == MATCH_YES) {
		nft_take_verdict(r, nft_inside(&e, NFTA_SET_ELEM_DATA, NFTA_DATA_VERDICT));
	} else if (dreg != UINT32_MAX) {
		at = nft_inside(&e, NFTA_SET_ELEM_DATA, NFTA_DATA_VALUE);
		filter_value(&value, at.p, NULL, at.len);
		nft_reg_set(r, dreg, is == MATCH_YES && at.len ? &value : NULL);
	}
	nft_and(r, filter_not(is, flags != UINT32_MAX && flags & NFT_LOOKUP_F_INV), why);
}

static void nft_match_drop(struct nft_run *r, const struct rtnl_attr *data)
{
	(void)data;
	r->verdict = FILTER_DROPPED;
}

/* Whoever reads the queue decides. */
static void nft_match_queue(struct nft_run *r, const struct rtnl_attr *data)
{
	(void)data;
	r->verdict = FILTER_EITHER;
}

static void nft_match_chance(struct nft_run *r, const struct rtnl_attr *data)
{
	(void)data;
	nft_and(r, MATCH_MAY, MAY_BY_CHANCE);
}

static void nft_match_nothing(struct nft_run *r, const struct rtnl_attr *data)
{
	(void)r;
	(void)data;
}

static void nft_match_notrack(struct nft_run *r, const struct rtnl_attr *data)
{
	(void)data;
	r->f->untracked = nft_reach(r) == MATCH_YES ? 1 : -1;
}

/* Objects with a name of their own: limits, quotas and numbers of connections ask. */
static void nft_match_object(struct nft_run *r, const struct rtnl_attr *data)
{
	uint32_t type = nft_u32(data, NFTA_OBJREF_IMM_TYPE);

	if (type == NFT_OBJECT_QUOTA || type == NFT_OBJECT_LIMIT || type == NFT_OBJECT_CONNLIMIT)
		nft_and(r, MATCH_MAY, MAY_BY_CHANCE);
	else if (type == UINT32_MAX)
		nft_and(r, MATCH_MAY, MAY_UNKNOWN);
}

/* Adds the packet to a set; with a limit for each element. */
static void nft_match_dynset(struct nft_run *r, const struct rtnl_attr *data)
{
	struct rtnl_attr at;

	if (rtnl_attr(data, NFTA_DYNSET_EXPR, &at) || rtnl_attr(data, DYNSET_EXPRESSIONS, &at))
		nft_and(r, MATCH_MAY, MAY_BY_CHANCE);
}

/* Other addresses: the source's new one is known to be one of this host's, the group's is another way altogether.  What
 * is not followed is not translated (nf_nat_inet_fn()). */
static void nft_match_nat(struct nft_run *r, const struct rtnl_attr *data)
{
	uint32_t min = nft_u32(data, NFTA_NAT_REG_ADDR_MIN), max = nft_u32(data, NFTA_NAT_REG_ADDR_MAX);
	size_t len = r->f->v4 ? 4 : 16;
	struct filter_value a, b;

	r->verdict = FILTER_ACCEPTED;
	if (r->f->untracked == 1)
		return;
	if (nft_u32(data, NFTA_NAT_TYPE) != NFT_NAT_DNAT)
		r->f->is_renamed = true;
	else if (min == UINT32_MAX)		/* ports alone */
		memset(r->f->ports_known, 0, sizeof r->f->ports_known);
	else if (nft_reg_get(r, min, len, &a) && filter_is_known(&a, 0, len) &&
		 (max == UINT32_MAX || (nft_reg_get(r, max, len, &b) && !memcmp(a.v, b.v, len))))
		filter_set_group(r->f, a.v, nft_reach(r) == MATCH_YES);
	else
		filter_set_group(r->f, NULL, false);
}

static void nft_match_masq(struct nft_run *r, const struct rtnl_attr *data)
{
	(void)data;
	r->verdict = FILTER_ACCEPTED;
	r->f->is_renamed = true;
}

static void nft_match_xt(struct nft_run *r, const struct rtnl_attr *data)
{
	unsigned why = MAY_UNKNOWN;
	struct rtnl_attr info;
	enum match m;

	rtnl_attr(data, NFTA_MATCH_INFO, &info);
	m = xt_match(r->f, nft_text(data, NFTA_MATCH_NAME), (uint8_t)nft_u32(data, NFTA_MATCH_REV), info.p, info.len,
		     &why);
	nft_and(r, m, why);
}

static void nft_match_target(struct nft_run *r, const struct rtnl_attr *data)
{
	struct rtnl_attr info;

	rtnl_attr(data, NFTA_TARGET_INFO, &info);
	r->verdict = xt_target(r->f, nft_text(data, NFTA_TARGET_NAME), (uint8_t)nft_u32(data, NFTA_TARGET_REV), info.p,
			       info.len, nft_reach(r));
}

static const struct nft_matcher {
	const char *name;
	void (*match)(struct nft_run *r, const struct rtnl_attr *data);
} nft_matchers[] = {
	{ "cmp", nft_match_cmp }, { "range", nft_match_range }, { "lookup", nft_match_lookup },
	{ "match", nft_match_xt }, { "target", nft_match_target },
	{ "immediate", nft_match_immediate }, { "reject", nft_match_drop }, { "queue", nft_match_queue },
	{ "fwd", nft_match_drop }, { "nat", nft_match_nat }, { "masq", nft_match_masq },
	{ "limit", nft_match_chance }, { "quota", nft_match_chance }, { "connlimit", nft_match_chance },
	{ "objref", nft_match_object }, { "dynset", nft_match_dynset }, { "notrack", nft_match_notrack },
	{ "counter", nft_match_nothing }, { "log", nft_match_nothing }, { "last", nft_match_nothing },
	{ "dup", nft_match_nothing }, { "flow_offload", nft_match_nothing },
};

bool nft_match(struct nft_run *r, const char *name, const struct rtnl_attr *data)
{
	for (const struct nft_matcher *m = nft_matchers; m < nft_matchers + sizeof nft_matchers / sizeof *m; m++) {
		if (strcmp(m->name, name))
			continue;
		m->match(r, data);
		return true;
	}
	return false;
}
