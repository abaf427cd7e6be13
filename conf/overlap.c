/* SPDX-License-Identifier: ISC
 *
 * Rules that another rule makes superfluous.  A rule is looked up under each
 * pair of prefix lengths that occurs, so the work grows with the number of
 * rules times the number of pairs, and a bound on all of it keeps odd files
 * from taking long.
 */
#include "conf/warn.h"

#include <stdlib.h>
#include <string.h>

#include "lib/grow.h"

#define LOOKUPS 4000000u		/* well under a second */
#define SAME_FLOW 32		/* rules of one flow that are compared with each other */

struct overlap {
	const struct names *w;
	const struct conf *c;
	struct diags *d;
	struct shapes *sh;
	uint32_t *mark, stamp;	/* by name: in the set under test */
	struct flows flows;
};

/* ---- flows ---- */

static uint32_t way_hash(const void *ctx, uint32_t id)
{
	const struct flows *f = ctx;

	return hash_words(&f->v[id].key, sizeof f->v->key);
}

static bool way_equal(const void *ctx, uint32_t id, const void *key)
{
	const struct flows *f = ctx;

	return !memcmp(&f->v[id].key, key, sizeof f->v->key);
}

static const struct hash_ops way_ops = { way_hash, way_equal };

uint32_t flows_find(const struct flows *f, const struct key *k)
{
	return hash_find(&f->by_key, &way_ops, f, hash_words(k, sizeof *k), k);
}

bool flows_add(struct flows *f, const struct key *k, uint32_t rule)
{
	uint32_t h = hash_words(k, sizeof *k), first = hash_find(&f->by_key, &way_ops, f, h, k);
	struct way *v = grow(f->v, &f->room, f->n + 1, sizeof *v);

	if (!v)
		return false;
	f->v = v;
	v[f->n] = (struct way){ *k, rule, HASH_NONE };
	if (first != HASH_NONE) {
		v[f->n].next = v[first].next;
		v[first].next = f->n;
	} else if (hash_add(&f->by_key, &way_ops, f, h, f->n) < 0) {
		return false;
	}
	f->n++;
	return true;
}

uint32_t flows_look(const struct flows *f, const struct conf_rule *m, uint16_t iif, uint8_t slen, uint8_t glen)
{
	struct key k = { m->range.flow.source, m->range.flow.group, iif, slen, glen };

	addr_mask(&k.source, slen);
	addr_mask(&k.group, glen);
	return flows_find(f, &k);
}

void flows_free(struct flows *f)
{
	hash_free(&f->by_key);
	free(f->v);
}

bool shape_spend(struct shapes *sh)
{
	if (sh->budget)
		return sh->budget--;
	sh->partial = true;
	return false;
}

/* ---- superfluous rules ---- */

/* True when all outputs of rule a are outputs of rule b too. */
static bool outputs_within(struct overlap *o, const struct conf_rule *a, const struct conf_rule *b)
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
			by = o->w->v[by].wider;
		if (by == CONF_NONE || (by != id && id == a->iif))
			return false;
	}
	return true;
}

/* Looks for a rule that does what rule i does among those of one flow that covers it. */
static bool superfluous(struct overlap *o, uint32_t i, uint16_t iif, const struct lens *l)
{
	const struct conf *c = o->c;
	const struct conf_rule *m = &c->mroutes[i];
	uint32_t at = flows_look(&o->flows, m, iif, l->s, l->g);

	for (int n = 0; at != HASH_NONE && n < SAME_FLOW; n++) {
		const struct way *way = &o->flows.v[at];
		const struct conf_rule *other = &c->mroutes[way->rule];

		at = way->next;
		if (way->rule == i || !outputs_within(o, m, other))
			continue;
		/* Of two that say the same the later one is told of. */
		if (way->rule > i && iif == m->iif && l->s == m->range.source_len && l->g == m->range.group_len && outputs_within(o, other, m))
			continue;
		WARN(o->d, m->where, !m->oifs && other->oifs ?
		     "this stops nothing: line %lu of %s sends the same packets on" :
		     "superfluous: line %lu of %s does all that this line does",
		     (unsigned long)other->where.line, c->files[other->where.file]);
		return true;
	}
	return false;
}

static void check_rule(struct overlap *o, uint32_t i)
{
	const struct conf_rule *m = &o->c->mroutes[i];
	const struct shape *sh = &o->sh->of[flow_range_fam(&m->range)];

	for (uint16_t iif = m->iif; iif != CONF_NONE; iif = o->w->v[iif].wider)
		for (const struct lens *l = sh->pairs; l < sh->pairs + sh->npairs; l++)
			if (l->s <= m->range.source_len && l->g <= m->range.group_len &&
			    (!shape_spend(o->sh) || superfluous(o, i, iif, l)))
				return;
}

static bool index_rules(struct overlap *o)
{
	const struct conf *c = o->c;

	if (hash_reserve(&o->flows.by_key, &way_ops, &o->flows, c->nmroutes) < 0)
		return false;
	for (uint32_t i = 0; i < c->nmroutes; i++) {
		const struct conf_rule *m = &c->mroutes[i];
		struct key k = { m->range.flow.source, m->range.flow.group, m->iif, m->range.source_len, m->range.group_len };

		if (!flows_add(&o->flows, &k, i))
			return false;
	}
	return true;
}

static bool warn_superfluous(const struct names *w, struct diags *d, struct shapes *sh)
{
	const struct conf *c = w->c;
	struct overlap o = { .w = w, .c = c, .d = d, .sh = sh, .mark = calloc(c->nnames + 1u, sizeof *o.mark) };
	bool ok = o.mark && index_rules(&o);

	for (uint32_t i = 0; ok && i < c->nmroutes; i++)
		check_rule(&o, i);
	flows_free(&o.flows);
	free(o.mark);
	return ok;
}

static void add_length(struct lengths *l, uint8_t len)
{
	if (!l->seen[len])
		l->v[l->n++] = len;
	l->seen[len] = true;
}

/* Collects the lengths that occur, each and each pair once. */
static bool shapes_init(struct shapes *all, const struct conf *c)
{
	all->budget = LOOKUPS;
	for (uint32_t i = 0; i < c->nmroutes; i++) {
		const struct conf_rule *m = &c->mroutes[i];
		struct shape *sh = &all->of[flow_range_fam(&m->range)];
		bool *seen = &sh->seen[m->range.source_len][m->range.group_len];
		struct lens *v;

		if (*seen)
			continue;
		*seen = true;
		v = grow(sh->pairs, &sh->cpairs, sh->npairs + 1, sizeof *v);
		if (!v)
			return false;
		sh->pairs = v;
		v[sh->npairs++] = (struct lens){ m->range.source_len, m->range.group_len };
		add_length(&sh->s, m->range.source_len);
		add_length(&sh->g, m->range.group_len);
	}
	return true;
}

bool warn_rules(const struct names *w, struct diags *d, bool *partial)
{
	struct shapes *sh = calloc(1, sizeof *sh);
	bool ok = sh && shapes_init(sh, w->c) && warn_superfluous(w, d, sh) && warn_mutual(w, d, sh);

	if (sh) {
		*partial = sh->partial;
		free(sh->of[FAM_4].pairs);
		free(sh->of[FAM_6].pairs);
	}
	free(sh);
	return ok;
}
