/* SPDX-License-Identifier: ISC
 *
 * When it is time so much has gone that looking at all there is costs little for each of those.
 */
#include "router/settle.h"

#include <stdlib.h>

#include "lib/grow.h"
#include "router/claims.h"
#include "router/group.h"
#include "router/mark.h"

static bool settle_rules(struct router *r, struct rules *t)
{
	uint32_t *now = grow_is_loose(t->freed, t->live, t->n) ? calloc(t->n, sizeof *now) : NULL;

	if (!now)
		return false;
	for (uint32_t id = 0; id < t->n; id++)
		now[id] = id;
	for (uint32_t to = 0; to < t->n;)
		if (!rules_is_live(t, t->n - 1)) {
			t->n--;
		} else if (rules_is_live(t, to)) {
			to++;
		} else {
			now[--t->n] = to;
			rules_move(t, t->n, to);
			claims_move(t, t->n, to++);
		}
	if (t == &r->rules.routes)
		shares_rename(&r->mfc.shares, now);
	free(now);
	rules_trim(t);
	/* What is in the way of them is known by its number. */
	for (uint32_t at = 0; r->mfc.count[MFC_ASIDE] && at < r->mfc.n; at++)
		if (r->mfc.v[at].state == MFC_ASIDE)
			mark_entry(r, at);
	return true;
}

/* now[]: where names are. */
static void settle_iifs(struct rules *t, const uint32_t *now)
{
	for (uint32_t id = t->first; id != HASH_NONE; id = t->v[id].next)
		t->v[id].iif = (uint16_t)now[t->v[id].iif];
}

/* now[]: where lists are. */
static void settle_oifs(struct rules *t, const uint32_t *now)
{
	for (uint32_t id = t->first; id != HASH_NONE; id = t->v[id].next)
		t->v[id].oifs = now[t->v[id].oifs];
	for (uint32_t at = 0; at < t->claims.n; at++)
		if (t->claims.v[at].rule != HASH_NONE)
			t->claims.v[at].oifs = now[t->claims.v[at].oifs];
}

static bool settle_names(struct ruleset *s)
{
	struct names *t = &s->names;
	uint32_t *now = grow_is_loose(t->freed_names, t->by_name.used, t->n) ? calloc(t->n, sizeof *now) : NULL;

	if (!now)
		return false;
	names_settle(t, now);
	settle_iifs(&s->routes, now);
	settle_iifs(&s->joins, now);
	free(now);
	return true;
}

static bool settle_lists(struct ruleset *s)
{
	struct names *t = &s->names;
	uint32_t *now = grow_is_loose(t->freed_lists, t->by_list.used, t->nlists) ? calloc(t->nlists, sizeof *now) :
			NULL;

	if (!now)
		return false;
	oif_lists_settle(t, now);
	settle_oifs(&s->routes, now);
	settle_oifs(&s->joins, now);
	free(now);
	return true;
}

/* Settles the first table for which it is time: false when there is none. */
static bool settle_one(struct router *r)
{
	struct ruleset *s = &r->rules;

	return settle_rules(r, &s->routes) || settle_rules(r, &s->joins) || settle_names(s) || settle_lists(s) ||
	       claims_settle(&s->routes) || claims_settle(&s->joins) || owners_settle(&s->owners) ||
	       groups_settle(r->groups) || mfc_settle(&r->mfc);
}

void settle_step(struct router *r)
{
	bool had = r->settles;

	r->settles = !r->readers && !r->mfc.ndirty && !r->rules.names.nfresh && settle_one(r);
	r->has_shrunk |= had && !r->settles;
}
