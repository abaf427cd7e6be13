/* SPDX-License-Identifier: ISC
 *
 * The configuration prints itself, line by line.
 */
#include "applets/control/show_config.h"

bool show_config(struct show *s)
{
	enum { PHYINTS, GROUPS, RULES, DONE };
	const struct conf *c = s->router->conf;
	struct output *o = &s->out;

	while (show_step(s, PHYINTS, c->nphyints)) {
		conf_line_phyint(&o->rows, c, show_number(s));
		output_lines(o);
	}
	while (show_next_group(s, GROUPS)) {
		conf_line_mgroup(&o->rows, c, show_number(s));
		output_lines(o);
	}
	while (show_next_rule(s, RULES)) {
		conf_line_mroute(&o->rows, c, show_number(s));
		output_lines(o);
	}
	return s->stage == DONE;
}
