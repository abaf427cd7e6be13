/* SPDX-License-Identifier: ISC
 *
 * The expressions of a rule of nftables, one by one, on what is known of a
 * packet.  Registers are known bytes or unknown.  Private to nft_*.c.
 */
#ifndef KERNEL_LINUX_NFT_EXPR_H
#define KERNEL_LINUX_NFT_EXPR_H

#include "kernel/linux/nft.h"

#define NFT_WORDS 16		/* of 32 bits, in all registers but NFT_REG_VERDICT */
#define NFT_ON (1u << 8)	/* further bit of an outcome: the packet goes on */

struct nft_verdict {
	unsigned bits;			/* 0 = none */
	const char *chain;		/* to go to, or NULL */
	bool jump;			/* and to come back */
};

/* What meta expressions load; four bytes of 0 or more: not known. */
struct nft_meta {
	uint32_t iif, oif;
	char iif_name[KERNEL_IFNAME], oif_name[KERNEL_IFNAME];
	uint8_t family[4], protocol[4], type[4];
};

struct nft_run {
	const struct nft *n;
	const struct look_packet *p;
	unsigned steps;			/* rules looked at so far */
	struct nft_verdict verdict;	/* of this rule */
	struct nft_meta meta;
	uint8_t result[16];		/* of an expression */
	uint8_t reg[NFT_WORDS * 4];
	bool known[NFT_WORDS + 3];	/* the last three for what is cleared past the end */
};

enum nft_match { NFT_NO, NFT_MAY, NFT_YES };

/* Runs an expression of a rule; one that is not understood "may" match. */
enum nft_match nft_expr_run(struct nft_run *r, const struct rtnl_attr *expr);

#endif
