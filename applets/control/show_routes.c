/* SPDX-License-Identifier: ISC
 *
 * `show routes`: templates, (S,G) rules, and the entries of the kernel.  Rules and entries are one kind of row, with or
 * without counters.
 */
#include "applets/control/show_owners.h"
#include "applets/control/show_count.h"

enum { ROUTES_FLOW, ROUTES_IIF, ROUTES_PACKETS, ROUTES_BYTES, ROUTES_WRONG, ROUTES_IDLE, ROUTES_STATE, ROUTES_OIFS,
       ROUTES_COLUMNS };

static const struct output_column routes_columns[ROUTES_COLUMNS] = {
	[ROUTES_FLOW] = {
		.heading = "ROUTE (S,G)", .width = SHOW_FLOW_WIDTH, .width_of = OUTPUT_FLOWS, .is_left = true,
	},
	[ROUTES_IIF] = { .heading = "IIF", .width = 3, .width_of = OUTPUT_NAMES, .is_left = true },
	[ROUTES_PACKETS] = {
		.heading = "PACKETS", .key = "packets", .width = 10, .width_of = OUTPUT_PACKETS, .none = "-",
		.needs = OUTPUT_DETAIL,
	},
	[ROUTES_BYTES] = {
		.heading = "BYTES", .key = "bytes", .width = 10, .width_of = OUTPUT_BYTES, .none = "-",
		.needs = OUTPUT_DETAIL,
	},
	[ROUTES_WRONG] = {
		.heading = "WRONG", .key = "wrong_if", .width = 10, .none = "-", .needs = OUTPUT_MORE | OUTPUT_ENTRY,
	},
	[ROUTES_IDLE] = {
		.heading = "IDLE", .key = "idle_sec", .width = 6, .none = "-", .needs = OUTPUT_MORE | OUTPUT_ENTRY,
	},
	[ROUTES_STATE] = {
		.heading = "STATE", .key = "state", .width = 7, .is_left = true, .needs = OUTPUT_MORE | OUTPUT_ENTRY,
	},
	[ROUTES_OIFS] = { .heading = " OIFS" },
};

/* Seconds since an entry, which has so many packets, was used; JSON_NONE when it does not matter. */
static uint64_t routes_idle_sec(struct router *r, const struct mfc *e, uint64_t packets)
{
	uint32_t at = (uint32_t)(e - r->mfc.v);

	if (!mfc_is_dynamic(e))
		return JSON_NONE;
	/* The expiry pass looks too seldom for this, and without a limit there is none. */
	mfc_sample(&r->mfc, at, (uint32_t)packets, r->now);
	return ((uint32_t)(r->now / MFC_TICK) - r->mfc.shares.use[at].used) / (1000 / MFC_TICK);
}

/* Writes a row; e is NULL for a rule.  In JSON the outputs come before the counters. */
static void routes_row(struct show *s, const char *title, const struct show_flow *f, const struct mfc_stats *n,
		       const struct mfc *e)
{
	const struct output_column *columns = routes_columns;
	struct output *o = &s->out;

	show_flow_row(o, title, columns, ROUTES_COLUMNS, f);
	if (o->json)
		show_flow_oifs(s->router, &o->rows, f, true);
	if (output_shows(o, &columns[ROUTES_PACKETS])) {
		output_u64(o, &columns[ROUTES_PACKETS], n->packets);
		output_u64(o, &columns[ROUTES_BYTES], n->bytes);
	}
	if (e && output_shows(o, &columns[ROUTES_WRONG])) {
		output_u64(o, &columns[ROUTES_WRONG], n->wrong_if);
		output_u64(o, &columns[ROUTES_IDLE], routes_idle_sec(s->router, e, n->packets));
		output_text(o, &columns[ROUTES_STATE], mfc_state_str(e->state));
	}
	if (o->json && !e)
		show_owners_json(s->router, &s->router->rules.routes, show_number(s), &o->rows);
	if (!o->json && show_flow_has_oifs(f)) {
		buf_chr(&o->rows, ' ');
		show_flow_oifs(s->router, &o->rows, f, false);
	}
	output_row_end(o);
}

/* Writes the rules that are of one (S,G), or the others. */
static void routes_rules(struct show *s, int stage, bool is_single)
{
	const struct rule *rule;

	while ((rule = show_next_rule(s, stage, &s->router->rules.routes))) {
		if (flow_range_is_single(&rule->range) != is_single)
			continue;

		struct show_flow f = show_flow_of_rule(s->router, rule);
		struct mfc_stats n = show_count_rule(s, show_number(s));

		routes_row(s, is_single ? "(S,G) Rules" : "(*,G) Template Rules", &f, &n, NULL);
	}
}

static void routes_entries(struct show *s, int stage)
{
	bool counts = s->entries;
	const struct mfc *e;

	while ((e = show_next_entry(s, stage))) {
		struct show_flow f = show_flow_of_entry(s->router, e);
		struct mfc_stats n = { 0 };

		if (counts)
			n = show_count_entry(s, show_number(s));
		s->out.wanted |= OUTPUT_ENTRY;
		routes_row(s, "Kernel MFC Table", &f, &n, e);
	}
}

static bool routes_write(struct show *s)
{
	enum { BEGIN, COUNT, FIT_RULES, FIT_ENTRIES, TEMPLATES, SSM, RULES, KERNEL, ENTRIES, END, DONE };

	if (s->stage == BEGIN)
		show_fit_names(s);
	show_json(s, BEGIN, "{\"routes\":{\"asm\":[");
	if (s->out.json || s->out.wanted & OUTPUT_DETAIL)
		show_count(s, COUNT, false);
	else
		show_once(s, COUNT);
	show_fit_rules(s, FIT_RULES, &s->router->rules.routes);
	show_fit_entries(s, FIT_ENTRIES);
	routes_rules(s, TEMPLATES, false);
	show_json(s, SSM, "],\"ssm\":[");
	routes_rules(s, RULES, true);
	show_json(s, KERNEL, "],\"kernel\":[");
	routes_entries(s, ENTRIES);
	show_json(s, END, "]}}\n");
	return s->stage == DONE;
}

const struct show_kind show_routes = {
	.name = "routes", .tried = "status mroute mroutes mfc rules all flows entries table kernel", .letter = 'r',
	.write = routes_write,
};
