/* SPDX-License-Identifier: ISC
 *
 * Events as lines: the parts that an event does not have are left out.
 */
#include "applets/control/monitor.h"

#include <string.h>

#include "applets/control/show_owners.h"
#include "applets/control/show_table.h"
#include "lib/clock.h"
#include "lib/json.h"

const char *monitor_event_name(enum event_kind kind)
{
	static const char *const names[] = {
		[EVENT_LEARNED] = "learned", [EVENT_MOVED] = "moved", [EVENT_EXPIRED] = "expired",
		[EVENT_BLOCKED] = "blocked", [EVENT_EVICTED] = "evicted", [EVENT_CHANGED] = "changed",
		[EVENT_GONE] = "gone", [EVENT_LINK] = "link", [EVENT_PENDING] = "pending",
		[EVENT_ACTIVE] = "active", [EVENT_RELOAD] = "reload",
		[EVENT_ADDED] = "added", [EVENT_REMOVED] = "removed", [EVENT_JOINED] = "joined",
		[EVENT_LEFT] = "left", [EVENT_FLUSHED] = "flushed",
	};

	return names[kind];
}

/* What an event of a rule or join is about. */
struct monitor_rule {
	const struct rules *rules;
	const struct rule *rule;	/* NULL: the event is of another kind */
	const char *directive;
	bool is_changed;		/* by its owners */
	bool is_less;			/* some of what was asked for went, but not the rule or join */
};

static struct monitor_rule monitor_rule_of(const struct router *r, const struct event *ev)
{
	struct monitor_rule m = { &r->rules.routes, ev->rule, "mroute", ev->kind >= EVENT_ADDED, false };

	if (ev->join)
		m = (struct monitor_rule){ &r->rules.joins, ev->join, "mgroup", true, false };
	m.is_less = (ev->kind == EVENT_REMOVED || ev->kind == EVENT_LEFT) && !ev->is_gone;
	return m;
}

static uint32_t monitor_rule_id(const struct monitor_rule *m)
{
	return (uint32_t)(m->rule - m->rules->v);
}

/* Appends the outputs that a rule had before and has no more: each behind a blank, or as elements of JSON. */
static void monitor_less(const struct router *r, const struct event *ev, struct buf *out, bool json)
{
	const struct names *t = &r->rules.names;
	const struct oif_list *before = &t->lists[ev->before];
	const char *sep = " to ";

	for (uint32_t i = 0; i < before->n; i++) {
		const char *name = t->v[before->names[i]].ifname.text;

		if (oif_list_has_name(t, ev->rule->oifs, before->names[i]))
			continue;
		if (json)
			json_item(out, name);
		else
			buf_printf(out, "%s%s", sep, name);
		sep = " ";
	}
}

static void monitor_text_rule(const struct router *r, const struct event *ev, const struct monitor_rule *m,
			      struct buf *out)
{
	struct rule head = *m->rule;
	bool is_named = m->is_changed && ev->owner >= OWNER_NAMED;

	head.oifs = m->is_less ? 0 : head.oifs;
	buf_chr(out, ' ');
	ruleset_print(out, &r->rules, &head, m->directive, 7);
	if (m->is_less && ev->rule)
		monitor_less(r, ev, out, false);
	if (ev->text)
		buf_printf(out, "  # %s%s%s", ev->iif ? ev->iif : "", ev->iif ? ": " : "", ev->text);
	if (is_named)
		buf_printf(out, "  # owner %s", owner_name(&r->rules.owners, ev->owner));
	if (m->is_less) {
		buf_str(out, is_named ? ", stays for " : "  # stays for ");
		show_owners_text(r, m->rules, monitor_rule_id(m), out);
	}
}

static void monitor_text(const struct router *r, const struct event *ev, const struct show_flow *f, struct buf *out)
{
	char flow[FLOW_STRLEN];

	if (ev->flow)
		buf_printf(out, " %s", flow_str(ev->flow, flow));
	if (ev->iif)
		buf_printf(out, " %s%s", ev->flow ? "from " : "", ev->iif);
	if (ev->flow && ev->oifs) {
		buf_str(out, " to");
		show_flow_oifs(r, out, f, false);
	}
	if (ev->text)
		buf_printf(out, " %s", ev->text);
	if (ev->kind == EVENT_FLUSHED)
		buf_printf(out, " %u entries", ev->entries);
}

static void monitor_json_rule(const struct router *r, const struct event *ev, const struct monitor_rule *m,
			      struct buf *out)
{
	struct show_flow f = show_flow_of_rule(r, m->rule);

	show_flow_json(out, m->directive, &f);
	if (ev->rule && m->is_less) {
		json_list(out, "oifs");
		monitor_less(r, ev, out, true);
		buf_chr(out, ']');
	} else if (ev->rule || !m->is_changed) {
		show_flow_oifs(r, out, &f, true);
	}
	if (!m->is_changed)
		return;
	json_str(out, "owner", owner_name(&r->rules.owners, ev->owner));
	if (!ev->is_gone) {
		show_owners_json(r, m->rules, monitor_rule_id(m), out);
		return;
	}
	json_list(out, "owners");
	buf_chr(out, ']');
}

static void monitor_json(const struct router *r, const struct event *ev, const struct show_flow *f, struct buf *out)
{
	bool is_link = ev->kind == EVENT_LINK;

	if (ev->flow) {
		json_str(out, "family", ev->fam == FAM_4 ? "ipv4" : "ipv6");
		show_flow_json(out, NULL, f);
		show_flow_oifs(r, out, f, true);
	}
	if (ev->iif && !ev->flow)
		json_str(out, is_link ? "name" : "waits_for", ev->iif);
	if (ev->text)
		json_str(out, is_link ? "change" : "reason", ev->text);
	if (ev->kind == EVENT_FLUSHED)
		json_u64(out, "entries", ev->entries);
}

void monitor_event_lines(const struct router *r, const struct event *ev, int64_t usec, struct buf *text,
			 struct buf *json)
{
	struct show_flow f = { .iif = ev->iif, .bits = ev->oifs };
	struct monitor_rule m = monitor_rule_of(r, ev);
	const char *name = monitor_event_name(ev->kind);
	char wall[CLOCK_WALL_SIZE];

	if (ev->flow)
		f.range = flow_range_of(ev->flow);
	buf_printf(text, "%s %s", clock_wall_text(usec, wall), name);
	if (m.rule)
		monitor_text_rule(r, ev, &m, text);
	else
		monitor_text(r, ev, &f, text);
	buf_chr(text, '\n');
	buf_printf(json, "{\"time\":%lld.%06d", (long long)usec / 1000000, (int)(usec % 1000000));
	json_str(json, "event", name);
	if (m.rule)
		monitor_json_rule(r, ev, &m, json);
	monitor_json(r, ev, &f, json);
	buf_str(json, "}\n");
}
