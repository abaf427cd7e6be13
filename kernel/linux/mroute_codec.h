/* SPDX-License-Identifier: ISC
 *
 * The structures of linux/mroute.h and linux/mroute6.h from and to our own values: the only place where the two
 * families differ in more than numbers.  Pure: no socket, no state, every length checked.  Private to this room.
 */
#ifndef KERNEL_LINUX_MROUTE_CODEC_H
#define KERNEL_LINUX_MROUTE_CODEC_H

#include <netinet/in.h>

#include <linux/mroute.h>
#include <linux/mroute6.h>

#include "kernel/kernel.h"

/* Any argument of the routing sockets' options and ioctls. */
union mroute_arg {
	struct vifctl vif4;
	struct mif6ctl vif6;
	struct mfcctl mfc4;
	struct mf6cctl mfc6;
	struct sioc_sg_req sg4;
	struct sioc_sg_req6 sg6;
	struct sioc_vif_req count;	/* struct sioc_mif_req6 is alike, as mroute.c has it checked */
};

/* Fills in what adds and removes a VIF; its size, or -1 with EOVERFLOW. */
int mroute_vif(union mroute_arg *a, enum fam fam, int vif, int ifindex, uint8_t threshold);

/* Fills in what adds and removes an entry; its size. */
int mroute_mfc(union mroute_arg *a, const struct flow *flow, int iif, uint32_t oifs, const uint8_t *ttl);

/* Fills in the question for the counters of an entry, and reads the answer. */
void mroute_sg(union mroute_arg *a, const struct flow *flow);
void mroute_sg_read(enum fam fam, const union mroute_arg *a, struct mfc_stats *st);

/* Reads one message of the routing socket; false when it is no upcall of ours. */
bool mroute_upcall(enum fam fam, const void *p, size_t len, struct upcall *up);

/* Longest message that mroute_upcall() needs to see: an IPv4 header with all options and the IGMP header that
 * ipmr_cache_report() puts behind it. */
#define MROUTE_UPCALL_MAX 68

/* Sets *st from counters that were read one after the other while they went on. */
void mroute_stats(struct mfc_stats *st, uint64_t packets, uint64_t bytes, uint64_t wrong);

#endif
