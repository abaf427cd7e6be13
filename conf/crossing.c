/* SPDX-License-Identifier: ISC
 * See crossing.h. */
#include "conf/crossing.h"

#include <stdlib.h>

/* The search for the rules that meet one. */
struct crossing {
	struct overlap_index cut;	/* the rules by source and cut group */
	const struct conf_rule *rule;
	bool has_stops;
	bool *is_met;			/* by rule without outputs: some other rule forwards some of its packets */
	bool is_told;			/* of this rule */
};

/* Notes that two rules have packets in common. */
static void crossing_meet(struct overlap *o, struct crossing *x, const struct conf_rule *other)
{
	if (!x->rule->oifs != !other->oifs)
		x->is_met[(x->rule->oifs ? other : x->rule) - o->c->mroutes] = true;
}

/* ---- two ranges ---- */

/* The packets that two rules have in common. */
static struct flow_range crossing_common(const struct conf_rule *a, const struct conf_rule *b)
{
	const struct flow_range *source = a->range.source_len > b->range.source_len ? &a->range : &b->range;
	const struct flow_range *group = a->range.group_len > b->range.group_len ? &a->range : &b->range;

	return (struct flow_range){ .flow = { source->flow.source, group->flow.group },
				    .source_len = source->source_len, .group_len = group->group_len };
}

static void crossing_report(struct overlap *o, const struct conf_rule *a, const struct conf_rule *b,
			    const struct flow_range *common)
{
	const struct conf_rule *late = a > b ? a : b, *early = a > b ? b : a;
	char s[ADDR_STRLEN], g[ADDR_STRLEN];

	if (!overlap_tell(o, OVERLAP_CROSSING))
		return;
	diag_add(o->d, late->where, false, "some packets match this line and line %lu of %s, and neither is the "
		 "narrower one: they %s; a line for source %s group %s would decide", (unsigned long)early->where.line,
		 o->c->files[early->where.file], a->oifs && b->oifs ? "go out by the outputs of both" : "are stopped",
		 prefix_str(&common->flow.source, common->source_len, s),
		 prefix_str(&common->flow.group, common->group_len, g));
}

/* Looks at a rule with shorter sources and longer groups. */
static bool crossing_try(struct overlap *o, void *ctx, const struct overlap_entry *e)
{
	struct crossing *x = ctx;
	const struct conf_rule *rule = x->rule, *other = &o->c->mroutes[e->rule];
	uint16_t name = overlap_name_covers(o, rule->iif, other->iif) ? other->iif : rule->iif;
	struct flow_range common = crossing_common(rule, other);

	if (!overlap_spend(o))
		return true;
	if (other->range.source_len == rule->range.source_len)
		return false;
	crossing_meet(o, x, other);
	if (x->is_told || overlap_outputs_equal(o, rule, other) || overlap_has(o, &common, name))
		return false;
	crossing_report(o, rule, other, &common);
	x->is_told = true;
	return !x->has_stops;
}

/* ---- a wildcard and an interface of its ---- */

/* Looks at a rule for the same packets from a wildcard that takes in the interface of x->rule. */
static bool crossing_try_wildcard(struct overlap *o, void *ctx, const struct overlap_entry *e)
{
	struct crossing *x = ctx;
	const struct conf_rule *rule = x->rule, *other = &o->c->mroutes[e->rule];

	if (x->is_told || other->iif == rule->iif || !flow_range_eq(&other->range, &rule->range))
		return false;
	/* A stop for one interface is an exception as it was meant. */
	if (!rule->oifs || overlap_outputs_within(o, rule, other) ||
	    (other->oifs && overlap_outputs_within(o, other, rule)))
		return false;
	x->is_told = true;
	if (overlap_tell(o, OVERLAP_CROSSING))
		diag_add(o->d, rule->where, false, "line %lu of %s is for the same packets from %s, so from %s too: "
			 "they %s", (unsigned long)other->where.line, o->c->files[other->where.file],
			 o->c->names[other->iif].ifname.text, o->c->names[rule->iif].ifname.text,
			 other->oifs ? "go out by the outputs of both" : "are stopped");
	return true;
}

/* ---- rules without outputs ---- */

/* Notes a rule that covers x->rule. */
static bool crossing_try_covering(struct overlap *o, void *ctx, const struct overlap_entry *e)
{
	struct crossing *x = ctx;

	crossing_meet(o, x, &o->c->mroutes[e->rule]);
	return !x->rule->oifs && x->is_met[x->rule - o->c->mroutes];
}

static void crossing_warn_alone(struct overlap *o, const struct crossing *x)
{
	for (uint32_t i = 0; i < o->c->nmroutes; i++)
		if (!o->c->mroutes[i].oifs && !x->is_met[i] && overlap_tell(o, OVERLAP_ALONE))
			diag_add(o->d, o->c->mroutes[i].where, false, "without \"to\" this rule stops its packets, "
				 "which no other rule forwards: was \"to IFNAME\" forgotten?");
}

/* ---- all of it ---- */

static bool crossing_enter(struct overlap *o, struct crossing *x)
{
	for (uint32_t i = 0; i < o->c->nmroutes; i++) {
		uint16_t iif = o->c->mroutes[i].iif;

		x->has_stops |= !o->c->mroutes[i].oifs;
		if (!overlap_enter_cut(o, &x->cut, iif, i))
			return false;
		for (uint16_t name = o->wider[iif]; name != CONF_NONE; name = o->wider[name])
			if (!overlap_enter_cut(o, &x->cut, OVERLAP_NARROWER + name, i))
				return false;
	}
	return true;
}

/* Searches an index for the rules whose interfaces take in that of x->rule, or are taken in by it. */
static void crossing_search(struct overlap *o, struct crossing *x, const struct overlap_index *index, overlap_try *try)
{
	const struct conf_rule *rule = x->rule;

	if (!overlap_search_wider(o, index, &rule->range, rule->iif, try, x))
		overlap_search(o, index, &rule->range, OVERLAP_NARROWER + rule->iif, try, x);
}

bool crossing_warn(struct overlap *o)
{
	struct crossing x = { .cut.is_cut = true, .is_met = calloc(o->c->nmroutes + 1u, sizeof *x.is_met) };
	bool ok = x.is_met && crossing_enter(o, &x);

	for (uint32_t i = 0; ok && i < o->c->nmroutes; i++) {
		x.rule = &o->c->mroutes[i];
		x.is_told = false;
		crossing_search(o, &x, &x.cut, crossing_try);
		x.is_told = false;
		if (o->wider[x.rule->iif] != CONF_NONE)
			overlap_search_wider(o, &o->all, &x.rule->range, x.rule->iif, crossing_try_wildcard, &x);
		if (x.has_stops)
			crossing_search(o, &x, &o->all, crossing_try_covering);
	}
	/* Where not all was looked at one of these may have been missed. */
	if (ok && !o->is_partial)
		crossing_warn_alone(o, &x);
	overlap_index_free(&x.cut);
	free(x.is_met);
	return ok;
}
