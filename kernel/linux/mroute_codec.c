/* SPDX-License-Identifier: ISC */
#include "kernel/linux/mroute_codec.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

_Static_assert(KERNEL_VIFS == MAXVIFS && KERNEL_VIFS == MAXMIFS, "VIFs of both families");

static struct in_addr mroute_in4(const struct addr *a)
{
	return (struct in_addr){ a->w[3] };
}

static struct sockaddr_in6 mroute_sin6(const struct addr *a)
{
	struct sockaddr_in6 s = { .sin6_family = AF_INET6 };

	memcpy(&s.sin6_addr, a->b, sizeof s.sin6_addr);
	return s;
}

/* Wrong ones may have overtaken all. */
void mroute_stats(struct mfc_stats *st, uint64_t packets, uint64_t bytes, uint64_t wrong)
{
	*st = (struct mfc_stats){ packets > wrong ? packets - wrong : 0, bytes, wrong };
}

/* Fields are set one by one behind a memset(): what lies between them goes to the kernel too. */

int mroute_vif(union mroute_arg *a, enum fam fam, int vif, int ifindex, uint8_t threshold)
{
	memset(a, 0, sizeof *a);
	if (fam == FAM_4) {
		a->vif4.vifc_vifi = (vifi_t)vif;
		a->vif4.vifc_flags = VIFF_USE_IFINDEX;
		a->vif4.vifc_threshold = threshold;
		a->vif4.vifc_lcl_ifindex = ifindex;
		return sizeof a->vif4;
	}
	if (ifindex != (uint16_t)ifindex) {
		errno = EOVERFLOW;
		return -1;
	}
	a->vif6.mif6c_mifi = (mifi_t)vif;
	a->vif6.vifc_threshold = threshold;
	a->vif6.mif6c_pifi = (uint16_t)ifindex;
	return sizeof a->vif6;
}

int mroute_mfc(union mroute_arg *a, const struct flow *flow, int iif, uint32_t oifs, const uint8_t *ttl)
{
	bool is_any = flow_any_source(flow);

	memset(a, 0, sizeof *a);
	/* Packets are looked up by their iif among the outputs (net/ipv4/ipmr_base.c, mr_mfc_find_any). */
	if (is_any)
		oifs |= UINT32_C(1) << iif;
	if (flow_fam(flow) == FAM_6) {
		a->mfc6.mf6cc_origin = mroute_sin6(&flow->source);
		a->mfc6.mf6cc_mcastgrp = mroute_sin6(&flow->group);
		a->mfc6.mf6cc_parent = (mifi_t)iif;
		a->mfc6.mf6cc_ifset.ifs_bits[0] = oifs;
		return sizeof a->mfc6;
	}
	a->mfc4.mfcc_origin = mroute_in4(&flow->source);
	a->mfc4.mfcc_mcastgrp = mroute_in4(&flow->group);
	a->mfc4.mfcc_parent = (vifi_t)iif;
	for (int v = 0; oifs; v++, oifs >>= 1)
		if (oifs & 1)
			a->mfc4.mfcc_ttls[v] = ttl && !(is_any && v == iif) ? ttl[v] : 1;
	return sizeof a->mfc4;
}

void mroute_sg(union mroute_arg *a, const struct flow *flow)
{
	memset(a, 0, sizeof *a);
	if (flow_fam(flow) == FAM_4)
		a->sg4 = (struct sioc_sg_req){ .src = mroute_in4(&flow->source), .grp = mroute_in4(&flow->group) };
	else
		a->sg6 = (struct sioc_sg_req6){ .src = mroute_sin6(&flow->source), .grp = mroute_sin6(&flow->group) };
}

void mroute_sg_read(enum fam fam, const union mroute_arg *a, struct mfc_stats *st)
{
	if (fam == FAM_4)
		mroute_stats(st, a->sg4.pktcnt, a->sg4.bytecnt, a->sg4.wrong_if);
	else
		mroute_stats(st, a->sg6.pktcnt, a->sg6.bytecnt, a->sg6.wrong_if);
}

_Static_assert(IGMPMSG_NOCACHE == MRT6MSG_NOCACHE && IGMPMSG_WRONGVIF == MRT6MSG_WRONGMIF,
	       "message types of both families");
_Static_assert(offsetof(struct igmpmsg, im_mbz) == 9, "im_mbz lies on the protocol of an IP header");

bool mroute_upcall(enum fam fam, const void *p, size_t len, struct upcall *up)
{
	struct addr *source = &up->flow.source, *group = &up->flow.group;
	unsigned mbz, type;
	struct igmpmsg m4;
	struct mrt6msg m6;
	uint8_t any_len;

	if (len < (fam == FAM_4 ? sizeof m4 : sizeof m6))
		return false;
	if (fam == FAM_4) {
		memcpy(&m4, p, sizeof m4);
		mbz = m4.im_mbz;
		type = m4.im_msgtype;
		/* im_vif_hi, which linux/mroute.h has since 5.2, stands behind im_vif. */
		up->vif = m4.im_vif | ((const uint8_t *)p)[offsetof(struct igmpmsg, im_vif) + 1] << 8;
		addr_any(FAM_4, source, &any_len);
		*group = *source;
		memcpy(source->b + 12, &m4.im_src, 4);
		memcpy(group->b + 12, &m4.im_dst, 4);
	} else {
		memcpy(&m6, p, sizeof m6);
		mbz = m6.im6_mbz;
		type = m6.im6_msgtype;
		up->vif = m6.im6_mif;
		memcpy(source->b, &m6.im6_src, 16);
		memcpy(group->b, &m6.im6_dst, 16);
	}
	up->fam = fam;
	up->kind = type == IGMPMSG_NOCACHE ? UPCALL_NOCACHE : UPCALL_WRONGVIF;
	/* A packet that came before the filter has its protocol there, IGMP, or the type of ICMPv6.  Older kernels let
	 * a mapped IPv4 source of an IPv6 packet through. */
	return !mbz && (type == IGMPMSG_NOCACHE || type == IGMPMSG_WRONGVIF) && up->vif < KERNEL_VIFS &&
	       addr_fam(source) == fam && addr_fam(group) == fam && addr_is_multicast(group, 128);
}
