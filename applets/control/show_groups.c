/* SPDX-License-Identifier: ISC
 *
 * `show groups`: lines of memberships with what of them the kernel refused; with -d the memberships that they come to,
 * one by one.
 */
#include "applets/control/show_table.h"

#include <string.h>

static const struct output_column groups_columns[] = {
	{ .heading = "GROUP (S,G)", .width = SHOW_FLOW_WIDTH, .is_left = true },
	{ .heading = "IIF" },
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
	output_row_end(o);
}

static const char *groups_state(const struct member *m)
{
	if (!m->refs)
		return "leaving";
	return m->joined ? "joined" : m->err ? "failed" : "joining";
}

static void groups_member(struct show *s, const struct member *m)
{
	struct show_flow f = { .range = flow_range_of(&m->flow) };
	struct output *o = &s->out;

	f.iif = iface_str(iface_find(&s->router->ifs, m->ifindex));
	if (member_is_asm(m))
		f.range.source_len = flow_fam(&m->flow) == FAM_4 ? ADDR_V4_BITS : 0;
	show_flow_row(o, "Kernel Group Membership Table", groups_columns, 2, &f);
	if (o->json)
		json_str(&o->rows, "state", groups_state(m));
	else if (m->err)
		buf_str(&o->rows, "  ");
	if (m->err)
		groups_failure(o, m->err, flow_fam(&m->flow));
	output_row_end(o);
}

static bool groups_write(struct show *s)
{
	enum { BEGIN, LINES, KERNEL, MEMBERS, END, DONE };
	const struct groups *t = s->router->groups;
	bool has_members = s->out.json || s->out.wanted & OUTPUT_DETAIL;
	const struct rule *g;

	show_json(s, BEGIN, "{\"groups\":{\"conf\":[");
	while ((g = show_next_rule(s, LINES, &s->router->rules.joins)))
		groups_line(s, g);
	show_json(s, KERNEL, "],\"kernel\":[");
	while (show_step(s, MEMBERS, has_members ? t->n : 0))
		if (t->v[show_number(s)].used && !t->v[show_number(s)].gone)
			groups_member(s, &t->v[show_number(s)]);
	show_json(s, END, "]}}\n");
	return s->stage == DONE;
}

const struct show_kind show_groups = { .name = "groups", .letter = 'g', .write = groups_write };
