/* SPDX-License-Identifier: ISC
 *
 * The way of a packet through a base chain of nftables and those it jumps to,
 * with all outcomes that what is not known leaves open.
 */
#include "kernel/nft_expr.h"

#include <arpa/inet.h>
#include <string.h>

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nf_tables_compat.h>

#define DEPTH 16		/* NFT_JUMP_STACK_SIZE */
#define STEPS 20000		/* rules looked at for one packet */
#define ON (1u << 8)		/* further bit of an outcome: the packet goes on */

struct verdict {
	unsigned bits;			/* 0 = the rule has none */
	const char *chain;		/* to go to, or NULL */
	bool jump;
};

static uint32_t be32(const struct rtnl_attr *a)
{
	return ntohl(rtnl_u32(a));
}

static void verdict_immediate(const struct rtnl_attr *data, struct verdict *v)
{
	struct rtnl_attr at = { .type = NFTA_IMMEDIATE_DATA }, ver = { .type = NFTA_DATA_VERDICT };
	enum { CODE, CHAIN, ATTRS };
	struct rtnl_attr in[ATTRS] = {
		[CODE] = { .type = NFTA_VERDICT_CODE, .least = 4 },
		[CHAIN] = { .type = NFTA_VERDICT_CHAIN },
	};
	int code;

	if (!rtnl_attrs_find(data->p, data->len, &at, 1) || !at.p ||
	    !rtnl_attrs_find(at.p, at.len, &ver, 1) || !ver.p ||
	    !rtnl_attrs_find(ver.p, ver.len, in, ATTRS) || !in[CODE].p)
		return;
	code = (int)be32(&in[CODE]);
	if (code == NF_DROP)
		v->bits = NFT_DROPS;
	else if (code == NF_ACCEPT)
		v->bits = NFT_ACCEPTS;
	else if (code == NFT_RETURN)
		v->bits = ON;
	else if ((code & NF_VERDICT_MASK) == NF_QUEUE && code > 0)
		v->bits = NFT_ACCEPTS | NFT_DROPS;
	else if ((code == NFT_JUMP || code == NFT_GOTO) && in[CHAIN].p &&
		 memchr(in[CHAIN].p, 0, in[CHAIN].len)) {
		v->chain = (const char *)in[CHAIN].p;
		v->jump = code == NFT_JUMP;
	}
}

/* A target of iptables that rejects. */
static bool rejects(const struct rtnl_attr *data)
{
	struct rtnl_attr name = { .type = NFTA_TARGET_NAME };

	return rtnl_attrs_find(data->p, data->len, &name, 1) && (nft_named(&name, "REJECT") || nft_named(&name, "DROP"));
}

/* A map of verdicts, whose elements are not read. */
static bool maps(const struct rtnl_attr *data)
{
	struct rtnl_attr dreg = { .type = NFTA_LOOKUP_DREG, .least = 4 };

	return rtnl_attrs_find(data->p, data->len, &dreg, 1) && dreg.p && be32(&dreg) == NFT_REG_VERDICT;
}

/* Whether a rule matches, and its verdict. */
static enum nft_match rule_run(struct nft_run *r, const struct nft_rule *rule, struct verdict *v)
{
	const unsigned char *p = (const unsigned char *)r->n->bytes + rule->expr;
	enum { NAME, DATA, ATTRS };
	enum nft_match all = NFT_YES;
	struct rtnl_attr elem;

	*v = (struct verdict){ 0 };
	memset(r->known, 0, sizeof r->known);
	for (size_t n = rule->len; all != NFT_NO && rtnl_attr_next(&p, &n, &elem);) {
		struct rtnl_attr at[ATTRS] = { [NAME] = { .type = NFTA_EXPR_NAME },
					       [DATA] = { .type = NFTA_EXPR_DATA } };
		enum nft_match one = NFT_MAY;

		if (!rtnl_attrs_find(elem.p, elem.len, at, ATTRS))
			return NFT_MAY;
		if (nft_named(&at[NAME], "immediate")) {
			verdict_immediate(&at[DATA], v);
			one = NFT_YES;
		} else if (nft_named(&at[NAME], "reject") || (nft_named(&at[NAME], "target") && rejects(&at[DATA]))) {
			v->bits = NFT_DROPS;
			one = NFT_YES;
		} else if (nft_named(&at[NAME], "lookup") && maps(&at[DATA])) {
			v->bits = NFT_ACCEPTS | NFT_DROPS;
		} else {
			one = nft_expr_run(r, &at[NAME], &at[DATA]);
		}
		if (one < all)
			all = one;
	}
	return all;
}

static unsigned judge_chain(struct nft_run *r, uint32_t chain, unsigned depth)
{
	const struct nft_chain *c = &r->n->chains[chain];
	struct verdict v;
	unsigned maybe = 0, bits;
	enum nft_match match;

	for (uint32_t i = c->first; i != NFT_NONE; i = r->n->rules[i].next) {
		if (r->steps++ > STEPS)
			return maybe | NFT_ACCEPTS | NFT_DROPS | ON;
		match = rule_run(r, &r->n->rules[i], &v);
		if (match == NFT_NO || (!v.bits && !v.chain))
			continue;
		bits = v.bits;
		if (v.chain) {
			uint32_t to = nft_chain_find(r->n, c->family, r->n->bytes + c->table, v.chain);

			bits = to == NFT_NONE || depth == DEPTH ? NFT_ACCEPTS | NFT_DROPS | ON :
			       judge_chain(r, to, depth + 1);
		}
		/* After a jump a packet that goes on is at the next rule, else it leaves the chain. */
		if (match == NFT_YES && !(v.jump && (bits & ON)))
			return maybe | bits;
		maybe |= v.jump ? bits & ~ON : bits;
	}
	return maybe | ON;
}

unsigned nft_judge(const struct nft *n, const struct nft_chain *base, const struct look_packet *p)
{
	struct nft_run r = { .n = n, .p = p, .fam = addr_fam(&p->grp) };
	unsigned bits = judge_chain(&r, (uint32_t)(base - n->chains), 0);

	if (bits & ON)
		bits |= base->drop ? NFT_DROPS : NFT_ACCEPTS;
	return bits & (NFT_ACCEPTS | NFT_DROPS);
}
