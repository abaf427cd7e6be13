/* SPDX-License-Identifier: ISC
 *
 * One packet in one rule after the other: the registers, of which each bit is known or not, and what the rule asks and
 * decides.  Shared by nft_judge.c, which leads it through chains, and the expressions in nft_load.c and nft_match.c.
 * Private to this room.
 */
#ifndef KERNEL_LINUX_NFT_RUN_H
#define KERNEL_LINUX_NFT_RUN_H

#include "kernel/linux/filter.h"
#include "kernel/linux/nft_rules.h"

#define NFT_GOES_ON 4u		/* further bit beside FILTER_ACCEPTED and FILTER_DROPPED: at the next rule */

struct nft_run {
	const struct nft *n;
	struct filter_packet *f;	/* which rules change */
	const struct nft_chain *in;	/* whose rules are looked at */
	enum match reach;		/* whether the packet gets to this rule: MATCH_YES or MATCH_MAY */
	enum match match;		/* of this rule so far */
	unsigned why;			/* MAY_* bits where that is MATCH_MAY */
	bool is_random;			/* a register has a number that nobody knows before */
	unsigned verdict;		/* of this rule, bits; 0 = none */
	const char *chain;		/* to go to by its verdict, or NULL */
	bool returns;			/* and to come back from */
	uint8_t reg[FILTER_VALUE], known[FILTER_VALUE];
};

/* Fills a register, or with a = NULL makes it unknown, and as much behind it as the longest has. */
void nft_reg_set(struct nft_run *r, uint32_t reg, const struct filter_value *a);

/* What is in a register; false when there is none such. */
bool nft_reg_get(const struct nft_run *r, uint32_t reg, size_t len, struct filter_value *a);

/* An attribute inside another one. */
struct rtnl_attr nft_inside(const struct rtnl_attr *in, unsigned outer, unsigned inner);

/* The rest of the rule holds only when a match does. */
void nft_and(struct nft_run *r, enum match m, unsigned why);

/* Whether a packet gets to this rule and it matches so far. */
enum match nft_reach(const struct nft_run *r);

#endif
