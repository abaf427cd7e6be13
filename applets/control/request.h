/* SPDX-License-Identifier: ISC
 *
 * One request of a client, from its frame to the bytes of its reply, in the form
 * that the client understands: typed records for ours, text and a NUL for those of
 * SMCRoute.  No descriptor in here, and nothing of what commands do.
 */
#ifndef APPLETS_CONTROL_REQUEST_H
#define APPLETS_CONTROL_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "applets/control/call.h"
#include "lib/buf.h"
#include "lib/wire.h"

/* How far a reply has come.  All 0 at first; the connection keeps it from one call to the next. */
struct reply {
	struct show *show;	/* its table is long and goes on: the same request is to be run again; or NULL */
	uint64_t later;		/* there is none yet: run it again when groups_done() says so of this; or 0 */
	bool follow;		/* events are to follow, it has no end */
	bool json;		/* as JSON lines */
	bool legacy;		/* it is of SMCRoute's protocol */
};

/* Runs a request, or goes on with it where *reply says so, and appends to out what there is of the answer.
 * False when there was no memory even to say so: the connection must end, as it lacks a part of the answer. */
bool request_run(const struct call_daemon *daemon, const struct wire_request *req, struct reply *reply,
		 struct buf *out);

/* Appends the reply to n bytes that are no request, why being the reason that wire_request() gave. */
void request_refuse(const char *p, size_t n, const char *why, struct buf *out);

#endif
