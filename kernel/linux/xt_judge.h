/* SPDX-License-Identifier: ISC
 *
 * A table of the older iptables, as the kernel hands it out, and what it does with a multicast packet (ipt_do_table(),
 * ip6t_do_table() of the kernel).  Pure.  Private to this room.
 */
#ifndef KERNEL_LINUX_XT_JUDGE_H
#define KERNEL_LINUX_XT_JUDGE_H

#include "kernel/linux/nft_judge.h"
#include "lib/buf.h"

#define XT_NAME 32		/* XT_TABLE_MAXNAMELEN, XT_FUNCTION_MAXNAMELEN */

struct xt_rules {
	enum fam fam;
	char name[XT_NAME];
	uint32_t hooks;			/* bits of NF_INET_*: at these it looks at packets */
	uint32_t entry[5], policy[5];	/* offsets of the first and the last rule of each */
	struct buf rules;		/* struct ipt_entry or ip6t_entry, one behind the other */
	char chain[XT_NAME];		/* a name that xt_judge() told */
};

/* Where a table stands among all that look at packets of a hook; as nftables counts them. */
int xt_priority(const struct xt_rules *t);

/* Leads a packet through, at a hook that is among its own; out->chain is good until the next call. */
void xt_judge(struct xt_rules *t, unsigned hook, struct filter_packet *f, struct filter_fate *out);

#endif
