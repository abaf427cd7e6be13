/* SPDX-License-Identifier: ISC
 *
 * See overlap.h.  A rule is superfluous when one that covers it sends to all of its outputs.
 */
#include "conf/overlap.h"

#include <stdlib.h>

#define OVERLAP_SAME_FLOW 32		/* rules of one flow that are compared with each other */

struct overlap {
	struct flow_search *s;
	const struct conf *c;
	uint32_t *mark, stamp;	/* by name: in the set under test */
	struct flow_index index;
};

/* True when all outputs of rule a are outputs of rule b too. */
static bool overlap_outputs_within(struct overlap *o, const struct conf_rule *a, const struct conf_rule *b)
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
			by = o->s->wider[by];
		if (by == CONF_NONE || (by != id && id == a->iif))
			return false;
	}
	return true;
}

/* Looks for a rule that does what rule i does among those of one range that covers it. */
static bool overlap_try(struct overlap *o, uint32_t i, uint16_t iif, const struct flow_range *wide)
{
	const struct conf_rule *rule = &o->c->mroutes[i];
	bool is_same = iif == rule->iif && flow_range_eq(wide, &rule->range);
	uint32_t at = flow_index_find(&o->index, wide, iif);

	for (int n = 0; at != HASH_NONE && n < OVERLAP_SAME_FLOW; n++) {
		const struct flow_entry *e = &o->index.v[at];
		const struct conf_rule *other = &o->c->mroutes[e->rule];

		at = e->next;
		if (e->rule == i || !overlap_outputs_within(o, rule, other))
			continue;
		/* Of two that say the same the later one is reported. */
		if (e->rule > i && is_same && overlap_outputs_within(o, other, rule))
			continue;
		diag_add(o->s->d, rule->where, false, !rule->oifs && other->oifs ?
			 "this stops nothing: line %lu of %s sends the same packets on" :
			 "superfluous: line %lu of %s does all that this line does",
			 (unsigned long)other->where.line, o->c->files[other->where.file]);
		return true;
	}
	return false;
}

static void overlap_check_rule(struct overlap *o, uint32_t i)
{
	const struct conf_rule *rule = &o->c->mroutes[i];
	enum fam fam = flow_range_fam(&rule->range);

	for (uint16_t iif = rule->iif; iif != CONF_NONE; iif = o->s->wider[iif])
		for (uint32_t k = 0; k < o->s->npairs[fam]; k++) {
			const struct flow_pair *p = &o->s->pairs[fam][k];

			if (p->source_len > rule->range.source_len || p->group_len > rule->range.group_len)
				continue;
			struct flow_range wide = flow_index_cut(&rule->range, p->source_len, p->group_len);

			if (!flow_search_spend(o->s) || overlap_try(o, i, iif, &wide))
				return;
		}
}

bool overlap_warn(struct flow_search *s)
{
	const struct conf *c = s->c;
	struct overlap o = { .s = s, .c = c, .mark = calloc(c->nnames + 1u, sizeof *o.mark) };
	bool ok = o.mark != NULL;

	for (uint32_t i = 0; ok && i < c->nmroutes; i++)
		ok = flow_index_add(&o.index, &c->mroutes[i].range, c->mroutes[i].iif, i);
	for (uint32_t i = 0; ok && i < c->nmroutes; i++)
		overlap_check_rule(&o, i);
	flow_index_free(&o.index);
	free(o.mark);
	return ok;
}
