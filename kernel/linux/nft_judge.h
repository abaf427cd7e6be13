/* SPDX-License-Identifier: ISC
 *
 * What a base chain of nftables and those it jumps to do with a multicast packet.  Pure.  A rule is judged only as far
 * as it asks for what is known of the packet; anything else "may match".  Private to this room.
 */
#ifndef KERNEL_LINUX_NFT_JUDGE_H
#define KERNEL_LINUX_NFT_JUDGE_H

#include "kernel/linux/filter.h"
#include "kernel/linux/nft_rules.h"

/* What became of it in a base chain. */
struct filter_fate {
	unsigned bits;			/* FILTER_ACCEPTED, FILTER_DROPPED */
	unsigned why;			/* MAY_* bits of the rules that could not be told */
	const char *chain;		/* which has the rule that drops or changes it, NULL: the policy does */
	uint64_t rule;			/* its handle */
	struct probe_tc_place tc;
};

/* Leads a packet through, which rules may change. */
void nft_judge(const struct nft *n, const struct nft_chain *base, struct filter_packet *f, struct filter_fate *out);

#endif
