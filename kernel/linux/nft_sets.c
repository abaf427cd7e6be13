/* SPDX-License-Identifier: ISC
 *
 * An interval of a set is two elements: its first key, and with a flag the key behind its last
 * (nft_rbtree_lookup()).  Ranges of concatenated keys, which have both in one element, are not judged.
 */
#include "kernel/linux/nft_sets.h"

#include <errno.h>
#include <string.h>

#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#include "lib/grow.h"

#define CATCHALL 2		/* NFT_SET_ELEM_CATCHALL of linux/netfilter/nf_tables.h since 5.13 */
#define KEY_END 10		/* NFTA_SET_ELEM_KEY_END since 5.6 */

int nft_set_add(void *nft, const struct rtnl_msg *m)
{
	struct nft *n = nft;
	struct nft_set *s;
	struct rtnl_attr at;
	struct nfgenmsg g;

	if (!rtnl_body(m, NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWSET, &g, sizeof g, &at))
		return 0;
	s = grow(n->sets, &n->csets, n->nsets + 1, sizeof *s);
	if (!s)
		return -1;
	n->sets = s;
	s += n->nsets++;
	*s = (struct nft_set){
		.family = g.nfgen_family, .flags = nft_u32(&at, NFTA_SET_FLAGS),
		.table = strdup(nft_text(&at, NFTA_SET_TABLE)), .name = strdup(nft_text(&at, NFTA_SET_NAME)),
	};
	if (s->flags == UINT32_MAX)
		s->flags = 0;
	return s->table && s->name ? 0 : -1;
}

const struct nft_set *nft_set_find(const struct nft *n, uint8_t family, const char *table, const char *name)
{
	for (uint32_t i = 0; i < n->nsets; i++) {
		const struct nft_set *s = &n->sets[i];

		if (s->family == family && !strcmp(s->table, table) && !strcmp(s->name, name))
			return s;
	}
	return NULL;
}

int nft_elements_add(void *nft, const struct rtnl_msg *m)
{
	struct nft *n = nft;
	struct nft_set *s = NULL;
	struct rtnl_attr at, list;
	struct nfgenmsg g;

	if (!rtnl_body(m, NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWSETELEM, &g, sizeof g, &at))
		return 0;
	for (uint32_t i = 0; i < n->nsets && !s; i++)
		if (n->sets[i].family == g.nfgen_family &&
		    !strcmp(n->sets[i].table, nft_text(&at, NFTA_SET_ELEM_LIST_TABLE)) &&
		    !strcmp(n->sets[i].name, nft_text(&at, NFTA_SET_ELEM_LIST_SET)))
			s = &n->sets[i];
	if (!s || !rtnl_attr(&at, NFTA_SET_ELEM_LIST_ELEMENTS, &list))
		return 0;
	n->size += list.len;
	if (n->size <= NFT_MAX)
		buf_add(&s->elements, list.p, list.len);
	if (n->size <= NFT_MAX && !s->elements.failed)
		return 0;
	errno = ENOMEM;
	return -1;
}

/* The key of an element; false when it has none. */
static bool nft_element_key(const struct rtnl_attr *e, struct rtnl_attr *key)
{
	struct rtnl_attr at;

	return rtnl_attr(e, NFTA_SET_ELEM_KEY, &at) && rtnl_attr(&at, NFTA_DATA_VALUE, key);
}

size_t nft_set_key(const struct nft_set *s)
{
	struct rtnl_attr all = { (const unsigned char *)s->elements.p, s->elements.len }, e, key;

	while (rtnl_attr_next(&all, NFTA_LIST_ELEM, &e))
		if (nft_element_key(&e, &key))
			return key.len;
	return 0;
}

int nft_set_look(const struct nft_set *s, const uint8_t *key, size_t len, struct rtnl_attr *element)
{
	struct rtnl_attr all = { (const unsigned char *)s->elements.p, s->elements.len };
	struct rtnl_attr e, at, own, best = { NULL, 0 };
	bool is_interval = s->flags & NFT_SET_INTERVAL, is_end = true, has_rest = false;
	struct rtnl_attr rest = { NULL, 0 };

	while (rtnl_attr_next(&all, NFTA_LIST_ELEM, &e)) {
		uint32_t flags = nft_u32(&e, NFTA_SET_ELEM_FLAGS);
		bool ends = flags != UINT32_MAX && flags & NFT_SET_ELEM_INTERVAL_END;
		int order;

		if (flags != UINT32_MAX && flags & CATCHALL) {
			rest = e;
			has_rest = true;
			continue;
		}
		if (!nft_element_key(&e, &own) || own.len != len || rtnl_attr(&e, KEY_END, &at))
			return -1;
		order = memcmp(own.p, key, len);
		if (is_interval ? order > 0 : order != 0)
			continue;
		/* The nearest one below; where one interval ends and the next begins, that. */
		order = best.p ? memcmp(own.p, best.p, len) : 1;
		if (order < 0 || (order == 0 && ends))
			continue;
		best = own;
		is_end = ends;
		if (!ends)
			*element = e;
	}
	if (best.p && !is_end)
		return 1;
	if (has_rest)
		*element = rest;
	return has_rest;
}
