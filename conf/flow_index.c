/* SPDX-License-Identifier: ISC
 *
 * See flow_index.h.
 */
#include "conf/flow_index.h"

#include <stdlib.h>

#include "lib/grow.h"

#define FLOW_LOOKUPS 4000000u		/* well under a second */

struct flow_key {
	const struct flow_range *range;
	uint16_t iif;
};

static uint32_t flow_key_hash(const struct flow_range *range, uint16_t iif)
{
	return flow_range_hash(range) + iif * 0x9e3779b1u;
}

static uint32_t flow_entry_hash(const void *ctx, uint32_t id)
{
	const struct flow_index *x = ctx;

	return flow_key_hash(&x->v[id].range, x->v[id].iif);
}

static bool flow_entry_equal(const void *ctx, uint32_t id, const void *key)
{
	const struct flow_index *x = ctx;
	const struct flow_key *k = key;

	return x->v[id].iif == k->iif && flow_range_eq(&x->v[id].range, k->range);
}

static const struct hash_ops flow_index_ops = { flow_entry_hash, flow_entry_equal };

uint32_t flow_index_find(const struct flow_index *x, const struct flow_range *range, uint16_t iif)
{
	struct flow_key k = { range, iif };

	return hash_find(&x->by_range, &flow_index_ops, x, flow_key_hash(range, iif), &k);
}

bool flow_index_add(struct flow_index *x, const struct flow_range *range, uint16_t iif, uint32_t rule)
{
	uint32_t first = flow_index_find(x, range, iif);
	struct flow_entry *v = grow(x->v, &x->cap, x->n + 1, sizeof *v);

	if (!v)
		return false;
	x->v = v;
	v[x->n] = (struct flow_entry){ .range = *range, .iif = iif, .rule = rule, .next = HASH_NONE };
	if (first != HASH_NONE) {
		v[x->n].next = v[first].next;
		v[first].next = x->n;
	} else if (hash_add(&x->by_range, &flow_index_ops, x, flow_key_hash(range, iif), x->n) < 0) {
		return false;
	}
	x->n++;
	return true;
}

void flow_index_free(struct flow_index *x)
{
	hash_free(&x->by_range);
	free(x->v);
}

struct flow_range flow_index_cut(const struct flow_range *range, unsigned source_len, unsigned group_len)
{
	struct flow_range cut = *range;

	cut.source_len = (uint8_t)source_len;
	cut.group_len = (uint8_t)group_len;
	addr_mask(&cut.flow.source, cut.source_len);
	addr_mask(&cut.flow.group, cut.group_len);
	return cut;
}

static void flow_lengths_add(struct flow_lengths *l, uint8_t len)
{
	if (!l->has[len])
		l->v[l->n++] = len;
	l->has[len] = true;
}

struct flow_search *flow_search_new(const struct conf *c, struct diags *d, const uint16_t *wider)
{
	struct flow_search *s = calloc(1, sizeof *s);

	if (!s)
		return NULL;
	s->c = c;
	s->d = d;
	s->wider = wider;
	s->budget = FLOW_LOOKUPS;
	for (uint32_t i = 0; i < c->nmroutes; i++) {
		const struct flow_range *range = &c->mroutes[i].range;
		enum fam fam = flow_range_fam(range);
		bool *has = &s->has_pair[fam][range->source_len][range->group_len];

		flow_lengths_add(&s->sources[fam], range->source_len);
		flow_lengths_add(&s->groups[fam], range->group_len);
		if (!*has)
			s->pairs[fam][s->npairs[fam]++] = (struct flow_pair){ range->source_len, range->group_len };
		*has = true;
	}
	return s;
}

bool flow_search_spend(struct flow_search *s)
{
	s->is_partial |= !s->budget;
	return s->budget && s->budget--;
}
