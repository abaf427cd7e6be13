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

void state_failed(struct router *r)
{
	r->changes.failed++;
	r->changes.err = errno;
	r->count.errors++;
}
