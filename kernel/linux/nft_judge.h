/* SPDX-License-Identifier: ISC
 *
 * What rules of nftables would do with a multicast packet.  Pure.  A rule is judged only as far as it asks for what is
 * known of the packet: its addresses, its interfaces, that it is UDP and of no known connection; anything else "may
 * match".  Private to this room.
 */
#ifndef KERNEL_LINUX_NFT_JUDGE_H
#define KERNEL_LINUX_NFT_JUDGE_H

#include "kernel/linux/nft_rules.h"
#include "kernel/probe.h"

/* What becomes of a packet in a base chain, as bits: either, or both when it cannot be told. */
enum { NFT_ACCEPTS = 1, NFT_DROPS = 2 };
unsigned nft_judge(const struct nft *n, const struct nft_chain *base, const struct probe_packet *p);

#endif
