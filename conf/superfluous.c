/* SPDX-License-Identifier: ISC
 * See superfluous.h. */
#include "conf/superfluous.h"

static bool superfluous_report(struct overlap *o, const struct conf_rule *rule, const struct conf_rule *other)
{
	diag_add(o->d, rule->where, false, "superfluous: line %lu of %s does all that this line does",
		 (unsigned long)other->where.line, o->c->files[other->where.file]);
	return true;
}

/* Reports a rule when another one of the same range has all of its outputs: those of both add up. */
static bool superfluous_try_same(struct overlap *o, void *ctx, const struct overlap_entry *e)
{
	const struct conf_rule *rule = ctx, *other = &o->c->mroutes[e->rule];
	bool is_same = other->iif == rule->iif;

	/* Of two with one inbound interface one that says "kernel" has it for both. */
	if (other == rule || !flow_range_eq(&other->range, &rule->range) ||
	    !overlap_outputs_within(o, rule, other) || rule->in_kernel > other->in_kernel)
		return false;
	/* Of two that say the same the later one is reported.  Beside a wildcard one without outputs stops. */
	if (is_same ? other > rule && rule->in_kernel == other->in_kernel && overlap_outputs_within(o, other, rule) :
	    !rule->oifs && other->oifs)
		return false;
	return superfluous_report(o, rule, other);
}

/* True when one that covers a rule sends elsewhere: the rule is an exception to it, or a part of what it says. */
static bool superfluous_try_other(struct overlap *o, void *ctx, const struct overlap_entry *e)
{
	return !overlap_outputs_equal(o, ctx, &o->c->mroutes[e->rule]);
}

/* Reports a rule when a wider one does what it does. */
static bool superfluous_try_wider(struct overlap *o, void *ctx, const struct overlap_entry *e)
{
	const struct conf_rule *rule = ctx, *other = &o->c->mroutes[e->rule];

	return !rule->in_kernel && flow_range_is_inside(&rule->range, &other->range) &&
	       superfluous_report(o, rule, other);
}

void superfluous_warn(struct overlap *o)
{
	const struct conf *c = o->c;

	for (uint32_t i = 0; i < c->nmroutes; i++) {
		struct conf_rule *rule = &c->mroutes[i];

		if (!overlap_search_wider(o, &o->all, &rule->range, rule->iif, superfluous_try_same, rule) &&
		    !overlap_search_wider(o, &o->all, &rule->range, rule->iif, superfluous_try_other, rule))
			overlap_search_wider(o, &o->all, &rule->range, rule->iif, superfluous_try_wider, rule);
	}
}
