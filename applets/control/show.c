/* SPDX-License-Identifier: ISC
 *
 * `show`: which table is asked for, and how much of it is written at once.  The
 * tables are in show_route.c, show_group.c, show_iface.c and show_metrics.c; the
 * configuration prints itself.
 */
#include "applets/control/show.h"

#include <stdlib.h>

#include "lib/status.h"

/* Lines that are looked at in a turn: some 0.1 us each, and 0.7 us where the kernel is asked, which
 * counts as several. */
#define TURN_LINES 4096
#define ASKING 6

static void phyint(struct show *s)
{
	conf_line_phyint(&s->o.rows, s->r->conf, s->at);
}

static void mgroup(struct show *s)
{
	conf_line_mgroup(&s->o.rows, s->r->conf, s->at);
}

static void mroute(struct show *s)
{
	conf_line_mroute(&s->o.rows, s->r->conf, s->at);
}

static const struct show_part show_config[] = {
	{ phyint, .of = SHOW_PHYINTS },
	{ mgroup, .of = SHOW_MGROUPS },
	{ mroute, .of = SHOW_MROUTES, .after = SHOW_END },
};

const char *const show_words[] = { "routes", "groups", "interfaces", "pending", "config", "metrics", NULL };

/* In the order of the words: the parts, and what JSON begins with. */
static const struct {
	const struct show_part *parts;
	const char *before;
} tables[] = {
	{ show_routes, "{\"routes\":{\"asm\":[" },
	{ show_groups, "{\"groups\":{\"conf\":[" },
	{ show_interfaces, "{\"interfaces\":[" },
	{ show_pending, "{\"pending\":[" },
	{ show_config, "" },
	{ show_metrics, "" },
};

_Static_assert(sizeof show_words / sizeof *show_words == sizeof tables / sizeof *tables + 1, "one word a table");

bool show_title(struct show *s, const char *title)
{
	if (s->title == title)
		return false;
	s->title = title;
	out_head(&s->o, WIRE_TITLE, "%s", title);
	return true;
}

void show_end(struct show *s)
{
	buf_chr(&s->o.rows, s->o.json ? '}' : '\n');
}

void show_charge(struct show *s, unsigned n)
{
	s->left -= n < s->left ? n : s->left;
}

/* ---- counters ---- */

const struct mfc *show_entry(const struct show *s, const char **iif)
{
	const struct mfc *e = &s->r->mfc.v[s->at];

	if (e->state == MFC_FREE || !(e->flags & MFC_INSTALLED))
		return NULL;
	const struct iface *i = iface_by_vif(&s->r->ifs, flow_fam(&e->flow), e->iif);
	*iif = i ? i->name : "?";
	return e;
}

/* Asks the kernel for the counters of the entry s->at; what it does not have is 0. */
static void ask(struct show *s, struct mfc_stats *st)
{
	const char *iif;
	const struct mfc *e = show_entry(s, &iif);

	*st = (struct mfc_stats){ 0 };
	if (e) {
		show_charge(s, ASKING);
		kernel_mfc_stats(&e->flow, st);
	}
}

static struct mfc_stats *zero_counts(struct show *s, uint32_t n)
{
	struct mfc_stats *v = calloc(n + 1u, sizeof *v);

	s->o.rows.failed |= !v;
	return v;
}

void show_count_begin(struct show *s)
{
	s->nentries = s->r->mfc.n;
	s->removals = s->r->mfc.removals;
	s->entries = zero_counts(s, s->nentries);
	if (s->part->arg) {
		s->nrules = s->r->conf->nmroutes;
		s->rules = zero_counts(s, s->nrules);
	}
}

void show_count(struct show *s)
{
	ask(s, &s->entries[s->at]);
}

const struct mfc_stats *show_counts(struct show *s)
{
	s->counts = &s->entries[s->at];
	/* Since an entry went, its place may be another's. */
	if (s->at >= s->nentries || s->removals != s->r->mfc.removals) {
		s->counts = &s->now;
		ask(s, &s->now);
	}
	return s->counts;
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
	free(s->allmulti);
	free(s);
}

size_t show_size(const struct show *s)
{
	return s ? sizeof *s + s->o.rows.cap + s->tail.text.cap + ((size_t)s->nrules + s->nentries) * sizeof *s->rules : 0;
}

/* How many lines the part has as things are now. */
static uint32_t lines(const struct show *s)
{
	const struct router *r = s->r;

	switch (s->part->of) {
	case SHOW_PHYINTS: return r->conf->nphyints;
	case SHOW_MGROUPS: return r->conf->nmgroups;
	case SHOW_MROUTES: return r->conf->nmroutes;
	case SHOW_ENTRIES: return r->mfc.n;
	case SHOW_COUNTED: return s->nentries;
	case SHOW_MEMBERS: return r->groups.n;
	case SHOW_IFACES: return r->ifs.n;
	default: return 1;
	}
}

/* Writes what is due in a turn: true when that was all. */
static bool go_on(struct show *s)
{
	static const char after[][13] = {
		[SHOW_SSM] = "],\"ssm\":[", [SHOW_KERNEL] = "],\"kernel\":[", [SHOW_END_LIST] = "]}\n",
		[SHOW_END_LISTS] = "]}}\n",
	};
	struct output *o = &s->o;

	s->left = TURN_LINES;
	s->tail.text.len = 0;
	out_turn(o);
	for (;; s->part++, s->at = 0) {
		const struct show_part *part = s->part;
		bool wanted = !part->detail || o->detail || o->json;

		for (uint32_t n = wanted ? lines(s) : 0; s->at < n; s->at++) {
			if (!s->left || out_full(o))
				return false;
			s->left--;
			part->line(s);
			out_row(o);
		}
		if (o->json)
			buf_str(&o->rows, after[part->after]);
		if (part->after >= SHOW_END || o->rows.failed)
			return true;
	}
}

int show_run(struct router *r, struct cmd *c)
{
	struct show *s = *c->show;
	bool ok;

	if (!s) {
		int n = c->argc > 1 ? word_find(show_words, c->argv[1], c->names, sizeof c->names) : 0;

		if (n < 0)
			return cmd_fail(c, EXIT_USAGE, "show %s: no such table, there are: %s", c->argv[1], c->names);
		s = calloc(1, sizeof *s);
		if (!s)
			return cmd_no_memory(c);
		s->r = r;
		s->part = tables[n].parts;
		out_begin(&s->o, c);
		if (c->json)
			buf_str(&s->o.rows, tables[n].before);
	}
	if (!go_on(s) && out_pause(&s->o)) {
		*c->show = s;
		return 0;
	}
	ok = out_end(&s->o);
	show_free(s);
	*c->show = NULL;
	return ok ? 0 : cmd_no_memory(c);
}
