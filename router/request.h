/* SPDX-License-Identifier: ISC
 *
 * One request of a client, from its frame to the bytes of its reply, in the
 * form that the client understands: typed records for ours, text and a NUL for
 * those of SMCRoute.  No descriptor in here, and nothing of what commands do.
 */
#ifndef ROUTER_REQUEST_H
#define ROUTER_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/buf.h"
#include "lib/wire.h"

struct router;
struct show;

/* What the connection has to know after a request. */
struct request_end {
	bool follow;	/* events are to follow, there is no end of the reply */
	bool json;	/* as JSON lines */
	bool legacy;	/* it was a request of the old protocol */
	uint64_t later;	/* no reply yet: run it again when groups_done() says so of this */
};

/* Runs a request, or with `again` ends one that had to wait, and appends its reply.  *show is not NULL
 * when that is only the beginning of a long table, and the same request is to be run again.  False when
 * there was no memory even to say so: then nothing is appended. */
bool request_run(struct router *r, const struct wire_request *req, bool again, struct show **show,
		 struct buf *out, struct request_end *end);

/* Appends the reply to n bytes that are no request, why being wire_request()'s reason. */
void request_refuse(const char *p, size_t n, const char *why, struct buf *out);

#endif
