/* SPDX-License-Identifier: ISC
 *
 * The configuration prints itself, line by line.
 */
#include "applets/control/show_config.h"

#include "conf/print.h"

static void config_rules(struct show *s, int stage, struct rules *t, const char *directive)
{
	const struct rule *rule;

	while ((rule = show_next_rule(s, stage, t))) {
		ruleset_print(&s->out.rows, &s->router->rules, rule, directive, 0);
		buf_chr(&s->out.rows, '\n');
		output_lines(&s->out);
	}
}

bool show_config(struct show *s)
{
	enum { PHYINTS, GROUPS, RULES, DONE };
	const struct ruleset *set = &s->router->rules;
	struct output *o = &s->out;

	while (show_step(s, PHYINTS, set->nphyints)) {
		print_phyint(&o->rows, &set->phyints[show_number(s)]);
		output_lines(o);
	}
	config_rules(s, GROUPS, &s->router->rules.joins, "mgroup");
	config_rules(s, RULES, &s->router->rules.routes, "mroute");
	return s->stage == DONE;
}
