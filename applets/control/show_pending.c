/* SPDX-License-Identifier: ISC
 *
 * `show pending`: rules and memberships that cannot work yet, in the syntax of the config file; why, with -d and in
 * JSON.
 */
#include "applets/control/show_owners.h"
#include "applets/control/show_table.h"

/* Appends the interfaces that a name of the rule means as a wildcard and that have no VIF, each behind a separator; how
 * many. */
static unsigned pending_lacking(const struct router *r, const struct rule *rule, uint32_t name, struct buf *b,
				bool json)
{
	const struct ifname *ifname = &r->rules.names.v[name].ifname;
	enum fam fam = flow_range_fam(&rule->range);
	unsigned n = 0;

	if (!ifname->is_wildcard || !r->up[fam])
		return 0;
	for (struct iface *i = NULL; (i = iface_match(&r->ifs, ifname, i));)
		if (iface_usable(i, ifname) && i->vif[fam] < 0) {
			show_name(b, i->name, json);
			n++;
		}
	return n;
}

/* Appends all that a rule waits for: `name`, or the interfaces of its wildcards; nothing where that is NULL. */
static void pending_names(const struct router *r, const struct rule *rule, const char *name, struct buf *b, bool json)
{
	const struct oif_list *list = &r->rules.names.lists[rule->oifs];
	unsigned n = pending_lacking(r, rule, rule->iif, b, json);

	for (uint32_t k = 0; k < list->n; k++)
		n += pending_lacking(r, rule, list->names[k], b, json);
	if (!n && name)
		show_name(b, name, json);
}

static void pending_rules(struct show *s, int stage, struct rules *t, const char *directive)
{
	struct output *o = &s->out;
	const struct rule *rule;
	const char *name;

	while ((rule = show_next_rule(s, stage, t))) {
		const char *reason = show_reason(s, t, rule, &name);
		struct show_flow f = show_flow_of_rule(s->router, rule);

		if (!reason)
			continue;
		output_heading(o, "PENDING ROUTES AND GROUPS", NULL, 0);
		output_row(o);
		if (o->json) {
			show_flow_json(&o->rows, directive, &f);
			show_flow_oifs(s->router, &o->rows, &f, true);
			json_str(&o->rows, "reason", reason);
			json_list(&o->rows, "waits_for");
			pending_names(s->router, rule, name, &o->rows, true);
			buf_chr(&o->rows, ']');
			show_owners_json(s->router, t, show_number(s), &o->rows);
		} else {
			ruleset_print(&o->rows, &s->router->rules, rule, directive, 7);
			if (o->wanted & OUTPUT_DETAIL) {
				buf_str(&o->rows, "  #");
				pending_names(s->router, rule, name, &o->rows, false);
				buf_printf(&o->rows, name ? ": %s" : " %s", reason);
			}
		}
		output_row_end(o);
	}
}

static bool pending_write(struct show *s)
{
	enum { BEGIN, GROUPS, RULES, NONE, END, DONE };

	show_json(s, BEGIN, "{\"pending\":[");
	pending_rules(s, GROUPS, &s->router->rules.joins, "mgroup");
	pending_rules(s, RULES, &s->router->rules.routes, "mroute");
	if (show_once(s, NONE) && !s->pending && !s->out.json)
		buf_str(&s->out.rows, "No pending routes or groups\n");
	show_json(s, END, "]}\n");
	return s->stage == DONE;
}

const struct show_kind show_pending = {
	.name = "pending", .tried = "waiting", .letter = 'p', .write = pending_write,
};
