/* SPDX-License-Identifier: ISC
 *
 * `show config`: what is in force, as a config file that gives the same state.
 */
#include "applets/control/show_table.h"

#include "conf/print.h"

static void config_rules(struct show *s, int stage, struct rules *t, const char *directive)
{
	const struct rule *rule;

	while ((rule = show_next_rule(s, stage, t))) {
		ruleset_print(&s->out.rows, &s->router->rules, rule, directive, 0);
		buf_chr(&s->out.rows, '\n');
	}
}

static bool config_write(struct show *s)
{
	enum { PHYINTS, GROUPS, RULES, DONE };
	struct ruleset *set = &s->router->rules;

	while (show_step(s, PHYINTS, set->nphyints))
		print_phyint(&s->out.rows, &set->phyints[show_number(s)]);
	config_rules(s, GROUPS, &set->joins, "mgroup");
	config_rules(s, RULES, &set->routes, "mroute");
	return s->stage == DONE;
}

const struct show_kind show_config = { .name = "config", .write = config_write };
