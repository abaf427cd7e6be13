/* SPDX-License-Identifier: ISC
 *
 * Chains and rules of nftables, kept as they came: a rule's expressions are
 * bytes here and are understood in nft_judge.c.  Names and expressions share one
 * buffer.
 */
#include "kernel/nft.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#include "lib/grow.h"

/* Room for one more in an array that grows; NULL and failed when there is none. */
static void *room(struct nft *n, void *v, uint32_t have, uint32_t *cap, size_t size)
{
	v = have < NFT_MAX / size ? grow(v, cap, have + 1, size) : NULL;
	n->failed |= !v;
	return v;
}

/* Keeps len bytes with a NUL behind them; where they are, NFT_NONE when they cannot be. */
static uint32_t keep(struct nft *n, const void *p, size_t len)
{
	uint32_t at = n->nbytes;
	char *bytes;

	if (len >= NFT_MAX - at) {
		n->failed = true;
		return NFT_NONE;
	}
	bytes = grow(n->bytes, &n->cbytes, at + len + 1, 1);
	if (!bytes) {
		n->failed = true;
		return NFT_NONE;
	}
	n->bytes = bytes;
	if (len)
		memcpy(n->bytes + at, p, len);
	n->bytes[at + len] = '\0';
	n->nbytes = at + (uint32_t)len + 1;
	return at;
}

static uint32_t keep_text(struct nft *n, const struct rtnl_attr *a)
{
	return keep(n, a->p, strnlen((const char *)a->p, a->len));
}

static uint32_t be32(const struct rtnl_attr *a)
{
	return ntohl(rtnl_u32(a));
}

/* The hook of a base chain, -1 when it cannot be told. */
static int hook_number(const struct rtnl_attr *hook)
{
	struct rtnl_attr number = { .type = NFTA_HOOK_HOOKNUM, .least = 4 };

	if (!hook->p || !rtnl_attrs_find(hook->p, hook->len, &number, 1) || !number.p)
		return -1;
	return (int)be32(&number);
}

void nft_chain_add(struct nft *n, const struct rtnl_msg *m)
{
	enum { TABLE, NAME, HOOK, POLICY, ATTRS };
	struct rtnl_attr at[ATTRS] = {
		[TABLE] = { .type = NFTA_CHAIN_TABLE },
		[NAME] = { .type = NFTA_CHAIN_NAME },
		[HOOK] = { .type = NFTA_CHAIN_HOOK },
		[POLICY] = { .type = NFTA_CHAIN_POLICY, .least = 4 },
	};
	struct nft_chain c = { .first = NFT_NONE, .last = NFT_NONE }, *v;

	if (m->type != (NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWCHAIN) || m->len < sizeof(struct nfgenmsg))
		return;
	if (!rtnl_attrs(m, sizeof(struct nfgenmsg), at, ATTRS) || !at[TABLE].p || !at[NAME].p)
		return;
	c.family = m->body[0];
	c.hook = hook_number(&at[HOOK]);
	c.drop = at[POLICY].p && be32(&at[POLICY]) == NF_DROP;
	c.table = keep_text(n, &at[TABLE]);
	c.name = keep_text(n, &at[NAME]);
	if (n->failed)
		return;
	v = room(n, n->chains, n->nchains, &n->cchains, sizeof c);
	if (!v)
		return;
	n->chains = v;
	n->chains[n->nchains++] = c;
}

uint32_t nft_chain_find(const struct nft *n, uint8_t family, const char *table, const char *name)
{
	for (uint32_t i = 0; i < n->nchains; i++) {
		const struct nft_chain *c = &n->chains[i];

		if (c->family == family && !strcmp(n->bytes + c->table, table) &&
		    !strcmp(n->bytes + c->name, name))
			return i;
	}
	return NFT_NONE;
}

/* The chain that a rule says it is in. */
static uint32_t rule_chain(const struct nft *n, uint8_t family, const struct rtnl_attr *table,
			   const struct rtnl_attr *name)
{
	char t[NFT_NAME_MAXLEN] = "", c[NFT_NAME_MAXLEN] = "";

	memcpy(t, table->p, strnlen((const char *)table->p, table->len < sizeof t ? table->len : sizeof t - 1));
	memcpy(c, name->p, strnlen((const char *)name->p, name->len < sizeof c ? name->len : sizeof c - 1));
	return nft_chain_find(n, family, t, c);
}

void nft_rule_add(struct nft *n, const struct rtnl_msg *m)
{
	enum { TABLE, CHAIN, EXPR, ATTRS };
	struct rtnl_attr at[ATTRS] = {
		[TABLE] = { .type = NFTA_RULE_TABLE },
		[CHAIN] = { .type = NFTA_RULE_CHAIN },
		[EXPR] = { .type = NFTA_RULE_EXPRESSIONS },
	};
	struct nft_rule r = { .next = NFT_NONE }, *v;
	struct nft_chain *c;
	uint32_t in;

	if (m->type != (NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWRULE) || m->len < sizeof(struct nfgenmsg))
		return;
	if (!rtnl_attrs(m, sizeof(struct nfgenmsg), at, ATTRS) || !at[TABLE].p || !at[CHAIN].p)
		return;
	in = rule_chain(n, m->body[0], &at[TABLE], &at[CHAIN]);
	if (in == NFT_NONE)
		return;
	r.expr = keep(n, at[EXPR].p, at[EXPR].len);
	r.len = at[EXPR].len;
	v = r.expr == NFT_NONE ? NULL : room(n, n->rules, n->nrules, &n->crules, sizeof r);
	if (!v)
		return;
	n->rules = v;
	n->rules[n->nrules] = r;
	c = &n->chains[in];
	if (c->last == NFT_NONE)
		c->first = n->nrules;
	else
		n->rules[c->last].next = n->nrules;
	c->last = n->nrules++;
}

void nft_free(struct nft *n)
{
	free(n->chains);
	free(n->rules);
	free(n->bytes);
	*n = (struct nft){ 0 };
}
