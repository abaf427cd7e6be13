/* SPDX-License-Identifier: ISC
 *
 * A small reading of net/netfilter/nft_*.c: what asks for addresses, interfaces
 * and connection state is run, the rest leaves a register unknown or "may"
 * match.
 */
#include "kernel/nft_expr.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <string.h>

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nf_tables_compat.h>
#include <linux/netfilter/xt_conntrack.h>

#define CT_NEW 8u		/* NF_CT_STATE_BIT(IP_CT_NEW) */
#define UDP 17
#define TO_MANY 2		/* PACKET_MULTICAST of linux/if_packet.h */

static uint32_t be32(const struct rtnl_attr *a)
{
	return ntohl(rtnl_u32(a));
}

bool nft_named(const struct rtnl_attr *a, const char *name)
{
	size_t len = strlen(name);

	return a->p && a->len >= len && !memcmp(a->p, name, len) && (a->len == len || !a->p[len]);
}

/* First word of a register of len bytes, -1 when there is none such (nft_parse_register()). */
static int reg_at(uint32_t reg, size_t len)
{
	uint32_t at = reg <= NFT_REG_4 ? reg * 4 : reg - NFT_REG32_00 + 4;

	return reg == NFT_REG_VERDICT || (reg > NFT_REG_4 && reg < NFT_REG32_00) || at >= NFT_WORDS ||
	       len > (NFT_WORDS - at) * 4 ? -1 : (int)at;
}

/* Fills a register, or with p = NULL makes it unknown, and all behind it of which the length is
 * not told. */
static void reg_set(struct nft_run *r, const struct rtnl_attr *dreg, const void *p, size_t len)
{
	int at = dreg->p ? reg_at(be32(dreg), p ? len : 4) : -1;
	size_t words = p ? (len + 3) / 4 : 4;

	if (at < 0)
		return;
	if (words > NFT_WORDS - (size_t)at)
		words = NFT_WORDS - (size_t)at;
	memset(r->reg + at * 4, 0, words * 4);
	if (p)
		memcpy(r->reg + at * 4, p, len);
	for (size_t i = 0; i < words; i++)
		r->known[(size_t)at + i] = p;
}

/* The bytes of a register, NULL when they are not known. */
static const uint8_t *reg_get(const struct nft_run *r, const struct rtnl_attr *sreg, size_t len)
{
	int at = sreg->p ? reg_at(be32(sreg), len) : -1;

	if (at < 0 || !len)
		return NULL;
	for (size_t i = 0; i < (len + 3) / 4; i++)
		if (!r->known[(size_t)at + i])
			return NULL;
	return r->reg + at * 4;
}

static enum nft_match expr_meta(struct nft_run *r, const struct rtnl_attr *data)
{
	enum { DREG, KEY, ATTRS };
	struct rtnl_attr at[ATTRS] = {
		[DREG] = { .type = NFTA_META_DREG, .least = 4 },
		[KEY] = { .type = NFTA_META_KEY, .least = 4 },
	};
	char name[IFNAMSIZ] = "";
	const char *dev;
	uint8_t byte;
	uint32_t word;

	if (!rtnl_attrs_find(data->p, data->len, at, ATTRS) || !at[KEY].p)
		return NFT_MAY;
	switch (be32(&at[KEY])) {
	case NFT_META_IIF:
	case NFT_META_OIF:
		word = (uint32_t)(be32(&at[KEY]) == NFT_META_IIF ? r->p->iif : r->p->oif);
		reg_set(r, &at[DREG], word ? &word : NULL, sizeof word);
		return NFT_YES;
	case NFT_META_IIFNAME:
	case NFT_META_OIFNAME:
		dev = be32(&at[KEY]) == NFT_META_IIFNAME ? r->p->iif_name : r->p->oif_name;
		if (dev)
			memcpy(name, dev, strnlen(dev, sizeof name - 1));
		reg_set(r, &at[DREG], dev ? name : NULL, sizeof name);
		return NFT_YES;
	case NFT_META_NFPROTO:
		byte = r->fam == FAM_4 ? NFPROTO_IPV4 : NFPROTO_IPV6;
		break;
	case NFT_META_L4PROTO:
		byte = UDP;
		break;
	case NFT_META_PKTTYPE:
		byte = TO_MANY;
		break;
	default:
		reg_set(r, &at[DREG], NULL, 0);
		return NFT_YES;
	}
	reg_set(r, &at[DREG], &byte, 1);
	return NFT_YES;
}

/* The addresses of the header, or nothing. */
static const uint8_t *header_bytes(const struct nft_run *r, uint32_t offset, uint32_t len)
{
	uint32_t size = r->fam == FAM_4 ? 4 : 16, src = r->fam == FAM_4 ? 12 : 8;

	if (!len || len > size || offset < src || offset >= src + 2 * size)
		return NULL;
	if (offset < src + size)
		return r->p->any_source || offset + len > src + size ? NULL :
		       r->p->src.b + 16 - size + (offset - src);
	offset -= src + size;
	return offset + len > size ? NULL : r->p->grp.b + 16 - size + offset;
}

static enum nft_match expr_payload(struct nft_run *r, const struct rtnl_attr *data)
{
	enum { DREG, BASE, OFFSET, LEN, SREG, ATTRS };
	struct rtnl_attr at[ATTRS] = {
		[DREG] = { .type = NFTA_PAYLOAD_DREG, .least = 4 },
		[BASE] = { .type = NFTA_PAYLOAD_BASE, .least = 4 },
		[OFFSET] = { .type = NFTA_PAYLOAD_OFFSET, .least = 4 },
		[LEN] = { .type = NFTA_PAYLOAD_LEN, .least = 4 },
		[SREG] = { .type = NFTA_PAYLOAD_SREG },
	};
	const uint8_t *p = NULL;
	uint32_t len;

	if (!rtnl_attrs_find(data->p, data->len, at, ATTRS))
		return NFT_MAY;
	if (at[SREG].p)
		return NFT_YES;		/* it writes: nothing is asked */
	len = be32(&at[LEN]);
	if (at[BASE].p && be32(&at[BASE]) == NFT_PAYLOAD_NETWORK_HEADER)
		p = header_bytes(r, be32(&at[OFFSET]), len);
	reg_set(r, &at[DREG], p, len);
	return NFT_YES;
}

/* New to connection tracking: nothing ever answers from a group. */
static enum nft_match expr_ct(struct nft_run *r, const struct rtnl_attr *data)
{
	enum { DREG, KEY, ATTRS };
	struct rtnl_attr at[ATTRS] = {
		[DREG] = { .type = NFTA_CT_DREG, .least = 4 },
		[KEY] = { .type = NFTA_CT_KEY, .least = 4 },
	};
	uint32_t state = CT_NEW;
	bool is_state;

	if (!rtnl_attrs_find(data->p, data->len, at, ATTRS))
		return NFT_MAY;
	is_state = at[KEY].p && be32(&at[KEY]) == NFT_CT_STATE;
	reg_set(r, &at[DREG], is_state ? &state : NULL, sizeof state);
	return NFT_YES;
}

/* The value inside a data attribute; false when there is none. */
static bool value(const struct rtnl_attr *data, struct rtnl_attr *v)
{
	*v = (struct rtnl_attr){ .type = NFTA_DATA_VALUE };
	return data->p && rtnl_attrs_find(data->p, data->len, v, 1) && v->p;
}

static enum nft_match expr_bitwise(struct nft_run *r, const struct rtnl_attr *data)
{
	enum { SREG, DREG, LEN, MASK, XOR, ATTRS };
	struct rtnl_attr at[ATTRS] = {
		[SREG] = { .type = NFTA_BITWISE_SREG, .least = 4 },
		[DREG] = { .type = NFTA_BITWISE_DREG, .least = 4 },
		[LEN] = { .type = NFTA_BITWISE_LEN, .least = 4 },
		[MASK] = { .type = NFTA_BITWISE_MASK },
		[XOR] = { .type = NFTA_BITWISE_XOR },
	}, mask, xor;
	uint8_t out[16];
	const uint8_t *p;
	uint32_t len;

	if (!rtnl_attrs_find(data->p, data->len, at, ATTRS))
		return NFT_MAY;
	len = be32(&at[LEN]);
	p = len <= sizeof out ? reg_get(r, &at[SREG], len) : NULL;
	if (!p || !value(&at[MASK], &mask) || !value(&at[XOR], &xor) || mask.len < len || xor.len < len) {
		reg_set(r, &at[DREG], NULL, 0);		/* a shift, or of something unknown */
		return NFT_YES;
	}
	for (uint32_t i = 0; i < len; i++)
		out[i] = (p[i] & mask.p[i]) ^ xor.p[i];
	reg_set(r, &at[DREG], out, len);
	return NFT_YES;
}

static enum nft_match expr_cmp(struct nft_run *r, const struct rtnl_attr *data)
{
	enum { SREG, OP, DATA, ATTRS };
	struct rtnl_attr at[ATTRS] = {
		[SREG] = { .type = NFTA_CMP_SREG, .least = 4 },
		[OP] = { .type = NFTA_CMP_OP, .least = 4 },
		[DATA] = { .type = NFTA_CMP_DATA },
	}, v;
	const uint8_t *p;
	int c;

	if (!rtnl_attrs_find(data->p, data->len, at, ATTRS) || !value(&at[DATA], &v))
		return NFT_MAY;
	p = reg_get(r, &at[SREG], v.len);
	if (!p)
		return NFT_MAY;
	c = memcmp(p, v.p, v.len);
	switch (be32(&at[OP])) {
	case NFT_CMP_EQ: return c == 0 ? NFT_YES : NFT_NO;
	case NFT_CMP_NEQ: return c != 0 ? NFT_YES : NFT_NO;
	case NFT_CMP_LT: return c < 0 ? NFT_YES : NFT_NO;
	case NFT_CMP_LTE: return c <= 0 ? NFT_YES : NFT_NO;
	case NFT_CMP_GT: return c > 0 ? NFT_YES : NFT_NO;
	case NFT_CMP_GTE: return c >= 0 ? NFT_YES : NFT_NO;
	default: return NFT_MAY;
	}
}

/* Matches of iptables: only connection states are understood. */
static enum nft_match expr_match(struct nft_run *r, const struct rtnl_attr *data)
{
	enum { NAME, REV, INFO, ATTRS };
	struct rtnl_attr at[ATTRS] = {
		[NAME] = { .type = NFTA_MATCH_NAME },
		[REV] = { .type = NFTA_MATCH_REV, .least = 4 },
		[INFO] = { .type = NFTA_MATCH_INFO },
	};
	struct xt_conntrack_mtinfo3 ct;

	(void)r;
	if (!rtnl_attrs_find(data->p, data->len, at, ATTRS) || !at[NAME].p || !at[REV].p || !at[INFO].p)
		return NFT_MAY;
	if (strncmp((const char *)at[NAME].p, "conntrack", at[NAME].len) || be32(&at[REV]) != 3 ||
	    at[INFO].len < sizeof ct)
		return NFT_MAY;
	memcpy(&ct, at[INFO].p, sizeof ct);
	if (!(ct.match_flags & XT_CONNTRACK_STATE))
		return NFT_MAY;
	/* The other flags ask for more, so a state that matches does not settle it. */
	return !(ct.state_mask & CT_NEW) == !(ct.invert_flags & XT_CONNTRACK_STATE) ? NFT_NO :
	       ct.match_flags == XT_CONNTRACK_STATE ? NFT_YES : NFT_MAY;
}

static enum nft_match expr_other(struct nft_run *r, const struct rtnl_attr *data)
{
	(void)r;
	(void)data;
	return NFT_YES;
}

static const struct {
	const char *name;
	enum nft_match (*run)(struct nft_run *r, const struct rtnl_attr *data);
} exprs[] = {
	{ "meta", expr_meta }, { "payload", expr_payload }, { "ct", expr_ct },
	{ "bitwise", expr_bitwise }, { "cmp", expr_cmp }, { "match", expr_match },
	/* These ask nothing. */
	{ "counter", expr_other }, { "log", expr_other }, { "last", expr_other },
	{ "notrack", expr_other }, { "objref", expr_other }, { "target", expr_other },
};

enum nft_match nft_expr_run(struct nft_run *r, const struct rtnl_attr *name,
			    const struct rtnl_attr *data)
{
	for (size_t i = 0; i < sizeof exprs / sizeof *exprs; i++)
		if (nft_named(name, exprs[i].name))
			return exprs[i].run(r, data);
	return NFT_MAY;
}
