/* SPDX-License-Identifier: ISC
 *
 * What every part of the engine does with the state in the same way.
 */
#include "router/state.h"

#include <errno.h>

void state_event(struct router *r, const struct event *ev)
{
	if (r->ops && r->ops->event)
		r->ops->event(r->ops_ctx, ev);
}

#define STATE_RETRY_MS 1000
#define STATE_RETRY_MOST 64000

static bool state_is_edited(const struct router *r, const struct flow *flow)
{
	unsigned i = 0;

	while (i < r->nedited && !flow_range_has(&r->edited[i], flow))
		i++;
	return i < r->nedited;
}

void state_failed(struct router *r, const struct flow *flow)
{
	r->count.errors++;
	if (!r->is_edited || (flow && state_is_edited(r, flow))) {
		r->changes.failed++;
		r->changes.err = errno;
	}
	if (r->retry_due)
		return;
	r->retry_ms = !r->retry_ms ? STATE_RETRY_MS : r->retry_ms < STATE_RETRY_MOST ? 2 * r->retry_ms : r->retry_ms;
	r->retry_due = r->now + r->retry_ms;
}
