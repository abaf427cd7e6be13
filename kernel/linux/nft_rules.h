/* SPDX-License-Identifier: ISC
 *
 * The rules of nftables as they come from the kernel, kept as they came: the expressions of a rule are bytes here and
 * are understood in nft_judge.c.  Pure: no socket.  Private to this room.
 */
#ifndef KERNEL_LINUX_NFT_RULES_H
#define KERNEL_LINUX_NFT_RULES_H

#include "kernel/linux/rtnl.h"
#include "lib/buf.h"

struct nft_chain {
	int hook;			/* NF_INET_*, of netdev NF_NETDEV_*; -1 = only jumped to */
	uint8_t family;			/* NFPROTO_* */
	int priority;			/* the smallest is first */
	bool drops;			/* its policy */
	bool is_owned;			/* its table, by a program */
	char *table, *name;		/* owned */
	struct buf devices;		/* of netdev: names, each ended by NUL */
	struct buf rules;		/* NFTA_RULE_HANDLE and NFTA_RULE_EXPRESSIONS, one behind the other */
};

struct nft_set {
	uint8_t family;
	uint32_t flags;			/* NFT_SET_* */
	bool is_read;			/* elements are all that there are */
	uint8_t nfields;		/* of concatenated keys, 0 = one */
	uint8_t fields[16];		/* bytes of each */
	char *table, *name;		/* owned */
	struct buf elements;		/* NFTA_LIST_ELEM, one behind the other */
};

/* All zero at the start. */
struct nft {
	struct nft_chain *chains;	/* owned */
	struct nft_set *sets;		/* owned */
	uint32_t n, cap, nsets, csets;
	size_t size;			/* bytes of all rules and elements */
};

#define NFT_MAX (16u << 20)		/* for nft.size */

/* Takes a message of a dump of chains into a struct nft; then of a dump of rules.  0, or -1 with ENOMEM, also beyond
 * NFT_MAX. */
int nft_chain_add(void *nft, const struct rtnl_msg *m);
int nft_rule_add(void *nft, const struct rtnl_msg *m);

/* Takes a message of a dump of tables, after the chains: those of one that is dormant are looked at no more. */
int nft_table_add(void *nft, const struct rtnl_msg *m);
void nft_free(struct nft *n);

/* A number of an attribute, UINT32_MAX when it is not there. */
uint32_t nft_u32(const struct rtnl_attr *in, unsigned type);

/* Text of an attribute, "" when it is not there. */
const char *nft_text(const struct rtnl_attr *in, unsigned type);

/* A chain by its name and its table's; NULL when there is none. */
struct nft_chain *nft_chain_find(const struct nft *n, uint8_t family, const char *table, const char *name);

#endif
