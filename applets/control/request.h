/* SPDX-License-Identifier: ISC
 *
 * One request of a client, from its frame to the bytes of its reply, in the
 * form that the client understands: typed records for ours, text and a NUL for
 * those of SMCRoute.  No descriptor in here, and nothing of what commands do.
 */
#ifndef APPLETS_CONTROL_REQUEST_H
#define APPLETS_CONTROL_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/buf.h"
#include "lib/wire.h"

struct router;
struct show;

/* How far a reply has come, all 0 at first: kept by the connection from one call to the next. */
struct reply {
	struct show *show;	/* its table is long and goes on: the same request is to be run again; or NULL */
	uint64_t later;		/* there is none yet: run it again when groups_done() says so of this; or 0 */
	bool follow;		/* events are to follow, it has no end */
	bool json;		/* as JSON lines */
	bool legacy;		/* it is of the old protocol */
};

/* Runs a request, or goes on with it when the reply is not at its end, and appends what there is of it.  False
 * when there was no memory even to say so: then nothing is appended. */
bool request_run(struct router *r, const struct wire_request *req, struct reply *reply, struct buf *out);

/* Appends the reply to n bytes that are no request, why being wire_request()'s reason. */
void request_refuse(const char *p, size_t n, const char *why, struct buf *out);

#endif
