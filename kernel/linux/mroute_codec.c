/* SPDX-License-Identifier: ISC
 *
 * Encoders of the routing sockets in pairs, decoders by tables: the only place
 * where the two families differ in more than numbers.
 */
#include "kernel/linux/mroute_codec.h"

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

static int mfc4(union mroute_arg *a, const struct flow *flow,
		int iif, uint32_t oifs, const uint8_t *ttl)
{
	memset(&a->mfc4, 0, sizeof a->mfc4);
	a->mfc4.mfcc_origin = to_in4(&flow->source);
	a->mfc4.mfcc_mcastgrp = to_in4(&flow->group);
	a->mfc4.mfcc_parent = (vifi_t)iif;
	for (int v = 0; oifs; v++, oifs >>= 1)
		if (oifs & 1)
			a->mfc4.mfcc_ttls[v] = ttl ? ttl[v] : 1;
	return sizeof a->mfc4;
}

static int mfc6(union mroute_arg *a, const struct flow *flow,
		int iif, uint32_t oifs, const uint8_t *ttl)
{
	(void)ttl;
	memset(&a->mfc6, 0, sizeof a->mfc6);
	set_sin6(&a->mfc6.mf6cc_origin, &flow->source);
	set_sin6(&a->mfc6.mf6cc_mcastgrp, &flow->group);
	a->mfc6.mf6cc_parent = (mifi_t)iif;
	a->mfc6.mf6cc_ifset.ifs_bits[0] = oifs;
	return sizeof a->mfc6;
}

static void sg4(union mroute_arg *a, const struct flow *flow)
{
	a->sg4 = (struct sioc_sg_req){ .src = to_in4(&flow->source), .grp = to_in4(&flow->group) };
}

static void sg6(union mroute_arg *a, const struct flow *flow)
{
	memset(&a->sg6, 0, sizeof a->sg6);
	set_sin6(&a->sg6.src, &flow->source);
	set_sin6(&a->sg6.grp, &flow->group);
}

const struct mroute_codec mroute_codec[FAM_N] = {
	[FAM_4] = { vif4, mfc4, sg4 },
	[FAM_6] = { vif6, mfc6, sg6 },
};

void mroute_sg_read(enum fam fam, const union mroute_arg *a, struct mfc_stats *st)
{
	if (fam == FAM_4)
		mroute_stats(st, a->sg4.pktcnt, a->sg4.bytecnt, a->sg4.wrong_if);
	else
		mroute_stats(st, a->sg6.pktcnt, a->sg6.bytecnt, a->sg6.wrong_if);
}

_Static_assert(sizeof(vifi_t) == sizeof(mifi_t) &&
	       offsetof(struct sioc_vif_req, icount) == offsetof(struct sioc_mif_req6, icount) &&
	       offsetof(struct sioc_vif_req, ocount) == offsetof(struct sioc_mif_req6, ocount) &&
	       offsetof(struct sioc_vif_req, ibytes) == offsetof(struct sioc_mif_req6, ibytes) &&
	       offsetof(struct sioc_vif_req, obytes) == offsetof(struct sioc_mif_req6, obytes),
	       "counters of both families");

void mroute_count(union mroute_arg *a, int vif)
{
	a->count = (struct sioc_vif_req){ .vifi = (vifi_t)vif };
}

void mroute_count_read(const union mroute_arg *a, struct vif_stats *st)
{
	*st = (struct vif_stats){ a->count.icount, a->count.ibytes, a->count.ocount, a->count.obytes };
}

/* The two families number their messages alike (IGMPMSG_*, MRT6MSG_*). */
_Static_assert(IGMPMSG_NOCACHE == MRT6MSG_NOCACHE && IGMPMSG_WRONGVIF == MRT6MSG_WRONGMIF,
	       "message types of both families");

/* Where an upcall has what. */
static const struct message {
	uint8_t size, mbz, type, vif, src, dst, addr;
} message[FAM_N] = {
	[FAM_4] = {
		.size = sizeof(struct igmpmsg), .mbz = offsetof(struct igmpmsg, im_mbz),
		.type = offsetof(struct igmpmsg, im_msgtype), .vif = offsetof(struct igmpmsg, im_vif),
		.src = offsetof(struct igmpmsg, im_src), .dst = offsetof(struct igmpmsg, im_dst), .addr = 4,
	},
	[FAM_6] = {
		.size = sizeof(struct mrt6msg), .mbz = offsetof(struct mrt6msg, im6_mbz),
		.type = offsetof(struct mrt6msg, im6_msgtype), .vif = offsetof(struct mrt6msg, im6_mif),
		.src = offsetof(struct mrt6msg, im6_src), .dst = offsetof(struct mrt6msg, im6_dst), .addr = 16,
	},
};

static bool addr_read(enum fam fam, struct addr *a, const uint8_t *p)
{
	size_t n = message[fam].addr;
	uint8_t len;

	addr_any(fam, a, &len);
	memcpy(a->b + sizeof a->b - n, p, n);
	/* Older kernels let a mapped IPv4 source of an IPv6 packet through. */
	return addr_fam(a) == fam;
}

bool mroute_upcall(enum fam fam, const void *p, size_t len, struct upcall *up)
{
	const struct message *m = &message[fam];
	const uint8_t *b = p, *vif;
	uint16_t mif;

	/* A packet that came before the filter has its protocol there, IGMP, or the type of ICMPv6. */
	if (len < m->size || b[m->mbz])
		return false;
	vif = b + m->vif;
	memcpy(&mif, vif, sizeof mif);
	up->vif = fam == FAM_4 ? vif[0] | vif[1] << 8 : mif;	/* im_vif, im_vif_hi */
	up->fam = fam;
	up->kind = b[m->type] == IGMPMSG_NOCACHE ? UPCALL_NOCACHE : UPCALL_WRONGVIF;
	return (b[m->type] == IGMPMSG_NOCACHE || b[m->type] == IGMPMSG_WRONGVIF) && up->vif < KERNEL_VIFS &&
	       addr_read(fam, &up->flow.source, b + m->src) && addr_read(fam, &up->flow.group, b + m->dst) &&
	       addr_is_multicast(&up->flow.group, 128);
}
