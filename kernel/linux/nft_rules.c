/* SPDX-License-Identifier: ISC */
#include "kernel/linux/nft_rules.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#include "lib/grow.h"

#define TABLE_OWNER 2u		/* NFT_TABLE_F_OWNER of linux/netfilter/nf_tables.h since 5.12 */

uint32_t nft_u32(const struct rtnl_attr *in, unsigned type)
{
	return ntohl(rtnl_u32(in, type, UINT32_MAX));
}

const char *nft_text(const struct rtnl_attr *in, unsigned type)
{
	struct rtnl_attr a;

	return rtnl_attr(in, type, &a) && a.len && !a.p[a.len - 1] ? (const char *)a.p : "";
}

/* Which interfaces a chain of family netdev, or inet at ingress, is for. */
static void nft_chain_devices(struct nft_chain *c, const struct rtnl_attr *hook)
{
	struct rtnl_attr list, one;

	if (rtnl_attr(hook, NFTA_HOOK_DEV, &one))
		buf_add(&c->devices, one.p, strnlen((const char *)one.p, one.len));
	else if (rtnl_attr(hook, NFTA_HOOK_DEVS, &list))
		while (rtnl_attr_next(&list, NFTA_DEVICE_NAME, &one)) {
			buf_add(&c->devices, one.p, strnlen((const char *)one.p, one.len));
			buf_chr(&c->devices, '\0');
		}
	if (c->devices.len)
		buf_chr(&c->devices, '\0');
}

int nft_chain_add(void *nft, const struct rtnl_msg *m)
{
	struct rtnl_attr at, hook;
	struct nft *n = nft;
	struct nft_chain *c;
	struct nfgenmsg g;

	if (!rtnl_body(m, NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWCHAIN, &g, sizeof g, &at))
		return 0;
	c = grow(n->chains, &n->cap, n->n + 1, sizeof *c);
	if (!c)
		return -1;
	n->chains = c;
	c += n->n++;
	rtnl_attr(&at, NFTA_CHAIN_HOOK, &hook);
	*c = (struct nft_chain){
		.hook = (int)nft_u32(&hook, NFTA_HOOK_HOOKNUM), .family = g.nfgen_family,
		.priority = (int)nft_u32(&hook, NFTA_HOOK_PRIORITY),
		.drops = nft_u32(&at, NFTA_CHAIN_POLICY) == NF_DROP,
		.table = strdup(nft_text(&at, NFTA_CHAIN_TABLE)), .name = strdup(nft_text(&at, NFTA_CHAIN_NAME)),
	};
	nft_chain_devices(c, &hook);
	return c->table && c->name && !c->devices.failed ? 0 : -1;
}

int nft_table_add(void *nft, const struct rtnl_msg *m)
{
	struct nft *n = nft;
	struct rtnl_attr at;
	struct nfgenmsg g;
	uint32_t flags;

	if (!rtnl_body(m, NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWTABLE, &g, sizeof g, &at))
		return 0;
	flags = nft_u32(&at, NFTA_TABLE_FLAGS);
	for (struct nft_chain *c = n->chains; flags != UINT32_MAX && c < n->chains + n->n; c++) {
		if (c->family != g.nfgen_family || strcmp(c->table, nft_text(&at, NFTA_TABLE_NAME)))
			continue;
		c->is_owned = flags & TABLE_OWNER;
		if (flags & NFT_TABLE_F_DORMANT)
			c->hook = -1;
	}
	return 0;
}

struct nft_chain *nft_chain_find(const struct nft *n, uint8_t family, const char *table, const char *name)
{
	for (uint32_t i = 0; i < n->n; i++) {
		struct nft_chain *c = &n->chains[i];

		if (c->family == family && !strcmp(c->table, table) && !strcmp(c->name, name))
			return c;
	}
	return NULL;
}

/* Keeps an attribute with its header and padding, so that it can be walked to. */
static bool nft_rule_keep(struct nft *n, struct nft_chain *c, const struct rtnl_attr *a)
{
	size_t len = a->len + NLA_HDRLEN;

	n->size += NLA_ALIGN(len);
	if (n->size > NFT_MAX) {
		errno = ENOMEM;
		return false;
	}
	buf_add(&c->rules, a->p - NLA_HDRLEN, len);
	buf_fill(&c->rules, '\0', NLA_ALIGN(len) - len);
	return !c->rules.failed;
}

int nft_rule_add(void *nft, const struct rtnl_msg *m)
{
	struct nft *n = nft;
	struct rtnl_attr at, handle, rule;
	struct nft_chain *c;
	struct nfgenmsg g;

	if (!rtnl_body(m, NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWRULE, &g, sizeof g, &at))
		return 0;
	c = nft_chain_find(n, g.nfgen_family, nft_text(&at, NFTA_RULE_TABLE), nft_text(&at, NFTA_RULE_CHAIN));
	if (!c || !rtnl_attr(&at, NFTA_RULE_HANDLE, &handle) || !rtnl_attr(&at, NFTA_RULE_EXPRESSIONS, &rule))
		return 0;
	return nft_rule_keep(n, c, &handle) && nft_rule_keep(n, c, &rule) ? 0 : -1;
}

void nft_free(struct nft *n)
{
	for (uint32_t i = 0; i < n->n; i++) {
		free(n->chains[i].table);
		free(n->chains[i].name);
		buf_free(&n->chains[i].rules);
		buf_free(&n->chains[i].devices);
	}
	for (uint32_t i = 0; i < n->nsets; i++) {
		free(n->sets[i].table);
		free(n->sets[i].name);
		buf_free(&n->sets[i].elements);
	}
	free(n->sets);
	free(n->chains);
	*n = (struct nft){ 0 };
}
