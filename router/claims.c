/* SPDX-License-Identifier: ISC
 *
 * The table: claims in an array, chained for each rule in the order of their owners, and an index from the rule to the
 * first of them.
 */
#include "router/claims.h"

#include <stdlib.h>

#include "lib/grow.h"

static uint32_t claims_hash_rule(uint32_t rule)
{
	return hash_bytes(&rule, sizeof rule);
}

static uint32_t claims_hash(const void *ctx, uint32_t at)
{
	return claims_hash_rule(((const struct claims *)ctx)->v[at].rule);
}

static bool claims_equal(const void *ctx, uint32_t at, const void *key)
{
	return ((const struct claims *)ctx)->v[at].rule == *(const uint32_t *)key;
}

static const struct hash_ops claims_ops = { claims_hash, claims_equal };

/* ---- reading ---- */

static bool claims_is_shared(const struct rules *t, uint32_t id)
{
	return t->v[id].owner == OWNER_SEVERAL;
}

/* The place of the first claim to a rule that has several. */
static uint32_t claims_first(const struct rules *t, uint32_t id)
{
	return hash_find(&t->claims.by_rule, &claims_ops, &t->claims, claims_hash_rule(id), &id);
}

struct claim_walk claims_walk(const struct rules *t, uint32_t id)
{
	if (claims_is_shared(t, id))
		return (struct claim_walk){ .rules = t, .next = claims_first(t, id) };
	return (struct claim_walk){ .rules = t, .next = HASH_NONE, .only = { t->v[id].owner, t->v[id].oifs },
				    .has_only = true };
}

bool claims_next(struct claim_walk *w, struct claim *claim)
{
	if (w->next != HASH_NONE) {
		const struct claim_place *p = &w->rules->claims.v[w->next];

		*claim = (struct claim){ p->owner, p->oifs };
		w->next = p->next;
		return true;
	}
	*claim = w->only;
	if (!w->has_only)
		return false;
	w->has_only = false;
	return true;
}

bool claims_find(const struct rules *t, uint32_t id, uint32_t owner, struct claim *claim)
{
	for (struct claim_walk w = claims_walk(t, id); claims_next(&w, claim);)
		if (claim->owner == owner)
			return true;
	return false;
}

bool claims_is_named(const struct rules *t, uint32_t id)
{
	struct claim claim;
	bool is_named = t->v[id].owner >= OWNER_NAMED;

	if (!claims_is_shared(t, id))
		return is_named;
	/* The last one has the highest number. */
	for (struct claim_walk w = claims_walk(t, id); claims_next(&w, &claim);)
		is_named = claim.owner >= OWNER_NAMED;
	return is_named;
}

/* ---- planning ---- */

/* True when a change takes a claim away, if only to put another one in its place. */
static bool claims_goes(const struct claim_edit *e, uint32_t owner)
{
	return owner == e->owner || (e->for_unnamed && owner < OWNER_NAMED);
}

/* Counts a claim and adds its outputs to those of others, of which there is a list.  0, or -1 with ENOMEM. */
static int claims_sum(struct names *names, struct claim_result *res, uint32_t oifs)
{
	const struct oif_list *more = &names->lists[oifs];
	uint32_t both = res->oifs;

	res->claims++;
	if (!oifs || oifs == both)
		return 0;
	if (both) {
		both = oif_list_combine(names, both, more->names, more->n, false);
		if (both == HASH_NONE)
			return -1;
	} else {
		both = oifs;
		oif_list_keep(names, both);
	}
	oif_list_drop(names, res->oifs);
	res->oifs = both;
	return 0;
}

int claims_plan(struct ruleset *s, const struct rules *t, uint32_t id, const struct claim_edit *e,
		struct claim_result *res)
{
	bool is_due = e->is_wanted;
	struct claim claim;
	int failed = 0;

	*res = (struct claim_result){ 0 };
	oif_list_keep(&s->names, 0);
	for (struct claim_walk w = claims_walk(t, id); !failed && claims_next(&w, &claim);) {
		if (is_due && claim.owner >= e->owner) {
			failed = claims_sum(&s->names, res, e->oifs);
			is_due = false;
		}
		if (!failed && !claims_goes(e, claim.owner))
			failed = claims_sum(&s->names, res, claim.oifs);
	}
	if (!failed && is_due)
		failed = claims_sum(&s->names, res, e->oifs);
	if (failed)
		oif_list_drop(&s->names, res->oifs);
	return failed;
}

int claims_reserve(struct rules *t, uint32_t n)
{
	struct claims *c = &t->claims;
	/* A rule that had one owner gets two claims. */
	struct claim_place *v = grow(c->v, &c->cap, c->live + 2 * (uint64_t)n, sizeof *v);

	if (!v)
		return -1;
	c->v = v;
	return hash_reserve(&c->by_rule, &claims_ops, c, c->by_rule.used + n);
}

/* ---- changing ---- */

/* Puts a claim into the table, for which there is room. */
static void claims_put(struct names *names, struct rules *t, uint32_t id, const struct claim *claim)
{
	struct claims *c = &t->claims;
	uint32_t at = c->free, before = HASH_NONE, next = claims_first(t, id);

	if (at == HASH_NONE)
		at = c->n++;
	else
		c->free = c->v[at].next;
	c->live++;
	while (next != HASH_NONE && c->v[next].owner < claim->owner) {
		before = next;
		next = c->v[next].next;
	}
	c->v[at] = (struct claim_place){ .rule = id, .owner = (uint16_t)claim->owner, .oifs = claim->oifs,
					 .next = next };
	oif_list_keep(names, claim->oifs);
	if (before != HASH_NONE)
		c->v[before].next = at;
	else if (next != HASH_NONE)
		hash_move(&c->by_rule, claims_hash_rule(id), next, at);
	else
		hash_add(&c->by_rule, &claims_ops, c, claims_hash_rule(id), at);
}

/* Takes an owner's claim out of the table, if there is one. */
static void claims_take(struct names *names, struct rules *t, uint32_t id, uint32_t owner)
{
	struct claims *c = &t->claims;
	uint32_t before = HASH_NONE, at = claims_first(t, id);

	while (at != HASH_NONE && c->v[at].owner != owner) {
		before = at;
		at = c->v[at].next;
	}
	if (at == HASH_NONE)
		return;

	uint32_t next = c->v[at].next;

	if (before != HASH_NONE)
		c->v[before].next = next;
	else if (next != HASH_NONE)
		hash_move(&c->by_rule, claims_hash_rule(id), at, next);
	else
		hash_del(&c->by_rule, &claims_ops, c, claims_hash_rule(id), at);
	oif_list_drop(names, c->v[at].oifs);
	c->v[at].rule = HASH_NONE;
	c->v[at].next = c->free;
	c->free = at;
	c->live--;
}

/* Does the change to the claims in the table. */
static void claims_change(struct ruleset *s, struct rules *t, uint32_t id, const struct claim_edit *e)
{
	const struct claim fresh = { e->owner, e->oifs };

	for (uint32_t owner = 0; e->for_unnamed && owner < OWNER_NAMED; owner++)
		claims_take(&s->names, t, id, owner);
	claims_take(&s->names, t, id, e->owner);
	if (e->is_wanted)
		claims_put(&s->names, t, id, &fresh);
}

void claims_commit(struct ruleset *s, struct rules *t, uint32_t id, const struct claim_edit *e,
		   const struct claim_result *res)
{
	bool was_shared = claims_is_shared(t, id), is_shared = res->claims > 1;
	const struct claim was = { t->v[id].owner, t->v[id].oifs };
	struct claim claim;

	if (e->is_wanted)
		owner_refer(&s->owners, e->owner);
	if (claims_find(t, id, e->owner, &claim))
		owner_drop(&s->owners, e->owner);
	if (!was_shared && is_shared)
		claims_put(&s->names, t, id, &was);
	if (was_shared || is_shared)
		claims_change(s, t, id, e);
	if (is_shared)
		t->v[id].owner = OWNER_SEVERAL;
	else if (was_shared) {
		claim.owner = t->claims.v[claims_first(t, id)].owner;
		t->v[id].owner = (uint16_t)claim.owner;
		claims_take(&s->names, t, id, claim.owner);
	} else if (e->is_wanted) {
		t->v[id].owner = (uint16_t)e->owner;
	}
	if (t->v[id].oifs != res->oifs)
		rules_set_oifs(s, t, id, res->oifs);
}

void claims_move(struct rules *t, uint32_t from, uint32_t to)
{
	struct claims *c = &t->claims;
	uint32_t at = hash_find(&c->by_rule, &claims_ops, c, claims_hash_rule(from), &from), first = at;

	if (at == HASH_NONE)
		return;
	hash_del(&c->by_rule, &claims_ops, c, claims_hash_rule(from), at);
	for (; at != HASH_NONE; at = c->v[at].next)
		c->v[at].rule = to;
	hash_add(&c->by_rule, &claims_ops, c, claims_hash_rule(to), first);
}

bool claims_settle(struct rules *t)
{
	struct claims *c = &t->claims, other = { .free = HASH_NONE, .live = c->live };

	if (!grow_is_loose(c->n - c->live, c->live, c->n))
		return false;
	other.v = grow(NULL, &other.cap, c->live + 1, sizeof *other.v);
	if (!other.v || hash_reserve(&other.by_rule, &claims_ops, &other, c->by_rule.used) < 0) {
		free(other.v);
		return false;
	}
	for (uint32_t k = 0; k < c->n; k++) {
		uint32_t at = c->v[k].rule == HASH_NONE || claims_first(t, c->v[k].rule) != k ? HASH_NONE : k;

		if (at != HASH_NONE)
			hash_add(&other.by_rule, &claims_ops, &other, claims_hash_rule(c->v[k].rule), other.n);
		for (; at != HASH_NONE; at = c->v[at].next, other.n++) {
			other.v[other.n] = c->v[at];
			if (c->v[at].next != HASH_NONE)
				other.v[other.n].next = other.n + 1;
		}
	}
	free(c->v);
	hash_free(&c->by_rule);
	*c = other;
	return true;
}

void claims_begin(struct ruleset *s, struct rules *t, uint32_t id, uint32_t owner)
{
	t->v[id].owner = (uint16_t)owner;
	owner_refer(&s->owners, owner);
}

void claims_drop(struct ruleset *s, struct rules *t, uint32_t id)
{
	struct claim claim;

	for (struct claim_walk w = claims_walk(t, id); claims_next(&w, &claim);) {
		owner_drop(&s->owners, claim.owner);
		if (claims_is_shared(t, id))
			claims_take(&s->names, t, id, claim.owner);
	}
	t->v[id].owner = OWNER_CONFIG;
}
