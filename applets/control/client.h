/* SPDX-License-Identifier: ISC
 *
 * One client of the control socket: an input buffer no larger than the longest request, an output buffer that grows
 * with the reply, a share of each turn.  Who else is connected, and the loop, are the business of server.c.
 *
 * Times are milliseconds of the loop's clock.
 */
#ifndef APPLETS_CONTROL_CLIENT_H
#define APPLETS_CONTROL_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "applets/control/call.h"
#include "lib/buf.h"

struct server;

/* Bytes of unread output beyond which no request of a client is taken. */
#define CLIENT_OUT_FULL (1024 * 1024)

struct client {
	struct server *server;		/* for server.c alone */
	int fd;
	bool has_more;			/* `in` may hold another whole request */
	bool is_eof, is_closing;	/* nothing more is read */
	struct call call;		/* the request at the head of `in`, or the one before */
	struct buf in, out;		/* not run yet, not sent yet */
	int64_t heard, moved;		/* when input came, when output left or began to wait */
	int64_t half;			/* since when part of a request is here, or 0 */
	int64_t linger;			/* ms of silence granted, -1 = any */
	uint64_t order;			/* of those whose edit has not begun, or 0; for server.c alone */
	unsigned long dropped;		/* events since the last line that got through */
};

/* Returns a client that owns the connected, non-blocking fd, or NULL with ENOMEM. */
struct client *client_new(int fd, const struct call_daemon *daemon, int64_t now);

/* Closes its descriptor and frees it. */
void client_free(struct client *c);

/* Reads, answers and writes what poll(2) allows; at `end`, microseconds of the monotonic clock, no further request is
 * begun.  False when it is over: client_free() is next. */
bool client_turn(struct client *c, short revents, int64_t now, int64_t end);

/* What to poll for. */
short client_events(const struct client *c);

/* When to give up on it if nothing happens, or INT64_MAX. */
int64_t client_deadline(const struct client *c);

/* True when part of a request or of an answer is here, or is waited for. */
bool client_is_busy(const struct client *c);

/* True when the request that it waits for can be ended: time for a turn. */
bool client_is_ready(struct client *c);

/* Has one of our clients know, now and then, that what it asked for is being done: it gives up on a daemon that is
 * silent.  True when something was sent. */
bool client_reassure(struct client *c, int64_t now);

/* Queues a line for one who follows, or counts it as dropped. */
void client_event(struct client *c, const char *line, int64_t now);

/* One write of what waits.  False when the connection is no more. */
bool client_flush(struct client *c, int64_t now);

/* Bytes that are kept for it. */
size_t client_size(const struct client *c);

/* When anything last moved, either way. */
int64_t client_active(const struct client *c);

#endif
