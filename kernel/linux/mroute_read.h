/* SPDX-License-Identifier: ISC
 *
 * What stands in a routing table that somebody else filled.  Private to this room.
 */
#ifndef KERNEL_LINUX_MROUTE_READ_H
#define KERNEL_LINUX_MROUTE_READ_H

#include "kernel/kernel.h"

/* Finds the interface of each VIF, as kernel_vifs_read() for the socket that holds the table. */
int mroute_read_vifs(int fd, enum fam fam, int ifindex[KERNEL_VIFS]);

/* As kernel_mfc_read(), with what mroute_read_vifs() found. */
int mroute_read_entries(enum fam fam, uint32_t table, const int ifindex[KERNEL_VIFS], kernel_mfc_found_fn *fn,
			void *ctx);

/* The counters of an entry, as kernel_mfc_stats() has them, but not by the routing socket.  errno ENOENT: no such
 * entry; EOPNOTSUPP: this kernel does not tell of one alone (ip6mr_rtm_getroute() came with Linux 6.0). */
int mroute_read_stats(const struct flow *flow, uint32_t table, struct mfc_stats *st);

#endif
