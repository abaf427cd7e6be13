/* SPDX-License-Identifier: ISC
 *
 * Events as lines: the parts that an event does not have are left out.
 */
#include "applets/control/monitor.h"

#include "applets/control/show_table.h"
#include "lib/clock.h"
#include "lib/json.h"

const char *monitor_event_name(enum event_kind kind)
{
	static const char *const names[] = {
		[EVENT_LEARNED] = "learned", [EVENT_MOVED] = "moved", [EVENT_EXPIRED] = "expired",
		[EVENT_BLOCKED] = "blocked", [EVENT_EVICTED] = "evicted", [EVENT_LINK] = "link",
		[EVENT_PENDING] = "pending", [EVENT_ACTIVE] = "active", [EVENT_RELOAD] = "reload",
	};

	return names[kind];
}

static void monitor_text(const struct router *r, const struct event *ev, const struct show_flow *f, struct buf *out)
{
	char flow[FLOW_STRLEN];

	if (ev->rule) {
		buf_chr(out, ' ');
		ruleset_print(out, &r->rules, ev->rule, "mroute", 7);
		if (ev->text)
			buf_printf(out, "  # %s: %s", ev->iif, ev->text);
		return;
	}
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
}

static void monitor_json(const struct router *r, const struct event *ev, const struct show_flow *f, struct buf *out)
{
	bool is_link = ev->kind == EVENT_LINK;

	if (ev->flow)
		json_str(out, "family", ev->fam == FAM_4 ? "ipv4" : "ipv6");
	if (ev->flow || ev->rule) {
		show_flow_json(out, ev->rule ? "mroute" : NULL, f);
		show_flow_oifs(r, out, f, true);
	}
	if (ev->iif && !ev->flow)
		json_str(out, is_link ? "name" : "waits_for", ev->iif);
	if (ev->text)
		json_str(out, is_link ? "change" : "reason", ev->text);
}

void monitor_event_lines(const struct router *r, const struct event *ev, int64_t usec, struct buf *text,
			 struct buf *json)
{
	struct show_flow f = { .iif = ev->iif, .bits = ev->oifs };
	const char *name = monitor_event_name(ev->kind);
	char wall[CLOCK_WALL_SIZE];

	if (ev->flow)
		f.range = flow_range_of(ev->flow);
	if (ev->rule)
		f = show_flow_of_rule(r, ev->rule);
	buf_printf(text, "%s %s", clock_wall_text(usec, wall), name);
	monitor_text(r, ev, &f, text);
	buf_chr(text, '\n');
	buf_printf(json, "{\"time\":%lld.%06d", (long long)usec / 1000000, (int)(usec % 1000000));
	json_str(json, "event", name);
	monitor_json(r, ev, &f, json);
	buf_str(json, "}\n");
}
