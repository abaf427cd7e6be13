/* SPDX-License-Identifier: ISC
 *
 * In two steps.  The first plans: it finds the live rule of each line, or adds it, and holds what the line names;
 * where memory runs out all that is undone.  The second cannot fail: what is not in the plan goes, and the rest gets
 * the plan's order and outputs.  What owners with names ask for stays: rules that they alone want come behind those
 * of the configuration.
 */
#include "router/apply.h"

#include <stdlib.h>
#include <string.h>

#include "router/claims.h"
#include "router/mark.h"

/* What becomes of a live rule. */
struct apply_step {
	uint32_t rule;
	uint32_t oifs;			/* what the configuration asks for, held */
	bool is_new, in_kernel;
	bool is_named;			/* an owner with a name asks for it */
	bool is_left_out;		/* and the configuration does not */
	struct claim_result all;	/* what all owners ask for, when is_named */
};

/* The rules of one kind, in the order of the configuration. */
struct apply_plan {
	struct rules *rules;
	struct apply_step *v;
	uint32_t n;
};

/* The live numbers of a configuration's names and lists, all of them held. */
struct apply_map {
	uint32_t *names, *lists;
	uint32_t nnames, nlists;
};

static int apply_map_lists(struct names *t, const struct conf *c, struct apply_map *map)
{
	uint16_t *v = malloc((c->npool + 1) * sizeof *v);

	if (!v)
		return -1;
	for (; map->nlists < c->nsets; map->nlists++) {
		const struct conf_set *set = &c->sets[map->nlists];

		for (uint32_t i = 0; i < set->n; i++)
			v[i] = (uint16_t)map->names[c->pool[set->off + i]];
		if ((map->lists[map->nlists] = oif_list_hold(t, v, set->n)) == HASH_NONE)
			break;
	}
	free(v);
	return map->nlists < c->nsets ? -1 : 0;
}

static int apply_map_make(struct names *t, const struct conf *c, struct apply_map *map)
{
	map->names = malloc((c->nnames + 1) * sizeof *map->names);
	map->lists = malloc((c->nsets + 1) * sizeof *map->lists);
	if (!map->names || !map->lists)
		return -1;
	for (; map->nnames < c->nnames; map->nnames++)
		if ((map->names[map->nnames] = name_hold(t, &c->names[map->nnames].ifname)) == HASH_NONE)
			return -1;
	return apply_map_lists(t, c, map);
}

static void apply_map_free(struct names *t, struct apply_map *map)
{
	while (map->nlists)
		oif_list_drop(t, map->lists[--map->nlists]);
	while (map->nnames)
		name_drop(t, map->names[--map->nnames]);
	free(map->names);
	free(map->lists);
}

/* Gives a name that the configuration does not refer to a rank behind those that have one. */
static void apply_rank_name(struct names *t, uint32_t name, enum fam fam)
{
	if (!t->v[name].rank[fam])
		t->v[name].rank[fam] = ++t->last_rank;
}

/* The same for the names of all rules of a kind. */
static void apply_rank_rules(struct names *t, const struct rules *rules)
{
	for (uint32_t id = rules->first; id != HASH_NONE; id = rules->v[id].next) {
		const struct rule *rule = &rules->v[id];
		const struct oif_list *list = &t->lists[rule->oifs];
		enum fam fam = flow_range_fam(&rule->range);

		apply_rank_name(t, rule->iif, fam);
		for (uint32_t i = 0; i < list->n; i++)
			apply_rank_name(t, list->names[i], fam);
	}
}

/* VIFs are given in the order of first references in the configuration, and then in that of the rules behind it. */
static void apply_ranks(struct ruleset *s, const struct conf *c, const struct apply_map *map)
{
	struct names *t = &s->names;

	for (uint32_t id = 0; id < t->n; id++)
		memset(t->v[id].rank, 0, sizeof t->v[id].rank);
	for (uint32_t i = 0; i < c->nnames; i++)
		memcpy(t->v[map->names[i]].rank, c->names[i].first, sizeof c->names[i].first);
	t->last_rank = c->rank;
	if (!s->owners.by_name.used)
		return;
	apply_rank_rules(t, &s->joins);
	apply_rank_rules(t, &s->routes);
}

/* The rank of a rule that is in the plan is the place of its step. */
static bool apply_is_planned(const struct apply_plan *p, uint32_t id)
{
	uint32_t step = p->rules->v[id].rank;

	return step < p->n && p->v[step].rule == id;
}

/* Adds the outputs of another list to those of a rule that is in the plan. */
static int apply_merge(struct ruleset *s, struct apply_step *step, uint32_t oifs)
{
	const struct oif_list *more = &s->names.lists[oifs];
	uint32_t both = oif_list_combine(&s->names, step->oifs, more->names, more->n, false);

	if (both == HASH_NONE)
		return -1;
	oif_list_drop(&s->names, step->oifs);
	step->oifs = both;
	return 0;
}

/* Plans one line. */
static int apply_plan_rule(struct ruleset *s, struct apply_plan *p, const struct conf_rule *line, uint32_t iif,
			   uint32_t oifs)
{
	struct rules *t = p->rules;
	uint32_t chain = rules_chain(t, &line->range), id = rules_in_chain(t, chain, iif);
	bool is_new = id == HASH_NONE;

	if (!is_new && apply_is_planned(p, id)) {
		p->v[t->v[id].rank].in_kernel |= line->in_kernel;
		return apply_merge(s, &p->v[t->v[id].rank], oifs);
	}
	if (is_new)
		id = rules_add(s, t, &line->range, iif, oifs);
	if (id == HASH_NONE)
		return -1;
	/* Of several with one (S,G) the first says where its packets come in: the order may change. */
	t->v[id].is_marked |= is_new || t->v[chain].chain != HASH_NONE;
	oif_list_keep(&s->names, oifs);
	t->v[id].rank = p->n;
	p->v[p->n++] = (struct apply_step){
		.rule = id, .oifs = oifs, .is_new = is_new, .in_kernel = line->in_kernel,
	};
	return 0;
}

/* The change of a rule's claims that a step is. */
static struct claim_edit apply_edit(const struct apply_step *step)
{
	return (struct claim_edit){ .owner = OWNER_CONFIG, .for_unnamed = true, .is_wanted = !step->is_left_out,
				    .oifs = step->oifs };
}

/* Plans what is left of the claims of owners with names, to rules of the configuration and to others. */
static int apply_plan_named(struct ruleset *s, struct apply_plan *p)
{
	struct rules *t = p->rules;
	uint32_t named = 0;

	for (uint32_t id = t->first; id != HASH_NONE; id = t->v[id].next) {
		if (!claims_is_named(t, id))
			continue;
		if (!apply_is_planned(p, id)) {
			t->v[id].rank = p->n;
			oif_list_keep(&s->names, 0);
			p->v[p->n++] = (struct apply_step){ .rule = id, .is_left_out = true };
		}

		struct apply_step *step = &p->v[t->v[id].rank];
		struct claim_edit e = apply_edit(step);

		if (claims_plan(s, t, id, &e, &step->all) < 0)
			return -1;
		step->is_named = true;
		named++;
	}
	return named ? claims_reserve(t, named) : 0;
}

/* The number of rules that owners with names ask for. */
static uint32_t apply_count_named(const struct rules *t)
{
	uint32_t n = 0;

	for (uint32_t id = t->first; id != HASH_NONE; id = t->v[id].next)
		n += claims_is_named(t, id);
	return n;
}

/* Plans all lines of a kind. */
static int apply_plan_make(struct ruleset *s, struct apply_plan *p, struct rules *t, const struct conf_rule *v,
			   uint32_t n, const struct apply_map *map)
{
	int res;

	p->rules = t;
	p->v = malloc((n + apply_count_named(t) + 1) * sizeof *p->v);
	res = p->v ? rules_reserve(t, n) : -1;
	for (; !res && n; v++, n--)
		res = apply_plan_rule(s, p, v, map->names[v->iif], map->lists[v->oifs]);
	return res ? res : apply_plan_named(s, p);
}

/* Lets go of what a step holds. */
static void apply_step_end(struct ruleset *s, const struct apply_step *step)
{
	if (step->is_named)
		oif_list_drop(&s->names, step->all.oifs);
	oif_list_drop(&s->names, step->oifs);
}

static void apply_plan_undo(struct ruleset *s, struct apply_plan *p)
{
	struct rules *t = p->rules;

	for (uint32_t k = 0; k < p->n; k++) {
		if (p->v[k].is_new)
			rules_del(s, t, p->v[k].rule);
		apply_step_end(s, &p->v[k]);
	}
	p->n = 0;
	if (t)
		rules_renumber(t);
}

static void apply_plan_commit(struct router *r, struct apply_plan *p)
{
	struct ruleset *s = &r->rules;
	struct rules *t = p->rules;

	for (uint32_t id = t->first, next; id != HASH_NONE; id = next) {
		next = t->v[id].next;
		if (apply_is_planned(p, id))
			continue;
		if (t == &s->routes)
			mark_entries_in(r, &t->v[id].range);
		claims_drop(s, t, id);
		rules_del(s, t, id);
	}
	t->first = t->last = HASH_NONE;
	t->last_rank = 0;
	for (uint32_t k = 0; k < p->n; k++) {
		const struct apply_step *step = &p->v[k];
		struct claim_result res = step->is_named ? step->all : (struct claim_result){ 1, step->oifs };
		struct claim_edit e = apply_edit(step);
		struct rule *rule = &t->v[step->rule];

		rules_append(t, step->rule);
		rule->is_marked |= rule->oifs != res.oifs || rule->in_kernel != step->in_kernel;
		rule->in_kernel = step->in_kernel;
		claims_commit(s, t, step->rule, &e, &res);
		apply_step_end(s, step);
	}
}

/* Counts the names that a phyint line enables: each wants a VIF even when no rule names it. */
static void apply_phyints(struct ruleset *s, struct phyint *v, uint32_t n, const struct apply_map *map)
{
	for (enum fam f = 0; f < FAM_N; f++) {
		for (uint32_t i = 0; i < n; i++)
			if (v[i].enable == 1)
				name_refer(&s->names, map->names[v[i].name], f);
		for (uint32_t i = 0; i < s->nphyints; i++)
			if (s->phyints[i].enable == 1)
				name_unrefer(&s->names, name_find(&s->names, &s->phyints[i].ifname), f);
	}
	free(s->phyints);
	s->phyints = v;
	s->nphyints = n;
}

int apply_conf(struct router *r, const struct conf *c)
{
	struct ruleset *s = &r->rules;
	struct phyint *phyints = malloc((c->nphyints + 1) * sizeof *phyints);
	struct apply_plan routes = { 0 }, joins = { 0 };
	struct apply_map map = { 0 };
	int res = -1;

	if (phyints && mfc_reserve(&r->mfc, r->mfc.n ? 0 : c->nmroutes) == 0 &&
	    apply_map_make(&s->names, c, &map) == 0 &&
	    apply_plan_make(s, &joins, &s->joins, c->mgroups, c->nmgroups, &map) == 0 &&
	    apply_plan_make(s, &routes, &s->routes, c->mroutes, c->nmroutes, &map) == 0)
		res = 0;
	if (res) {
		apply_plan_undo(s, &joins);
		apply_plan_undo(s, &routes);
		free(phyints);
	} else {
		if (c->nphyints)
			memcpy(phyints, c->phyints, c->nphyints * sizeof *phyints);
		apply_phyints(s, phyints, c->nphyints, &map);
		apply_plan_commit(r, &joins);
		apply_plan_commit(r, &routes);
		apply_ranks(s, c, &map);
	}
	apply_map_free(&s->names, &map);
	free(joins.v);
	free(routes.v);
	return res;
}
