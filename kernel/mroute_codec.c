/* SPDX-License-Identifier: ISC
 *
 * Encoders and decoders of the routing sockets, in pairs: the only place where
 * the two families differ in more than numbers.
 */
#include "kernel/mroute_codec.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

_Static_assert(KERNEL_VIFS == MAXVIFS && KERNEL_VIFS == MAXMIFS, "VIFs of both families");
_Static_assert(offsetof(struct igmpmsg, im_mbz) == 9, "im_mbz lies on the protocol of an IP header");

static struct in_addr to_in4(const struct addr *a)
{
	return (struct in_addr){ a->w[3] };
}

static void set_sin6(struct sockaddr_in6 *s, const struct addr *a)
{
	s->sin6_family = AF_INET6;
	memcpy(&s->sin6_addr, a->b, sizeof s->sin6_addr);
}

static void from_in4(struct addr *a, struct in_addr in)
{
	*a = (struct addr){ .w = { 0, 0, ADDR_MAPPED_WORD, in.s_addr } };
}

/* Wrong ones may have overtaken all. */
void mroute_stats(struct mfc_stats *st, uint64_t packets, uint64_t bytes, uint64_t wrong)
{
	*st = (struct mfc_stats){ packets > wrong ? packets - wrong : 0, bytes, wrong };
}

static int vif4(union mroute_arg *a, int vif, int ifindex, uint8_t threshold)
{
	memset(&a->vif4, 0, sizeof a->vif4);
	a->vif4.vifc_vifi = (vifi_t)vif;
	a->vif4.vifc_flags = VIFF_USE_IFINDEX;
	a->vif4.vifc_threshold = threshold;
	a->vif4.vifc_lcl_ifindex = ifindex;
	return sizeof a->vif4;
}

static int vif6(union mroute_arg *a, int vif, int ifindex, uint8_t threshold)
{
	memset(&a->vif6, 0, sizeof a->vif6);
	a->vif6.mif6c_mifi = (mifi_t)vif;
	a->vif6.vifc_threshold = threshold;
	a->vif6.mif6c_pifi = (uint16_t)ifindex;
	if (a->vif6.mif6c_pifi == ifindex)
		return sizeof a->vif6;
	errno = EOVERFLOW;
	return -1;
}

static int mfc4(union mroute_arg *a, const struct addr *src, const struct addr *grp,
		int iif, uint32_t oifs, const uint8_t *ttl)
{
	memset(&a->mfc4, 0, sizeof a->mfc4);
	a->mfc4.mfcc_origin = to_in4(src);
	a->mfc4.mfcc_mcastgrp = to_in4(grp);
	a->mfc4.mfcc_parent = (vifi_t)iif;
	for (int v = 0; oifs; v++, oifs >>= 1)
		if (oifs & 1)
			a->mfc4.mfcc_ttls[v] = ttl ? ttl[v] : 1;
	return sizeof a->mfc4;
}

static int mfc6(union mroute_arg *a, const struct addr *src, const struct addr *grp,
		int iif, uint32_t oifs, const uint8_t *ttl)
{
	(void)ttl;
	memset(&a->mfc6, 0, sizeof a->mfc6);
	set_sin6(&a->mfc6.mf6cc_origin, src);
	set_sin6(&a->mfc6.mf6cc_mcastgrp, grp);
	a->mfc6.mf6cc_parent = (mifi_t)iif;
	a->mfc6.mf6cc_ifset.ifs_bits[0] = oifs;
	return sizeof a->mfc6;
}

static void sg4(union mroute_arg *a, const struct addr *src, const struct addr *grp)
{
	a->sg4 = (struct sioc_sg_req){ .src = to_in4(src), .grp = to_in4(grp) };
}

static void sg6(union mroute_arg *a, const struct addr *src, const struct addr *grp)
{
	memset(&a->sg6, 0, sizeof a->sg6);
	set_sin6(&a->sg6.src, src);
	set_sin6(&a->sg6.grp, grp);
}

static void sg4_read(const union mroute_arg *a, struct mfc_stats *st)
{
	mroute_stats(st, a->sg4.pktcnt, a->sg4.bytecnt, a->sg4.wrong_if);
}

static void sg6_read(const union mroute_arg *a, struct mfc_stats *st)
{
	mroute_stats(st, a->sg6.pktcnt, a->sg6.bytecnt, a->sg6.wrong_if);
}

static void count4(union mroute_arg *a, int vif)
{
	a->count4 = (struct sioc_vif_req){ .vifi = (vifi_t)vif };
}

static void count6(union mroute_arg *a, int vif)
{
	a->count6 = (struct sioc_mif_req6){ .mifi = (mifi_t)vif };
}

static void count4_read(const union mroute_arg *a, struct vif_stats *st)
{
	*st = (struct vif_stats){ a->count4.icount, a->count4.ibytes, a->count4.ocount, a->count4.obytes };
}

static void count6_read(const union mroute_arg *a, struct vif_stats *st)
{
	*st = (struct vif_stats){ a->count6.icount, a->count6.ibytes, a->count6.ocount, a->count6.obytes };
}

/* The two families number their messages alike (IGMPMSG_*, MRT6MSG_*). */
_Static_assert(IGMPMSG_NOCACHE == MRT6MSG_NOCACHE && IGMPMSG_WRONGVIF == MRT6MSG_WRONGMIF,
	       "message types of both families");

static bool upcall_set(struct upcall *up, enum fam fam, int type, int vif)
{
	if (type != IGMPMSG_NOCACHE && type != IGMPMSG_WRONGVIF)
		return false;
	up->kind = type == IGMPMSG_NOCACHE ? UPCALL_NOCACHE : UPCALL_WRONGVIF;
	up->fam = fam;
	up->vif = vif;
	/* Older kernels let a mapped IPv4 source of an IPv6 packet through. */
	return vif < KERNEL_VIFS && addr_fam(&up->src) == fam && addr_fam(&up->grp) == fam &&
	       addr_is_multicast(&up->grp, 128);
}

static bool upcall4(const void *p, size_t len, struct upcall *up)
{
	struct igmpmsg m;

	if (len < sizeof m)
		return false;
	memcpy(&m, p, sizeof m);
	if (m.im_mbz)
		return false;	/* an IGMP packet of a neighbour: its protocol is 2 */
	from_in4(&up->src, m.im_src);
	from_in4(&up->grp, m.im_dst);
	return upcall_set(up, FAM_4, m.im_msgtype, m.im_vif | m.im_vif_hi << 8);
}

static bool upcall6(const void *p, size_t len, struct upcall *up)
{
	struct mrt6msg m;

	if (len < sizeof m)
		return false;
	memcpy(&m, p, sizeof m);
	if (m.im6_mbz)
		return false;	/* an ICMPv6 packet: no type is 0 */
	memcpy(up->src.b, &m.im6_src, sizeof up->src.b);
	memcpy(up->grp.b, &m.im6_dst, sizeof up->grp.b);
	return upcall_set(up, FAM_6, m.im6_msgtype, m.im6_mif);
}

const struct mroute_codec mroute_codec[FAM_N] = {
	[FAM_4] = { vif4, mfc4, sg4, sg4_read, count4, count4_read, upcall4 },
	[FAM_6] = { vif6, mfc6, sg6, sg6_read, count6, count6_read, upcall6 },
};
