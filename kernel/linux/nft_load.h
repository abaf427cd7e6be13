/* SPDX-License-Identifier: ISC
 *
 * Expressions of nftables that load registers, and those that write them to the packet.  Private to this room.
 */
#ifndef KERNEL_LINUX_NFT_LOAD_H
#define KERNEL_LINUX_NFT_LOAD_H

#include "kernel/linux/nft_run.h"

/* Runs an expression by its name and data; false when it is none of these. */
bool nft_load(struct nft_run *r, const char *name, const struct rtnl_attr *data);

#endif
