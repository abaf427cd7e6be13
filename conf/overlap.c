/* SPDX-License-Identifier: ISC
 * See overlap.h. */
#include "conf/overlap.h"

#include <stdlib.h>

#include "lib/grow.h"

#define OVERLAP_LOOKUPS 4000000u	/* well under a second */
#define OVERLAP_SAME_RANGE 64		/* rules of one range that are compared with another; there are 32 VIFs */
#define OVERLAP_ENTRIES 8ull		/* in an index with cut groups, for each rule on average */
#define OVERLAP_TOLD 100u		/* warnings of a kind that are given */

/* ---- the index ---- */

struct overlap_key {
	const struct flow_range *range;
	uint32_t iif;
};

static uint32_t overlap_key_hash(const struct overlap_key *k)
{
	return flow_range_hash(k->range) + k->iif * 0x9e3779b1u;
}

static uint32_t overlap_entry_hash(const void *ctx, uint32_t id)
{
	const struct overlap_entry *e = &((const struct overlap_index *)ctx)->v[id];

	return overlap_key_hash(&(struct overlap_key){ &e->range, e->iif });
}

static bool overlap_entry_equal(const void *ctx, uint32_t id, const void *key)
{
	const struct overlap_entry *e = &((const struct overlap_index *)ctx)->v[id];
	const struct overlap_key *k = key;

	return e->iif == k->iif && flow_range_eq(&e->range, k->range);
}

static const struct hash_ops overlap_ops = { overlap_entry_hash, overlap_entry_equal };

bool overlap_enter(struct overlap_index *x, const struct flow_range *range, uint32_t iif, uint32_t rule)
{
	struct overlap_key k = { range, iif };
	uint32_t h = overlap_key_hash(&k), first = hash_find(&x->by_range, &overlap_ops, x, h, &k);
	struct overlap_entry *v = grow(x->v, &x->cap, x->n + 1, sizeof *v);

	if (!v)
		return false;
	x->v = v;
	v[x->n] = (struct overlap_entry){ .range = *range, .iif = iif, .rule = rule, .next = HASH_NONE };
	if (first != HASH_NONE) {
		v[x->n].next = v[first].next;
		v[first].next = x->n;
	} else if (hash_add(&x->by_range, &overlap_ops, x, h, x->n) < 0) {
		return false;
	}
	x->n++;
	return true;
}

static struct flow_range overlap_cut(const struct flow_range *range, unsigned source_len, unsigned group_len)
{
	struct flow_range cut = *range;

	cut.source_len = (uint8_t)source_len;
	cut.group_len = (uint8_t)group_len;
	addr_mask(&cut.flow.source, cut.source_len);
	addr_mask(&cut.flow.group, cut.group_len);
	return cut;
}

bool overlap_enter_cut(struct overlap *o, struct overlap_index *x, uint32_t iif, uint32_t rule)
{
	const struct flow_range *range = &o->c->mroutes[rule].range;
	const uint8_t *longest_source = o->lengths[flow_range_fam(range)].longest_source;

	for (unsigned len = range->group_len; len--;) {
		if (longest_source[len] <= range->source_len)
			continue;
		if (x->n > OVERLAP_ENTRIES * o->c->nmroutes) {
			o->is_partial = true;
			break;
		}
		struct flow_range cut = overlap_cut(range, range->source_len, len);

		if (!overlap_enter(x, &cut, iif, rule))
			return false;
	}
	return true;
}

void overlap_index_free(struct overlap_index *x)
{
	hash_free(&x->by_range);
	free(x->v);
}

bool overlap_spend(struct overlap *o)
{
	o->is_partial |= !o->budget;
	return o->budget && o->budget--;
}

bool overlap_search(struct overlap *o, const struct overlap_index *x, const struct flow_range *range, uint32_t iif,
		    overlap_try *try, void *ctx)
{
	const struct overlap_lengths *l = &o->lengths[flow_range_fam(range)];

	for (const struct overlap_pair *p = l->pairs; x->n && p < l->pairs + l->n; p++) {
		uint8_t group_len = x->is_cut ? range->group_len : p->group;

		if (p->source > range->source_len || group_len > range->group_len || (x->is_cut && !p->is_new_source))
			continue;
		if (!overlap_spend(o))
			return true;
		struct flow_range wide = overlap_cut(range, p->source, group_len);
		struct overlap_key k = { &wide, iif };
		uint32_t at = hash_find(&x->by_range, &overlap_ops, x, overlap_key_hash(&k), &k);

		for (int n = 0; at != HASH_NONE && n < OVERLAP_SAME_RANGE; n++, at = x->v[at].next)
			if (try(o, ctx, &x->v[at]))
				return true;
	}
	return false;
}

bool overlap_search_wider(struct overlap *o, const struct overlap_index *x, const struct flow_range *range,
			  uint16_t name, overlap_try *try, void *ctx)
{
	for (; name != CONF_NONE; name = o->wider[name])
		if (overlap_search(o, x, range, name, try, ctx))
			return true;
	return false;
}

bool overlap_has(const struct overlap *o, const struct flow_range *range, uint16_t name)
{
	for (; name != CONF_NONE; name = o->wider[name]) {
		struct overlap_key k = { range, name };

		if (hash_find(&o->all.by_range, &overlap_ops, &o->all, overlap_key_hash(&k), &k) != HASH_NONE)
			return true;
	}
	return false;
}

/* ---- rules ---- */

bool overlap_outputs_within(struct overlap *o, const struct conf_rule *a, const struct conf_rule *b)
{
	const struct conf *c = o->c;
	const struct conf_set *x = &c->sets[a->oifs], *y = &c->sets[b->oifs];

	if (a->oifs == b->oifs)
		return true;
	o->stamp++;
	for (uint32_t i = 0; i < y->n; i++)
		o->mark[c->pool[y->off + i]] = o->stamp;
	for (uint32_t i = 0; i < x->n; i++) {
		uint16_t id = c->pool[x->off + i], by = id;

		/* A wildcard of b takes an output in, but never the inbound interface. */
		while (by != CONF_NONE && o->mark[by] != o->stamp)
			by = o->wider[by];
		if (by == CONF_NONE || (by != id && id == a->iif))
			return false;
	}
	return true;
}

bool overlap_outputs_equal(struct overlap *o, const struct conf_rule *a, const struct conf_rule *b)
{
	return overlap_outputs_within(o, a, b) && overlap_outputs_within(o, b, a);
}

bool overlap_name_covers(const struct overlap *o, uint16_t wide, uint16_t id)
{
	while (id != CONF_NONE && id != wide)
		id = o->wider[id];
	return id != CONF_NONE;
}

bool overlap_sends(const struct overlap *o, const struct conf_rule *a, const struct conf_rule *b)
{
	const struct conf_set *set = &o->c->sets[a->oifs];

	for (uint32_t i = 0; i < set->n; i++) {
		uint16_t oif = o->c->pool[set->off + i];

		if (overlap_name_covers(o, oif, b->iif) || overlap_name_covers(o, b->iif, oif))
			return true;
	}
	return false;
}

/* ---- warnings ---- */

bool overlap_tell(struct overlap *o, enum overlap_kind kind)
{
	return ++o->told[kind] <= OVERLAP_TOLD;
}

void overlap_tell_rest(struct overlap *o)
{
	static const char *const what[OVERLAP_KINDS] = {
		[OVERLAP_CROSSING] = "rules match packets of others, and neither is the narrower one",
		[OVERLAP_ALONE] = "rules without \"to\" are no exceptions to other rules",
		[OVERLAP_RING] = "rules send packets back to where they come from",
	};

	for (int k = 0; k < OVERLAP_KINDS; k++)
		if (o->told[k] > OVERLAP_TOLD)
			diag_add(o->d, (struct where){ .file = o->c->nfiles > 1 }, false, "%lu more %s",
				 (unsigned long)(o->told[k] - OVERLAP_TOLD), what[k]);
}

/* ---- beginning and end ---- */

static int overlap_compare_pairs(const void *x, const void *y)
{
	const struct overlap_pair *a = x, *b = y;
	int p = a->source + a->group, q = b->source + b->group;

	return p != q ? q - p : b->source - a->source;
}

static void overlap_find_lengths(struct overlap *o)
{
	for (uint32_t i = 0; i < o->c->nmroutes; i++) {
		const struct flow_range *range = &o->c->mroutes[i].range;
		struct overlap_lengths *l = &o->lengths[flow_range_fam(range)];
		uint8_t source = range->source_len, group = range->group_len;

		if (!l->has[source][group])
			l->pairs[l->n++] = (struct overlap_pair){ .source = source, .group = group };
		l->has[source][group] = true;
		if (l->longest_source[group] < source)
			l->longest_source[group] = source;
	}
	for (enum fam fam = 0; fam < FAM_N; fam++) {
		struct overlap_lengths *l = &o->lengths[fam];
		bool has_source[129] = { false };

		qsort(l->pairs, l->n, sizeof *l->pairs, overlap_compare_pairs);
		for (struct overlap_pair *p = l->pairs; p < l->pairs + l->n; p++) {
			p->is_new_source = !has_source[p->source];
			has_source[p->source] = true;
		}
	}
}

/* Enters all rules by their inbound interfaces. */
static bool overlap_enter_all(struct overlap *o)
{
	for (uint32_t i = 0; i < o->c->nmroutes; i++) {
		const struct conf_rule *rule = &o->c->mroutes[i];

		if (!overlap_enter(&o->all, &rule->range, rule->iif, i))
			return false;
		for (uint16_t name = o->wider[rule->iif]; name != CONF_NONE; name = o->wider[name])
			if (!overlap_enter(&o->all, &rule->range, OVERLAP_NARROWER + name, i))
				return false;
	}
	return true;
}

struct overlap *overlap_new(const struct conf *c, const uint16_t *wider, struct diags *d)
{
	struct overlap *o = calloc(1, sizeof *o);

	if (!o)
		return NULL;
	o->c = c;
	o->d = d;
	o->wider = wider;
	o->budget = OVERLAP_LOOKUPS;
	o->mark = calloc(c->nnames + 1u, sizeof *o->mark);
	overlap_find_lengths(o);
	if (o->mark && overlap_enter_all(o))
		return o;
	overlap_free(o);
	return NULL;
}

void overlap_free(struct overlap *o)
{
	overlap_index_free(&o->all);
	free(o->mark);
	free(o);
}
