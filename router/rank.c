/* SPDX-License-Identifier: ISC
 * See rank.h. */
#include "router/rank.h"

#include <string.h>

/* Gives a name that the configuration does not refer to a rank behind those that have one. */
static void rank_name(struct names *t, uint32_t name, enum fam fam)
{
	if (!t->v[name].rank[fam])
		t->v[name].rank[fam] = ++t->last_rank;
}

/* The same for the names of all rules of a kind. */
static void rank_rules(struct names *t, const struct rules *rules)
{
	for (uint32_t id = rules->first; id != HASH_NONE; id = rules->v[id].next) {
		const struct rule *rule = &rules->v[id];
		const struct oif_list *list = &t->lists[rule->oifs];
		enum fam fam = flow_range_fam(&rule->range);

		rank_name(t, rule->iif, fam);
		for (uint32_t i = 0; i < list->n; i++)
			rank_name(t, list->names[i], fam);
	}
}

void rank_names(struct ruleset *s, const struct conf *c, const uint32_t *names)
{
	struct names *t = &s->names;

	for (uint32_t id = 0; id < t->n; id++)
		memset(t->v[id].rank, 0, sizeof t->v[id].rank);
	for (uint32_t i = 0; i < c->nnames; i++)
		memcpy(t->v[names[i]].rank, c->names[i].first, sizeof c->names[i].first);
	t->last_rank = c->rank;
	if (!s->owners.by_name.used)
		return;
	rank_rules(t, &s->joins);
	rank_rules(t, &s->routes);
}
