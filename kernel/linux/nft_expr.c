/* SPDX-License-Identifier: ISC
 *
 * A small reading of net/netfilter/nft_*.c: what asks for addresses, interfaces
 * and connection state is run, the rest leaves a register unknown or "may"
 * match.
 */
#include "kernel/linux/nft_expr.h"

#include <arpa/inet.h>
#include <string.h>

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nf_tables_compat.h>
#include <linux/netfilter/xt_conntrack.h>

#define CT_NEW 8u		/* NF_CT_STATE_BIT(IP_CT_NEW) */

/* First word of a register of len bytes, NFT_WORDS when there is none such (nft_parse_register()). */
static uint32_t reg_at(uint32_t reg, size_t len)
{
	/* Four of 16 bytes, or the same as sixteen of 4; those in between come out beyond the end. */
	uint32_t at = (reg <= NFT_REG_4 ? reg * 4 : reg - NFT_REG32_00 + 4) - 4;

	return at < NFT_WORDS && len <= (NFT_WORDS - at) * 4 ? at : NFT_WORDS;
}

/* Fills a register, or with p = NULL makes it unknown, and as much behind it as the longest has. */
static void reg_set(struct nft_run *r, uint32_t reg, const void *p, size_t len)
{
	uint32_t at = reg_at(reg, p ? len : 4);
	size_t words = p ? (len + 3) / 4 : 4;

	if (at == NFT_WORDS)
		return;
	memset(r->known + at, p != NULL, words);
	if (p) {
		memset(r->reg + at * 4, 0, words * 4);
		memcpy(r->reg + at * 4, p, len);
	}
}

/* The bytes of a register, NULL when they are not known. */
static const uint8_t *reg_get(const struct nft_run *r, uint32_t reg, size_t len)
{
	uint32_t at = reg_at(reg, len);

	return at == NFT_WORDS || !len || memchr(r->known + at, 0, (len + 3) / 4) ? NULL : r->reg + at * 4;
}

/* An attribute inside another one. */
static void inside(const struct rtnl_attr *in, unsigned outer, unsigned inner, struct rtnl_attr *a)
{
	rtnl_attr(in, outer, a);
	rtnl_attr(a, inner, a);
}

/* ---- what loads a register: each returns the bytes and their number, or NULL ---- */

static const void *load_meta(const struct nft_run *r, const struct rtnl_attr *data, size_t *len)
{
	static const struct { uint8_t key, at, len; } keys[] = {
		{ NFT_META_IIF, offsetof(struct nft_meta, iif), 4 },
		{ NFT_META_OIF, offsetof(struct nft_meta, oif), 4 },
		{ NFT_META_IIFNAME, offsetof(struct nft_meta, iif_name), KERNEL_IFNAME },
		{ NFT_META_OIFNAME, offsetof(struct nft_meta, oif_name), KERNEL_IFNAME },
		{ NFT_META_NFPROTO, offsetof(struct nft_meta, family), 1 },
		{ NFT_META_L4PROTO, offsetof(struct nft_meta, protocol), 1 },
		{ NFT_META_PKTTYPE, offsetof(struct nft_meta, type), 1 },
	};
	uint32_t key = nft_u32(data, NFTA_META_KEY);

	for (unsigned i = 0; i < sizeof keys / sizeof *keys; i++) {
		const char *p = (const char *)&r->meta + keys[i].at;

		if (keys[i].key != key)
			continue;
		*len = keys[i].len;
		return memcmp(p, "\0\0\0", 4) ? p : NULL;
	}
	return NULL;
}

/* The addresses of the header, or nothing. */
static const void *load_payload(const struct nft_run *r, const struct rtnl_attr *data, size_t *len)
{
	const struct addr *a = &r->p->flow.source;
	bool v4 = flow_fam(&r->p->flow) == FAM_4;
	uint32_t size = v4 ? 4 : 16, offset = nft_u32(data, NFTA_PAYLOAD_OFFSET) - (v4 ? 12 : 8);

	if (nft_u32(data, NFTA_PAYLOAD_BASE) != NFT_PAYLOAD_NETWORK_HEADER)
		return NULL;
	*len = nft_u32(data, NFTA_PAYLOAD_LEN);
	if (offset >= size) {
		offset -= size;
		a = &r->p->flow.group;
	} else if (r->p->any_source) {
		return NULL;
	}
	return *len && offset < size && *len <= size - offset ? a->b + 16 - size + offset : NULL;
}

/* New to connection tracking: nothing ever answers from a group. */
static const void *load_ct(const struct rtnl_attr *data, size_t *len)
{
	static const uint32_t state = CT_NEW;

	*len = sizeof state;
	return nft_u32(data, NFTA_CT_KEY) == NFT_CT_STATE ? &state : NULL;
}

static const void *load_bitwise(struct nft_run *r, const struct rtnl_attr *data, size_t *len)
{
	uint32_t n = nft_u32(data, NFTA_BITWISE_LEN);
	const uint8_t *p = reg_get(r, nft_u32(data, NFTA_BITWISE_SREG), n);
	struct rtnl_attr mask, xor;

	inside(data, NFTA_BITWISE_MASK, NFTA_DATA_VALUE, &mask);
	inside(data, NFTA_BITWISE_XOR, NFTA_DATA_VALUE, &xor);
	/* A shift has neither. */
	if (!p || n > sizeof r->result || mask.len < n || xor.len < n)
		return NULL;
	for (uint32_t i = 0; i < n; i++)
		r->result[i] = (p[i] & mask.p[i]) ^ xor.p[i];
	*len = n;
	return r->result;
}

/* ---- what matches ---- */

static enum nft_match expr_cmp(const struct nft_run *r, const struct rtnl_attr *data)
{
	enum { LESS = 1, SAME = 2, MORE = 4 };
	static const uint8_t yes[] = {
		[NFT_CMP_EQ] = SAME, [NFT_CMP_NEQ] = LESS | MORE,
		[NFT_CMP_LT] = LESS, [NFT_CMP_LTE] = LESS | SAME,
		[NFT_CMP_GT] = MORE, [NFT_CMP_GTE] = MORE | SAME,
	};
	uint32_t op = nft_u32(data, NFTA_CMP_OP);
	struct rtnl_attr v;
	const uint8_t *p;
	int c;

	inside(data, NFTA_CMP_DATA, NFTA_DATA_VALUE, &v);
	p = reg_get(r, nft_u32(data, NFTA_CMP_SREG), v.len);
	if (!p || op >= sizeof yes)
		return NFT_MAY;
	c = memcmp(p, v.p, v.len);
	return yes[op] & (c < 0 ? LESS : c > 0 ? MORE : SAME) ? NFT_YES : NFT_NO;
}

/* Matches of iptables: only connection states are understood. */
static enum nft_match expr_match(const struct rtnl_attr *data)
{
	struct xt_conntrack_mtinfo3 ct;

	if (strcmp(nft_text(data, NFTA_MATCH_NAME), "conntrack") || nft_u32(data, NFTA_MATCH_REV) != 3 ||
	    !rtnl_value(data, NFTA_MATCH_INFO, &ct, sizeof ct) || !(ct.match_flags & XT_CONNTRACK_STATE))
		return NFT_MAY;
	/* The other flags ask for more, so a state that matches does not settle it. */
	return !(ct.state_mask & CT_NEW) == !(ct.invert_flags & XT_CONNTRACK_STATE) ? NFT_NO :
	       ct.match_flags == XT_CONNTRACK_STATE ? NFT_YES : NFT_MAY;
}

/* ---- what decides ---- */

static void immediate(struct nft_verdict *v, const struct rtnl_attr *data)
{
	struct rtnl_attr at;
	int code;

	inside(data, NFTA_IMMEDIATE_DATA, NFTA_DATA_VERDICT, &at);
	code = (int)nft_u32(&at, NFTA_VERDICT_CODE);
	switch (code) {
	case NF_DROP:
		v->bits = NFT_DROPS;
		break;
	case NF_ACCEPT:
		v->bits = NFT_ACCEPTS;
		break;
	case NFT_RETURN:
		v->bits = NFT_ON;
		break;
	case NFT_JUMP:
	case NFT_GOTO:
		v->chain = nft_text(&at, NFTA_VERDICT_CHAIN);
		v->jump = code == NFT_JUMP;
		break;
	default:
		if (code > 0 && (code & NF_VERDICT_MASK) == NF_QUEUE)
			v->bits = NFT_ACCEPTS | NFT_DROPS;
	}
}

/* A target of iptables that rejects. */
static bool rejects(const char *target)
{
	return !strcmp(target, "REJECT") || !strcmp(target, "DROP");
}

/* ---- all of them ---- */

enum { META, PAYLOAD, CT, BITWISE, CMP, MATCH, IMMEDIATE, LOOKUP, REJECT, TARGET, ASKS_NOTHING };

static const char names[][10] = {
	[META] = "meta", [PAYLOAD] = "payload", [CT] = "ct", [BITWISE] = "bitwise", [CMP] = "cmp",
	[MATCH] = "match", [IMMEDIATE] = "immediate", [LOOKUP] = "lookup", [REJECT] = "reject",
	[TARGET] = "target", [ASKS_NOTHING] = "counter", "log", "last", "notrack", "objref",
};

enum nft_match nft_expr_run(struct nft_run *r, const struct rtnl_attr *expr)
{
	const char *name = nft_text(expr, NFTA_EXPR_NAME);
	unsigned dreg = NFTA_META_DREG, i = 0;
	struct rtnl_attr data;
	const void *p = NULL;
	size_t len = 0;

	while (strcmp(names[i], name))
		if (++i == sizeof names / sizeof *names)
			return NFT_MAY;
	rtnl_attr(expr, NFTA_EXPR_DATA, &data);
	switch (i) {
	case META:
		p = load_meta(r, &data, &len);
		break;
	case PAYLOAD:
		dreg = NFTA_PAYLOAD_DREG;	/* none: it writes to the packet, and asks nothing */
		p = load_payload(r, &data, &len);
		break;
	case CT:
		dreg = NFTA_CT_DREG;
		p = load_ct(&data, &len);
		break;
	case BITWISE:
		dreg = NFTA_BITWISE_DREG;
		p = load_bitwise(r, &data, &len);
		break;
	case CMP:
		return expr_cmp(r, &data);
	case MATCH:
		return expr_match(&data);
	case IMMEDIATE:
		immediate(&r->verdict, &data);
		return NFT_YES;
	case LOOKUP:
		/* A map of verdicts, whose elements are not read. */
		if (nft_u32(&data, NFTA_LOOKUP_DREG) == NFT_REG_VERDICT)
			r->verdict.bits = NFT_ACCEPTS | NFT_DROPS;
		return NFT_MAY;
	case TARGET:
		if (!rejects(nft_text(&data, NFTA_TARGET_NAME)))
			return NFT_YES;
		/* fall through */
	case REJECT:
		r->verdict.bits = NFT_DROPS;
		return NFT_YES;
	default:
		return NFT_YES;
	}
	reg_set(r, nft_u32(&data, dreg), p, len);
	return NFT_YES;
}
