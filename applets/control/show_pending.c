/* SPDX-License-Identifier: ISC
 *
 * What waits is written in the syntax of the config file; why, with -d and in JSON.
 */
#include "applets/control/show_pending.h"

#include "applets/control/show_flow.h"
#include "router/reason.h"

/* The reason why a rule waits, NULL when it does not; *name is the interface that it waits for. */
static const char *pending_reason(struct show *s, const struct rules *t, const struct rule *rule, const char **name)
{
	const struct router *r = s->router;
	const struct ifname *iif = &r->rules.names.v[rule->iif].ifname;
	const char *reason;

	*name = iif->text;
	reason = t == &r->rules.routes ? reason_of_route(r, rule, name) :
					 reason_of_join(r, iif, flow_range_fam(&rule->range));

	/* All interfaces were looked at. */
	if (reason)
		show_charge(s, s->router->ifs.n / 8);
	s->pending += reason != NULL;
	return reason;
}

static void pending_rules(struct show *s, int stage, struct rules *t, const char *directive)
{
	struct output *o = &s->out;
	const struct rule *rule;
	const char *name;

	while ((rule = show_next_rule(s, stage, t))) {
		const char *reason = pending_reason(s, t, rule, &name);
		struct show_flow f = show_flow_of_rule(s->router, rule);

		if (!reason)
			continue;
		output_heading(o, "PENDING ROUTES AND GROUPS", NULL, 0);
		output_row(o);
		if (o->json) {
			show_flow_json(&o->rows, directive, &f);
			show_flow_oifs(s->router, &o->rows, &f, true);
			json_str(&o->rows, "reason", reason);
		} else {
			ruleset_print(&o->rows, &s->router->rules, rule, directive, 7);
			if (o->wanted & OUTPUT_DETAIL)
				buf_printf(&o->rows, "  # %s: %s", name, reason);
		}
		output_row_end(o);
	}
}

void show_pending_count(struct show *s, int stage, struct rules *t)
{
	const struct rule *rule;
	const char *name;

	while ((rule = show_next_rule(s, stage, t)))
		pending_reason(s, t, rule, &name);
}

bool show_pending(struct show *s)
{
	enum { BEGIN, GROUPS, RULES, NONE, END, DONE };

	show_json(s, BEGIN, "{\"pending\":[");
	pending_rules(s, GROUPS, &s->router->rules.joins, "mgroup");
	pending_rules(s, RULES, &s->router->rules.routes, "mroute");
	if (show_once(s, NONE) && !s->pending && !s->out.json)
		buf_str(&s->out.rows, "No pending routes or groups\n");
	show_json(s, END, "]}\n");
	return s->stage == DONE;
}
