/* SPDX-License-Identifier: ISC
 *
 * Expressions of nftables that ask or decide.  Private to this room.
 */
#ifndef KERNEL_LINUX_NFT_MATCH_H
#define KERNEL_LINUX_NFT_MATCH_H

#include "kernel/linux/nft_run.h"

/* Runs an expression by its name and data; false when it is none of these. */
bool nft_match(struct nft_run *r, const char *name, const struct rtnl_attr *data);

#endif
