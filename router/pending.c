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
	struct buf why = { 0 };
	bool waits = reason_is_there(r, rule);

	if (waits == rule->waits)
		return;
	rule->waits = waits;
	if (waits) {
		ev.kind = EVENT_PENDING;
		ev.text = reason_of_route(r, rule, &why, &ev.iif);
	}
	state_event(r, &ev);
	buf_free(&why);
}
