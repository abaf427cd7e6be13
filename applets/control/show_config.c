/* SPDX-License-Identifier: ISC
 *
 * `show config`: what is in force, as a config file that gives the same state; with -d a comment behind each line says
 * who asks for it.
 */
#include "applets/control/show_owners.h"
#include "applets/control/show_table.h"

#include "conf/print.h"

static void config_phyint(struct show *s, const struct phyint *p)
{
	struct output *o = &s->out;

	if (!o->json) {
		print_phyint(&o->rows, p);
		return;
	}

	struct buf line = { 0 };

	print_phyint(&line, p);
	output_row(o);
	json_str(&o->rows, "name", p->ifname.text);
	json_key(&o->rows, "line");
	/* Without the newline. */
	buf_json(&o->rows, line.p, line.len ? line.len - 1 : 0);
	o->rows.failed |= line.failed;
	output_row_end(o);
	buf_free(&line);
}

static void config_rules(struct show *s, int stage, struct rules *t, const char *directive)
{
	struct output *o = &s->out;
	const struct rule *rule;

	while ((rule = show_next_rule(s, stage, t))) {
		struct show_flow f = show_flow_of_rule(s->router, rule);

		output_row(o);
		if (o->json) {
			show_flow_json(&o->rows, directive, &f);
			if (t == &s->router->rules.routes)
				show_flow_oifs(s->router, &o->rows, &f, true);
			show_owners_json(s->router, t, show_number(s), &o->rows);
		} else {
			ruleset_print(&o->rows, &s->router->rules, rule, directive, 0);
			buf_str(&o->rows, o->wanted & OUTPUT_DETAIL ? "  # owner: " : "");
			if (o->wanted & OUTPUT_DETAIL)
				show_owners_text(s->router, t, show_number(s), &o->rows);
		}
		output_row_end(o);
	}
}

static bool config_write(struct show *s)
{
	enum { BEGIN, PHYINTS, GROUPS_BEGIN, GROUPS, RULES_BEGIN, RULES, END, DONE };
	struct ruleset *set = &s->router->rules;

	show_json(s, BEGIN, "{\"config\":{\"phyint\":[");
	while (show_step(s, PHYINTS, set->nphyints))
		config_phyint(s, &set->phyints[show_number(s)]);
	show_json(s, GROUPS_BEGIN, "],\"mgroup\":[");
	config_rules(s, GROUPS, &set->joins, "mgroup");
	show_json(s, RULES_BEGIN, "],\"mroute\":[");
	config_rules(s, RULES, &set->routes, "mroute");
	show_json(s, END, "]}}\n");
	return s->stage == DONE;
}

const struct show_kind show_config = {
	.name = "config", .tried = "conf running file", .write = config_write,
};
