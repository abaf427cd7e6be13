/* SPDX-License-Identifier: ISC
 *
 * Events as lines: the parts that an event does not have are left out.
 */
#include "router/event.h"

#include <inttypes.h>
#include <string.h>

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

void event_text(struct router *r, const struct event *ev, int64_t usec, struct buf *out)
{
	char a[ADDR_STRLEN];

	buf_printf(out, "%" PRId64 ".%06d %s", usec / 1000000, (int)(usec % 1000000), event_name(ev->kind));
	if (ev->source) {
		buf_printf(out, " (%s, ", addr_str(ev->source, a));
		buf_printf(out, "%s)", addr_str(ev->group, a));
	}
	if (ev->iif && !ev->rule)
		buf_printf(out, " %s%s", ev->source ? "from " : "", ev->iif);
	if (ev->source && ev->oifs) {
		buf_str(out, " to ");
		show_vif_names(r, out, ev->fam, ev->oifs, " ", false);
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
	char a[ADDR_STRLEN];

	buf_printf(out, "{\"time\":%" PRId64 ".%06d", usec / 1000000, (int)(usec % 1000000));
	json_str(out, "event", event_name(ev->kind));
	if (ev->source) {
		json_str(out, "family", ev->fam == FAM_4 ? "ipv4" : "ipv6");
		json_str(out, "source", addr_str(ev->source, a));
		json_str(out, "group", addr_str(ev->group, a));
	}
	if (ev->iif && !ev->rule)
		json_str(out, ev->kind == EVENT_LINK ? "name" : "iif", ev->iif);
	if (ev->source) {
		json_key(out, "oifs");
		buf_chr(out, '[');
		show_vif_names(r, out, ev->fam, ev->oifs, ",", true);
		buf_chr(out, ']');
	}
	if (ev->rule) {
		const struct mroute *m = ev->rule;

		show_json_flow(out, "mroute", &m->source, m->slen, &m->group, m->glen, r->conf->names[m->iif].name);
		json_key(out, "oifs");
		buf_chr(out, '[');
		show_set_names(r, out, &r->conf->sets[m->oifs], ",", true);
		buf_chr(out, ']');
		if (ev->iif)
			json_str(out, "waits_for", ev->iif);
	}
	if (ev->text)
		json_str(out, ev->kind == EVENT_LINK ? "change" : "reason", ev->text);
	buf_str(out, "}\n");
}
