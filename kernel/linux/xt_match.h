/* SPDX-License-Identifier: ISC
 *
 * Matches of iptables, which its older kind has in its own tables and the newer one in rules of nftables.
 * Pure.  Private to this room.
 */
#ifndef KERNEL_LINUX_XT_MATCH_H
#define KERNEL_LINUX_XT_MATCH_H

#include "kernel/linux/filter.h"

/* Whether a match of a name and revision, with len bytes of its own struct, is true; *why is set to MAY_BY_CHANCE where
 * chance decides. */
enum match xt_match(const struct filter_packet *f, const char *name, uint8_t revision, const void *info, size_t len,
		    unsigned *why);

#endif
