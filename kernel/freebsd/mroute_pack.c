/* SPDX-License-Identifier: ISC */
#include "kernel/freebsd/mroute_pack.h"

#include <errno.h>
#include <string.h>

_Static_assert(sizeof(struct pack_sin6) == 28 && sizeof(struct pack_vif4) == 16 && sizeof(struct pack_vif6) == 6 &&
	       sizeof(struct pack_mfc4) == 44 && sizeof(struct pack_mfc6) == 92 && sizeof(struct pack_sg6) == 80,
	       "sizes of FreeBSD");
_Static_assert(KERNEL_VIFS == sizeof((struct pack_mfc4 *)0)->ttl, "VIFs of IPv4");

static void pack_in4(uint8_t to[4], const struct addr *a)
{
	memcpy(to, a->b + 12, 4);
}

static bool pack_is_scoped(const struct addr *a)
{
	unsigned scope = a->b[1] & 0xf;

	return a->b[0] == 0xff ? scope == 1 || scope == 2 : a->b[0] == 0xfe && (a->b[1] & 0xc0) == 0x80;
}

bool pack_has_zone(const struct flow *flow)
{
	return pack_is_scoped(&flow->source) || pack_is_scoped(&flow->group);
}

void pack_clear_zone(struct addr *a)
{
	if (pack_is_scoped(a))
		a->b[2] = a->b[3] = 0;
}

static void pack_sin6(struct pack_sin6 *to, const struct addr *a, int zone)
{
	to->len = sizeof *to;
	to->family = PACK_AF_INET6;
	memcpy(to->addr, a->b, sizeof to->addr);
	if (zone > 0 && pack_is_scoped(a)) {
		to->addr[2] = (uint8_t)(zone >> 8);
		to->addr[3] = (uint8_t)zone;
	}
}

int pack_vif(union pack *a, enum fam fam, int vif, int ifindex, uint8_t threshold, const struct addr *local)
{
	memset(a, 0, sizeof *a);
	if (fam == FAM_4) {
		a->vif4.vif = (uint16_t)vif;
		a->vif4.threshold = threshold;
		pack_in4(a->vif4.local, local);
		return sizeof a->vif4;
	}
	if (ifindex != (uint16_t)ifindex) {
		errno = EOVERFLOW;
		return -1;
	}
	a->vif6.mif = (uint16_t)vif;
	a->vif6.ifindex = (uint16_t)ifindex;
	return sizeof a->vif6;
}

int pack_mfc(union pack *a, const struct flow *flow, int zone, int iif, uint32_t oifs, const uint8_t *ttl)
{
	memset(a, 0, sizeof *a);
	oifs &= ~(UINT32_C(1) << iif);
	if (flow_fam(flow) == FAM_6) {
		pack_sin6(&a->mfc6.origin, &flow->source, zone);
		pack_sin6(&a->mfc6.group, &flow->group, zone);
		a->mfc6.parent = (uint16_t)iif;
		a->mfc6.outputs[0] = oifs;
		return sizeof a->mfc6;
	}
	pack_in4(a->mfc4.origin, &flow->source);
	pack_in4(a->mfc4.group, &flow->group);
	a->mfc4.parent = (uint16_t)iif;
	for (int v = 0; oifs; v++, oifs >>= 1)
		if (oifs & 1)
			a->mfc4.ttl[v] = ttl ? ttl[v] : 1;
	return sizeof a->mfc4;
}

void pack_sg(union pack *a, const struct flow *flow, int zone)
{
	memset(a, 0, sizeof *a);
	if (flow_fam(flow) == FAM_4) {
		pack_in4(a->sg4.source, &flow->source);
		pack_in4(a->sg4.group, &flow->group);
	} else {
		pack_sin6(&a->sg6.source, &flow->source, zone);
		pack_sin6(&a->sg6.group, &flow->group, zone);
	}
}

void pack_sg_read(enum fam fam, const union pack *a, struct mfc_stats *st)
{
	if (fam == FAM_4)
		*st = (struct mfc_stats){ a->sg4.packets, a->sg4.bytes, a->sg4.wrong };
	else
		*st = (struct mfc_stats){ a->sg6.packets, a->sg6.bytes, a->sg6.wrong };
}

void pack_count(union pack *a, int vif)
{
	memset(a, 0, sizeof *a);
	a->number = (uint16_t)vif;
}

void pack_count_read(enum fam fam, const union pack *a, struct vif_stats *st)
{
	if (fam == FAM_4)
		*st = (struct vif_stats){ a->count4.in_packets, a->count4.in_bytes, a->count4.out_packets,
					  a->count4.out_bytes };
	else
		*st = (struct vif_stats){ a->count6.in_packets, a->count6.in_bytes, a->count6.out_packets,
					  a->count6.out_bytes };
}

bool pack_row(const unsigned char *table, size_t len, int vif, struct pack_row4 *row)
{
	size_t size = len / KERNEL_VIFS;

	if (size < sizeof *row || len % KERNEL_VIFS)
		return false;
	memcpy(row, table + size * (size_t)vif, sizeof *row);
	return row->ifp != NULL;
}

/* What follows ends with the packets that wait: a ring in 14 and later, a list in 13. */
size_t pack_row_mfc_size(const unsigned char *table, size_t len)
{
	static const size_t sizes[] = { sizeof(struct pack_row_mfc) + 10 * sizeof(void *),
					sizeof(struct pack_row_mfc) + 11 * sizeof(void *) };
	struct pack_row_mfc row;

	for (unsigned i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		bool is_it = len % sizes[i] == 0;

		for (size_t at = 0; is_it && at < len; at += sizes[i]) {
			memcpy(&row, table + at, sizeof row);
			is_it = row.group[0] >> 4 == 0xe && row.parent < KERNEL_VIFS;
		}
		if (is_it)
			return sizes[i];
	}
	return 0;
}

bool pack_upcall(enum fam fam, uint32_t vifs, const void *p, size_t len, struct upcall *up)
{
	/* struct igmpmsg: im_msgtype, im_mbz, im_vif, two addresses; struct mrt6msg: im6_mbz, im6_msgtype, im6_mif,
	 * padding, two addresses. */
	enum { TYPE_4 = 8, MBZ_4, VIF_4, SOURCE_4 = 12, LEN_4 = 20, TYPE_6 = 1, MIF_6, SOURCE_6 = 8, LEN_6 = 40 };
	enum { NOCACHE = 1, WRONGVIF };
	struct addr *source = &up->flow.source, *group = &up->flow.group;
	const uint8_t *b = p;
	unsigned type, mbz;
	uint16_t mif;

	if (len < (fam == FAM_4 ? LEN_4 : LEN_6))
		return false;
	up->fam = fam;
	addr_any(fam, source, &(uint8_t){ 0 });
	*group = *source;
	if (fam == FAM_4) {
		type = b[TYPE_4];
		mbz = b[MBZ_4];
		/* One byte: what follows is not set (sys/netinet/ip_mroute.c, X_ip_mforward). */
		up->vif = b[VIF_4];
		memcpy(source->b + 12, b + SOURCE_4, 4);
		memcpy(group->b + 12, b + SOURCE_4 + 4, 4);
	} else {
		type = b[TYPE_6];
		mbz = b[0];
		memcpy(&mif, b + MIF_6, sizeof mif);
		up->vif = mif;
		memcpy(source->b, b + SOURCE_6, 16);
		memcpy(group->b, b + SOURCE_6 + 16, 16);
		pack_clear_zone(source);
		pack_clear_zone(group);
	}
	up->kind = type == NOCACHE ? UPCALL_NOCACHE : UPCALL_WRONGVIF;
	return !mbz && (type == NOCACHE || type == WRONGVIF) && up->vif < KERNEL_VIFS && (vifs >> up->vif & 1) &&
	       addr_fam(source) == fam && addr_fam(group) == fam && addr_is_multicast(group, 128);
}
