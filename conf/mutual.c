/* SPDX-License-Identifier: ISC
 *
 * Rules that go both ways: one sends from a to b what another sends from b to
 * a.  That is often meant, and a loop wherever a and b also meet elsewhere.
 *
 * First the pairs (inbound, outbound) of all rules: only those whose opposite
 * exists are looked at.  Their rules are indexed by pair and flow, with groups
 * also cut to each shorter length that occurs, so that a rule finds partners
 * whose source covers its own whatever way the groups cover each other.
 */
#include "conf/warn.h"

#include <stdlib.h>
#include <string.h>

struct edge {
	uint16_t from, to;
	bool mutual;
};

/* A rule under one of its outputs; no padding, all but `rule` is hashed. */
struct way {
	struct addr source, group;
	uint16_t from, to;
	uint8_t slen, glen;
	uint8_t cut;		/* the group was cut to glen */
	uint8_t zero;
	uint32_t rule;
};
#define WAY_KEY offsetof(struct way, rule)

struct mutual {
	const struct names *w;
	const struct conf *c;
	struct shape *sh;
	struct edge *edges;
	struct way *ways;
	uint32_t nedges, cedges, nways, cways;
	struct hash by_edge, by_way;
	bool *told;		/* by rule */
};

static uint32_t edge_hash(const void *ctx, uint32_t id)
{
	const struct mutual *m = ctx;

	return hash_bytes(&m->edges[id], 2 * sizeof(uint16_t));
}

static bool edge_equal(const void *ctx, uint32_t id, const void *key)
{
	const struct mutual *m = ctx;
	const struct edge *k = key;

	return m->edges[id].from == k->from && m->edges[id].to == k->to;
}

static uint32_t way_hash(const void *ctx, uint32_t id)
{
	const struct mutual *m = ctx;

	return hash_words(&m->ways[id], WAY_KEY);
}

static bool way_equal(const void *ctx, uint32_t id, const void *key)
{
	const struct mutual *m = ctx;

	return !memcmp(&m->ways[id], key, WAY_KEY);
}

static const struct hash_ops edge_ops = { edge_hash, edge_equal };
static const struct hash_ops way_ops = { way_hash, way_equal };

static struct edge *find_edge(const struct mutual *m, uint16_t from, uint16_t to)
{
	struct edge k = { from, to, false };
	uint32_t id = hash_find(&m->by_edge, &edge_ops, m, hash_bytes(&k, 2 * sizeof(uint16_t)), &k);

	return id == HASH_NONE ? NULL : &m->edges[id];
}

static bool add_edge(struct mutual *m, uint16_t from, uint16_t to)
{
	struct edge k = { from, to, false };

	if (from == to || find_edge(m, from, to))
		return true;
	if (m->nedges == m->cedges) {
		uint32_t cap = m->cedges ? m->cedges * 2 : 64;
		struct edge *v = realloc(m->edges, cap * sizeof *v);

		if (!v)
			return false;
		m->edges = v;
		m->cedges = cap;
	}
	m->edges[m->nedges] = k;
	return !hash_add(&m->by_edge, &edge_ops, m, hash_bytes(&k, 2 * sizeof(uint16_t)), m->nedges++);
}

/* Collects the pairs of all rules and marks those that have an opposite. */
static bool find_edges(struct mutual *m)
{
	const struct conf *c = m->c;
	uint32_t last_set = 0;
	uint16_t last_iif = CONF_NONE;

	for (uint32_t i = 0; i < c->nmroutes; i++) {
		const struct mroute *r = &c->mroutes[i];
		const struct conf_set *set = &c->sets[r->oifs];

		if (r->iif == CONF_NONE || (r->iif == last_iif && r->oifs == last_set))
			continue;
		last_iif = r->iif;
		last_set = r->oifs;
		for (uint32_t k = 0; k < set->n; k++)
			if (!add_edge(m, r->iif, c->pool[set->off + k]))
				return false;
	}
	for (uint32_t i = 0; i < m->nedges; i++) {
		struct edge *e = &m->edges[i];

		for (uint16_t from = e->to; from != CONF_NONE; from = m->w->v[from].wider)
			for (uint16_t to = e->from; to != CONF_NONE; to = m->w->v[to].wider) {
				struct edge *back = find_edge(m, from, to);

				if (back)
					back->mutual = e->mutual = true;
			}
	}
	return true;
}

static bool add_way(struct mutual *m, const struct way *k)
{
	uint32_t h = hash_words(k, WAY_KEY);

	if (hash_find(&m->by_way, &way_ops, m, h, k) != HASH_NONE)
		return true;
	if (m->nways == m->cways) {
		uint32_t cap = m->cways ? m->cways * 2 : 64;
		struct way *v = realloc(m->ways, cap * sizeof *v);

		if (!v)
			return false;
		m->ways = v;
		m->cways = cap;
	}
	m->ways[m->nways] = *k;
	return !hash_add(&m->by_way, &way_ops, m, h, m->nways++);
}

/* Enters a rule under one output: as it is, and with its group cut. */
static bool enter(struct mutual *m, uint32_t rule, uint16_t to)
{
	const struct mroute *r = &m->c->mroutes[rule];
	enum fam fam = addr_fam(&r->group);
	struct way k = { r->source, r->group, r->iif, to, r->slen, r->glen, 0, 0, rule };

	if (!add_way(m, &k))
		return false;
	for (unsigned i = 0; i < m->sh->ng[fam]; i++) {
		uint8_t len = m->sh->g[fam][i];

		if (len >= r->glen)
			continue;
		if (!shape_spend(m->sh))
			return true;
		k.group = r->group;
		k.glen = len;
		k.cut = 1;
		addr_mask(&k.group, len);
		if (!add_way(m, &k))
			return false;
	}
	return true;
}

static void tell(struct mutual *m, struct diags *d, uint32_t a, uint32_t b)
{
	const struct conf *c = m->c;
	uint32_t late = a > b ? a : b, early = a > b ? b : a;

	if (m->told[late])
		return;
	m->told[late] = true;
	WARN(d, c->mroutes[late].where, "line %lu of %s sends the same packets the other way: a loop, if "
	     "these networks meet elsewhere too", (unsigned long)c->mroutes[early].where.line,
	     c->files[c->mroutes[early].where.file]);
}

static bool try_way(struct mutual *m, struct diags *d, uint32_t rule, struct way *k)
{
	addr_mask(&k->source, k->slen);
	addr_mask(&k->group, k->glen);
	uint32_t id = hash_find(&m->by_way, &way_ops, m, hash_words(k, WAY_KEY), k);

	if (id == HASH_NONE)
		return false;
	tell(m, d, rule, m->ways[id].rule);
	return true;
}

/* Looks for a rule from `from` to `to` that overlaps this one and covers its source. */
static bool find_way(struct mutual *m, struct diags *d, uint32_t rule, uint16_t from, uint16_t to)
{
	const struct mroute *r = &m->c->mroutes[rule];
	enum fam fam = addr_fam(&r->group);

	for (uint32_t i = 0; i < m->sh->npairs[fam]; i++) {
		struct lens l = m->sh->pairs[fam][i];
		struct way k = { r->source, r->group, from, to, l.s, l.g, 0, 0, 0 };

		if (l.s > r->slen || l.g > r->glen)
			continue;
		if (!shape_spend(m->sh))
			return true;
		if (try_way(m, d, rule, &k))
			return true;
	}
	for (unsigned i = 0; i < m->sh->ns[fam]; i++) {
		struct way k = { r->source, r->group, from, to, m->sh->s[fam][i], r->glen, 1, 0, 0 };

		if (k.slen > r->slen)
			continue;
		if (!shape_spend(m->sh) || try_way(m, d, rule, &k))
			return true;
	}
	return false;
}

static bool find_opposite(struct mutual *m, struct diags *d, uint32_t rule, uint16_t oif)
{
	const struct mroute *r = &m->c->mroutes[rule];

	for (uint16_t from = oif; from != CONF_NONE; from = m->w->v[from].wider)
		for (uint16_t to = r->iif; to != CONF_NONE; to = m->w->v[to].wider)
			if (find_edge(m, from, to) && find_way(m, d, rule, from, to))
				return true;
	return false;
}

/* Goes over the outputs of all rules that have an opposite: first to enter, then to find. */
static bool walk(struct mutual *m, struct diags *d, bool find)
{
	const struct conf *c = m->c;

	for (uint32_t i = 0; i < c->nmroutes; i++) {
		const struct mroute *r = &c->mroutes[i];
		const struct conf_set *set = &c->sets[r->oifs];

		for (uint32_t k = 0; r->iif != CONF_NONE && k < set->n; k++) {
			uint16_t oif = c->pool[set->off + k];
			const struct edge *e = find_edge(m, r->iif, oif);

			if (!e || !e->mutual)
				continue;
			if (find && find_opposite(m, d, i, oif))
				break;
			if (!find && !enter(m, i, oif))
				return false;
		}
	}
	return true;
}

bool warn_mutual(const struct names *w, struct diags *d, struct shape *sh)
{
	struct mutual m = { .w = w, .c = w->c, .sh = sh };
	bool ok = find_edges(&m), any = false;

	for (uint32_t i = 0; ok && i < m.nedges; i++)
		any |= m.edges[i].mutual;
	if (any) {
		m.told = calloc(w->c->nmroutes, sizeof *m.told);
		ok = m.told && walk(&m, d, false) && walk(&m, d, true);
	}
	hash_free(&m.by_edge);
	hash_free(&m.by_way);
	free(m.edges);
	free(m.ways);
	free(m.told);
	return ok;
}
