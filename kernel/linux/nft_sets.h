/* SPDX-License-Identifier: ISC
 *
 * Sets and maps of nftables as they come from the kernel, and what is in them.  Pure: no socket.  Private to this room.
 */
#ifndef KERNEL_LINUX_NFT_SETS_H
#define KERNEL_LINUX_NFT_SETS_H

#include "kernel/linux/filter.h"
#include "kernel/linux/nft_rules.h"

/* Takes a message of a dump of sets into a struct nft; then those of the dump of one set's elements.  As
 * nft_chain_add(). */
int nft_set_add(void *nft, const struct rtnl_msg *m);
int nft_elements_add(void *nft, const struct rtnl_msg *m);

/* A set by its name and its table's; NULL when there is none. */
const struct nft_set *nft_set_find(const struct nft *n, uint8_t family, const char *table, const char *name);

/* Bytes of its keys, 0 when it is empty. */
size_t nft_set_key(const struct nft_set *s);

/* Whether a key of that many bytes is in it, and then with MATCH_YES the element. */
enum match nft_set_look(const struct nft_set *s, const struct filter_value *key, struct rtnl_attr *element);

#endif
