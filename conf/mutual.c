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

/* Rules of one flow that are compared; there are 32 inbound interfaces at most. */
#define SAME_FLOW 64
#define WAYS 8ull		/* entries for each rule, on average */

/* The flow of a rule as it is, or with its group cut: in the place of an inbound interface. */
enum { WHOLE, CUT };

struct mutual {
	const struct names *w;
	const struct conf *c;
	struct shapes *sh;
	struct diags *d;
	bool *told;		/* by rule */
	struct flows edges;	/* pairs of interfaces; `rule` is 1 when the opposite occurs */
	struct flows ios;	/* pairs of interface and set; `rule` is 1 when it has such an edge */
	struct flows flows;
};

/* ---- pairs ---- */

/* An inbound interface with an output or a set of them, in the place of a flow. */
static struct key pair_key(uint16_t iif, uint32_t to)
{
	return (struct key){ .iif = iif, .source.w = { to } };
}

static struct way *find_pair(const struct flows *f, uint16_t iif, uint32_t to)
{
	struct key k = pair_key(iif, to);
	uint32_t id = flows_find(f, &k);

	return id == HASH_NONE ? NULL : &f->v[id];
}

static bool add_pair(struct flows *f, uint16_t iif, uint32_t to)
{
	struct key k = pair_key(iif, to);

	return flows_add(f, &k, false);
}

/* Collects the pairs of all rules. */
static bool find_edges(struct mutual *m)
{
	const struct conf *c = m->c;
	const struct conf_rule *last = NULL;

	for (uint32_t i = 0; i < c->nmroutes; last = &c->mroutes[i++]) {
		const struct conf_rule *r = &c->mroutes[i];
		const struct conf_set *set = &c->sets[r->oifs];

		/* Most lines say what the line before said. */
		if (last && last->iif == r->iif && last->oifs == r->oifs)
			continue;
		if (find_pair(&m->ios, r->iif, r->oifs))
			continue;
		if (!add_pair(&m->ios, r->iif, r->oifs))
			return false;
		for (uint32_t k = 0; k < set->n; k++) {
			uint16_t oif = c->pool[set->off + k];

			if (oif != r->iif && !find_pair(&m->edges, r->iif, oif) && !add_pair(&m->edges, r->iif, oif))
				return false;
		}
	}
	return true;
}

/* Marks the pairs whose opposite occurs too, by themselves or by wildcards that cover them. */
static bool mark_edges(struct mutual *m)
{
	bool any = false;

	for (uint32_t i = 0; i < m->edges.n; i++) {
		struct way *e = &m->edges.v[i];

		for (uint16_t from = (uint16_t)e->key.source.w[0]; from != CONF_NONE; from = m->w->v[from].wider)
			for (uint16_t to = e->key.iif; to != CONF_NONE; to = m->w->v[to].wider) {
				struct way *back = find_pair(&m->edges, from, to);

				if (back)
					back->rule = e->rule = any = true;
			}
	}
	return any;
}

static void mark_ios(struct mutual *m)
{
	for (uint32_t i = 0; i < m->ios.n; i++) {
		struct way *io = &m->ios.v[i];
		const struct conf_set *set = &m->c->sets[io->key.source.w[0]];

		for (uint32_t k = 0; k < set->n; k++) {
			const struct way *e = find_pair(&m->edges, io->key.iif, m->c->pool[set->off + k]);

			io->rule |= e && e->rule;
		}
	}
}

/* ---- flows ---- */

/* Enters a rule as it is, and with its group cut. */
static bool enter(struct mutual *m, uint32_t rule)
{
	const struct conf_rule *r = &m->c->mroutes[rule];
	const struct lengths *g = &m->sh->of[flow_range_fam(&r->range)].g;
	struct key k = { r->range.flow.source, r->range.flow.group, WHOLE, r->range.source_len, r->range.group_len };

	if (!flows_add(&m->flows, &k, rule))
		return false;
	k.iif = CUT;
	for (unsigned i = 0; i < g->n; i++) {
		k.glen = g->v[i];
		if (k.glen >= r->range.group_len)
			continue;
		if (m->flows.n > WAYS * m->c->nmroutes) {
			m->sh->partial = true;
			break;
		}
		k.group = r->range.flow.group;
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
static bool sends(const struct mutual *m, const struct conf_rule *a, const struct conf_rule *b)
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
	const struct conf_rule *late = &m->c->mroutes[a > b ? a : b], *early = &m->c->mroutes[a > b ? b : a];
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
	const struct conf_rule *r = &m->c->mroutes[rule];

	if (slen > r->range.source_len || glen > r->range.group_len)
		return false;
	if (!shape_spend(m->sh))
		return true;
	uint32_t at = flows_look(&m->flows, r, kind, slen, glen);

	for (int n = 0; at != HASH_NONE && n < SAME_FLOW; n++) {
		const struct way *way = &m->flows.v[at];
		const struct conf_rule *other = &m->c->mroutes[way->rule];

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
	const struct conf_rule *r = &m->c->mroutes[rule];
	const struct shape *sh = &m->sh->of[flow_range_fam(&r->range)];

	for (uint32_t i = 0; i < sh->npairs; i++)
		if (try_way(m, rule, WHOLE, sh->pairs[i].s, sh->pairs[i].g))
			return;
	for (unsigned i = 0; i < sh->s.n; i++)
		if (try_way(m, rule, CUT, sh->s.v[i], r->range.group_len))
			return;
}

/* Goes over the rules that have a mutual pair: first to enter, then to find. */
static bool walk(struct mutual *m, bool finding)
{
	const struct conf *c = m->c;

	for (uint32_t i = 0; i < c->nmroutes; i++) {
		const struct conf_rule *r = &c->mroutes[i];

		if (!find_pair(&m->ios, r->iif, r->oifs)->rule)
			continue;
		if (finding)
			find(m, i);
		else if (!enter(m, i))
			return false;
	}
	return true;
}

bool warn_mutual(const struct names *w, struct diags *d, struct shapes *sh)
{
	struct mutual m = { .w = w, .c = w->c, .sh = sh, .d = d };
	bool ok = find_edges(&m);

	if (ok && mark_edges(&m)) {
		mark_ios(&m);
		m.told = calloc(w->c->nmroutes, sizeof *m.told);
		ok = m.told && walk(&m, false) && walk(&m, true);
	}
	flows_free(&m.edges);
	flows_free(&m.ios);
	flows_free(&m.flows);
	free(m.told);
	return ok;
}
