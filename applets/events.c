/* SPDX-License-Identifier: ISC
 *
 * Events on their way out: the hook's environment is made here, the lines of `monitor` are those of monitor.h.
 */
#include "applets/events.h"

#include "applets/control/monitor.h"
#include "lib/clock.h"
#include "lib/hook.h"

/* No name of an interface has a newline in it: net/core/dev.c, dev_valid_name. */
static void events_run_hook(struct daemon *d, const struct event *ev)
{
	char source[ADDR_STRLEN], group[ADDR_STRLEN];
	const char *space = "";
	struct buf pairs = { 0 };

	buf_printf(&pairs, "source=%s\ngroup=%s\niif=%s\noifs=", addr_str(&ev->flow->source, source),
		   addr_str(&ev->flow->group, group), ev->iif ? ev->iif : "");
	for (uint32_t bits = ev->oifs; bits; bits &= bits - 1) {
		const struct iface *i = iface_by_vif(&d->router.ifs, ev->fam, __builtin_ctz(bits));

		if (!i)
			continue;
		buf_printf(&pairs, "%s%s", space, i->name);
		space = " ";
	}
	buf_printf(&pairs, "\nfamily=ipv%c\nevent=%s", ev->fam == FAM_4 ? '4' : '6', monitor_event_name(ev->kind));
	if (!pairs.failed)
		hook_run(d->hook, "install", buf_cstr(&pairs));
	buf_free(&pairs);
}

void events_tell(void *ctx, const struct event *ev)
{
	struct daemon *d = ctx;

	journal_event(&d->journal, ev);
	if (d->hook && (ev->kind == EVENT_LEARNED || ev->kind == EVENT_MOVED))
		events_run_hook(d, ev);
	if (d->control && server_is_followed(d->control)) {
		struct buf text = { 0 }, json = { 0 };

		monitor_event_lines(&d->router, ev, clock_usec(CLOCK_REALTIME), &text, &json);
		server_event(d->control, buf_cstr(&text), buf_cstr(&json));
		buf_free(&text);
		buf_free(&json);
	}
}

void events_reloaded(struct daemon *d)
{
	if (d->hook)
		hook_run(d->hook, "reload", "");
}
