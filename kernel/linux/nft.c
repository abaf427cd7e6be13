/* SPDX-License-Identifier: ISC
 *
 * Chains and rules of nftables, kept as they came: a rule's expressions are
 * bytes here and are understood in nft_expr.c.  Names and expressions share one
 * buffer.
 */
#include "kernel/linux/nft.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#include "lib/grow.h"

uint32_t nft_u32(const struct rtnl_attr *in, unsigned type)
{
	return ntohl(rtnl_u32(in, type, UINT32_MAX));
}

const char *nft_text(const struct rtnl_attr *in, unsigned type)
{
	struct rtnl_attr a;

	return rtnl_attr(in, type, &a) && a.len && !a.p[a.len - 1] ? (const char *)a.p : "";
}

/* Keeps len bytes, and zeros up to the next multiple of 4; false when they are too many. */
static bool keep(struct nft *n, const void *p, size_t len, uint32_t *at)
{
	size_t room = NLA_ALIGN(len);
	char *bytes = NULL;

	if (room > NFT_MAX - n->nbytes)
		errno = ENOMEM;
	else
		bytes = grow(n->bytes, &n->cbytes, n->nbytes + room, 1);
	if (!bytes)
		return false;
	n->bytes = bytes;
	*at = n->nbytes;
	n->nbytes += (uint32_t)room;
	memset(bytes + *at, 0, room);
	memcpy(bytes + *at, p, len);
	return true;
}

static bool keep_text(struct nft *n, const char *text, uint32_t *at)
{
	return keep(n, text, strlen(text) + 1, at);
}

int nft_chain_add(void *nft, const struct rtnl_msg *m)
{
	struct rtnl_attr at, hook;
	struct nft *n = nft;
	struct nft_chain *c;
	struct nfgenmsg g;

	if (!rtnl_body(m, NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWCHAIN, &g, sizeof g, &at))
		return 0;
	c = grow(n->chains, &n->cchains, n->nchains + 1, sizeof *c);
	if (!c)
		return -1;
	n->chains = c;
	c += n->nchains;
	rtnl_attr(&at, NFTA_CHAIN_HOOK, &hook);
	*c = (struct nft_chain){ .family = g.nfgen_family };
	c->hook = (int)nft_u32(&hook, NFTA_HOOK_HOOKNUM);
	c->drop = nft_u32(&at, NFTA_CHAIN_POLICY) == NF_DROP;
	if (!keep_text(n, nft_text(&at, NFTA_CHAIN_TABLE), &c->table) ||
	    !keep_text(n, nft_text(&at, NFTA_CHAIN_NAME), &c->name))
		return -1;
	n->nchains++;
	return 0;
}

struct nft_chain *nft_chain_find(const struct nft *n, uint8_t family, const char *table,
				 const char *name)
{
	for (uint32_t i = 0; i < n->nchains; i++) {
		struct nft_chain *c = &n->chains[i];

		if (c->family == family && !strcmp(n->bytes + c->table, table) &&
		    !strcmp(n->bytes + c->name, name))
			return c;
	}
	return NULL;
}

int nft_rule_add(void *nft, const struct rtnl_msg *m)
{
	struct nft *n = nft;
	struct rtnl_attr at, rule;
	struct nft_chain *c;
	struct nfgenmsg g;
	uint32_t start;

	if (!rtnl_body(m, NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWRULE, &g, sizeof g, &at))
		return 0;
	c = nft_chain_find(n, g.nfgen_family, nft_text(&at, NFTA_RULE_TABLE), nft_text(&at, NFTA_RULE_CHAIN));
	if (!c || !rtnl_attr(&at, NFTA_RULE_EXPRESSIONS, &rule))
		return 0;
	if (!keep(n, rule.p - NLA_HDRLEN, rule.len + NLA_HDRLEN, &start))
		return -1;
	/* Those of a chain come in one go (nf_tables_dump_rules()). */
	if (c->end != start)
		c->rules = start;
	c->end = n->nbytes;
	return 0;
}

void nft_free(struct nft *n)
{
	free(n->chains);
	free(n->bytes);
	*n = (struct nft){ 0 };
}
