/* SPDX-License-Identifier: ISC
 *
 * One request of a client, from its frame to the bytes of its reply, in the form that the client understands: typed
 * records for ours, text and a NUL for those of SMCRoute.  No descriptor in here, and nothing of what commands do.
 */
#ifndef APPLETS_CONTROL_REQUEST_H
#define APPLETS_CONTROL_REQUEST_H

#include <stdbool.h>
#include <stddef.h>

#include "applets/control/call.h"
#include "lib/wire.h"

/* Runs a request, and appends to call->out what there is of the answer.  Where call->show or call->later is set
 * afterwards there is more to come: the same request is to be run again, then when groups_done() says so.  False when
 * there was no memory even to say so: the connection must end, as it lacks a part of the answer. */
bool request_run(struct call *call, const struct wire_request *req);

/* Appends the reply to n bytes that are no request, why being the reason that wire_request() gave. */
void request_refuse(struct call *call, const char *p, size_t n, const char *why);

#endif
