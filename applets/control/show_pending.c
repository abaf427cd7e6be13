/* SPDX-License-Identifier: ISC
 *
 * What waits is written in the syntax of the config file; why, with -d and in JSON.
 */
#include "applets/control/show_pending.h"

#include "applets/control/show_flow.h"

/* The reason why a rule waits, NULL when it does not; *name is the interface that it waits for. */
static const char *pending_rule_reason(struct show *s, const struct conf_rule *rule, uint16_t *name)
{
	const char *reason = router_rule_reason(s->router, rule, name);

	/* All interfaces were looked at. */
	if (reason)
		show_charge(s, s->router->ifs.n / 8);
	s->pending += reason != NULL;
	return reason;
}

/* The same of a group. */
static const char *pending_group_reason(struct show *s, const struct conf_rule *group)
{
	const char *reason = router_group_reason(s->router, group);

	if (reason)
		show_charge(s, s->router->ifs.n / 8);
	s->pending += reason != NULL;
	return reason;
}

/* Begins a row of a rule or group. */
static void pending_row(struct show *s, const char *kind, const struct show_flow *f)
{
	struct output *o = &s->out;

	output_title(o, "PENDING ROUTES AND GROUPS");
	output_row(o);
	if (o->json) {
		show_flow_json(&o->rows, kind, f);
		show_flow_oifs(s->router, &o->rows, f, true);
	}
}

static void pending_row_end(struct show *s, uint16_t name, const char *reason)
{
	struct output *o = &s->out;

	if (o->json)
		json_str(&o->rows, "reason", reason);
	else if (o->wanted & OUTPUT_DETAIL)
		buf_printf(&o->rows, "  # %s: %s", s->router->conf->names[name].ifname.text, reason);
	output_row_end(o);
}

static void pending_groups(struct show *s, int stage)
{
	const struct conf *c = s->router->conf;
	const struct conf_rule *g;

	while ((g = show_next_group(s, stage))) {
		const char *reason = pending_group_reason(s, g);
		struct show_flow f = show_flow_of_group(c, g);

		if (!reason)
			continue;
		pending_row(s, "mgroup", &f);
		if (!s->out.json)
			conf_print_mgroup(&s->out.rows, c, g);
		pending_row_end(s, g->iif, reason);
	}
}

static void pending_rules(struct show *s, int stage)
{
	const struct conf *c = s->router->conf;
	const struct conf_rule *rule;

	while ((rule = show_next_rule(s, stage))) {
		uint16_t name;
		const char *reason = pending_rule_reason(s, rule, &name);
		struct show_flow f = show_flow_of_rule(c, rule);

		if (!reason)
			continue;
		pending_row(s, "mroute", &f);
		if (!s->out.json)
			conf_print_mroute(&s->out.rows, c, rule);
		pending_row_end(s, name, reason);
	}
}

void show_pending_count(struct show *s, int rules, int groups)
{
	const struct conf_rule *rule;
	uint16_t name;

	while ((rule = show_next_rule(s, rules)))
		pending_rule_reason(s, rule, &name);
	while ((rule = show_next_group(s, groups)))
		pending_group_reason(s, rule);
}

bool show_pending(struct show *s)
{
	enum { BEGIN, GROUPS, RULES, NONE, END, DONE };

	show_json(s, BEGIN, "{\"pending\":[");
	pending_groups(s, GROUPS);
	pending_rules(s, RULES);
	if (show_once(s, NONE) && !s->pending && !s->out.json)
		buf_str(&s->out.rows, "No pending routes or groups\n");
	show_json(s, END, "]}\n");
	return s->stage == DONE;
}
