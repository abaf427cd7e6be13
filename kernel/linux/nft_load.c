/* SPDX-License-Identifier: ISC
 *
 * A small reading of the kernel's meta, payload, ct, fib, bitwise and byteorder expressions (net/netfilter/).
 */
#include "kernel/linux/nft_load.h"

#include <arpa/inet.h>
#include <string.h>

#include <linux/if_arp.h>
#include <linux/if_packet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>

#define RTN_UNICAST 1			/* of linux/rtnetlink.h */
#define RTN_MULTICAST 5

/* Each returns a register's value by *a; false when it is not known. */
typedef bool nft_load_fn(struct nft_run *r, const struct rtnl_attr *data, struct filter_value *a);

static bool nft_load_meta(struct nft_run *r, const struct rtnl_attr *data, struct filter_value *a)
{
	const struct filter_packet *f = r->f;
	uint8_t family = f->v4 ? NFPROTO_IPV4 : NFPROTO_IPV6, type = PACKET_MULTICAST;
	uint16_t hardware = ARPHRD_ETHER;
	uint32_t key = nft_u32(data, NFTA_META_KEY);

	switch (key) {
	case NFT_META_IIF:
		filter_value(a, f->has_iif && (f->iif || !*f->iif_name) ? &f->iif : NULL, NULL, 4);
		break;
	case NFT_META_OIF:
		filter_value(a, f->has_oif && (f->oif || !*f->oif_name) ? &f->oif : NULL, NULL, 4);
		break;
	case NFT_META_IIFNAME:
		filter_value(a, f->has_iif && (*f->iif_name || !f->iif) ? f->iif_name : NULL, NULL, KERNEL_IFNAME);
		break;
	case NFT_META_OIFNAME:
		filter_value(a, f->has_oif && (*f->oif_name || !f->oif) ? f->oif_name : NULL, NULL, KERNEL_IFNAME);
		break;
	case NFT_META_PROTOCOL:
		filter_value(a, f->ether + 12, NULL, 2);
		break;
	case NFT_META_NFPROTO:
		if (r->in->family == NFPROTO_BRIDGE || r->in->family == NFPROTO_NETDEV)
			family = r->in->family;
		filter_value(a, &family, NULL, 1);
		break;
	case NFT_META_L4PROTO:
		filter_value(a, &f->protocol, NULL, 1);
		break;
	case NFT_META_PKTTYPE:
		filter_value(a, f->p->is_frame == 1 ? &type : NULL, NULL, 1);
		break;
	case NFT_META_IIFTYPE: case NFT_META_OIFTYPE:
		filter_value(a, f->p->is_frame == 1 ? &hardware : NULL, NULL, 2);
		break;
	case NFT_META_MARK:
		filter_value(a, &f->mark.v, &f->mark.known, 4);
		break;
	case NFT_META_SKUID: case NFT_META_SKGID: case NFT_META_CGROUP:
		nft_and(r, MATCH_NO, 0);	/* of a packet of this host alone */
		return false;
	case NFT_META_PRANDOM:
		r->is_random = true;
		return false;
	default:
		return false;
	}
	return true;
}

/* Part of a header; an offset from its beginning. */
static bool nft_load_payload(struct nft_run *r, const struct rtnl_attr *data, struct filter_value *a)
{
	const struct filter_packet *f = r->f;
	uint32_t offset = nft_u32(data, NFTA_PAYLOAD_OFFSET), len = nft_u32(data, NFTA_PAYLOAD_LEN);
	const uint8_t *v = f->ip, *known = f->ip_known;
	size_t size = f->v4 ? 20 : 40;

	switch (nft_u32(data, NFTA_PAYLOAD_BASE)) {
	case NFT_PAYLOAD_LL_HEADER:
		v = f->ether;
		known = f->ether_known;
		size = f->p->is_frame == 1 ? sizeof f->ether : 0;
		break;
	case NFT_PAYLOAD_NETWORK_HEADER:
		break;
	case NFT_PAYLOAD_TRANSPORT_HEADER:
		v = f->ports;
		known = f->ports_known;
		size = sizeof f->ports;
		break;
	default:
		return false;
	}
	if (!len || offset >= size || len > size - offset)
		return false;
	filter_value(a, v + offset, known + offset, len);
	return true;
}

/* With the header's own offset. */
static void nft_write_payload(struct nft_run *r, const struct rtnl_attr *data)
{
	uint32_t offset = nft_u32(data, NFTA_PAYLOAD_OFFSET), len = nft_u32(data, NFTA_PAYLOAD_LEN);
	uint32_t base = nft_u32(data, NFTA_PAYLOAD_BASE);
	bool is_ip = base == NFT_PAYLOAD_NETWORK_HEADER;
	size_t size = is_ip ? sizeof r->f->ip : sizeof r->f->ports;
	uint8_t *v = r->f->ports, *known = r->f->ports_known;
	struct filter_value a;

	if ((!is_ip && base != NFT_PAYLOAD_TRANSPORT_HEADER) || !len || offset >= size || len > size - offset)
		return;
	if (!nft_reg_get(r, nft_u32(data, NFTA_PAYLOAD_SREG), len, &a))
		filter_value(&a, NULL, NULL, len);
	if (is_ip) {
		filter_write(r->f, offset, &a, nft_reach(r) == MATCH_YES);
		return;
	}
	for (uint32_t i = 0; i < len; i++) {
		uint8_t same = (uint8_t)~(v[offset + i] ^ a.v[i]) & known[offset + i];

		known[offset + i] = a.known[i] & (nft_reach(r) == MATCH_YES ? 0xff : same);
		v[offset + i] = a.v[i];
	}
}

/* A mark, from a register. */
static void nft_write_mark(struct nft_run *r, uint32_t sreg, struct filter_bits *to)
{
	struct filter_value a;
	struct filter_bits from;

	if (!nft_reg_get(r, sreg, 4, &a))
		filter_value(&a, NULL, NULL, 4);
	memcpy(&from.v, a.v, 4);
	memcpy(&from.known, a.known, 4);
	filter_set_mark(to, from, UINT32_MAX, nft_reach(r) == MATCH_YES);
}

static void nft_write_meta(struct nft_run *r, const struct rtnl_attr *data)
{
	if (nft_u32(data, NFTA_META_KEY) == NFT_META_MARK)
		nft_write_mark(r, nft_u32(data, NFTA_META_SREG), &r->f->mark);
}

static void nft_write_ct(struct nft_run *r, const struct rtnl_attr *data)
{
	if (nft_u32(data, NFTA_CT_KEY) == NFT_CT_MARK)
		nft_write_mark(r, nft_u32(data, NFTA_CT_SREG), &r->f->connmark);
}

static bool nft_load_ct(struct nft_run *r, const struct rtnl_attr *data, struct filter_value *a)
{
	const struct filter_packet *f = r->f;
	uint32_t key = nft_u32(data, NFTA_CT_KEY), known, state = filter_state(f, &known);

	/* What is not followed has nothing but a state, and a rule that asks for more does not match. */
	if (key != NFT_CT_STATE && f->untracked == 1 && nft_u32(data, NFTA_CT_SREG) == UINT32_MAX)
		nft_and(r, MATCH_NO, 0);
	else if (key == NFT_CT_STATE)
		filter_value(a, &state, &known, 4);
	else if (key == NFT_CT_MARK)
		filter_value(a, &f->connmark.v, &f->connmark.known, 4);
	else if (key == NFT_CT_DIRECTION)
		filter_value(a, &(uint8_t){ 0 }, NULL, 1);	/* IP_CT_DIR_ORIGINAL */
	else if (key == NFT_CT_STATUS)
		filter_value(a, &(uint32_t){ 0 }, &(uint32_t){ FILTER_STATUS_NONE }, 4);
	else
		return false;
	return true;
}

/* What the routes of this host say of an address. */
static bool nft_load_fib(struct nft_run *r, const struct rtnl_attr *data, struct filter_value *a)
{
	uint32_t flags = nft_u32(data, NFTA_FIB_FLAGS), what = nft_u32(data, NFTA_FIB_RESULT), type = RTN_MULTICAST;
	const struct filter_packet *f = r->f;
	tristate back = f->p->routes_back;
	static const char none[KERNEL_IFNAME] = "";
	const char *name = back == 1 ? f->iif_name : none;
	uint32_t index = back == 1 ? f->iif : 0;
	uint8_t is_present = back == 1;

	if (what == NFT_FIB_RESULT_ADDRTYPE) {
		if (!(flags & NFTA_FIB_F_DADDR) && back != 1)
			return false;
		type = flags & NFTA_FIB_F_DADDR ? RTN_MULTICAST : RTN_UNICAST;
		filter_value(a, &type, NULL, 4);
		return true;
	}
	/* The way back: the interface that it came in on, or none. */
	if (!(flags & NFTA_FIB_F_SADDR) || !(flags & NFTA_FIB_F_IIF) || back < 0 || !f->has_iif ||
	    (flags & NFTA_FIB_F_MARK && (f->mark.v || f->mark.known != UINT32_MAX)))
		return false;
	if (flags & NFTA_FIB_F_PRESENT)
		filter_value(a, &is_present, NULL, 1);
	else if (what == NFT_FIB_RESULT_OIF)
		filter_value(a, &index, NULL, 4);
	else
		filter_value(a, name, NULL, KERNEL_IFNAME);
	return true;
}

static bool nft_load_bitwise(struct nft_run *r, const struct rtnl_attr *data, struct filter_value *a)
{
	uint32_t n = nft_u32(data, NFTA_BITWISE_LEN);
	struct rtnl_attr mask = nft_inside(data, NFTA_BITWISE_MASK, NFTA_DATA_VALUE);
	struct rtnl_attr xor = nft_inside(data, NFTA_BITWISE_XOR, NFTA_DATA_VALUE);

	/* A shift has neither. */
	if (mask.len < n || xor.len < n || !nft_reg_get(r, nft_u32(data, NFTA_BITWISE_SREG), n, a))
		return false;
	for (uint32_t i = 0; i < n; i++) {
		a->v[i] = (a->v[i] & mask.p[i]) ^ xor.p[i];
		a->known[i] |= (uint8_t)~mask.p[i];
	}
	return true;
}

/* Numbers of 2 or 4 bytes from the order of this host to the other, or back; of 8 are none that are known. */
static bool nft_load_byteorder(struct nft_run *r, const struct rtnl_attr *data, struct filter_value *a)
{
	uint32_t len = nft_u32(data, NFTA_BYTEORDER_LEN), size = nft_u32(data, NFTA_BYTEORDER_SIZE);

	if ((size != 2 && size != 4) || !nft_reg_get(r, nft_u32(data, NFTA_BYTEORDER_SREG), len, a))
		return false;
	for (size_t i = 0; htonl(1) != 1 && i + size <= len; i += size)
		for (size_t k = 0; k < size / 2; k++) {
			uint8_t *from[] = { a->v + i + k, a->known + i + k };
			uint8_t *to[] = { a->v + i + size - 1 - k, a->known + i + size - 1 - k };

			for (unsigned w = 0; w < 2; w++) {
				uint8_t byte = *from[w];

				*from[w] = *to[w];
				*to[w] = byte;
			}
		}
	return true;
}

static bool nft_load_random(struct nft_run *r, const struct rtnl_attr *data, struct filter_value *a)
{
	(void)data;
	(void)a;
	r->is_random = true;
	return false;
}

static bool nft_load_immediate(struct nft_run *r, const struct rtnl_attr *data, struct filter_value *a)
{
	struct rtnl_attr v = nft_inside(data, NFTA_IMMEDIATE_DATA, NFTA_DATA_VALUE);

	(void)r;
	filter_value(a, v.p, NULL, v.len);
	return v.len;
}

static bool nft_load_nothing(struct nft_run *r, const struct rtnl_attr *data, struct filter_value *a)
{
	(void)r;
	(void)data;
	(void)a;
	return false;
}

static const struct nft_loader {
	const char *name;
	nft_load_fn *load;
	unsigned dreg;			/* attribute with the register that it loads */
	void (*write)(struct nft_run *r, const struct rtnl_attr *data);	/* where it has none */
} nft_loaders[] = {
	{ .name = "meta", .load = nft_load_meta, .dreg = NFTA_META_DREG, .write = nft_write_meta },
	{ .name = "payload", .load = nft_load_payload, .dreg = NFTA_PAYLOAD_DREG, .write = nft_write_payload },
	{ .name = "ct", .load = nft_load_ct, .dreg = NFTA_CT_DREG, .write = nft_write_ct },
	{ .name = "fib", .load = nft_load_fib, .dreg = NFTA_FIB_DREG },
	{ .name = "bitwise", .load = nft_load_bitwise, .dreg = NFTA_BITWISE_DREG },
	{ .name = "byteorder", .load = nft_load_byteorder, .dreg = NFTA_BYTEORDER_DREG },
	{ .name = "numgen", .load = nft_load_random, .dreg = NFTA_NG_DREG },
	{ .name = "hash", .load = nft_load_nothing, .dreg = NFTA_HASH_DREG },
	{ .name = "rt", .load = nft_load_nothing, .dreg = NFTA_RT_DREG },
	{ .name = "immediate", .load = nft_load_immediate, .dreg = NFTA_IMMEDIATE_DREG },
};

bool nft_load(struct nft_run *r, const char *name, const struct rtnl_attr *data)
{
	for (const struct nft_loader *l = nft_loaders; l < nft_loaders + sizeof nft_loaders / sizeof *l; l++) {
		uint32_t dreg = nft_u32(data, l->dreg);
		struct filter_value a;

		if (strcmp(l->name, name) || dreg == NFT_REG_VERDICT)
			continue;
		if (dreg != UINT32_MAX)
			nft_reg_set(r, dreg, l->load(r, data, &a) ? &a : NULL);
		else if (l->write)
			l->write(r, data);
		return true;
	}
	return false;
}
