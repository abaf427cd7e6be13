/* SPDX-License-Identifier: ISC
 *
 * The rules of nftables as they come from the kernel, and what they would do
 * with a multicast packet.  Pure: no socket.  A rule is judged only as far as it
 * asks for what is known of the packet: its addresses, its interfaces, that it
 * is UDP and of no known connection; anything else "may match".  Private to this
 * room.
 */
#ifndef KERNEL_LINUX_NFT_H
#define KERNEL_LINUX_NFT_H

#include "kernel/linux/rtnl.h"

struct nft_chain {
	int hook;			/* NF_INET_*, -1 = only jumped to */
	uint32_t table, name;		/* text, in nft.bytes */
	uint32_t rules, end;		/* NFTA_RULE_EXPRESSIONS, one behind the other, in nft.bytes */
	uint8_t family;			/* NFPROTO_* */
	bool drop;			/* policy */
};

struct nft {
	struct nft_chain *chains;
	char *bytes;
	uint32_t nchains, nbytes, cchains, cbytes;
};

#define NFT_MAX (16u << 20)		/* bytes */

/* Takes a message of a dump of chains into a struct nft; then of a dump of rules.  0, or -1
 * with ENOMEM, also beyond NFT_MAX. */
int nft_chain_add(void *nft, const struct rtnl_msg *m);
int nft_rule_add(void *nft, const struct rtnl_msg *m);
void nft_free(struct nft *n);

/* A number of an attribute, UINT32_MAX when it is not there. */
uint32_t nft_u32(const struct rtnl_attr *in, unsigned type);

/* Text of an attribute, "" when it is not there. */
const char *nft_text(const struct rtnl_attr *in, unsigned type);

/* A chain by its name and its table's; NULL when there is none. */
struct nft_chain *nft_chain_find(const struct nft *n, uint8_t family, const char *table,
				 const char *name);

/* What becomes of a packet, as bits: either, or both when it cannot be told. */
enum { NFT_ACCEPTS = 1, NFT_DROPS = 2 };
unsigned nft_judge(const struct nft *n, const struct nft_chain *base, const struct look_packet *p);

#endif
