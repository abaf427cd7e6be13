/* SPDX-License-Identifier: ISC
 *
 * What `monitor` prints of an event, as a line of text and as a JSON object.
 */
#ifndef APPLETS_CONTROL_MONITOR_H
#define APPLETS_CONTROL_MONITOR_H

#include <stdint.h>

#include "lib/buf.h"
#include "router/router.h"

/* "learned", "moved" ...: a constant. */
const char *monitor_event_name(enum event_kind kind);

/* Appends one line with its newline to each.  usec: microseconds of the wall clock. */
void monitor_event_lines(const struct router *r, const struct event *ev, int64_t usec, struct buf *text,
			 struct buf *json);

#endif
