/* SPDX-License-Identifier: ISC
 *
 * The way of a packet through a base chain of nftables and those it jumps to,
 * with all outcomes that what is not known leaves open.
 */
#include "kernel/linux/nft_expr.h"

#include <string.h>

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>

#define DEPTH 16		/* NFT_JUMP_STACK_SIZE */
#define STEPS 20000		/* rules looked at for one packet */
#define UDP 17
#define TO_MANY 2		/* PACKET_MULTICAST of linux/if_packet.h */
#define EITHER (NFT_ACCEPTS | NFT_DROPS)

/* Whether a rule matches; its verdict is in *r. */
static enum nft_match rule_run(struct nft_run *r, struct rtnl_attr *rule)
{
	enum nft_match all = NFT_YES, one;
	struct rtnl_attr expr;

	r->verdict = (struct nft_verdict){ 0 };
	memset(r->known, 0, sizeof r->known);
	while (all != NFT_NO && rtnl_attr_next(rule, NFTA_LIST_ELEM, &expr)) {
		one = nft_expr_run(r, &expr);
		if (one < all)
			all = one;
	}
	return all;
}

static unsigned judge_chain(struct nft_run *r, const struct nft_chain *c, unsigned depth)
{
	const char *bytes = r->n->bytes;
	struct rtnl_attr rules = { (const unsigned char *)bytes + c->rules, c->end - c->rules }, rule;
	unsigned maybe = 0, bits;
	enum nft_match match;
	bool jump;

	while (rtnl_attr_next(&rules, NFTA_RULE_EXPRESSIONS, &rule)) {
		if (r->steps++ > STEPS)
			return maybe | EITHER | NFT_ON;
		match = rule_run(r, &rule);
		bits = r->verdict.bits;
		jump = r->verdict.jump;
		if (match == NFT_NO || (!bits && !r->verdict.chain))
			continue;
		if (r->verdict.chain) {
			const struct nft_chain *to = nft_chain_find(r->n, c->family, bytes + c->table,
								    r->verdict.chain);

			bits = to && depth < DEPTH ? judge_chain(r, to, depth + 1) : EITHER | NFT_ON;
		}
		/* After a jump a packet that goes on is at the next rule, else it leaves the chain. */
		if (match == NFT_YES && !(jump && (bits & NFT_ON)))
			return maybe | bits;
		maybe |= jump ? bits & ~NFT_ON : bits;
	}
	return maybe | NFT_ON;
}

static void name_set(char *to, const char *name)
{
	if (name)
		memcpy(to, name, strnlen(name, KERNEL_IFNAME - 1));
}

unsigned nft_judge(const struct nft *n, const struct nft_chain *base, const struct look_packet *p)
{
	struct nft_run r = {
		.n = n, .p = p,
		.meta = {
			.iif = (uint32_t)p->iif, .oif = (uint32_t)p->oif,
			.family = { flow_fam(&p->flow) == FAM_4 ? NFPROTO_IPV4 : NFPROTO_IPV6 },
			.protocol = { UDP }, .type = { TO_MANY },
		},
	};
	unsigned bits;

	name_set(r.meta.iif_name, p->iif_name);
	name_set(r.meta.oif_name, p->oif_name);
	bits = judge_chain(&r, base, 0);
	if (bits & NFT_ON)
		bits |= base->drop ? NFT_DROPS : NFT_ACCEPTS;
	return bits & EITHER;
}
