/* SPDX-License-Identifier: ISC
 *
 * What was reported last is a flag of the rule, so a reload repeats nothing.
 */
#include "router/pending.h"

#include "router/reason.h"

void pending_report(struct router *r, uint32_t id)
{
	struct rule *rule = &r->rules.routes.v[id];
	struct event ev = { .kind = EVENT_ACTIVE, .fam = flow_range_fam(&rule->range), .rule = rule };
	bool waits = !ruleset_is_bound(&r->rules, rule);
	const char *which;

	if (waits == rule->waits)
		return;
	rule->waits = waits;
	if (waits) {
		ev.kind = EVENT_PENDING;
		ev.text = reason_of_route(r, rule, &which);
		if (ev.text)
			ev.iif = which;
	}
	state_event(r, &ev);
}
