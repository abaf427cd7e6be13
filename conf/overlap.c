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

#define LOOKUPS 4000000u		/* well under a second */
#define SAME_FLOW 32		/* rules of one flow that are compared with each other */

/* A flow as hashed: no padding. */
struct key {
	struct addr source, group;
	uint16_t iif;
	uint8_t slen, glen;
};

struct overlap {
	const struct names *w;
	const struct conf *c;
	struct shape *sh;
	struct hash by_flow;	/* the first rule of each flow ... */
	uint32_t *next;		/* ... and the others, HASH_NONE at the end */
	uint32_t *mark, stamp;	/* by name: in the set under test */
};

static struct key key_of(const struct mroute *m)
{
	return (struct key){ m->source, m->group, m->iif, m->slen, m->glen };
}

static uint32_t flow_hash(const void *ctx, uint32_t id)
{
	const struct conf *c = ctx;
	struct key k = key_of(&c->mroutes[id]);

	return hash_words(&k, sizeof k);
}

static bool flow_equal(const void *ctx, uint32_t id, const void *key)
{
	const struct conf *c = ctx;
	struct key k = key_of(&c->mroutes[id]);

	return !memcmp(&k, key, sizeof k);
}

static const struct hash_ops flow_ops = { flow_hash, flow_equal };

static bool index_rules(struct overlap *o)
{
	const struct conf *c = o->c;

	if (hash_reserve(&o->by_flow, &flow_ops, c, c->nmroutes) < 0)
		return false;
	for (uint32_t i = 0; i < c->nmroutes; i++) {
		struct key k = key_of(&c->mroutes[i]);

		o->next[i] = HASH_NONE;
		if (k.iif == CONF_NONE)
			continue;
		uint32_t h = hash_words(&k, sizeof k);
		uint32_t first = hash_find(&o->by_flow, &flow_ops, c, h, &k);

		if (first == HASH_NONE) {
			hash_add(&o->by_flow, &flow_ops, c, h, i);
		} else {
			o->next[i] = o->next[first];
			o->next[first] = i;
		}
	}
	return true;
}

/* True when all outputs of rule a are outputs of rule b too. */
static bool outputs_within(struct overlap *o, const struct mroute *a, const struct mroute *b)
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

static void tell(struct overlap *o, struct diags *d, const struct mroute *a, const struct mroute *b)
{
	const struct conf *c = o->c;
	unsigned long line = b->where.line;
	const char *file = c->files[b->where.file];

	if (!a->oifs && b->oifs)
		WARN(d, a->where, "this stops nothing: line %lu of %s sends the same packets on",
		     line, file);
	else
		WARN(d, a->where, "superfluous: line %lu of %s does all that this line does", line, file);
}

/* Looks for a rule that does what rule i does among those of one flow. */
static bool superfluous(struct overlap *o, struct diags *d, uint32_t i, const struct key *k)
{
	const struct conf *c = o->c;
	const struct mroute *m = &c->mroutes[i];
	uint32_t at = hash_find(&o->by_flow, &flow_ops, c, hash_words(k, sizeof *k), k);

	for (int n = 0; at != HASH_NONE && n < SAME_FLOW; at = o->next[at], n++) {
		const struct mroute *other = &c->mroutes[at];
		struct key mine = key_of(m);

		if (at == i || !outputs_within(o, m, other))
			continue;
		/* Of two that say the same the later one is told of. */
		if (at > i && !memcmp(&mine, k, sizeof mine) && outputs_within(o, other, m))
			continue;
		tell(o, d, m, other);
		return true;
	}
	return false;
}

static void check_rule(struct overlap *o, struct diags *d, uint32_t i)
{
	const struct mroute *m = &o->c->mroutes[i];
	enum fam fam = addr_fam(&m->group);

	for (uint16_t iif = m->iif; iif != CONF_NONE; iif = o->w->v[iif].wider) {
		for (uint32_t p = 0; p < o->sh->npairs[fam]; p++) {
			struct lens l = o->sh->pairs[fam][p];
			struct key k = { m->source, m->group, iif, l.s, l.g };

			if (l.s > m->slen || l.g > m->glen)
				continue;
			addr_mask(&k.source, l.s);
			addr_mask(&k.group, l.g);
			if (!shape_spend(o->sh) || superfluous(o, d, i, &k))
				return;
		}
	}
}

static bool warn_superfluous(const struct names *w, struct diags *d, struct shape *sh)
{
	const struct conf *c = w->c;
	struct overlap o = { .w = w, .c = c, .sh = sh };
	bool ok;

	o.next = malloc(c->nmroutes * sizeof *o.next);
	o.mark = calloc(c->nnames + 1u, sizeof *o.mark);
	ok = o.next && o.mark && index_rules(&o);
	for (uint32_t i = 0; ok && i < c->nmroutes; i++)
		if (c->mroutes[i].iif != CONF_NONE)
			check_rule(&o, d, i);
	hash_free(&o.by_flow);
	free(o.next);
	free(o.mark);
	return ok;
}

/* Collects the lengths that occur, each pair once. */
static bool shape_init(struct shape *sh, const struct conf *c)
{
	bool (*seen)[129][129] = calloc(FAM_N, sizeof *seen);
	bool s[FAM_N][129] = { 0 }, g[FAM_N][129] = { 0 }, ok = seen != NULL;

	for (uint32_t i = 0; ok && i < c->nmroutes; i++) {
		const struct mroute *m = &c->mroutes[i];
		enum fam fam = addr_fam(&m->group);
		uint32_t n = sh->npairs[fam];

		if (m->iif == CONF_NONE || seen[fam][m->slen][m->glen])
			continue;
		seen[fam][m->slen][m->glen] = true;
		/* Powers of two are when it is full. */
		if (!(n & (n - 1))) {
			struct lens *v = realloc(sh->pairs[fam], (n ? n * 2 : 1) * sizeof *v);

			ok = v != NULL;
			if (!ok)
				break;
			sh->pairs[fam] = v;
		}
		sh->pairs[fam][sh->npairs[fam]++] = (struct lens){ m->slen, m->glen };
		if (!s[fam][m->slen])
			sh->s[fam][sh->ns[fam]++] = m->slen;
		if (!g[fam][m->glen])
			sh->g[fam][sh->ng[fam]++] = m->glen;
		s[fam][m->slen] = g[fam][m->glen] = true;
	}
	free(seen);
	return ok;
}

bool warn_rules(const struct names *w, struct diags *d)
{
	struct shape sh = { .budget = LOOKUPS };
	bool ok = !w->c->nmroutes ||
		  (shape_init(&sh, w->c) && warn_superfluous(w, d, &sh) && warn_mutual(w, d, &sh));

	if (sh.partial)
		WARN(d, (struct where){ .file = w->c->nfiles > 1 },
		     "too many prefix lengths: not all overlaps of rules were looked at");
	free(sh.pairs[FAM_4]);
	free(sh.pairs[FAM_6]);
	return ok;
}
