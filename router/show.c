/* SPDX-License-Identifier: ISC
 *
 * `show`: which table is asked for, and how much of it is written at once.  The
 * tables are in show_route.c, show_group.c, show_iface.c and show_metrics.c; the
 * configuration prints itself.
 */
#include "router/show.h"

#include <stdlib.h>

#include "lib/status.h"

/* Lines that are looked at in a turn: some 0.1 us each, and 0.7 us where the kernel is asked, which
 * counts as several. */
#define TURN_LINES 4096
#define ASKING 6

static bool config_lines(struct show *s, uint32_t n,
			 void (*line)(struct buf *out, const struct conf *c, uint32_t i))
{
	for (; show_more(s, n); s->at++) {
		line(&s->o.rows, s->r->conf, s->at);
		out_row(&s->o);
	}
	return s->at >= n;
}

static bool phyints(struct show *s)
{
	return config_lines(s, s->r->conf->nphyints, conf_line_phyint);
}

static bool mgroups(struct show *s)
{
	return config_lines(s, s->r->conf->nmgroups, conf_line_mgroup);
}

static bool mroutes(struct show *s)
{
	return config_lines(s, s->r->conf->nmroutes, conf_line_mroute);
}

static show_part *const show_config[] = { phyints, mgroups, mroutes, NULL };

static const struct {
	const char *name;
	show_part *const *parts;
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

bool show_untitled(struct show *s)
{
	bool due = s->titled != *s->part;

	s->titled = *s->part;
	return due;
}

bool show_json_text(struct show *s, const char *text)
{
	if (s->o.json)
		buf_str(&s->o.rows, text);
	return true;
}

/* ---- counters ---- */

static struct show_counts ask(struct show *s, uint32_t at)
{
	const struct mfc *e = &s->r->mfc.v[at];
	struct mfc_stats st;

	if (e->state == MFC_FREE || !(e->flags & MFC_INSTALLED))
		return (struct show_counts){ 0 };
	show_charge(s, ASKING);
	if (kernel_mfc_stats(addr_fam(&e->group), &e->source, &e->group, &st) < 0)
		return (struct show_counts){ 0 };
	return (struct show_counts){ st.packets, st.bytes, st.wrong_if };
}

bool show_count_entries(struct show *s)
{
	struct mfcs *t = &s->r->mfc;

	if (!s->entries) {
		s->nentries = t->n;
		s->removals = t->removals;
		s->entries = calloc(t->n + 1u, sizeof *s->entries);
	}
	if (!s->entries) {
		s->o.rows.failed = true;
		return true;
	}
	for (; show_more(s, s->nentries); s->at++)
		s->entries[s->at] = ask(s, s->at);
	return s->at >= s->nentries;
}

struct show_counts show_counts_of(struct show *s, uint32_t at)
{
	/* Since an entry went, its place may be another's. */
	return at < s->nentries && s->removals == s->r->mfc.removals ? s->entries[at] : ask(s, at);
}

/* ---- turns ---- */

void show_free(struct show *s)
{
	if (!s)
		return;
	buf_free(&s->o.rows);
	buf_free(&s->tail.text);
	free(s->rules);
	free(s->entries);
	free(s);
}

size_t show_size(const struct show *s)
{
	return s ? sizeof *s + s->o.rows.cap + s->tail.text.cap + ((size_t)s->nrules + s->nentries) * sizeof *s->rules : 0;
}

static struct show *begin(struct router *r, struct cmd *c, show_part *const *parts)
{
	struct show *s = calloc(1, sizeof *s);

	if (!s)
		return NULL;
	s->r = r;
	s->part = parts;
	out_begin(&s->o, c);
	return s;
}

/* Writes what is due in a turn: true when that was all. */
static bool go_on(struct show *s)
{
	s->left = TURN_LINES;
	out_turn(&s->o);
	s->tail.text.len = 0;
	for (; *s->part; s->part++) {
		if (!(*s->part)(s))
			return false;
		s->at = 0;
		if (s->o.rows.failed)
			return true;
	}
	return true;
}

int show_run(struct router *r, struct cmd *c)
{
	struct show *s = c->show ? *c->show : NULL;
	char why[128];
	bool done, ok;

	if (!s) {
		int n = c->argc > 1 ? word_find(show_words, c->argv[1], why, sizeof why) : 0;

		if (n < 0)
			return cmd_fail(c, EXIT_USAGE, "show %s: no such table, there are: %s", c->argv[1], why);
		s = begin(r, c, tables[n].parts);
		if (!s)
			return cmd_fail(c, EXIT_SYSTEM, "out of memory");
	}
	do {
		done = go_on(s);
		ok = done || out_pause(&s->o);
	} while (!done && ok && !c->show);
	if (!done && ok) {
		*c->show = s;
		return 0;
	}
	ok = out_end(&s->o) && ok;
	show_free(s);
	if (c->show)
		*c->show = NULL;
	return ok ? 0 : cmd_fail(c, EXIT_SYSTEM, "out of memory");
}
