/* SPDX-License-Identifier: ISC
 *
 * `show pending`: rules and memberships that cannot work yet, in the syntax of the config file; why, with -d and in
 * JSON.
 */
#include "applets/control/show_owners.h"
#include "applets/control/show_table.h"

static void pending_rules(struct show *s, int stage, struct rules *t, const char *directive)
{
	struct output *o = &s->out;
	const struct rule *rule;
	const char *name;

	while ((rule = show_next_rule(s, stage, t))) {
		const char *reason = show_reason(s, t, rule, &name);
		struct show_flow f = show_flow_of_rule(s->router, rule);

		if (!reason)
			continue;
		output_heading(o, "PENDING ROUTES AND GROUPS", NULL, 0);
		output_row(o);
		if (o->json) {
			show_flow_json(&o->rows, directive, &f);
			show_flow_oifs(s->router, &o->rows, &f, true);
			json_str(&o->rows, "reason", reason);
			show_owners_json(s->router, t, show_number(s), &o->rows);
		} else {
			ruleset_print(&o->rows, &s->router->rules, rule, directive, 7);
			if (o->wanted & OUTPUT_DETAIL)
				buf_printf(&o->rows, "  # %s: %s", name, reason);
		}
		output_row_end(o);
	}
}

static bool pending_write(struct show *s)
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

const struct show_kind show_pending = { .name = "pending", .letter = 'p', .write = pending_write };
