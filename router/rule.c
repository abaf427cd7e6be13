/* SPDX-License-Identifier: ISC
 *
 * One hash from masked (S/LEN, G/LEN) to a chain of rules that differ in iif
 * alone, and the list of (family, LEN, LEN) that occur.  A look-up masks the
 * addresses once for each of those and probes once.
 */
#include "router/rule.h"

#include <stdlib.h>
#include <string.h>

#include "lib/grow.h"

static uint32_t rule_hash(const void *ctx, uint32_t id)
{
	const struct conf *c = ctx;

	return flow_range_hash(&c->mroutes[id].range);
}

static bool rule_equal(const void *ctx, uint32_t id, const void *key)
{
	const struct conf *c = ctx;

	return flow_range_eq(&c->mroutes[id].range, key);
}

static const struct hash_ops ops = { rule_hash, rule_equal };

uint32_t rules_chain(const struct rules *x, const struct flow_range *range)
{
	return hash_find(&x->by_key, &ops, x->conf, flow_range_hash(range), range);
}

uint32_t rules_alone(const struct rules *x, const struct flow *flow)
{
	struct flow_range range = flow_range_of(flow);

	return rules_chain(x, &range);
}

/* The lengths of a rule: where they stand in x->pairs, behind it when none has had them yet. */
static struct rule_pair *pair_of(const struct rules *x, const struct conf_rule *m)
{
	enum fam fam = flow_range_fam(&m->range);
	struct rule_pair *p = x->pairs;

	while (p < x->pairs + x->npairs && (p->fam != fam || p->slen != m->range.source_len || p->glen != m->range.group_len))
		p++;
	return p;
}

static void pair_unref(struct rules *x, const struct conf_rule *m)
{
	struct rule_pair *p = pair_of(x, m);

	if (!--p->rules)
		*p = x->pairs[--x->npairs];
}

static int pair_ref(struct rules *x, const struct conf_rule *m)
{
	struct rule_pair *v = grow(x->pairs, &x->cpairs, x->npairs + 1, sizeof *v);

	if (!v)
		return -1;
	x->pairs = v;
	v = pair_of(x, m);
	if (v == x->pairs + x->npairs) {
		*v = (struct rule_pair){ (uint8_t)flow_range_fam(&m->range), m->range.source_len, m->range.group_len, 0 };
		x->npairs++;
	}
	v->rules++;
	return 0;
}

static void remove_rule(struct rules *x, uint32_t id)
{
	conf_del_mroute(x->conf, &x->conf->mroutes[id]);
	x->removed++;
}

int rules_add(struct rules *x, uint32_t id, uint32_t chain)
{
	struct conf_rule *v = x->conf->mroutes, *m = &v[id];

	m->next = HASH_NONE;
	if (chain != HASH_NONE) {
		while (v[chain].next != HASH_NONE)
			chain = v[chain].next;
		v[chain].next = id;
		return 0;
	}
	if (pair_ref(x, m) == 0) {
		if (hash_add(&x->by_key, &ops, x->conf, rule_hash(x->conf, id), id) == 0)
			return 0;
		pair_unref(x, m);
	}
	remove_rule(x, id);
	return -1;
}

void rules_del(struct rules *x, uint32_t id)
{
	struct conf_rule *v = x->conf->mroutes, *m = &v[id];
	uint32_t at = rules_chain(x, &m->range), h = rule_hash(x->conf, id);

	if (at != id) {
		while (v[at].next != id)
			at = v[at].next;
		v[at].next = m->next;
	} else if (m->next != HASH_NONE) {
		hash_move(&x->by_key, h, id, m->next);
	} else {
		hash_del(&x->by_key, &ops, x->conf, h, id);
		pair_unref(x, m);
	}
	remove_rule(x, id);
}

static bool is_in(const uint16_t *names, uint32_t n, uint16_t name)
{
	while (n && names[n - 1] != name)
		n--;
	return n > 0;
}

uint32_t rules_combine(struct conf *c, uint32_t set, const uint16_t *names, uint32_t n, bool take)
{
	const struct conf_set *old = &c->sets[set];
	uint16_t *v = malloc(((size_t)old->n + n + 1) * sizeof *v);
	uint32_t nv = 0;

	if (!v)
		return UINT32_MAX;
	for (uint32_t i = 0; i < old->n + (take ? 0 : n); i++) {
		uint16_t name = i < old->n ? c->pool[old->off + i] : names[i - old->n];

		/* In the set itself no name is twice, and looking would cost the square of its size. */
		if (take ? !is_in(names, n, name) : i < old->n || !is_in(v, nv, name))
			v[nv++] = name;
	}
	set = conf_set(c, v, nv);
	free(v);
	return set;
}

/* Adds the outputs of rule id to rule `to`, which is the same but for them, and removes it. */
static int merge(struct rules *x, uint32_t to, uint32_t id)
{
	struct conf *c = x->conf;
	struct conf_rule *m = &c->mroutes[to];
	const struct conf_set *more = &c->sets[c->mroutes[id].oifs];
	uint32_t set = rules_combine(c, m->oifs, c->pool + more->off, more->n, false);

	if (set == UINT32_MAX)
		return -1;
	conf_mroute_oifs(c, m, set);
	remove_rule(x, id);
	return 0;
}

uint32_t rules_with_iif(const struct conf *c, uint32_t id, uint16_t iif)
{
	while (id != HASH_NONE && c->mroutes[id].iif != iif)
		id = c->mroutes[id].next;
	return id;
}

uint32_t rules_find(const struct rules *x, const struct conf_rule *key)
{
	return rules_with_iif(x->conf, rules_chain(x, &key->range), key->iif);
}

/* Indexes a rule that is not removed. */
static int take_in(struct rules *x, uint32_t id)
{
	const struct conf_rule *m = &x->conf->mroutes[id];
	uint32_t chain = rules_chain(x, &m->range);
	uint32_t same = rules_with_iif(x->conf, chain, m->iif);

	return same == HASH_NONE ? rules_add(x, id, chain) : merge(x, same, id);
}

int rules_index(struct rules *x, struct conf *c)
{
	int res;

	*x = (struct rules){ .conf = c };
	res = hash_reserve(&x->by_key, &ops, c, c->nmroutes);
	for (uint32_t id = 0; !res && id < c->nmroutes; id++) {
		if (c->mroutes[id].iif == CONF_NONE)
			x->removed++;
		else
			res = take_in(x, id);
	}
	if (res || rules_masks(x) < 0) {
		rules_free(x);
		return -1;
	}
	return 0;
}

void rules_free(struct rules *x)
{
	hash_free(&x->by_key);
	free(x->pairs);
	free(x->names);
	free(x->sets);
}

/* Has room for n masks in v, new ones 0. */
static int room(struct rule_mask **v, uint32_t *have, uint32_t n)
{
	uint32_t had = *have;

	if (n <= had)
		return 0;
	struct rule_mask *fresh = grow(*v, have, n, sizeof *fresh);

	if (!fresh)
		return -1;
	memset(fresh + had, 0, (*have - had) * sizeof *fresh);
	*v = fresh;
	return 0;
}

int rules_masks(struct rules *x)
{
	return room(&x->names, &x->nnames, x->conf->nnames) < 0 ? -1 : room(&x->sets, &x->nsets, x->conf->nsets);
}

bool rule_mask_set(struct rule_mask *to, const struct rule_mask *m)
{
	if (!memcmp(to, m, sizeof *to))
		return false;
	*to = *m;
	return true;
}

bool rules_set_mask(struct rules *x, uint32_t id)
{
	const struct conf_set *s = &x->conf->sets[id];
	struct rule_mask m = { { 0 }, { 0 }, { 0 } };

	for (enum fam f = 0; f < FAM_N; f++)
		for (uint32_t i = 0; i < s->n; i++) {
			const struct rule_mask *n = &x->names[x->conf->pool[s->off + i]];

			m.exact[f] |= n->exact[f];
			m.wild[f] |= n->wild[f];
			m.lacks[f] |= n->lacks[f];
		}
	return rule_mask_set(&x->sets[id], &m);
}

/* A walk over the rules that match a packet. */
struct walk {
	const struct rules *x;
	const struct flow *flow;
	uint32_t bit;		/* of its VIF */
	uint32_t pair;		/* the next of x->pairs */
	uint32_t next;		/* rule to look at, if there is one, before that */
	uint32_t alone;		/* first rule of (S,G) alone */
	uint8_t fam;
};

/* The rules of a pair of lengths for the packet. */
static uint32_t pair_chain(const struct walk *w, const struct rule_pair *p)
{
	struct flow_range range = { *w->flow, p->slen, p->glen };

	addr_mask(&range.flow.source, p->slen);
	addr_mask(&range.flow.group, p->glen);
	return rules_chain(w->x, &range);
}

/* The next rule, or HASH_NONE. */
static inline uint32_t step(struct walk *w)
{
	const struct rules *x = w->x;

	for (;;) {
		while (w->next != HASH_NONE) {
			uint32_t id = w->next;
			const struct conf_rule *m = &x->conf->mroutes[id];
			const struct rule_mask *iif = &x->names[m->iif];

			w->next = m->next;
			if ((iif->exact[w->fam] | iif->wild[w->fam]) & w->bit)
				return id;
		}
		if (w->pair == x->npairs)
			return HASH_NONE;
		const struct rule_pair *p = &x->pairs[w->pair++];

		if (p->fam == w->fam)
			w->next = p->slen == 128 && p->glen == 128 ? w->alone : pair_chain(w, p);
	}
}

bool rules_outputs(const struct rules *x, const struct flow *flow, uint32_t alone, int vif, uint32_t *oifs)
{
	struct walk w = { x, flow, UINT32_C(1) << vif, 0, HASH_NONE, alone, (uint8_t)flow_fam(flow) };
	bool covered = false;

	*oifs = 0;
	for (uint32_t id; (id = step(&w)) != HASH_NONE; covered = true) {
		const struct rule_mask *m = &x->sets[x->conf->mroutes[id].oifs];

		*oifs |= m->exact[w.fam] | (m->wild[w.fam] & ~w.bit);
	}
	return covered;
}

bool rules_cover(const struct rules *x, const struct flow *flow, int vif)
{
	uint32_t oifs;

	return rules_outputs(x, flow, rules_alone(x, flow), vif, &oifs);
}

void rules_matching(const struct rules *x, const struct flow *flow, int vif, void (*fn)(void *ctx, uint32_t id),
		    void *ctx)
{
	struct walk w = {
		x, flow, UINT32_C(1) << vif, 0, HASH_NONE, rules_alone(x, flow), (uint8_t)flow_fam(flow),
	};

	for (uint32_t id; (id = step(&w)) != HASH_NONE;)
		fn(ctx, id);
}
