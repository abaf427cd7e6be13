/* SPDX-License-Identifier: ISC
 *
 * The rules of nftables, read by nfnetlink.  Private to this room.
 */
#ifndef KERNEL_LINUX_PROBE_NFT_H
#define KERNEL_LINUX_PROBE_NFT_H

#include "kernel/linux/nft_rules.h"

/* Reads all chains, rules and sets; 0, or an errno.  nft_free() in any case. */
int probe_nft_read(struct nft *n);

#endif
