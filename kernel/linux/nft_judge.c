/* SPDX-License-Identifier: ISC
 *
 * The way of a packet through a base chain of nftables and those it jumps to, with all outcomes that what is not known
 * leaves open.  A small reading of net/netfilter/nft_*.c: what asks for addresses, interfaces and connection state is
 * run on registers, which are known bytes or unknown; the rest "may" match.
 */
#include "kernel/linux/nft_judge.h"

#include <arpa/inet.h>
#include <string.h>

#include <linux/if_packet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nf_tables_compat.h>
#include <linux/netfilter/xt_conntrack.h>

#include "kernel/linux/nft_sets.h"

#define DEPTH 16		/* NFT_JUMP_STACK_SIZE */
#define STEPS 20000		/* rules looked at for one packet */
#define WORDS 16		/* of 32 bits, in all registers but NFT_REG_VERDICT */
#define ELEM_EXPRESSIONS 11	/* NFTA_SET_ELEM_EXPRESSIONS of linux/netfilter/nf_tables.h since 5.11 */
#define UDP 17			/* IPPROTO_UDP */
#define CT_NEW 8u		/* NF_CT_STATE_BIT(IP_CT_NEW) */
#define EITHER (NFT_ACCEPTS | NFT_DROPS)
#define GOES_ON (1u << 8)	/* further bit of an outcome: the packet goes on */

enum nft_match { NFT_NO, NFT_MAY, NFT_YES };

struct nft_run {
	const struct nft *n;
	const struct nft_chain *in;	/* whose rules are looked at */
	const struct probe_packet *p;
	unsigned steps;			/* rules looked at so far */
	unsigned verdict;		/* of this rule, bits; 0 = none */
	const char *chain;		/* to go to by its verdict, or NULL */
	bool returns;			/* and to come back from */
	/* What meta expressions load; four bytes of 0 or more: not known. */
	struct nft_meta {
		uint32_t iif, oif;
		char iif_name[KERNEL_IFNAME], oif_name[KERNEL_IFNAME];
		uint8_t family[4], protocol[4], type[4], ether[4];
	} meta;
	uint8_t result[16];		/* of an expression */
	uint8_t reg[WORDS * 4];
	bool known[WORDS + 3];		/* the last three for what is cleared past the end */
};

/* First word of a register of len bytes, WORDS when there is none such (nft_parse_register()). */
static uint32_t nft_reg_at(uint32_t reg, size_t len)
{
	/* Four of 16 bytes, or the same as sixteen of 4; those in between come out beyond the end. */
	uint32_t at = (reg <= NFT_REG_4 ? reg * 4 : reg - NFT_REG32_00 + 4) - 4;

	return at < WORDS && len <= (WORDS - at) * 4 ? at : WORDS;
}

/* Fills a register, or with p = NULL makes it unknown, and as much behind it as the longest has. */
static void nft_reg_set(struct nft_run *r, uint32_t reg, const void *p, size_t len)
{
	uint32_t at = nft_reg_at(reg, p ? len : 4);
	size_t words = p ? (len + 3) / 4 : 4;

	if (at == WORDS)
		return;
	memset(r->known + at, p != NULL, words);
	if (p) {
		memset(r->reg + at * 4, 0, words * 4);
		memcpy(r->reg + at * 4, p, len);
	}
}

/* The bytes of a register, NULL when they are not known. */
static const uint8_t *nft_reg_get(const struct nft_run *r, uint32_t reg, size_t len)
{
	uint32_t at = nft_reg_at(reg, len);

	return at == WORDS || !len || memchr(r->known + at, 0, (len + 3) / 4) ? NULL : r->reg + at * 4;
}

/* An attribute inside another one. */
static struct rtnl_attr nft_inside(const struct rtnl_attr *in, unsigned outer, unsigned inner)
{
	struct rtnl_attr a;

	rtnl_attr(in, outer, &a);
	rtnl_attr(&a, inner, &a);
	return a;
}

/* ---- what loads a register: each returns the bytes and their number, or NULL when they are not known ---- */

static const void *nft_load_meta(struct nft_run *r, const struct rtnl_attr *data, size_t *len)
{
	static const struct {
		uint32_t key;
		size_t at, len;
	} keys[] = {
		{ NFT_META_IIF, offsetof(struct nft_meta, iif), 4 },
		{ NFT_META_OIF, offsetof(struct nft_meta, oif), 4 },
		{ NFT_META_IIFNAME, offsetof(struct nft_meta, iif_name), KERNEL_IFNAME },
		{ NFT_META_OIFNAME, offsetof(struct nft_meta, oif_name), KERNEL_IFNAME },
		{ NFT_META_PROTOCOL, offsetof(struct nft_meta, ether), 2 },
		{ NFT_META_NFPROTO, offsetof(struct nft_meta, family), 1 },
		{ NFT_META_L4PROTO, offsetof(struct nft_meta, protocol), 1 },
		{ NFT_META_PKTTYPE, offsetof(struct nft_meta, type), 1 },
	};
	uint32_t key = nft_u32(data, NFTA_META_KEY);

	for (unsigned i = 0; i < sizeof keys / sizeof *keys; i++) {
		const char *p = (const char *)&r->meta + keys[i].at;

		*len = keys[i].len;
		if (keys[i].key == key && memcmp(p, "\0\0\0", 4))
			return p;
	}
	return NULL;
}

/* The addresses of the header, ports, or nothing. */
static const void *nft_load_payload(struct nft_run *r, const struct rtnl_attr *data, size_t *len)
{
	const struct addr *a = &r->p->flow.source;
	bool v4 = flow_fam(&r->p->flow) == FAM_4;
	uint32_t size = v4 ? 4 : 16, offset = nft_u32(data, NFTA_PAYLOAD_OFFSET) - (v4 ? 12 : 8);

	*len = nft_u32(data, NFTA_PAYLOAD_LEN);
	if (nft_u32(data, NFTA_PAYLOAD_BASE) == NFT_PAYLOAD_TRANSPORT_HEADER && r->p->has_ports) {
		offset = nft_u32(data, NFTA_PAYLOAD_OFFSET);
		return *len && offset < sizeof r->p->ports && *len <= sizeof r->p->ports - offset ?
		       r->p->ports + offset : NULL;
	}
	if (nft_u32(data, NFTA_PAYLOAD_BASE) != NFT_PAYLOAD_NETWORK_HEADER)
		return NULL;
	if (offset >= size) {
		offset -= size;
		a = &r->p->flow.group;
	} else if (r->p->any_source) {
		return NULL;
	}
	return *len && offset < size && *len <= size - offset ? a->b + 16 - size + offset : NULL;
}

/* New to connection tracking: nothing ever answers from a group. */
static const void *nft_load_ct(struct nft_run *r, const struct rtnl_attr *data, size_t *len)
{
	static const uint32_t state = CT_NEW;

	(void)r;
	*len = sizeof state;
	return nft_u32(data, NFTA_CT_KEY) == NFT_CT_STATE ? &state : NULL;
}

static const void *nft_load_bitwise(struct nft_run *r, const struct rtnl_attr *data, size_t *len)
{
	uint32_t n = nft_u32(data, NFTA_BITWISE_LEN);
	const uint8_t *p = nft_reg_get(r, nft_u32(data, NFTA_BITWISE_SREG), n);
	struct rtnl_attr mask = nft_inside(data, NFTA_BITWISE_MASK, NFTA_DATA_VALUE);
	struct rtnl_attr xor = nft_inside(data, NFTA_BITWISE_XOR, NFTA_DATA_VALUE);

	/* A shift has neither. */
	if (!p || n > sizeof r->result || mask.len < n || xor.len < n)
		return NULL;
	for (uint32_t i = 0; i < n; i++)
		r->result[i] = (p[i] & mask.p[i]) ^ xor.p[i];
	*len = n;
	return r->result;
}

/* ---- what matches, and what decides ---- */

static enum nft_match nft_match_cmp(struct nft_run *r, const struct rtnl_attr *data)
{
	enum { LESS = 1, SAME = 2, MORE = 4 };
	static const unsigned yes[] = {
		[NFT_CMP_EQ] = SAME, [NFT_CMP_NEQ] = LESS | MORE,
		[NFT_CMP_LT] = LESS, [NFT_CMP_LTE] = LESS | SAME,
		[NFT_CMP_GT] = MORE, [NFT_CMP_GTE] = MORE | SAME,
	};
	struct rtnl_attr v = nft_inside(data, NFTA_CMP_DATA, NFTA_DATA_VALUE);
	const uint8_t *p = nft_reg_get(r, nft_u32(data, NFTA_CMP_SREG), v.len);
	uint32_t op = nft_u32(data, NFTA_CMP_OP);
	int c;

	if (!p || op >= sizeof yes / sizeof *yes)
		return NFT_MAY;
	c = memcmp(p, v.p, v.len);
	return yes[op] & (c < 0 ? LESS : c > 0 ? MORE : SAME) ? NFT_YES : NFT_NO;
}

/* Matches of iptables: only connection states are understood. */
static enum nft_match nft_match_xt(struct nft_run *r, const struct rtnl_attr *data)
{
	struct xt_conntrack_mtinfo3 ct;

	(void)r;
	if (strcmp(nft_text(data, NFTA_MATCH_NAME), "conntrack") || nft_u32(data, NFTA_MATCH_REV) != 3 ||
	    !rtnl_value(data, NFTA_MATCH_INFO, &ct, sizeof ct) || !(ct.match_flags & XT_CONNTRACK_STATE))
		return NFT_MAY;
	/* The other flags ask for more, so a state that matches does not settle it. */
	return !(ct.state_mask & CT_NEW) == !(ct.invert_flags & XT_CONNTRACK_STATE) ? NFT_NO :
	       ct.match_flags == XT_CONNTRACK_STATE ? NFT_YES : NFT_MAY;
}

/* Takes what a rule, or an element of a map, decides. */
static void nft_take_verdict(struct nft_run *r, struct rtnl_attr at)
{
	int code = (int)nft_u32(&at, NFTA_VERDICT_CODE);

	if (code == NFT_JUMP || code == NFT_GOTO) {
		r->chain = nft_text(&at, NFTA_VERDICT_CHAIN);
		r->returns = code == NFT_JUMP;
	} else if (code == NF_DROP || code == NF_ACCEPT) {
		r->verdict = code == NF_DROP ? NFT_DROPS : NFT_ACCEPTS;
	} else if (code == NFT_RETURN) {
		r->verdict = GOES_ON;
	} else if (code > 0 && (code & NF_VERDICT_MASK) == NF_QUEUE) {
		r->verdict = EITHER;
	}
}

static enum nft_match nft_match_immediate(struct nft_run *r, const struct rtnl_attr *data)
{
	nft_take_verdict(r, nft_inside(data, NFTA_IMMEDIATE_DATA, NFTA_DATA_VERDICT));
	return NFT_YES;
}

/* Sets, and maps to verdicts and values. */
static enum nft_match nft_match_lookup(struct nft_run *r, const struct rtnl_attr *data)
{
	uint32_t dreg = nft_u32(data, NFTA_LOOKUP_DREG), flags = nft_u32(data, NFTA_LOOKUP_FLAGS);
	const struct nft_set *s = nft_set_find(r->n, r->in->family, r->in->table, nft_text(data, NFTA_LOOKUP_SET));
	size_t len = s ? nft_set_key(s) : 0;
	const uint8_t *key = nft_reg_get(r, nft_u32(data, NFTA_LOOKUP_SREG), len);
	struct rtnl_attr e, at;
	int is = !s || !s->is_read ? -1 : !len ? 0 : key ? nft_set_look(s, key, len, &e) : -1;

	if (is > 0 && (rtnl_attr(&e, NFTA_SET_ELEM_EXPR, &at) || rtnl_attr(&e, ELEM_EXPRESSIONS, &at)))
		is = -1;	/* a limit, for one */
	if (is < 0) {
		if (dreg == NFT_REG_VERDICT)
			r->verdict = EITHER;
		else if (dreg != UINT32_MAX)
			nft_reg_set(r, dreg, NULL, 0);
		return NFT_MAY;
	}
	if (is && dreg == NFT_REG_VERDICT) {
		nft_take_verdict(r, nft_inside(&e, NFTA_SET_ELEM_DATA, NFTA_DATA_VERDICT));
	} else if (is && dreg != UINT32_MAX) {
		at = nft_inside(&e, NFTA_SET_ELEM_DATA, NFTA_DATA_VALUE);
		nft_reg_set(r, dreg, at.p, at.len);
	}
	return is != (flags != UINT32_MAX && flags & NFT_LOOKUP_F_INV) ? NFT_YES : NFT_NO;
}

static enum nft_match nft_match_reject(struct nft_run *r, const struct rtnl_attr *data)
{
	(void)data;
	r->verdict = NFT_DROPS;
	return NFT_YES;
}

/* Targets of iptables. */
static enum nft_match nft_match_target(struct nft_run *r, const struct rtnl_attr *data)
{
	const char *target = nft_text(data, NFTA_TARGET_NAME);

	return !strcmp(target, "REJECT") || !strcmp(target, "DROP") ? nft_match_reject(r, data) : NFT_YES;
}

/* Those that are understood; without a function they ask nothing and decide nothing. */
static const struct nft_expr {
	const char *name;
	enum nft_match (*match)(struct nft_run *r, const struct rtnl_attr *data);
	const void *(*load)(struct nft_run *r, const struct rtnl_attr *data, size_t *len);
	unsigned dreg;			/* attribute with the register that it loads */
} nft_exprs[] = {
	{ .name = "meta", .load = nft_load_meta, .dreg = NFTA_META_DREG },
	/* Without a register it writes to the packet. */
	{ .name = "payload", .load = nft_load_payload, .dreg = NFTA_PAYLOAD_DREG },
	{ .name = "ct", .load = nft_load_ct, .dreg = NFTA_CT_DREG },
	{ .name = "bitwise", .load = nft_load_bitwise, .dreg = NFTA_BITWISE_DREG },
	{ .name = "cmp", .match = nft_match_cmp },
	{ .name = "match", .match = nft_match_xt },
	{ .name = "immediate", .match = nft_match_immediate },
	{ .name = "lookup", .match = nft_match_lookup },
	{ .name = "reject", .match = nft_match_reject },
	{ .name = "target", .match = nft_match_target },
	{ .name = "counter" }, { .name = "log" }, { .name = "last" }, { .name = "notrack" }, { .name = "objref" },
};

static enum nft_match nft_expr_run(struct nft_run *r, const struct rtnl_attr *expr)
{
	const char *name = nft_text(expr, NFTA_EXPR_NAME);
	struct rtnl_attr data;
	size_t len = 0;

	rtnl_attr(expr, NFTA_EXPR_DATA, &data);
	for (const struct nft_expr *e = nft_exprs; e < nft_exprs + sizeof nft_exprs / sizeof *e; e++) {
		if (strcmp(e->name, name))
			continue;
		if (e->match)
			return e->match(r, &data);
		if (e->load) {
			const void *p = e->load(r, &data, &len);

			nft_reg_set(r, nft_u32(&data, e->dreg), p, len);
		}
		return NFT_YES;
	}
	return NFT_MAY;
}

/* Whether a rule matches; its verdict is in *r. */
static enum nft_match nft_rule_run(struct nft_run *r, struct rtnl_attr *rule)
{
	enum nft_match all = NFT_YES, one;
	struct rtnl_attr expr;

	r->verdict = 0;
	r->chain = NULL;
	r->returns = false;
	memset(r->known, 0, sizeof r->known);
	while (all != NFT_NO && rtnl_attr_next(rule, NFTA_LIST_ELEM, &expr)) {
		one = nft_expr_run(r, &expr);
		if (one < all)
			all = one;
	}
	return all;
}

static unsigned nft_chain_judge(struct nft_run *r, const struct nft_chain *c, unsigned depth)
{
	struct rtnl_attr rules = { (const unsigned char *)c->rules.p, c->rules.len }, rule;
	unsigned maybe = 0, bits;
	enum nft_match match;
	bool returns;

	while (rtnl_attr_next(&rules, NFTA_RULE_EXPRESSIONS, &rule)) {
		if (r->steps++ > STEPS)
			return maybe | EITHER | GOES_ON;
		r->in = c;
		match = nft_rule_run(r, &rule);
		bits = r->verdict;
		returns = r->returns;
		if (match == NFT_NO || (!bits && !r->chain))
			continue;
		if (r->chain) {
			const struct nft_chain *to = nft_chain_find(r->n, c->family, c->table, r->chain);

			bits = to && depth < DEPTH ? nft_chain_judge(r, to, depth + 1) : EITHER | GOES_ON;
		}
		/* After a jump a packet that goes on is at the next rule, else it leaves the chain. */
		if (match == NFT_YES && !(returns && (bits & GOES_ON)))
			return maybe | bits;
		maybe |= returns ? bits & ~GOES_ON : bits;
	}
	return maybe | GOES_ON;
}

unsigned nft_judge(const struct nft *n, const struct nft_chain *base, const struct probe_packet *p)
{
	struct nft_run r = {
		.n = n, .p = p,
		.meta = {
			.iif = (uint32_t)p->iif, .oif = (uint32_t)p->oif,
			.family = { flow_fam(&p->flow) == FAM_4 ? NFPROTO_IPV4 : NFPROTO_IPV6 },
			.ether = { flow_fam(&p->flow) == FAM_4 ? 0x08 : 0x86, flow_fam(&p->flow) == FAM_4 ? 0 : 0xdd },
			.protocol = { p->has_ports ? p->protocol : UDP }, .type = { PACKET_MULTICAST },
		},
	};
	unsigned bits;

	if (p->iif_name)
		strncpy(r.meta.iif_name, p->iif_name, KERNEL_IFNAME - 1);
	if (p->oif_name)
		strncpy(r.meta.oif_name, p->oif_name, KERNEL_IFNAME - 1);
	bits = nft_chain_judge(&r, base, 0);
	if (bits & GOES_ON)
		bits |= base->drops ? NFT_DROPS : NFT_ACCEPTS;
	return bits & EITHER;
}
