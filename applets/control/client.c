/* SPDX-License-Identifier: ISC
 *
 * Bytes of one client in and out.  Nothing here waits, and time is a parameter.  What a request says and how it is
 * answered is the business of request.c.
 */
#include "applets/control/client.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "applets/control/request.h"
#include "applets/control/show.h"
#include "lib/clock.h"
#include "lib/usock.h"
#include "lib/wire.h"

#define READ_SIZE (16 * 1024)		/* bytes that are read at once */
#define EVENTS_MAX (256 * 1024)		/* unread output beyond which events are dropped */

/* Milliseconds. */
#define HALF_MS 30000			/* to complete a request */
#define SLOW_MS 60000			/* to read some of the output */
#define REASSURE_MS 2000			/* of silence to one whose request takes long */
#define LINGER_MS 1000			/* to send the next request of the old protocol */

struct client *client_new(int fd, const struct call_daemon *daemon, int64_t now)
{
	struct client *c = calloc(1, sizeof *c);

	if (!c)
		return NULL;
	c->fd = fd;
	c->call = (struct call){ .fd = fd, .daemon = daemon, .router = daemon->router, .out = &c->out };
	c->linger = -1;
	c->heard = c->moved = now;
	return c;
}

void client_free(struct client *c)
{
	if (c->fd >= 0)
		close(c->fd);
	show_free(c->call.show);
	buf_free(&c->call.diag);
	buf_free(&c->in);
	buf_free(&c->out);
	free(c);
}

size_t client_size(const struct client *c)
{
	return c->out.cap + show_size(c->call.show);
}

int64_t client_active(const struct client *c)
{
	return c->heard > c->moved ? c->heard : c->moved;
}

int64_t client_deadline(const struct client *c)
{
	if (c->call.follow)
		return INT64_MAX;
	if (c->out.len || c->has_more)
		return c->moved + SLOW_MS;
	if (c->call.later)
		return INT64_MAX;
	if (c->half)
		return c->half + HALF_MS;
	return c->linger >= 0 ? client_active(c) + c->linger : INT64_MAX;
}

/* True while input is wanted. */
static bool client_reads(const struct client *c)
{
	return !c->has_more && !c->call.later && !c->is_eof && !c->is_closing && c->out.len < CLIENT_OUT_FULL;
}

short client_events(const struct client *c)
{
	/* One with requests left has its next turn when it can take an answer. */
	bool writes = c->out.len || c->has_more || c->dropped;

	return (short)((client_reads(c) ? POLLIN : 0) | (writes ? POLLOUT : 0));
}

bool client_is_busy(const struct client *c)
{
	return c->out.len || c->has_more || (c->call.later != CALL_UPGRADE && (c->in.len || c->call.later));
}

bool client_is_ready(struct client *c)
{
	return c->call.later && call_is_due(&c->call);
}

/* Runs the request at *at of `in` and moves *at behind it: true when the next one may be run at once. */
static bool client_run(struct client *c, size_t *at)
{
	struct wire_request req;
	const char *why;
	enum wire_result res = wire_request(c->in.p + *at, c->in.len - *at, &req, &why);

	if (res == WIRE_MORE)
		return false;
	if (res == WIRE_BAD)
		request_refuse(&c->call, c->in.p + *at, c->in.len - *at, why);
	c->is_closing = res == WIRE_BAD || !request_run(&c->call, &req);
	if (c->is_closing)
		return false;
	/* SMCRoute's client reads until the connection is closed; other programs send their next request over it when
	 * they have read the answer. */
	if (c->call.form == CALL_LEGACY && c->linger < 0)
		c->linger = usock_peer_is(c->fd, "smcroute") ? 0 : LINGER_MS;
	/* The rest of a long table has its turns: others come in between. */
	c->has_more = c->call.show || c->call.has_more;
	if (c->has_more || c->call.later)
		return false;
	*at += req.len;
	return true;
}

/* Runs the requests that are here, as many as are due this turn. */
static void client_answer(struct client *c, int64_t now, int64_t end)
{
	bool has_waited = c->out.len;
	size_t at = 0;

	if (c->call.later && !client_is_ready(c))
		return;
	c->has_more = false;
	while (at < c->in.len && !c->is_closing && !c->call.follow && !c->call.takes_over) {
		c->has_more = c->out.len >= CLIENT_OUT_FULL || (at && clock_usec(CLOCK_MONOTONIC) >= end);
		if (c->has_more || !client_run(c, &at))
			break;
	}
	buf_consume(&c->in, c->is_closing || c->call.follow ? c->in.len : at);
	if (!c->in.len)
		buf_free(&c->in);
	if (!c->in.len || c->has_more || c->call.later)
		c->half = 0;
	else if (at || !c->half)
		c->half = now;
	if (!has_waited)
		c->moved = now;
}

/* False when the connection is no more. */
static bool client_receive(struct client *c, int64_t now)
{
	size_t room = WIRE_MAX - c->in.len < READ_SIZE ? WIRE_MAX - c->in.len : READ_SIZE;
	ssize_t n;

	if (!buf_reserve(&c->in, room))
		return false;
	n = recv(c->fd, c->in.p + c->in.len, room, MSG_DONTWAIT);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	c->is_eof = n == 0;
	c->in.len += (size_t)n;
	if (n)
		c->heard = now;
	return true;
}

/* Queues a row; false when there is no memory for it. */
static bool client_put_row(struct client *c, const char *text, size_t n)
{
	wire_put_record(&c->out, WIRE_ROW, text, n);

	bool is_good = !c->out.failed;

	c->out.failed = false;
	return is_good;
}

/* Tells a follower how many events it has missed. */
static void client_report_dropped(struct client *c)
{
	int64_t usec = clock_usec(CLOCK_REALTIME);
	char text[128], wall[CLOCK_WALL_SIZE];
	int n;

	if (c->call.json)
		n = snprintf(text, sizeof text, "{\"time\":%lld.%06d,\"event\":\"dropped\",\"count\":%lu}\n",
			     (long long)usec / 1000000, (int)(usec % 1000000), c->dropped);
	else
		n = snprintf(text, sizeof text, "%s dropped %lu events\n", clock_wall_text(usec, wall), c->dropped);
	if (client_put_row(c, text, (size_t)n))
		c->dropped = 0;
}

void client_event(struct client *c, const char *line, int64_t now)
{
	if (!c->out.len)
		c->moved = now;
	if (c->dropped || c->out.len > EVENTS_MAX || !client_put_row(c, line, strlen(line)))
		c->dropped++;
}

bool client_flush(struct client *c, int64_t now)
{
	ssize_t n;

	if (!c->out.len && c->dropped)
		client_report_dropped(c);
	if (!c->out.len)
		return true;
	n = send(c->fd, c->out.p, c->out.len, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	buf_consume(&c->out, (size_t)n);
	c->moved = now;
	if (!c->out.len && !c->call.show)
		buf_free(&c->out);
	return true;
}

bool client_reassure(struct client *c, int64_t now)
{
	if (!c->call.later || c->linger >= 0 || c->out.len || now - c->moved < REASSURE_MS)
		return false;
	client_put_row(c, "", 0);
	client_flush(c, now);
	return true;
}

/* True when nothing is left to do. */
static bool client_is_done(const struct client *c)
{
	char byte;

	if (c->call.follow)
		return c->is_eof;
	if (c->out.len || c->has_more || c->call.later)
		return false;
	if (c->is_eof || c->is_closing)
		return true;
	return !c->linger && !c->in.len && recv(c->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) <= 0;
}

bool client_turn(struct client *c, short revents, int64_t now, int64_t end)
{
	if (client_reads(c) && (revents & ~POLLOUT) && !client_receive(c, now))
		return false;
	c->call.router->now = now;
	client_answer(c, now, end);
	/* Of one that has left no further request is run: the answers cost much, and nobody reads them. */
	return client_flush(c, now) && !client_is_done(c);
}
