/* SPDX-License-Identifier: ISC
 *
 * One hash from masked (S/LEN, G/LEN) to a chain of rules that differ in iif alone, and the pairs of lengths that
 * occur.  A look-up masks the addresses once for each of those and probes once.
 */
#include "router/ruleset.h"

#include <stdlib.h>
#include <string.h>

#include "conf/print.h"
#include "lib/grow.h"

static uint32_t rules_hash(const void *ctx, uint32_t id)
{
	const struct rules *t = ctx;

	return flow_range_hash(&t->v[id].range);
}

static bool rules_equal(const void *ctx, uint32_t id, const void *key)
{
	const struct rules *t = ctx;

	return flow_range_eq(&t->v[id].range, key);
}

static const struct hash_ops rules_ops = { rules_hash, rules_equal };

struct rules rules_empty(unsigned side)
{
	return (struct rules){
		.free = HASH_NONE, .first = HASH_NONE, .last = HASH_NONE, .claims.free = HASH_NONE, .side = side,
	};
}

void rules_free(struct rules *t)
{
	free(t->v);
	free(t->lengths.v);
	hash_free(&t->by_range);
	free(t->claims.v);
	hash_free(&t->claims.by_rule);
}

int ruleset_init(struct ruleset *s)
{
	*s = (struct ruleset){ .routes = rules_empty(0), .joins = rules_empty(0) };
	return names_init(&s->names);
}

void ruleset_free(struct ruleset *s)
{
	rules_free(&s->routes);
	rules_free(&s->joins);
	names_free(&s->names);
	owners_free(&s->owners);
	free(s->phyints);
}

/* ---- finding ---- */

uint32_t rules_chain(const struct rules *t, const struct flow_range *range)
{
	return hash_find(&t->by_range, &rules_ops, t, flow_range_hash(range), range);
}

uint32_t rules_in_chain(const struct rules *t, uint32_t chain, uint32_t iif)
{
	while (chain != HASH_NONE && t->v[chain].iif != iif)
		chain = t->v[chain].chain;
	return chain;
}

uint32_t rules_find(const struct ruleset *s, const struct rules *t, const struct ifname *iif,
		    const struct flow_range *range)
{
	uint32_t name = name_find(&s->names, iif);

	return name == HASH_NONE ? HASH_NONE : rules_in_chain(t, rules_chain(t, range), name);
}

/* ---- changing ---- */

int rules_reserve(struct rules *t, uint32_t n, uint32_t rules)
{
	t->cap = n > rules ? n : rules;
	/* Where there is no rule yet there is a serial of 0. */
	t->v = t->cap ? calloc(t->cap, sizeof *t->v) : NULL;
	if (t->cap && !t->v)
		return -1;
	t->n = n;
	return hash_reserve(&t->by_range, &rules_ops, t, rules);
}

uint32_t rules_add_place(struct rules *t)
{
	struct rule *v = grow(t->v, &t->cap, t->n + 1, sizeof *v);

	if (!v)
		return HASH_NONE;
	t->v = v;
	return t->n++;
}

/* A free place; HASH_NONE with ENOMEM. */
static uint32_t rules_place(struct rules *t)
{
	uint32_t id = t->free;

	if (id == HASH_NONE)
		return rules_add_place(t);
	t->free = t->v[id].next_free;
	return id;
}

void rules_free_place(struct rules *t, uint32_t id)
{
	t->v[id].serial = 0;
	t->v[id].next_free = t->free;
	t->free = id;
	t->freed++;
}

/* Puts a rule into the index.  0, or -1 with ENOMEM. */
static int rules_link(struct rules *t, uint32_t id)
{
	struct rule *rule = &t->v[id];
	uint32_t chain = rules_chain(t, &rule->range);

	if (chain != HASH_NONE) {
		rule->chain = t->v[chain].chain;
		t->v[chain].chain = id;
		return 0;
	}
	rule->chain = HASH_NONE;
	if (hash_reserve(&t->by_range, &rules_ops, t, t->by_range.used + 1) < 0 ||
	    lengths_add(&t->lengths, &rule->range) < 0)
		return -1;
	return hash_add(&t->by_range, &rules_ops, t, rules_hash(t, id), id);
}

static void rules_unlink(struct rules *t, uint32_t id)
{
	struct rule *rule = &t->v[id];
	uint32_t before = rules_chain(t, &rule->range), hash = rules_hash(t, id);

	if (before != id) {
		while (t->v[before].chain != id)
			before = t->v[before].chain;
		t->v[before].chain = rule->chain;
	} else if (rule->chain != HASH_NONE) {
		hash_move(&t->by_range, hash, id, rule->chain);
	} else {
		hash_del(&t->by_range, &rules_ops, t, hash, id);
		lengths_del(&t->lengths, &rule->range);
	}
}

/* Puts a rule, which is in no order now, at the end of it. */
static void rules_append(struct rules *t, uint32_t id)
{
	struct rule *rule = &t->v[id];

	rule->rank = ++t->last_rank;
	rule->prev = t->last;
	rule->next = HASH_NONE;
	if (t->last == HASH_NONE)
		t->first = id;
	else
		t->v[t->last].next = id;
	t->last = id;
}

int rules_fill(struct ruleset *s, struct rules *t, uint32_t id, const struct rule *rule)
{
	enum fam fam = flow_range_fam(&rule->range);

	t->v[id] = *rule;
	if (rules_link(t, id) < 0) {
		t->v[id].serial = 0;
		return -1;
	}
	rules_append(t, id);
	t->live++;
	name_refer(&s->names, rule->iif, fam, t->side);
	oif_list_refer(&s->names, rule->oifs, fam, t->side);
	return 0;
}

uint32_t rules_add(struct ruleset *s, struct rules *t, const struct flow_range *range, uint32_t iif, uint32_t oifs)
{
	const struct rule rule = {
		.range = *range, .iif = (uint16_t)iif, .oifs = oifs, .serial = ++t->last_serial,
	};
	uint32_t id = rules_place(t);

	if (id == HASH_NONE || rules_fill(s, t, id, &rule) == 0)
		return id;
	rules_free_place(t, id);
	return HASH_NONE;
}

void rules_del(struct ruleset *s, struct rules *t, uint32_t id)
{
	const struct rule *rule = &t->v[id];
	enum fam fam = flow_range_fam(&rule->range);

	for (struct rule_walk *w = t->walks; w; w = w->others)
		if (w->next == id)
			w->next = rule->next;
	rules_unlink(t, id);
	*(rule->prev == HASH_NONE ? &t->first : &t->v[rule->prev].next) = rule->next;
	*(rule->next == HASH_NONE ? &t->last : &t->v[rule->next].prev) = rule->prev;
	t->live--;
	name_unrefer(&s->names, rule->iif, fam, t->side);
	oif_list_unrefer(&s->names, rule->oifs, fam, t->side);
	rules_free_place(t, id);
}

void rules_set_oifs(struct ruleset *s, struct rules *t, uint32_t id, uint32_t oifs)
{
	struct rule *rule = &t->v[id];
	enum fam fam = flow_range_fam(&rule->range);
	uint32_t old = rule->oifs;

	/* The new list first: a name in both keeps its rank. */
	rule->oifs = oifs;
	oif_list_refer(&s->names, oifs, fam, t->side);
	oif_list_unrefer(&s->names, old, fam, t->side);
}

void rules_move(struct rules *t, uint32_t from, uint32_t to)
{
	struct rule *rule = &t->v[to];
	uint32_t before = rules_chain(t, &t->v[from].range);

	*rule = t->v[from];
	if (before == from)
		hash_move(&t->by_range, flow_range_hash(&rule->range), from, to);
	else
		while (t->v[before].chain != from)
			before = t->v[before].chain;
	if (before != from)
		t->v[before].chain = to;
	*(rule->prev == HASH_NONE ? &t->first : &t->v[rule->prev].next) = to;
	*(rule->next == HASH_NONE ? &t->last : &t->v[rule->next].prev) = to;
}

void rules_trim(struct rules *t)
{
	t->free = HASH_NONE;
	t->freed = 0;
	t->v = grow_trim(t->v, &t->cap, t->n, sizeof *t->v);
	hash_trim(&t->by_range, &rules_ops, t);
}

/* ---- walks ---- */

void rules_walk_begin(struct rules *t, struct rule_walk *w)
{
	*w = (struct rule_walk){ .next = t->first, .others = t->walks };
	t->walks = w;
}

void rules_walk_end(struct rules *t, struct rule_walk *w)
{
	struct rule_walk **at = &t->walks;

	while (*at && *at != w)
		at = &(*at)->others;
	if (*at)
		*at = w->others;
}

/* ---- matching ---- */

/* Rules of one range that a packet matches: they decide, as no narrower ones do. */
struct ruleset_level {
	uint8_t source_len, group_len;
	uint32_t chain;
};

/* As many ranges as hold one packet with none inside another: no two have a source of the same length. */
#define RULESET_LEVELS 129

static bool ruleset_level_within(const struct ruleset_level *narrow, const struct ruleset_level *wide)
{
	return narrow->source_len >= wide->source_len && narrow->group_len >= wide->group_len;
}

/* The first rule from `chain` on whose iif has one of these VIF bits, or HASH_NONE. */
static uint32_t ruleset_from(const struct ruleset *s, uint32_t chain, uint32_t bits)
{
	while (chain != HASH_NONE && !(ruleset_iifs(s, &s->routes.v[chain]) & bits))
		chain = s->routes.v[chain].chain;
	return chain;
}

/* Finds the ranges of the rules that decide: those that match and have no other one that matches inside them.  Returns
 * how many; v has room for RULESET_LEVELS. */
static unsigned ruleset_decide(const struct ruleset *s, const struct flow *flow, uint32_t bits, struct ruleset_level *v)
{
	const struct rules *t = &s->routes;
	unsigned n = 0, kept;

	for (uint32_t i = 0; i < t->lengths.n; i++) {
		const struct rule_lengths *l = &t->lengths.v[i];
		struct ruleset_level level = { l->source_len, l->group_len, HASH_NONE };
		struct flow_range range = { *flow, l->source_len, l->group_len };
		unsigned k = 0;

		if (l->fam != flow_fam(flow))
			continue;
		while (k < n && !ruleset_level_within(&v[k], &level))
			k++;
		if (k < n)
			continue;
		addr_mask(&range.flow.source, l->source_len);
		addr_mask(&range.flow.group, l->group_len);
		level.chain = ruleset_from(s, rules_chain(t, &range), bits);
		if (level.chain == HASH_NONE)
			continue;
		for (k = kept = 0; k < n; k++)
			if (!ruleset_level_within(&level, &v[k]))
				v[kept++] = v[k];
		v[kept] = level;
		n = kept + 1;
	}
	return n;
}

void ruleset_deciding(const struct ruleset *s, const struct flow *flow, int vif, void (*fn)(void *ctx, uint32_t id),
		      void *ctx)
{
	struct ruleset_level v[RULESET_LEVELS];
	uint32_t bit = UINT32_C(1) << vif;

	for (unsigned n = ruleset_decide(s, flow, bit, v); n-- > 0;)
		for (uint32_t id = v[n].chain; id != HASH_NONE; id = ruleset_from(s, s->routes.v[id].chain, bit))
			fn(ctx, id);
}

/* What the rules that decide say together. */
struct ruleset_outputs {
	const struct ruleset *set;
	enum fam fam;
	uint32_t iif, oifs;		/* VIF bits */
	uint32_t id;			/* of the last of them */
	bool is_stopped;
};

static void ruleset_add_outputs(void *ctx, uint32_t id)
{
	struct ruleset_outputs *sum = ctx;
	const struct rule *rule = &sum->set->routes.v[id];
	const struct vif_bits *bits = &sum->set->names.lists[rule->oifs].bits;

	sum->oifs |= bits->exact[sum->fam] | (bits->wild[sum->fam] & ~sum->iif);
	sum->is_stopped |= !rule->oifs;
	sum->id = id;
}

uint32_t ruleset_decision(const struct ruleset *s, const struct flow *flow, int vif, uint32_t *oifs)
{
	struct ruleset_outputs sum = { .set = s, .fam = flow_fam(flow), .iif = UINT32_C(1) << vif, .id = HASH_NONE };

	ruleset_deciding(s, flow, vif, ruleset_add_outputs, &sum);
	*oifs = sum.is_stopped ? 0 : sum.oifs;
	return sum.id;
}

void ruleset_print(struct buf *out, const struct ruleset *s, const struct rule *rule, const char *directive, int width)
{
	const struct oif_list *list = &s->names.lists[rule->oifs];

	print_rule_head(out, directive, width, s->names.v[rule->iif].ifname.text, &rule->range,
			rule->in_kernel);
	if (list->n)
		buf_str(out, " to");
	for (int is_keyword = 0; is_keyword < 2; is_keyword++)
		for (uint32_t i = 0; i < list->n; i++)
			print_oif(out, &s->names.v[list->names[i]].ifname, is_keyword);
}
