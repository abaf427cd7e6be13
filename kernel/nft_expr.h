/* SPDX-License-Identifier: ISC
 *
 * The expressions of a rule of nftables, one by one, on what is known of a
 * packet.  Registers are known bytes or unknown.  Private to nft_judge.c.
 */
#ifndef KERNEL_NFT_EXPR_H
#define KERNEL_NFT_EXPR_H

#include "kernel/nft.h"

#define NFT_WORDS 20		/* registers, in words of 32 bits: NFT_REG_VERDICT and 16 more */

struct nft_run {
	const struct nft *n;
	const struct look_packet *p;
	enum fam fam;
	unsigned steps;			/* rules looked at so far */
	uint8_t reg[NFT_WORDS * 4];
	bool known[NFT_WORDS];
};

enum nft_match { NFT_NO, NFT_MAY, NFT_YES };

/* Runs an expression that is no verdict; one that is not understood "may" match. */
enum nft_match nft_expr_run(struct nft_run *r, const struct rtnl_attr *name,
			    const struct rtnl_attr *data);

/* True when an attribute of text is this name. */
bool nft_named(const struct rtnl_attr *a, const char *name);

#endif
