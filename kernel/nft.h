/* SPDX-License-Identifier: ISC
 *
 * The rules of nftables as they come from the kernel, and what they would do
 * with a multicast packet.  Pure: no socket.  A rule is judged only as far as it
 * asks for what is known of the packet: its addresses, its interfaces, that it
 * is UDP and of no known connection; anything else "may match".  Private to this
 * room.
 */
#ifndef KERNEL_NFT_H
#define KERNEL_NFT_H

#include "kernel/rtnl.h"

struct nft_chain {
	uint8_t family;			/* NFPROTO_* */
	int hook;			/* NF_INET_*, -1 = only jumped to */
	bool drop;			/* policy */
	uint32_t table, name;		/* text, in nft.bytes */
	uint32_t first, last;		/* rules, NFT_NONE = none */
};

struct nft_rule {
	uint32_t expr, len;		/* expressions, in nft.bytes */
	uint32_t next;			/* in the chain */
};

#define NFT_NONE UINT32_MAX

struct nft {
	struct nft_chain *chains;
	struct nft_rule *rules;
	char *bytes;
	uint32_t nchains, nrules, nbytes, cchains, crules, cbytes;
	bool failed;			/* out of memory, or more than NFT_MAX bytes */
};

#define NFT_MAX (16u << 20)

/* Takes in a message of a dump of chains; then of a dump of rules.  Sets failed. */
void nft_chain_add(struct nft *n, const struct rtnl_msg *m);
void nft_rule_add(struct nft *n, const struct rtnl_msg *m);
void nft_free(struct nft *n);

/* A chain by its name in the table of another; NFT_NONE when there is none. */
uint32_t nft_chain_find(const struct nft *n, uint8_t family, const char *table, const char *name);

/* What becomes of a packet, as bits: either, or both when it cannot be told. */
enum { NFT_ACCEPTS = 1, NFT_DROPS = 2 };
unsigned nft_judge(const struct nft *n, const struct nft_chain *base, const struct look_packet *p);

#endif
