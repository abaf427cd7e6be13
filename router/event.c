/* SPDX-License-Identifier: ISC
 *
 * Events as lines: the parts that an event does not have are left out.
 */
#include "router/event.h"

#include <inttypes.h>

#include "router/output.h"
#include "router/show.h"

const char *event_name(enum event_kind kind)
{
	static const char *const names[] = {
		[EVENT_LEARNED] = "learned", [EVENT_MOVED] = "moved", [EVENT_EXPIRED] = "expired",
		[EVENT_BLOCKED] = "blocked", [EVENT_EVICTED] = "evicted", [EVENT_LINK] = "link",
		[EVENT_PENDING] = "pending", [EVENT_ACTIVE] = "active", [EVENT_RELOAD] = "reload",
	};

	return names[kind];
}

/* The flow that an event is about, or the rule's; false when there is neither. */
static bool flow_of(const struct router *r, const struct event *ev, struct show_flow *f)
{
	if (ev->rule)
		show_mroute_flow(f, r->conf, ev->rule);
	else
		*f = (struct show_flow){ ev->source, ev->group, ev->iif, NULL, ev->oifs, 128, 128 };
	return f->source;
}

void event_text(struct router *r, const struct event *ev, int64_t usec, struct buf *out)
{
	char a[ADDR_STRLEN];
	struct show_flow f;

	buf_printf(out, "%" PRId64 ".%06d %s", usec / 1000000, (int)(usec % 1000000), event_name(ev->kind));
	if (ev->source) {
		buf_printf(out, " (%s, ", addr_str(ev->source, a));
		buf_printf(out, "%s)", addr_str(ev->group, a));
	}
	if (ev->iif && !ev->rule)
		buf_printf(out, " %s%s", ev->source ? "from " : "", ev->iif);
	if (ev->source && ev->oifs) {
		buf_str(out, " to");
		flow_of(r, ev, &f);
		show_oifs(r, out, &f, false);
	}
	if (ev->rule) {
		buf_chr(out, ' ');
		conf_print_mroute(out, r->conf, ev->rule);
	}
	if (ev->text && ev->rule)
		buf_printf(out, "  # %s: %s", ev->iif, ev->text);
	else if (ev->text)
		buf_printf(out, " %s", ev->text);
	buf_chr(out, '\n');
}

void event_json(struct router *r, const struct event *ev, int64_t usec, struct buf *out)
{
	bool link = ev->kind == EVENT_LINK;
	struct show_flow f;

	buf_printf(out, "{\"time\":%" PRId64 ".%06d", usec / 1000000, (int)(usec % 1000000));
	json_str(out, "event", event_name(ev->kind));
	if (ev->source)
		json_str(out, "family", ev->fam == FAM_4 ? "ipv4" : "ipv6");
	if (flow_of(r, ev, &f)) {
		show_json_flow(out, ev->rule ? "mroute" : NULL, &f);
		show_oifs(r, out, &f, true);
	}
	if (ev->iif && !ev->source)
		json_str(out, link ? "name" : "waits_for", ev->iif);
	if (ev->text)
		json_str(out, link ? "change" : "reason", ev->text);
	buf_str(out, "}\n");
}
