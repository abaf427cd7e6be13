/* SPDX-License-Identifier: ISC
 * See result.h. */
#include "applets/result.h"

#include "lib/notify.h"
#include "lib/text.h"
#include "router/reason.h"
#include "router/wait.h"

/* Appends how many rules and groups there are and what they wait for. */
static void result_put_rules(struct buf *b, const struct router *r)
{
	unsigned groups = r->rules.joins.live;

	buf_printf(b, "%u rule%s", r->rules.routes.live, r->rules.routes.live == 1 ? "" : "s");
	if (groups)
		buf_printf(b, ", %u group%s", groups, groups == 1 ? "" : "s");
	wait_sum_up(b, r);
}

void result_put(struct daemon *d)
{
	const struct router_changes *ch = &d->reload.changes;
	struct buf *b = &d->reload.result;

	buf_free(b);
	result_put_rules(b, &d->router);
	buf_printf(b, "; kernel entries: %u added, %u changed, %u removed%s", ch->added, ch->changed, ch->removed,
		   ch->refused || reason_is_join_refused(&d->router) ? ", some were refused" : "");
}

void result_log(struct daemon *d, const char *what)
{
	log_limited(&d->lim_client, loop_now(d->loop), LOG_LVL_NOTICE, "%s: %s", what, buf_cstr(&d->reload.result));
}

/* Tells the init system how much there is to do. */
static void result_notify(const struct daemon *d, const char *lines, const char *trouble)
{
	struct buf b = { 0 }, shown = { 0 };

	result_put_rules(&b, &d->router);
	buf_escape(&shown, b.p, b.len, TEXT_KEEP_NONE);
	notify_send("%sSTATUS=%s%s%s", lines, buf_cstr(&shown), *trouble ? "; last reload failed: " : "", trouble);
	buf_free(&b);
	buf_free(&shown);
}

void result_ready(struct daemon *d, const char *trouble)
{
	d->waits = d->router.waits.changes;
	result_notify(d, "READY=1\n", trouble);
}

void result_waits(struct daemon *d)
{
	if (d->waits == d->router.waits.changes)
		return;
	d->waits = d->router.waits.changes;
	result_notify(d, "", "");
}
