/* SPDX-License-Identifier: ISC
 *
 * Rules that go both ways: one sends from a to b what another sends from b to
 * a.  That is often meant, and a loop wherever a and b also meet elsewhere.
 *
 * First the pairs (inbound, outbound) that occur: only rules with a pair whose
 * opposite occurs are looked at.  Those are indexed by flow, with groups also
 * cut to each shorter length that occurs, so that a rule finds partners whose
 * source covers its own whatever way the groups cover each other.
 */
#include "conf/warn.h"

#include <stdlib.h>
#include <string.h>

#include "lib/grow.h"

/* Rules of one flow that are compared; there are 32 inbound interfaces at most. */
#define SAME_FLOW 64
#define WAYS 8ull		/* entries for each rule, on average */

struct edge {
	uint16_t from, to;
	bool mutual;
};

/* A rule by its flow; no padding, all before `rule` is hashed. */
struct way {
	struct addr source, group;
	uint8_t slen, glen;
	uint8_t cut;		/* the group was cut to glen */
	uint8_t zero;
	uint32_t rule;
	uint32_t next;		/* of the same flow */
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
	struct hash by_io;	/* the first rule of each iif and oifs */
	bool *has;		/* by that rule: it has a mutual pair */
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

static uint32_t hash_io(const struct mroute *r)
{
	uint32_t k[2] = { r->iif, r->oifs };

	return hash_words(k, sizeof k);
}

static uint32_t io_hash(const void *ctx, uint32_t id)
{
	const struct mutual *m = ctx;

	return hash_io(&m->c->mroutes[id]);
}

static bool io_equal(const void *ctx, uint32_t id, const void *key)
{
	const struct mutual *m = ctx;
	const struct mroute *r = &m->c->mroutes[id], *k = key;

	return r->iif == k->iif && r->oifs == k->oifs;
}

static const struct hash_ops edge_ops = { edge_hash, edge_equal };
static const struct hash_ops way_ops = { way_hash, way_equal };
static const struct hash_ops io_ops = { io_hash, io_equal };

/* ---- pairs ---- */

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
	struct edge *v = grow(m->edges, &m->cedges, m->nedges + 1, sizeof *v);

	if (!v)
		return false;
	m->edges = v;
	m->edges[m->nedges] = k;
	return !hash_add(&m->by_edge, &edge_ops, m, hash_bytes(&k, 2 * sizeof(uint16_t)), m->nedges++);
}

/* Marks the pairs whose opposite occurs too, by themselves or by wildcards that cover them. */
static bool mark_edges(struct mutual *m)
{
	bool any = false;

	for (uint32_t i = 0; i < m->nedges; i++) {
		struct edge *e = &m->edges[i];

		for (uint16_t from = e->to; from != CONF_NONE; from = m->w->v[from].wider)
			for (uint16_t to = e->from; to != CONF_NONE; to = m->w->v[to].wider) {
				struct edge *back = find_edge(m, from, to);

				if (back)
					back->mutual = e->mutual = any = true;
			}
	}
	return any;
}

/* Collects the pairs of all rules. */
static bool find_edges(struct mutual *m)
{
	const struct conf *c = m->c;

	for (uint32_t i = 0; i < c->nmroutes; i++) {
		const struct mroute *r = &c->mroutes[i];
		const struct conf_set *set = &c->sets[r->oifs];

		if (r->iif == CONF_NONE || hash_find(&m->by_io, &io_ops, m, hash_io(r), r) != HASH_NONE)
			continue;
		if (hash_add(&m->by_io, &io_ops, m, hash_io(r), i) < 0)
			return false;
		for (uint32_t k = 0; k < set->n; k++)
			if (!add_edge(m, r->iif, c->pool[set->off + k]))
				return false;
	}
	return true;
}

static void mark_rules(struct mutual *m)
{
	const struct conf *c = m->c;

	for (uint32_t i = 0; i < c->nmroutes; i++) {
		const struct mroute *r = &c->mroutes[i];
		const struct conf_set *set = &c->sets[r->oifs];

		if (r->iif == CONF_NONE || hash_find(&m->by_io, &io_ops, m, hash_io(r), r) != i)
			continue;
		for (uint32_t k = 0; k < set->n && !m->has[i]; k++) {
			const struct edge *e = find_edge(m, r->iif, c->pool[set->off + k]);

			m->has[i] = e && e->mutual;
		}
	}
}

/* ---- flows ---- */

static bool add_way(struct mutual *m, struct way *k)
{
	uint32_t h = hash_words(k, WAY_KEY), first = hash_find(&m->by_way, &way_ops, m, h, k);
	struct way *v = grow(m->ways, &m->cways, m->nways + 1, sizeof *v);

	if (!v)
		return false;
	m->ways = v;
	k->next = HASH_NONE;
	if (first != HASH_NONE) {
		k->next = m->ways[first].next;
		m->ways[first].next = m->nways;
	}
	m->ways[m->nways] = *k;
	if (first == HASH_NONE && hash_add(&m->by_way, &way_ops, m, h, m->nways) < 0)
		return false;
	m->nways++;
	return true;
}

/* Enters a rule as it is, and with its group cut. */
static bool enter(struct mutual *m, uint32_t rule)
{
	const struct mroute *r = &m->c->mroutes[rule];
	enum fam fam = addr_fam(&r->group);
	struct way k = { r->source, r->group, r->slen, r->glen, 0, 0, rule, 0 };

	if (!add_way(m, &k))
		return false;
	k.cut = 1;
	for (unsigned i = 0; i < m->sh->ng[fam]; i++) {
		k.glen = m->sh->g[fam][i];
		if (k.glen >= r->glen)
			continue;
		if (m->nways > WAYS * m->c->nmroutes) {
			m->sh->partial = true;
			break;
		}
		k.group = r->group;
		addr_mask(&k.group, k.glen);
		if (!add_way(m, &k))
			return false;
	}
	return true;
}

static bool covers(const struct mutual *m, uint16_t wide, uint16_t id)
{
	while (id != CONF_NONE && id != wide)
		id = m->w->v[id].wider;
	return id != CONF_NONE;
}

/* True when rule a sends to where the packets of rule b come from. */
static bool sends(const struct mutual *m, const struct mroute *a, const struct mroute *b)
{
	const struct conf_set *set = &m->c->sets[a->oifs];

	for (uint32_t i = 0; i < set->n; i++) {
		uint16_t oif = m->c->pool[set->off + i];

		if (covers(m, oif, b->iif) || covers(m, b->iif, oif))
			return true;
	}
	return false;
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

/* Looks for an opposite of a rule among those of one flow; true when no more need be looked for. */
static bool try_way(struct mutual *m, struct diags *d, uint32_t rule, struct way *k)
{
	const struct mroute *r = &m->c->mroutes[rule];

	if (!shape_spend(m->sh))
		return true;
	addr_mask(&k->source, k->slen);
	addr_mask(&k->group, k->glen);
	uint32_t id = hash_find(&m->by_way, &way_ops, m, hash_words(k, WAY_KEY), k);

	for (int n = 0; id != HASH_NONE && n < SAME_FLOW; id = m->ways[id].next, n++) {
		const struct mroute *other = &m->c->mroutes[m->ways[id].rule];

		if (other->iif == r->iif || !sends(m, r, other) || !sends(m, other, r))
			continue;
		tell(m, d, rule, m->ways[id].rule);
		return true;
	}
	return false;
}

/* Looks for rules that overlap this one, cover its source and go the other way. */
static void find(struct mutual *m, struct diags *d, uint32_t rule)
{
	const struct mroute *r = &m->c->mroutes[rule];
	enum fam fam = addr_fam(&r->group);

	for (uint32_t i = 0; i < m->sh->npairs[fam]; i++) {
		struct lens l = m->sh->pairs[fam][i];
		struct way k = { r->source, r->group, l.s, l.g, 0, 0, 0, 0 };

		if (l.s <= r->slen && l.g <= r->glen && try_way(m, d, rule, &k))
			return;
	}
	for (unsigned i = 0; i < m->sh->ns[fam]; i++) {
		struct way k = { r->source, r->group, m->sh->s[fam][i], r->glen, 1, 0, 0, 0 };

		if (k.slen <= r->slen && try_way(m, d, rule, &k))
			return;
	}
}

/* Goes over the rules that have a mutual pair: first to enter, then to find. */
static bool walk(struct mutual *m, struct diags *d, bool finding)
{
	const struct conf *c = m->c;

	for (uint32_t i = 0; i < c->nmroutes; i++) {
		const struct mroute *r = &c->mroutes[i];

		if (r->iif == CONF_NONE || !m->has[hash_find(&m->by_io, &io_ops, m, hash_io(r), r)])
			continue;
		if (finding)
			find(m, d, i);
		else if (!enter(m, i))
			return false;
	}
	return true;
}

bool warn_mutual(const struct names *w, struct diags *d, struct shape *sh)
{
	struct mutual m = { .w = w, .c = w->c, .sh = sh };
	bool ok = find_edges(&m);

	if (ok && mark_edges(&m)) {
		m.told = calloc(w->c->nmroutes, sizeof *m.told);
		m.has = calloc(w->c->nmroutes, sizeof *m.has);
		ok = m.told && m.has;
		if (ok) {
			mark_rules(&m);
			ok = walk(&m, d, false) && walk(&m, d, true);
		}
	}
	hash_free(&m.by_edge);
	hash_free(&m.by_way);
	hash_free(&m.by_io);
	free(m.edges);
	free(m.ways);
	free(m.has);
	free(m.told);
	return ok;
}
