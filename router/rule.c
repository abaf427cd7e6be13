/* SPDX-License-Identifier: ISC
 *
 * One hash from masked (S/LEN, G/LEN) to a chain of rules that differ in iif
 * alone, and per family the list of (LEN, LEN) pairs that occur.  A look-up
 * masks the addresses once for each pair and probes once.
 */
#include "router/rule.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct key {
	struct addr s, g;
	uint8_t slen, glen;
};

/* source and group stand side by side in struct mroute as in struct key. */
_Static_assert(offsetof(struct mroute, group) == sizeof(struct addr), "source, then group");

static uint32_t key_hash(const struct addr *sg, uint8_t slen, uint8_t glen)
{
	return hash_words(sg, 2 * sizeof *sg) ^ (slen * 0x9e3779b1u + glen * 0x85ebca6bu);
}

static uint32_t rule_hash(const void *ctx, uint32_t id)
{
	const struct conf *c = ctx;
	const struct mroute *m = &c->mroutes[id];

	return key_hash(&m->source, m->slen, m->glen);
}

static bool rule_equal(const void *ctx, uint32_t id, const void *key)
{
	const struct conf *c = ctx;
	const struct mroute *m = &c->mroutes[id];
	const struct key *k = key;

	return m->slen == k->slen && m->glen == k->glen && addr_pair_eq(&m->source, &k->s);
}

static const struct hash_ops ops = { rule_hash, rule_equal };

static uint32_t lookup(const struct rules *x, const struct conf *c, const struct key *k)
{
	return hash_find(&x->by_key, &ops, c, key_hash(&k->s, k->slen, k->glen), k);
}

static struct rule_pair *pair_of(const struct rules *x, enum fam fam, uint8_t slen, uint8_t glen)
{
	for (uint32_t i = 0; i < x->npairs[fam]; i++) {
		struct rule_pair *p = &x->pairs[fam][i];

		if (p->slen == slen && p->glen == glen)
			return p;
	}
	return NULL;
}

static int pair_ref(struct rules *x, enum fam fam, uint8_t slen, uint8_t glen)
{
	struct rule_pair *p = pair_of(x, fam, slen, glen);

	if (p) {
		p->rules++;
		return 0;
	}
	if (x->npairs[fam] == x->cpairs[fam]) {
		uint32_t cap = x->cpairs[fam] ? x->cpairs[fam] * 2 : 8;

		p = realloc(x->pairs[fam], cap * sizeof *p);
		if (!p)
			return -1;
		x->pairs[fam] = p;
		x->cpairs[fam] = cap;
	}
	x->pairs[fam][x->npairs[fam]++] = (struct rule_pair){ slen, glen, 1 };
	return 0;
}

static void pair_unref(struct rules *x, enum fam fam, uint8_t slen, uint8_t glen)
{
	struct rule_pair *p = pair_of(x, fam, slen, glen);

	if (p && !--p->rules)
		*p = x->pairs[fam][--x->npairs[fam]];
}

int rules_add(struct rules *x, struct conf *c, uint32_t id, uint32_t chain)
{
	struct mroute *m = &c->mroutes[id];
	enum fam fam = addr_fam(&m->group);

	m->next = HASH_NONE;
	if (chain == HASH_NONE) {
		if (pair_ref(x, fam, m->slen, m->glen) < 0)
			return -1;
		if (hash_add(&x->by_key, &ops, c, rule_hash(c, id), id) < 0) {
			pair_unref(x, fam, m->slen, m->glen);
			return -1;
		}
	} else {
		while (c->mroutes[chain].next != HASH_NONE)
			chain = c->mroutes[chain].next;
		c->mroutes[chain].next = id;
	}
	if (!mroute_is_sg(m))
		x->templates[fam]++;
	return 0;
}

void rules_del(struct rules *x, struct conf *c, uint32_t id)
{
	struct mroute *m = &c->mroutes[id];
	enum fam fam = addr_fam(&m->group);
	struct key k = { m->source, m->group, m->slen, m->glen };
	uint32_t at = lookup(x, c, &k);

	if (at == id && m->next != HASH_NONE) {
		hash_move(&x->by_key, rule_hash(c, id), id, m->next);
	} else if (at == id) {
		hash_del(&x->by_key, &ops, c, rule_hash(c, id), id);
		pair_unref(x, fam, m->slen, m->glen);
	} else {
		while (c->mroutes[at].next != id)
			at = c->mroutes[at].next;
		c->mroutes[at].next = m->next;
	}
	if (!mroute_is_sg(m))
		x->templates[fam]--;
	conf_del_mroute(c, m);
	x->removed++;
}

/* Adds the outputs of rule id to rule `to`, which is the same but for them. */
static int merge(struct conf *c, uint32_t to, uint32_t id)
{
	struct mroute *a = &c->mroutes[to], *b = &c->mroutes[id];
	const struct conf_set *sa = &c->sets[a->oifs], *sb = &c->sets[b->oifs];
	uint32_t n = sa->n, set;

	if (a->oifs == b->oifs)
		return 0;
	uint16_t *names = malloc(((size_t)sa->n + sb->n + 1) * sizeof *names);
	if (!names)
		return -1;
	if (n)
		memcpy(names, c->pool + sa->off, n * sizeof *names);
	for (uint32_t i = 0; i < sb->n; i++) {
		uint16_t name = c->pool[sb->off + i];
		uint32_t j = 0;

		while (j < n && names[j] != name)
			j++;
		if (j == n)
			names[n++] = name;
	}
	set = conf_set(c, names, n);
	free(names);
	if (set == UINT32_MAX)
		return -1;
	conf_mroute_oifs(c, a, set);
	return 0;
}

uint32_t rules_with_iif(const struct conf *c, uint32_t id, uint16_t iif)
{
	while (id != HASH_NONE && c->mroutes[id].iif != iif)
		id = c->mroutes[id].next;
	return id;
}

int rules_index(struct rules *x, struct conf *c)
{
	memset(x, 0, sizeof *x);
	if (hash_reserve(&x->by_key, &ops, c, c->nmroutes) < 0)
		goto fail;
	for (uint32_t id = 0; id < c->nmroutes; id++) {
		struct mroute *m = &c->mroutes[id];

		if (id + HASH_AHEAD < c->nmroutes)
			hash_prefetch(&x->by_key, rule_hash(c, id + HASH_AHEAD));
		if (m->iif == CONF_NONE) {
			x->removed++;
			continue;
		}
		uint32_t chain = rules_chain(x, c, &m->source, m->slen, &m->group, m->glen);
		uint32_t same = rules_with_iif(c, chain, m->iif);

		if (same == HASH_NONE) {
			if (rules_add(x, c, id, chain) < 0)
				goto fail;
		} else {
			if (merge(c, same, id) < 0)
				goto fail;
			conf_del_mroute(c, &c->mroutes[id]);
			x->removed++;
		}
	}
	return 0;
fail:
	rules_free(x);
	errno = ENOMEM;
	return -1;
}

void rules_free(struct rules *x)
{
	hash_free(&x->by_key);
	free(x->pairs[FAM_4]);
	free(x->pairs[FAM_6]);
	free(x->names);
	free(x->sets);
	memset(x, 0, sizeof *x);
}

uint32_t rules_chain(const struct rules *x, const struct conf *c, const struct addr *s, uint8_t slen,
		     const struct addr *g, uint8_t glen)
{
	struct key k = { *s, *g, slen, glen };

	return lookup(x, c, &k);
}

uint32_t rules_find(const struct rules *x, const struct conf *c, uint16_t iif, const struct addr *s,
		    uint8_t slen, const struct addr *g, uint8_t glen)
{
	return rules_with_iif(c, rules_chain(x, c, s, slen, g, glen), iif);
}

int rules_masks(struct rules *x, const struct conf *c)
{
	if (x->nnames < c->nnames) {
		struct rule_mask *v = realloc(x->names, c->cnames * sizeof *v);

		if (!v)
			return -1;
		memset(v + x->nnames, 0, (c->cnames - x->nnames) * sizeof *v);
		x->names = v;
		x->nnames = c->cnames;
	}
	if (x->nsets < c->nsets) {
		struct rule_mask *v = realloc(x->sets, c->csets * sizeof *v);

		if (!v)
			return -1;
		memset(v + x->nsets, 0, (c->csets - x->nsets) * sizeof *v);
		x->sets = v;
		x->nsets = c->csets;
	}
	return 0;
}

bool rules_set_mask(struct rules *x, const struct conf *c, uint32_t id)
{
	const struct conf_set *s = &c->sets[id];
	struct rule_mask m = { { 0 }, { 0 }, { 0 } };

	for (uint32_t i = 0; i < s->n; i++) {
		const struct rule_mask *n = &x->names[c->pool[s->off + i]];

		for (enum fam f = 0; f < FAM_N; f++) {
			m.exact[f] |= n->exact[f];
			m.wild[f] |= n->wild[f];
			m.lacks[f] |= n->lacks[f];
		}
	}
	if (!memcmp(&m, &x->sets[id], sizeof m))
		return false;
	x->sets[id] = m;
	return true;
}

/* The walk of both look-ups below: each rule of the chain at `id` that has VIF bit as an iif. */
static inline uint32_t next_match(const struct rules *x, const struct conf *c, uint32_t id, enum fam fam,
				  uint32_t bit)
{
	while (id != HASH_NONE) {
		const struct rule_mask *iif = &x->names[c->mroutes[id].iif];

		if ((iif->exact[fam] | iif->wild[fam]) & bit)
			break;
		id = c->mroutes[id].next;
	}
	return id;
}

static uint32_t pair_chain(const struct rules *x, const struct conf *c, const struct rule_pair *p,
			   const struct addr *s, const struct addr *g)
{
	struct key k = { *s, *g, p->slen, p->glen };

	addr_mask(&k.s, p->slen);
	addr_mask(&k.g, p->glen);
	return lookup(x, c, &k);
}

uint32_t rules_outputs(const struct rules *x, const struct conf *c, int vif, const struct addr *s,
		       const struct addr *g, bool *covered)
{
	return rules_outputs_sg(x, c, rules_chain(x, c, s, 128, g, 128), vif, s, g, covered);
}

uint32_t rules_outputs_sg(const struct rules *x, const struct conf *c, uint32_t sg, int vif,
			  const struct addr *s, const struct addr *g, bool *covered)
{
	enum fam fam = addr_fam(g);
	uint32_t bit = UINT32_C(1) << vif, out = 0;

	*covered = false;
	for (uint32_t i = 0; i < x->npairs[fam]; i++) {
		const struct rule_pair *p = &x->pairs[fam][i];
		uint32_t chain = p->slen == 128 && p->glen == 128 ? sg : pair_chain(x, c, p, s, g);
		uint32_t id = next_match(x, c, chain, fam, bit);

		while (id != HASH_NONE) {
			const struct rule_mask *m = &x->sets[c->mroutes[id].oifs];

			*covered = true;
			out |= m->exact[fam] | (m->wild[fam] & ~bit);
			id = next_match(x, c, c->mroutes[id].next, fam, bit);
		}
	}
	return out;
}

void rules_matching(const struct rules *x, const struct conf *c, int vif, const struct addr *s,
		    const struct addr *g, void (*fn)(void *ctx, uint32_t id), void *ctx)
{
	enum fam fam = addr_fam(g);
	uint32_t bit = UINT32_C(1) << vif;

	for (uint32_t i = 0; i < x->npairs[fam]; i++) {
		uint32_t id = next_match(x, c, pair_chain(x, c, &x->pairs[fam][i], s, g), fam, bit);

		while (id != HASH_NONE) {
			fn(ctx, id);
			id = next_match(x, c, c->mroutes[id].next, fam, bit);
		}
	}
}
