/* SPDX-License-Identifier: ISC
 *
 * `show`: which table is asked for.  The tables are in show_route.c, show_group.c,
 * show_iface.c and show_metrics.c; the configuration prints itself.
 */
#include "router/show.h"

#include "lib/status.h"

static void show_config(struct router *r, struct output *o)
{
	conf_print(&o->rows, r->conf);
	out_row(o);
}

static const struct {
	const char *name;
	void (*fn)(struct router *r, struct output *o);
} tables[] = {
	{ "routes", show_routes },
	{ "groups", show_groups },
	{ "interfaces", show_interfaces },
	{ "pending", show_pending },
	{ "config", show_config },
	{ "metrics", show_metrics },
};

/* The same names in the same order. */
const char *const show_words[] = { "routes", "groups", "interfaces", "pending", "config", "metrics", NULL };

_Static_assert(sizeof show_words / sizeof *show_words == sizeof tables / sizeof *tables + 1, "one word a table");

int show_run(struct router *r, struct cmd *c)
{
	struct output o;
	char why[128];
	int n = c->argc > 1 ? word_find(show_words, c->argv[1], why, sizeof why) : 0;

	if (n < 0)
		return cmd_fail(c, EXIT_USAGE, "show %s: no such table, there are: %s", c->argv[1], why);
	out_begin(&o, c);
	tables[n].fn(r, &o);
	if (!out_end(&o))
		return cmd_fail(c, EXIT_SYSTEM, "out of memory");
	return 0;
}
