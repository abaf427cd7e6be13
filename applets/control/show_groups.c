/* SPDX-License-Identifier: ISC
 *
 * `show groups`: lines of memberships with what of them the kernel refused; with -d the memberships that they come to,
 * one by one.
 */
#include "applets/control/show_owners.h"
#include "applets/control/show_table.h"

#include <string.h>

static const struct output_column groups_columns[] = {
	{ .heading = "GROUP (S,G)", .width = SHOW_FLOW_WIDTH, .width_of = OUTPUT_FLOWS, .is_left = true },
	{ .heading = "IIF" },
};

enum { GROUPS_FLOW, GROUPS_IIF, GROUPS_QUERIER, GROUPS_COLUMNS };

/* Of memberships one by one. */
static const struct output_column groups_member_columns[GROUPS_COLUMNS] = {
	[GROUPS_FLOW] = {
		.heading = "GROUP (S,G)", .width = SHOW_FLOW_WIDTH, .width_of = OUTPUT_FLOWS, .is_left = true,
	},
	[GROUPS_IIF] = { .heading = "IIF", .width_of = OUTPUT_NAMES, .is_left = true },
	[GROUPS_QUERIER] = { .heading = "QUERIER", .key = "querier", .none = "-" },
};

/* Writes why the kernel refused a membership, and the limit that was reached. */
static void groups_failure(struct output *o, int err, enum fam fam)
{
	const char *limit = kernel_join_limit(err, fam), *why = strerror(err);

	if (o->json)
		json_str(&o->rows, "reason", why);
	else
		buf_printf(&o->rows, "failed: %s", why);
	if (*limit && o->json)
		json_str(&o->rows, "limit", limit);
	else if (*limit)
		buf_printf(&o->rows, " (%s)", limit);
}

static void groups_line(struct show *s, const struct rule *g)
{
	struct show_flow f = show_flow_of_rule(s->router, g);
	struct group_count n = { 0 };
	struct output *o = &s->out;

	show_flow_row(o, "Group Memberships Table", groups_columns, 2, &f);
	if (s->router->groups->failed) {
		n = group_count(s->router, &s->router->rules.names.v[g->iif].ifname, &g->range);
		show_charge(s, 1u << conf_join_bits(&g->range));
	}
	if (n.failed) {
		if (o->json)
			json_u64(&o->rows, "failed", n.failed);
		else
			buf_printf(&o->rows, "  %u of %u ", n.failed, n.failed + n.joined + n.waiting);
		groups_failure(o, n.err, flow_range_fam(&g->range));
	}
	if (o->json)
		show_owners_json(s->router, &s->router->rules.joins, show_number(s), &o->rows);
	output_row_end(o);
}

static const char *groups_state(const struct member *m)
{
	if (!m->refs)
		return "leaving";
	return m->joined ? "joined" : m->err ? "failed" : "joining";
}

static struct flow_range groups_range(const struct member *m)
{
	struct flow_range range = flow_range_of(&m->flow);

	if (member_is_asm(m))
		range.source_len = flow_fam(&m->flow) == FAM_4 ? ADDR_V4_BITS : 0;
	return range;
}

static void groups_member(struct show *s, const struct member *m)
{
	const struct iface *i = iface_find(&s->router->ifs, m->ifindex);
	struct show_flow f = { .range = groups_range(m), .iif = iface_str(i) };
	enum querier querier = i ? refresh_querier(s->router, i, flow_fam(&m->flow)) : QUERIER_UNKNOWN;
	struct output *o = &s->out;

	show_flow_row(o, "Kernel Group Membership Table", groups_member_columns, GROUPS_COLUMNS, &f);
	if (o->json)
		json_str(&o->rows, "state", groups_state(m));
	output_bool(o, &groups_member_columns[GROUPS_QUERIER], querier);
	if (!o->json && m->err)
		buf_str(&o->rows, "  ");
	if (m->err)
		groups_failure(o, m->err, flow_fam(&m->flow));
	output_row_end(o);
}

/* The next membership; NULL when there is none or the turn is over. */
static const struct member *groups_next_member(struct show *s, int stage)
{
	const struct groups *t = s->router->groups;
	bool is_wanted = s->out.json || s->out.wanted & OUTPUT_DETAIL;

	while (show_step(s, stage, is_wanted ? t->n : 0))
		if (t->v[show_number(s)].used && !t->v[show_number(s)].gone)
			return &t->v[show_number(s)];
	return NULL;
}

static void groups_fit_members(struct show *s, int stage)
{
	const struct member *m;

	while ((m = groups_next_member(s, stage))) {
		struct flow_range range = groups_range(m);

		show_fit_flow(s, &range);
	}
}

static bool groups_write(struct show *s)
{
	enum { FIT_NAMES, FIT_LINES, FIT_MEMBERS, BEGIN, LINES, KERNEL, MEMBERS, END, DONE };
	const struct member *m;
	const struct rule *g;

	if (show_once(s, FIT_NAMES))
		show_fit_names(s);
	show_fit_rules(s, FIT_LINES, &s->router->rules.joins);
	groups_fit_members(s, FIT_MEMBERS);
	show_json(s, BEGIN, "{\"groups\":{\"conf\":[");
	while ((g = show_next_rule(s, LINES, &s->router->rules.joins)))
		groups_line(s, g);
	show_json(s, KERNEL, "],\"kernel\":[");
	while ((m = groups_next_member(s, MEMBERS)))
		groups_member(s, m);
	show_json(s, END, "]}}\n");
	return s->stage == DONE;
}

const struct show_kind show_groups = {
	.name = "groups", .tried = "members memberships joins igmp mld", .letter = 'g', .write = groups_write,
};
