/* SPDX-License-Identifier: ISC
 *
 * What all commands do with a call: say how they went, and wait.
 */
#include "applets/control/call.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lib/status.h"

int call_fail(struct call *call, int status, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(call->error, sizeof call->error, fmt, ap);
	va_end(ap);
	return status;
}

bool call_is_due(struct call *call)
{
	/* What has not begun needs no more than that. */
	if (call->is_held)
		return !router_is_busy(call->router);
	return call->for_daemon ? call->daemon->is_ended(call->daemon->ctx, call->later) :
				  router_is_done(call->router, &call->later);
}

int call_no_memory(struct call *call)
{
	return call_fail(call, EXIT_SYSTEM, "out of memory");
}

void call_note(struct call *call, const char *fmt, ...)
{
	size_t at = strlen(call->note);
	va_list ap;

	if (at && at + 2 < sizeof call->note) {
		strcpy(call->note + at, "; ");
		at += 2;
	}
	va_start(ap, fmt);
	vsnprintf(call->note + at, sizeof call->note - at, fmt, ap);
	va_end(ap);
}
