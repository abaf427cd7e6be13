/* SPDX-License-Identifier: ISC
 *
 * A small reading of the expressions of nftables (net/netfilter/nft_*.c), with
 * three answers: matches, does not, may.  Registers are either known bytes or
 * unknown; a comparison with an unknown one "may" match.
 */
#include "kernel/nft.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <string.h>

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nf_tables_compat.h>
#include <linux/netfilter/xt_conntrack.h>

#define WORDS 20		/* registers, in words of 32 bits: NFT_REG_VERDICT and 16 more */
#define DEPTH 16		/* NFT_JUMP_STACK_SIZE */
#define STEPS 20000		/* rules looked at for one packet */
#define ON (1u << 8)		/* further bit of an outcome: the packet goes on */
#define CT_NEW 8u		/* NF_CT_STATE_BIT(IP_CT_NEW) */
#define UDP 17
#define TO_MANY 2		/* PACKET_MULTICAST of linux/if_packet.h */

enum match { NO, MAY, YES };

struct run {
	const struct nft *n;
	const struct look_packet *p;
	enum fam fam;
	unsigned steps;
	uint8_t reg[WORDS * 4];
	bool known[WORDS];
};

struct verdict {
	unsigned bits;			/* 0 = the rule has none */
	const char *chain;		/* to go to, or NULL */
	bool jump;
};

static unsigned judge_chain(struct run *r, uint32_t chain, unsigned depth);

static uint32_t be32(const struct rtnl_attr *a)
{
	return ntohl(rtnl_u32(a));
}

/* First word of a register of len bytes, -1 when there is none such (nft_parse_register()). */
static int reg_at(uint32_t reg, size_t len)
{
	uint32_t at = reg <= NFT_REG_4 ? reg * 4 : reg - NFT_REG32_00 + 4;

	return reg == NFT_REG_VERDICT || (reg > NFT_REG_4 && reg < NFT_REG32_00) || at >= WORDS ||
	       len > (WORDS - at) * 4 ? -1 : (int)at;
}

/* Fills a register, or with p = NULL makes it unknown, and all behind it of which the length is
 * not told. */
static void reg_set(struct run *r, const struct rtnl_attr *dreg, const void *p, size_t len)
{
	int at = dreg->p ? reg_at(be32(dreg), p ? len : 4) : -1;
	size_t words = p ? (len + 3) / 4 : 4;

	if (at < 0)
		return;
	if (words > WORDS - (size_t)at)
		words = WORDS - (size_t)at;
	memset(r->reg + at * 4, 0, words * 4);
	if (p)
		memcpy(r->reg + at * 4, p, len);
	for (size_t i = 0; i < words; i++)
		r->known[(size_t)at + i] = p;
}

/* The bytes of a register, NULL when they are not known. */
static const uint8_t *reg_get(const struct run *r, const struct rtnl_attr *sreg, size_t len)
{
	int at = sreg->p ? reg_at(be32(sreg), len) : -1;

	if (at < 0 || !len)
		return NULL;
	for (size_t i = 0; i < (len + 3) / 4; i++)
		if (!r->known[(size_t)at + i])
			return NULL;
	return r->reg + at * 4;
}

/* ---- expressions ---- */

static enum match expr_meta(struct run *r, const struct rtnl_attr *data)
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
		return MAY;
	switch (be32(&at[KEY])) {
	case NFT_META_IIF:
	case NFT_META_OIF:
		word = (uint32_t)(be32(&at[KEY]) == NFT_META_IIF ? r->p->iif : r->p->oif);
		reg_set(r, &at[DREG], word ? &word : NULL, sizeof word);
		return YES;
	case NFT_META_IIFNAME:
	case NFT_META_OIFNAME:
		dev = be32(&at[KEY]) == NFT_META_IIFNAME ? r->p->iif_name : r->p->oif_name;
		if (dev)
			memcpy(name, dev, strnlen(dev, sizeof name - 1));
		reg_set(r, &at[DREG], dev ? name : NULL, sizeof name);
		return YES;
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
		return YES;
	}
	reg_set(r, &at[DREG], &byte, 1);
	return YES;
}

/* The addresses of the header, or nothing. */
static const uint8_t *header_bytes(const struct run *r, uint32_t offset, uint32_t len)
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

static enum match expr_payload(struct run *r, const struct rtnl_attr *data)
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
		return MAY;
	if (at[SREG].p)
		return YES;		/* it writes: nothing is asked */
	len = be32(&at[LEN]);
	if (at[BASE].p && be32(&at[BASE]) == NFT_PAYLOAD_NETWORK_HEADER)
		p = header_bytes(r, be32(&at[OFFSET]), len);
	reg_set(r, &at[DREG], p, len);
	return YES;
}

/* New to connection tracking: nothing ever answers from a group. */
static enum match expr_ct(struct run *r, const struct rtnl_attr *data)
{
	enum { DREG, KEY, ATTRS };
	struct rtnl_attr at[ATTRS] = {
		[DREG] = { .type = NFTA_CT_DREG, .least = 4 },
		[KEY] = { .type = NFTA_CT_KEY, .least = 4 },
	};
	uint32_t state = CT_NEW;
	bool is_state;

	if (!rtnl_attrs_find(data->p, data->len, at, ATTRS))
		return MAY;
	is_state = at[KEY].p && be32(&at[KEY]) == NFT_CT_STATE;
	reg_set(r, &at[DREG], is_state ? &state : NULL, sizeof state);
	return YES;
}

/* The value inside a data attribute; false when there is none. */
static bool value(const struct rtnl_attr *data, struct rtnl_attr *v)
{
	*v = (struct rtnl_attr){ .type = NFTA_DATA_VALUE };
	return data->p && rtnl_attrs_find(data->p, data->len, v, 1) && v->p;
}

static enum match expr_bitwise(struct run *r, const struct rtnl_attr *data)
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
		return MAY;
	len = be32(&at[LEN]);
	p = len <= sizeof out ? reg_get(r, &at[SREG], len) : NULL;
	if (!p || !value(&at[MASK], &mask) || !value(&at[XOR], &xor) || mask.len < len || xor.len < len) {
		reg_set(r, &at[DREG], NULL, 0);		/* a shift, or of something unknown */
		return YES;
	}
	for (uint32_t i = 0; i < len; i++)
		out[i] = (p[i] & mask.p[i]) ^ xor.p[i];
	reg_set(r, &at[DREG], out, len);
	return YES;
}

static enum match expr_cmp(struct run *r, const struct rtnl_attr *data)
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
		return MAY;
	p = reg_get(r, &at[SREG], v.len);
	if (!p)
		return MAY;
	c = memcmp(p, v.p, v.len);
	switch (be32(&at[OP])) {
	case NFT_CMP_EQ: return c == 0 ? YES : NO;
	case NFT_CMP_NEQ: return c != 0 ? YES : NO;
	case NFT_CMP_LT: return c < 0 ? YES : NO;
	case NFT_CMP_LTE: return c <= 0 ? YES : NO;
	case NFT_CMP_GT: return c > 0 ? YES : NO;
	case NFT_CMP_GTE: return c >= 0 ? YES : NO;
	default: return MAY;
	}
}

/* Matches of iptables: only connection states are understood. */
static enum match expr_match(struct run *r, const struct rtnl_attr *data)
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
		return MAY;
	if (strncmp((const char *)at[NAME].p, "conntrack", at[NAME].len) || be32(&at[REV]) != 3 ||
	    at[INFO].len < sizeof ct)
		return MAY;
	memcpy(&ct, at[INFO].p, sizeof ct);
	if (!(ct.match_flags & XT_CONNTRACK_STATE))
		return MAY;
	/* The other flags ask for more, so a state that matches does not settle it. */
	return !(ct.state_mask & CT_NEW) == !(ct.invert_flags & XT_CONNTRACK_STATE) ? NO :
	       ct.match_flags == XT_CONNTRACK_STATE ? YES : MAY;
}

static enum match expr_other(struct run *r, const struct rtnl_attr *data)
{
	(void)r;
	(void)data;
	return YES;
}

static const struct {
	const char *name;
	enum match (*run)(struct run *r, const struct rtnl_attr *data);
} exprs[] = {
	{ "meta", expr_meta }, { "payload", expr_payload }, { "ct", expr_ct },
	{ "bitwise", expr_bitwise }, { "cmp", expr_cmp }, { "match", expr_match },
	/* These ask nothing. */
	{ "counter", expr_other }, { "log", expr_other }, { "last", expr_other },
	{ "notrack", expr_other }, { "objref", expr_other }, { "target", expr_other },
};

/* ---- verdicts ---- */

static void verdict_immediate(const struct rtnl_attr *data, struct verdict *v)
{
	struct rtnl_attr at = { .type = NFTA_IMMEDIATE_DATA }, ver = { .type = NFTA_DATA_VERDICT };
	enum { CODE, CHAIN, ATTRS };
	struct rtnl_attr in[ATTRS] = {
		[CODE] = { .type = NFTA_VERDICT_CODE, .least = 4 },
		[CHAIN] = { .type = NFTA_VERDICT_CHAIN },
	};
	int code;

	if (!rtnl_attrs_find(data->p, data->len, &at, 1) || !at.p ||
	    !rtnl_attrs_find(at.p, at.len, &ver, 1) || !ver.p ||
	    !rtnl_attrs_find(ver.p, ver.len, in, ATTRS) || !in[CODE].p)
		return;
	code = (int)be32(&in[CODE]);
	if (code == NF_DROP)
		v->bits = NFT_DROPS;
	else if (code == NF_ACCEPT)
		v->bits = NFT_ACCEPTS;
	else if (code == NFT_RETURN)
		v->bits = ON;
	else if ((code & NF_VERDICT_MASK) == NF_QUEUE && code > 0)
		v->bits = NFT_ACCEPTS | NFT_DROPS;
	else if ((code == NFT_JUMP || code == NFT_GOTO) && in[CHAIN].p &&
		 memchr(in[CHAIN].p, 0, in[CHAIN].len)) {
		v->chain = (const char *)in[CHAIN].p;
		v->jump = code == NFT_JUMP;
	}
}

static bool named(const struct rtnl_attr *a, const char *name)
{
	size_t len = strlen(name);

	return a->p && a->len >= len && !memcmp(a->p, name, len) && (a->len == len || !a->p[len]);
}

/* A target of iptables that rejects. */
static bool rejects(const struct rtnl_attr *data)
{
	struct rtnl_attr name = { .type = NFTA_TARGET_NAME };

	return rtnl_attrs_find(data->p, data->len, &name, 1) && (named(&name, "REJECT") || named(&name, "DROP"));
}

/* Whether a rule matches, and its verdict. */
static enum match rule_run(struct run *r, const struct nft_rule *rule, struct verdict *v)
{
	const unsigned char *p = (const unsigned char *)r->n->bytes + rule->expr;
	enum { NAME, DATA, ATTRS };
	enum match all = YES;
	struct rtnl_attr elem;

	*v = (struct verdict){ 0 };
	memset(r->known, 0, sizeof r->known);
	for (size_t n = rule->len; all != NO && rtnl_attr_next(&p, &n, &elem);) {
		struct rtnl_attr at[ATTRS] = { [NAME] = { .type = NFTA_EXPR_NAME },
					       [DATA] = { .type = NFTA_EXPR_DATA } };
		enum match one = MAY;

		if (!rtnl_attrs_find(elem.p, elem.len, at, ATTRS))
			return MAY;
		if (named(&at[NAME], "immediate")) {
			verdict_immediate(&at[DATA], v);
			one = YES;
		} else if (named(&at[NAME], "reject") || (named(&at[NAME], "target") && rejects(&at[DATA]))) {
			v->bits = NFT_DROPS;
			one = YES;
		}
		for (size_t i = 0; i < sizeof exprs / sizeof *exprs && one == MAY; i++)
			if (named(&at[NAME], exprs[i].name)) {
				one = exprs[i].run(r, &at[DATA]);
				break;
			}
		if (one < all)
			all = one;
	}
	return all;
}

static unsigned judge_chain(struct run *r, uint32_t chain, unsigned depth)
{
	const struct nft_chain *c = &r->n->chains[chain];
	struct verdict v;
	unsigned maybe = 0, bits;
	enum match match;

	for (uint32_t i = c->first; i != NFT_NONE; i = r->n->rules[i].next) {
		if (r->steps++ > STEPS)
			return maybe | NFT_ACCEPTS | NFT_DROPS | ON;
		match = rule_run(r, &r->n->rules[i], &v);
		if (match == NO || (!v.bits && !v.chain))
			continue;
		bits = v.bits;
		if (v.chain) {
			uint32_t to = nft_chain_find(r->n, c->family, r->n->bytes + c->table, v.chain);

			bits = to == NFT_NONE || depth == DEPTH ? NFT_ACCEPTS | NFT_DROPS | ON :
			       judge_chain(r, to, depth + 1);
		}
		/* After a jump a packet that goes on is at the next rule, else it leaves the chain. */
		if (match == YES && !(v.jump && (bits & ON)))
			return maybe | bits;
		maybe |= v.jump ? bits & ~ON : bits;
	}
	return maybe | ON;
}

unsigned nft_judge(const struct nft *n, const struct nft_chain *base, const struct look_packet *p)
{
	struct run r = { .n = n, .p = p, .fam = addr_fam(&p->grp) };
	unsigned bits = judge_chain(&r, (uint32_t)(base - n->chains), 0);

	if (bits & ON)
		bits |= base->drop ? NFT_DROPS : NFT_ACCEPTS;
	return bits & (NFT_ACCEPTS | NFT_DROPS);
}
