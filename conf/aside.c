/* SPDX-License-Identifier: ISC
 * See aside.h. */
#include "conf/aside.h"

#include "conf/match.h"

/* Pairs of rules that are looked at: well under a second. */
#define ASIDE_PAIRS 20000000u

/* True when two names mean an interface that is in use, both of them. */
static bool aside_meet(const struct conf *c, uint16_t a, uint16_t b)
{
	const struct ifname *x = &c->names[a].ifname, *y = &c->names[b].ifname;

	return ifname_within(x, y) ? !match_conf_phyint(c, x).is_disabled :
	       ifname_within(y, x) && !match_conf_phyint(c, y).is_disabled;
}

/* The first output of a rule that meets a name, NULL when none does. */
static const struct ifname *aside_output(const struct conf *c, const struct conf_rule *rule, uint16_t name)
{
	const struct conf_set *set = &c->sets[rule->oifs];

	for (uint32_t i = 0; i < set->n; i++) {
		uint16_t output = c->pool[set->off + i];

		/* A wildcard never takes the inbound interface in; one that is that of the rule takes others in. */
		if (aside_meet(c, output, name) && (name != rule->iif || c->names[name].ifname.is_wildcard ||
						    !c->names[output].ifname.is_wildcard))
			return &c->names[output].ifname;
	}
	return NULL;
}

static bool aside_has_group(const struct conf_rule *rule, const struct addr *group)
{
	return flow_range_fam(&rule->range) == addr_fam(group) &&
	       addr_covers(&rule->range.flow.group, rule->range.group_len, group);
}

/* True when a rule for any source stops what a wider one on the same inbound interface would forward. */
static bool aside_is_stopped(const struct conf *c, const struct conf_rule *wide, const struct addr *group)
{
	for (uint32_t i = 0; i < c->nmroutes; i++) {
		const struct conf_rule *rule = &c->mroutes[i];

		if (!rule->oifs && rule->iif == wide->iif && flow_range_any_source(&rule->range) &&
		    aside_has_group(rule, group) && flow_range_is_inside(&rule->range, &wide->range))
			return true;
	}
	return false;
}

/* What one rule, maybe itself, is to a rule of the kernel. */
static struct aside aside_by(const struct conf *c, const struct conf_rule *rule, const struct conf_rule *other)
{
	const struct addr *group = &rule->range.flow.group;
	bool is_part = !flow_range_any_source(&other->range);
	struct aside aside = { .other = other };

	if (!aside_has_group(other, group) || flow_range_is_single(&other->range))
		return aside;
	if (is_part && aside_meet(c, rule->iif, other->iif)) {
		aside.why = ASIDE_PART;
		return aside;
	}
	aside.output = other->oifs ? aside_output(c, rule, other->iif) : NULL;
	if (!aside.output || (!is_part && aside_is_stopped(c, other, group)))
		return aside;
	aside.why = other->iif == rule->iif && !c->names[rule->iif].ifname.is_wildcard ? ASIDE_ITSELF : ASIDE_INPUT;
	return aside;
}

struct aside aside_find(const struct conf *c, const struct conf_rule *rule)
{
	struct aside aside = { .why = ASIDE_NOT };

	for (uint32_t i = 0; i < c->nmroutes && aside.why == ASIDE_NOT; i++)
		aside = aside_by(c, rule, &c->mroutes[i]);
	return aside;
}

void aside_text(struct buf *out, const struct conf *c, const struct aside *aside)
{
	buf_str(out, "not in the kernel, its sources are learned: ");
	if (aside->why == ASIDE_ITSELF) {
		buf_printf(out, "it sends out of %s what comes in there", aside->output->text);
		return;
	}
	buf_printf(out, "line %lu of %s takes ", (unsigned long)aside->other->where.line,
		   c->files[aside->other->where.file]);
	if (aside->why == ASIDE_PART)
		buf_str(out, "a part of them");
	else
		buf_printf(out, "packets of the group in on its output %s", aside->output->text);
}

bool aside_warn(const struct conf *c, struct diags *d, bool *is_partial)
{
	uint32_t budget = ASIDE_PAIRS;
	bool ok = true;

	for (uint32_t i = 0; i < c->nmroutes && ok; i++) {
		const struct conf_rule *rule = &c->mroutes[i];

		if (!rule->in_kernel)
			continue;
		if (budget < c->nmroutes) {
			*is_partial = true;
			break;
		}
		budget -= c->nmroutes;

		struct aside aside = aside_find(c, rule);
		struct buf text = { 0 };

		if (aside.why == ASIDE_NOT)
			continue;
		aside_text(&text, c, &aside);
		ok = !text.failed;
		if (ok)
			diag_add(d, rule->where, false, "%s", buf_cstr(&text));
		buf_free(&text);
	}
	return ok;
}
