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

/* The flow of a rule as it is, or with its group cut: in the place of an inbound interface. */
enum { WHOLE, CUT };

struct mutual {
	const struct names *w;
	const struct conf *c;
	struct shape *sh;
	struct diags *d;
	struct edge *edges;
	uint32_t nedges, cedges;
	struct flows flows;
	struct hash by_edge;
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

/* Enters a rule as it is, and with its group cut. */
static bool enter(struct mutual *m, uint32_t rule)
{
	const struct mroute *r = &m->c->mroutes[rule];
	enum fam fam = addr_fam(&r->group);
	struct key k = { r->source, r->group, WHOLE, r->slen, r->glen };

	if (!flows_add(&m->flows, &k, rule))
		return false;
	k.iif = CUT;
	for (unsigned i = 0; i < m->sh->ng[fam]; i++) {
		k.glen = m->sh->g[fam][i];
		if (k.glen >= r->glen)
			continue;
		if (m->flows.n > WAYS * m->c->nmroutes) {
			m->sh->partial = true;
			break;
		}
		k.group = r->group;
		addr_mask(&k.group, k.glen);
		if (!flows_add(&m->flows, &k, rule))
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

static void tell(struct mutual *m, uint32_t a, uint32_t b)
{
	const struct mroute *late = &m->c->mroutes[a > b ? a : b], *early = &m->c->mroutes[a > b ? b : a];
	bool *told = &m->told[a > b ? a : b];

	if (!*told)
		WARN(m->d, late->where, "line %lu of %s sends the same packets the other way: a loop, if "
		     "these networks meet elsewhere too", (unsigned long)early->where.line,
		     m->c->files[early->where.file]);
	*told = true;
}

/* Looks for an opposite of a rule among those of one flow; true when no more need be looked for. */
static bool try_way(struct mutual *m, uint32_t rule, uint16_t kind, uint8_t slen, uint8_t glen)
{
	const struct mroute *r = &m->c->mroutes[rule];

	if (slen > r->slen || glen > r->glen)
		return false;
	if (!shape_spend(m->sh))
		return true;
	uint32_t at = flows_look(&m->flows, r, kind, slen, glen);

	for (int n = 0; at != HASH_NONE && n < SAME_FLOW; n++) {
		const struct way *way = &m->flows.v[at];
		const struct mroute *other = &m->c->mroutes[way->rule];

		at = way->next;
		if (other->iif == r->iif || !sends(m, r, other) || !sends(m, other, r))
			continue;
		tell(m, rule, way->rule);
		return true;
	}
	return false;
}

/* Looks for rules that overlap this one, cover its source and go the other way. */
static void find(struct mutual *m, uint32_t rule)
{
	const struct mroute *r = &m->c->mroutes[rule];
	const struct shape *sh = m->sh;
	enum fam fam = addr_fam(&r->group);

	for (uint32_t i = 0; i < sh->npairs[fam]; i++)
		if (try_way(m, rule, WHOLE, sh->pairs[fam][i].s, sh->pairs[fam][i].g))
			return;
	for (unsigned i = 0; i < sh->ns[fam]; i++)
		if (try_way(m, rule, CUT, sh->s[fam][i], r->glen))
			return;
}

/* Goes over the rules that have a mutual pair: first to enter, then to find. */
static bool walk(struct mutual *m, bool finding)
{
	const struct conf *c = m->c;

	for (uint32_t i = 0; i < c->nmroutes; i++) {
		const struct mroute *r = &c->mroutes[i];

		if (r->iif == CONF_NONE || !m->has[hash_find(&m->by_io, &io_ops, m, hash_io(r), r)])
			continue;
		if (finding)
			find(m, i);
		else if (!enter(m, i))
			return false;
	}
	return true;
}

bool warn_mutual(struct names *w, struct diags *d, struct shape *sh)
{
	struct mutual m = { .w = w, .c = w->c, .sh = sh, .d = d };
	bool ok = find_edges(&m);

	if (ok && mark_edges(&m)) {
		m.told = calloc(w->c->nmroutes, sizeof *m.told);
		m.has = calloc(w->c->nmroutes, sizeof *m.has);
		ok = m.told && m.has;
		if (ok) {
			mark_rules(&m);
			ok = walk(&m, false) && walk(&m, true);
		}
	}
	hash_free(&m.by_edge);
	flows_free(&m.flows);
	hash_free(&m.by_io);
	free(m.edges);
	free(m.has);
	free(m.told);
	return ok;
}
