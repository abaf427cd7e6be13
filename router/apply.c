/* SPDX-License-Identifier: ISC
 *
 * Beside the tables of the rules in force new ones are made.  A rule that stays keeps its number and its serial, so
 * that whoever remembers one finds it; what it refers to is counted on the other side (names.h).  Nobody sees any of
 * that before all is there: then the tables change places, and the old ones are taken apart.  Where memory runs out it
 * is the new ones that are.
 *
 * What owners with names ask for stays: rules that they alone want come behind those of the configuration.
 */
#include "router/apply.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "router/claims.h"
#include "router/mark.h"
#include "router/rank.h"

enum apply_stage {
	APPLY_NAMES, APPLY_LISTS, APPLY_PHYINTS, APPLY_LINES, APPLY_NAMED, APPLY_COMPARE, APPLY_SWITCH,
	/* The rest takes apart what is not in force. */
	APPLY_DROP_LISTS, APPLY_DROP_NAMES, APPLY_DROP_RULES, APPLY_SWEEP, APPLY_END,
};

/* The rules of one kind. */
struct apply_table {
	struct rules *live;
	struct rules other;		/* the new ones; later those that are to be taken apart */
	const struct conf_rule *lines;
	uint32_t n;			/* lines */
	uint32_t free;			/* the next place in force that is free */
	uint32_t places;		/* that are to be compared */
};

struct apply {
	struct router *r;
	const struct conf *c;
	enum apply_stage stage;
	uint32_t at;			/* how far that has come */
	int kind;			/* in which of the tables */
	struct apply_table tables[2];	/* joins, routes */
	/* The live numbers of the configuration's names and lists, as many as are held. */
	uint32_t *names, *lists;
	uint32_t nnames, nlists;
	uint16_t *scratch;
	struct phyint *phyints;
	struct touched_ranges touched;	/* by rules that go */
	bool has_failed;
	int err;			/* why */
};

/* ---- beginning and end ---- */

static int apply_table_init(struct apply_table *t, struct rules *live, const struct conf_rule *lines, uint32_t n,
			    unsigned side)
{
	*t = (struct apply_table){ .live = live, .lines = lines, .n = n, .free = live->free };
	t->other = rules_empty(side);
	t->other.last_serial = live->last_serial;
	return rules_reserve(&t->other, live->n, n);
}

struct apply *apply_new(struct router *r, const struct conf *c)
{
	struct apply *a = calloc(1, sizeof *a);
	struct ruleset *s = &r->rules;

	if (!a)
		return NULL;
	a->r = r;
	a->c = c;
	a->names = malloc((c->nnames + 1) * sizeof *a->names);
	a->lists = malloc((c->nsets + 1) * sizeof *a->lists);
	a->scratch = malloc((c->npool + 1) * sizeof *a->scratch);
	a->phyints = malloc((c->nphyints + 1) * sizeof *a->phyints);
	if (a->names && a->lists && a->scratch && a->phyints && mfc_reserve(&r->mfc, r->mfc.n ? 0 : c->nmroutes) == 0 &&
	    apply_table_init(&a->tables[0], &s->joins, c->mgroups, c->nmgroups, s->names.side ^ 1) == 0 &&
	    apply_table_init(&a->tables[1], &s->routes, c->mroutes, c->nmroutes, s->names.side ^ 1) == 0)
		return a;
	apply_free(a);
	errno = ENOMEM;
	return NULL;
}

void apply_free(struct apply *a)
{
	if (!a)
		return;
	rules_free(&a->tables[0].other);
	rules_free(&a->tables[1].other);
	free(a->names);
	free(a->lists);
	free(a->scratch);
	free(a->phyints);
	free(a);
}

/* ---- the new tables: each of these takes one step, and returns 1 when there is none left; -1 when it failed ---- */

static int apply_name(struct apply *a)
{
	struct names *t = &a->r->rules.names;

	if (a->nnames == a->c->nnames)
		return 1;
	a->names[a->nnames] = name_hold(t, &a->c->names[a->nnames].ifname);
	return a->names[a->nnames] == HASH_NONE ? -1 : (a->nnames++, 0);
}

static int apply_list(struct apply *a)
{
	struct names *t = &a->r->rules.names;
	const struct conf_set *set = &a->c->sets[a->nlists];

	if (a->nlists == a->c->nsets)
		return 1;
	for (uint32_t i = 0; i < set->n; i++)
		a->scratch[i] = (uint16_t)a->names[a->c->pool[set->off + i]];
	a->lists[a->nlists] = oif_list_hold(t, a->scratch, set->n);
	return a->lists[a->nlists] == HASH_NONE ? -1 : (a->nlists++, 0);
}

/* Counts a name that a phyint line enables: it wants a VIF even when no rule names it. */
static int apply_phyint(struct apply *a)
{
	struct names *t = &a->r->rules.names;
	const struct phyint *p;

	if (a->at == a->c->nphyints)
		return 1;
	p = &a->c->phyints[a->at];
	a->phyints[a->at++] = *p;
	for (enum fam f = 0; p->enable == 1 && f < FAM_N; f++)
		name_refer(t, a->names[p->name], f, t->side ^ 1);
	return 0;
}

static bool apply_is_live(const struct rules *t, uint32_t id)
{
	return id < t->n && rules_is_live(t, id);
}

/* Puts a rule into a new table: `id` is its number in force, HASH_NONE when it is new.  Its number, or HASH_NONE with
 * ENOMEM. */
static uint32_t apply_put(struct apply *a, struct apply_table *t, uint32_t id, struct rule rule)
{
	bool is_new = id == HASH_NONE;

	rule.is_marked |= is_new;
	if (!is_new) {
		rule.serial = t->live->v[id].serial;
	} else {
		rule.serial = ++t->other.last_serial;
		id = t->free;
		if (id != HASH_NONE)
			t->free = t->live->v[id].next_free;
		else
			id = rules_add_place(&t->other);
	}
	return id == HASH_NONE || rules_fill(&a->r->rules, &t->other, id, &rule) < 0 ? HASH_NONE : id;
}

/* Adds the outputs of another list to those of a rule that several lines are about. */
static int apply_merge(struct ruleset *s, struct rules *t, uint32_t id, uint32_t oifs)
{
	const struct oif_list *more = &s->names.lists[oifs];
	uint32_t both = oif_list_combine(&s->names, t->v[id].oifs, more->names, more->n, false);

	if (both == HASH_NONE)
		return -1;
	rules_set_oifs(s, t, id, both);
	oif_list_drop(&s->names, both);
	return 0;
}

static int apply_line(struct apply *a)
{
	struct apply_table *t = &a->tables[a->kind];
	const struct conf_rule *line;

	if (a->at == t->n)
		return 1;
	line = &t->lines[a->at++];

	uint32_t iif = a->names[line->iif], oifs = a->lists[line->oifs], chain = rules_chain(&t->other, &line->range);
	uint32_t id = rules_in_chain(&t->other, chain, iif);

	if (id != HASH_NONE) {
		t->other.v[id].in_kernel |= line->in_kernel;
		return apply_merge(&a->r->rules, &t->other, id, oifs);
	}
	id = rules_in_chain(t->live, rules_chain(t->live, &line->range), iif);
	id = apply_put(a, t, id, (struct rule){ .range = line->range, .iif = (uint16_t)iif, .oifs = oifs,
						.in_kernel = line->in_kernel, .is_marked = chain != HASH_NONE });
	/* Of several with one (S,G) the first says where its packets come in: the order may change. */
	if (chain != HASH_NONE)
		t->other.v[chain].is_marked = true;
	return id == HASH_NONE ? -1 : 0;
}

/* Gives a rule of the new table the claim of an owner with a name, too. */
static int apply_claim(struct ruleset *s, struct rules *t, uint32_t id, const struct claim *claim)
{
	struct claim_edit e = { .owner = claim->owner, .is_wanted = true, .oifs = claim->oifs };
	struct claim_result res;

	if (claims_reserve(t, 1) < 0 || claims_plan(s, t, id, &e, &res) < 0)
		return -1;
	claims_commit(s, t, id, &e, &res);
	oif_list_drop(&s->names, res.oifs);
	return 0;
}

/* Keeps what owners with names ask for of a rule. */
static int apply_keep_named(struct apply *a, struct apply_table *t, uint32_t id)
{
	struct ruleset *s = &a->r->rules;
	const struct rule *rule = &t->live->v[id];
	struct claim claim;
	int res = 0;

	for (struct claim_walk w = claims_walk(t->live, id); !res && claims_next(&w, &claim);) {
		if (claim.owner < OWNER_NAMED)
			continue;
		if (apply_is_live(&t->other, id)) {
			res = apply_claim(s, &t->other, id, &claim);
		} else if (apply_put(a, t, id, (struct rule){ .range = rule->range, .iif = rule->iif,
							      .oifs = claim.oifs }) == HASH_NONE) {
			res = -1;
		} else {
			claims_begin(s, &t->other, id, claim.owner);
		}
	}
	return res;
}

/* a->at is one more than the number of the rule before. */
static int apply_named(struct apply *a)
{
	struct apply_table *t = &a->tables[a->kind];
	uint32_t id = a->at ? t->live->v[a->at - 1].next : t->live->first;

	if (id == HASH_NONE || !a->r->rules.owners.by_name.used) {
		t->places = t->other.n;
		return 1;
	}
	a->at = id + 1;
	return claims_is_named(t->live, id) ? apply_keep_named(a, t, id) : 0;
}

/* Sees what is different at a place, from the last one down. */
static int apply_compare(struct apply *a)
{
	struct apply_table *t = &a->tables[a->kind];
	uint32_t id = t->places - 1;

	/* Of the places of the one in force none is missing here. */
	if (!t->places)
		return 1;
	t->places--;

	const struct rule *old = apply_is_live(t->live, id) ? &t->live->v[id] : NULL;
	struct rule *new = &t->other.v[id];

	if (new->serial) {
		new->is_marked |= !old || old->is_marked || old->oifs != new->oifs || old->in_kernel != new->in_kernel;
		if (old)
			new->waits = old->waits;
		return 0;
	}
	if (old && a->kind)
		mark_touch(&a->touched, &old->range);
	/* Places at the end are given up. */
	if (id + 1 < t->other.n)
		rules_free_place(&t->other, id);
	else
		t->other.n--;
	return 0;
}

/* ---- the switch ---- */

/* Whoever walks over the rules goes on with the next one that is still there. */
static void apply_move_walks(struct rules *new, struct rules *old)
{
	for (struct rule_walk *w = old->walks; w; w = w->others)
		while (w->next != HASH_NONE && !apply_is_live(new, w->next))
			w->next = old->v[w->next].next;
	new->walks = old->walks;
	old->walks = NULL;
}

static int apply_switch(struct apply *a)
{
	struct router *r = a->r;
	struct phyint *phyints = r->rules.phyints;

	for (int k = 0; k < 2; k++) {
		struct apply_table *t = &a->tables[k];
		struct rules old = *t->live;

		apply_move_walks(&t->other, &old);
		*t->live = t->other;
		t->other = old;
	}
	names_switch(&r->rules.names);
	r->rules.phyints = a->phyints;
	r->rules.nphyints = a->c->nphyints;
	a->phyints = phyints;
	rank_names(&r->rules, a->c, a->names);
	if (a->touched.n > 1)
		mark_all(r);
	else if (a->touched.n)
		mark_entries_in(r, &a->touched.first);
	return 1;
}

/* ---- taking apart ---- */

static int apply_drop_list(struct apply *a)
{
	if (!a->nlists)
		return 1;
	oif_list_drop(&a->r->rules.names, a->lists[--a->nlists]);
	return 0;
}

static int apply_drop_name(struct apply *a)
{
	if (!a->nnames)
		return 1;
	name_drop(&a->r->rules.names, a->names[--a->nnames]);
	return 0;
}

/* Takes back the claims to the rule of a place; what it refers to is swept away. */
static int apply_drop_rule(struct apply *a)
{
	struct apply_table *t = &a->tables[a->kind];

	if (a->at == t->other.n)
		return 1;
	if (rules_is_live(&t->other, a->at) && t->other.v[a->at].owner >= OWNER_NAMED)
		claims_drop(&a->r->rules, &t->other, a->at);
	a->at++;
	return 0;
}

static int apply_sweep(struct apply *a)
{
	return !names_sweep(&a->r->rules.names, &a->at, 1);
}

/* ---- all of it ---- */

static const struct apply_work {
	int (*step)(struct apply *a);
	bool for_both;			/* kinds of rules */
} apply_work[APPLY_END] = {
	[APPLY_NAMES] = { apply_name, false }, [APPLY_LISTS] = { apply_list, false },
	[APPLY_PHYINTS] = { apply_phyint, false }, [APPLY_LINES] = { apply_line, true },
	[APPLY_NAMED] = { apply_named, true }, [APPLY_COMPARE] = { apply_compare, true },
	[APPLY_SWITCH] = { apply_switch, false }, [APPLY_DROP_LISTS] = { apply_drop_list, false },
	[APPLY_DROP_NAMES] = { apply_drop_name, false }, [APPLY_DROP_RULES] = { apply_drop_rule, true },
	[APPLY_SWEEP] = { apply_sweep, false },
};

enum apply_step apply_step(struct apply *a, uint32_t n)
{
	for (; a->stage < APPLY_END; n--) {
		const struct apply_work *work = &apply_work[a->stage];

		if (!n)
			return APPLY_MORE;

		int res = work->step(a);

		if (!res)
			continue;
		a->at = 0;
		if (res < 0) {
			a->has_failed = true;
			a->err = errno;
			a->kind = 0;
			a->stage = APPLY_DROP_LISTS;
		} else if (work->for_both && !a->kind) {
			a->kind = 1;
		} else {
			a->kind = 0;
			if (a->stage++ == APPLY_SWITCH)
				return APPLY_SWITCHED;
		}
	}
	errno = a->err;
	return a->has_failed ? APPLY_FAILED : APPLY_DONE;
}
