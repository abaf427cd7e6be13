/* SPDX-License-Identifier: ISC
 *
 * The way of a packet through a base chain and those it jumps to, with all outcomes that what is not known leaves open
 * (nft_do_chain() of net/netfilter/nf_tables_core.c).
 */
#include "kernel/linux/nft_judge.h"

#include <string.h>

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>

#include "kernel/linux/nft_load.h"
#include "kernel/linux/nft_match.h"

#define DEPTH 16		/* NFT_JUMP_STACK_SIZE */
#define STEPS 20000		/* rules looked at for one packet */

struct nft_way {
	struct nft_run r;
	struct filter_fate *out;
	unsigned steps;			/* rules looked at so far */
};

/* Runs a rule: whether it matches and what it decides is in *r. */
static void nft_rule_run(struct nft_run *r, struct rtnl_attr *rule)
{
	struct rtnl_attr expr, data;

	r->match = MATCH_YES;
	r->why = r->verdict = 0;
	r->chain = NULL;
	r->returns = r->is_random = false;
	memset(r->known, 0, sizeof r->known);
	while (r->match != MATCH_NO && rtnl_attr_next(rule, NFTA_LIST_ELEM, &expr)) {
		const char *name = nft_text(&expr, NFTA_EXPR_NAME);

		rtnl_attr(&expr, NFTA_EXPR_DATA, &data);
		if (nft_load(r, name, &data) || nft_match(r, name, &data))
			continue;
		/* Whatever it is, and whatever it has loaded. */
		memset(r->known, 0, sizeof r->known);
		nft_and(r, MATCH_MAY, MAY_UNKNOWN);
	}
}

/* Takes the next rule of a chain and its handle off what it has. */
static bool nft_rule_next(struct rtnl_attr *rules, struct rtnl_attr *rule, uint64_t *handle)
{
	struct rtnl_attr at;

	if (!rtnl_attr_next(rules, NFTA_RULE_HANDLE, &at) || !rtnl_attr_next(rules, NFTA_RULE_EXPRESSIONS, rule))
		return false;
	*handle = 0;
	for (size_t i = 0; i < at.len; i++)
		*handle = *handle << 8 | at.p[i];
	return true;
}

static void nft_tell(struct nft_way *w, const struct nft_chain *c, uint64_t handle)
{
	w->out->chain = c->name;
	w->out->rule = handle;
}

static unsigned nft_chain_judge(struct nft_way *w, const struct nft_chain *c, unsigned depth, enum match reach)
{
	struct rtnl_attr rules = { (const unsigned char *)c->rules.p, c->rules.len }, rule;
	struct nft_run *r = &w->r;
	unsigned maybe = 0, bits;
	uint64_t handle;

	while (nft_rule_next(&rules, &rule, &handle)) {
		enum match match;
		bool returns, was_changed;

		if (w->steps++ > STEPS) {
			w->out->why |= MAY_UNKNOWN;
			return maybe | FILTER_EITHER | NFT_GOES_ON;
		}
		r->in = c;
		r->reach = maybe ? MATCH_MAY : reach;
		was_changed = r->f->is_changed;
		nft_rule_run(r, &rule);
		if (r->f->is_changed && !was_changed)
			nft_tell(w, c, handle);
		match = r->match;
		bits = r->verdict;
		returns = r->returns;
		if (match == MATCH_NO || (!bits && !r->chain))
			continue;
		if (match == MATCH_MAY || bits == FILTER_EITHER)
			w->out->why |= match == MATCH_MAY ? r->why : MAY_UNKNOWN;
		if (bits & FILTER_DROPPED)
			nft_tell(w, c, handle);
		if (r->chain) {
			const struct nft_chain *to = nft_chain_find(r->n, c->family, c->table, r->chain);

			bits = FILTER_EITHER | NFT_GOES_ON;
			if (to && depth < DEPTH)
				bits = nft_chain_judge(w, to, depth + 1, nft_reach(r));
			else
				w->out->why |= MAY_UNKNOWN;
		}
		/* After a jump a packet that goes on is at the next rule, else it leaves the chain. */
		if (match == MATCH_YES && !(returns && (bits & NFT_GOES_ON)))
			return maybe | bits;
		maybe |= returns ? bits & ~NFT_GOES_ON : bits;
	}
	return maybe | NFT_GOES_ON;
}

void nft_judge(const struct nft *n, const struct nft_chain *base, struct filter_packet *f, struct filter_fate *out)
{
	struct nft_way w = { .r = { .n = n, .f = f }, .out = out };
	unsigned bits;

	*out = (struct filter_fate){ .bits = 0 };
	bits = nft_chain_judge(&w, base, 0, MATCH_YES);
	if (bits & NFT_GOES_ON) {
		bits |= base->drops ? FILTER_DROPPED : FILTER_ACCEPTED;
		if (base->drops)
			out->chain = NULL;
	}
	out->bits = bits & FILTER_EITHER;
}
