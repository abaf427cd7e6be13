/* SPDX-License-Identifier: ISC
 *
 * An interval of a set is two elements: its first key, and with a flag the key behind its last
 * (nft_rbtree_lookup()).  A range of concatenated keys has both ends in one element (nft_pipapo_lookup()).
 */
#include "kernel/linux/nft_sets.h"

#include <errno.h>
#include <string.h>

#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#include "lib/grow.h"

#define CATCHALL 2		/* NFT_SET_ELEM_CATCHALL of linux/netfilter/nf_tables.h since 5.13 */
#define KEY_END 10		/* NFTA_SET_ELEM_KEY_END since 5.6 */
#define DESC_CONCAT 2		/* NFTA_SET_DESC_CONCAT, the same */
#define FIELD_LEN 1		/* NFTA_SET_FIELD_LEN, the same */

/* The fields of a concatenation, each of which fills words of 32 bits. */
static void nft_set_fields(struct nft_set *s, const struct rtnl_attr *at)
{
	struct rtnl_attr desc, all, one;

	rtnl_attr(at, NFTA_SET_DESC, &desc);
	rtnl_attr(&desc, DESC_CONCAT, &all);
	while (s->nfields < sizeof s->fields && rtnl_attr_next(&all, NFTA_LIST_ELEM, &one))
		s->fields[s->nfields++] = (uint8_t)nft_u32(&one, FIELD_LEN);
}

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
	nft_set_fields(s, &at);
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

/* Whether a key is that of an element, or in its range. */
static enum match nft_element_has(const struct nft_set *s, const struct filter_value *key, const struct rtnl_attr *lo,
				  const struct rtnl_attr *hi)
{
	enum match all = MATCH_YES, one;
	size_t at = 0;

	for (unsigned i = 0; i < s->nfields && at < key->len; i++) {
		size_t len = s->fields[i];

		if (len > key->len - at)
			return MATCH_MAY;
		one = filter_between(key, at, lo->p + at, hi->p + at, len);
		all = one < all ? one : all;
		at += (len + 3) / 4 * 4;
	}
	return s->nfields ? all : filter_between(key, 0, lo->p, hi->p, key->len);
}

/* The same of one of two elements that make a range: the nearest one below the key says. */
struct nft_near {
	struct rtnl_attr key;
	bool is_end;
};

static void nft_near_look(struct nft_near *near, const struct filter_value *key, const struct rtnl_attr *own, bool ends,
			  const struct rtnl_attr *e, struct rtnl_attr *element)
{
	int order = near->key.p ? memcmp(own->p, near->key.p, key->len) : 1;

	/* Where one range ends and the next begins, that. */
	if (memcmp(own->p, key->v, key->len) > 0 || order < 0 || (order == 0 && ends))
		return;
	near->key = *own;
	near->is_end = ends;
	if (!ends)
		*element = *e;
}

enum match nft_set_look(const struct nft_set *s, const struct filter_value *key, struct rtnl_attr *element)
{
	struct rtnl_attr all = { (const unsigned char *)s->elements.p, s->elements.len };
	struct rtnl_attr e, at, own, end, rest = { NULL, 0 };
	struct nft_near near = { .is_end = true };
	enum match is = MATCH_NO, one;

	while (is != MATCH_YES && rtnl_attr_next(&all, NFTA_LIST_ELEM, &e)) {
		uint32_t flags = nft_u32(&e, NFTA_SET_ELEM_FLAGS);
		bool ends = flags != UINT32_MAX && flags & NFT_SET_ELEM_INTERVAL_END;
		bool is_range = rtnl_attr(&e, KEY_END, &at) && rtnl_attr(&at, NFTA_DATA_VALUE, &end);

		if (flags != UINT32_MAX && flags & CATCHALL) {
			rest = e;
			continue;
		}
		if (!nft_element_key(&e, &own) || own.len != key->len || (is_range && end.len != key->len))
			return MATCH_MAY;
		if (!is_range && s->flags & NFT_SET_INTERVAL && !s->nfields) {
			if (!filter_is_known(key, 0, key->len))
				return MATCH_MAY;
			nft_near_look(&near, key, &own, ends, &e, element);
			continue;
		}
		one = nft_element_has(s, key, &own, is_range ? &end : &own);
		if (one == MATCH_YES)
			*element = e;
		is = one > is ? one : is;
	}
	if (!near.is_end)
		return MATCH_YES;
	if (is == MATCH_NO && rest.p) {
		*element = rest;
		return MATCH_YES;
	}
	return is;
}
