/* SPDX-License-Identifier: ISC
 *
 * Bytes of one client in and out.  Nothing here waits, and time is a parameter.
 * What a request says and how it is answered is request.c's business.
 */
#include "applets/control/client.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "applets/control/show.h"
#include "lib/clock.h"
#include "lib/usock.h"
#include "lib/wire.h"

#define REQUESTS_A_TURN 256
#define TURN_MS 5			/* after which no further request is begun in a turn */
#define READ_SIZE (4 * 1024)		/* at first, and four times that after input that filled it */
#define KEEP_SIZE (16 * 1024)		/* a larger buffer is freed once it is empty */
#define EVENTS_MAX (256 * 1024)		/* unread output beyond which events are dropped */

/* Milliseconds. */
#define HALF_MS 30000			/* to complete a request */
#define SLOW_MS 60000			/* to read some of the output */
#define REASSURE_MS 2000			/* of silence to one whose request takes long */
#define LINGER_MS 1000			/* to send the next request of the old protocol */

struct client *client_new(int fd, int64_t now)
{
	struct client *c = calloc(1, sizeof *c);

	if (!c)
		return NULL;
	c->fd = fd;
	c->linger = -1;
	c->heard = c->moved = now;
	return c;
}

void client_free(struct client *c)
{
	close(c->fd);
	show_free(c->reply.show);
	buf_free(&c->in);
	buf_free(&c->out);
	free(c);
}

int64_t client_deadline(const struct client *c)
{
	if (c->reply.follow)
		return INT64_MAX;
	if (client_unread(c) || c->has_more)
		return c->moved + SLOW_MS;
	if (c->reply.later)
		return INT64_MAX;
	if (c->half)
		return c->half + HALF_MS;
	return c->linger >= 0 ? client_active(c) + c->linger : INT64_MAX;
}

/* True while input is wanted. */
static bool client_reads(const struct client *c)
{
	return !c->has_more && !c->reply.later && !c->is_eof && !c->is_closing && client_unread(c) < CLIENT_OUT_FULL;
}

short client_events(const struct client *c)
{
	/* One with requests left has its next turn when it can take an answer. */
	bool writes = client_unread(c) || c->has_more || c->dropped;

	return (short)((client_reads(c) ? POLLIN : 0) | (writes ? POLLOUT : 0));
}

static void client_run(struct client *c, const struct call_daemon *daemon, const struct wire_request *req)
{
	if (!request_run(daemon, req, &c->reply, &c->out))
		c->is_closing = true;
	/* SMCRoute's client reads until the connection is closed; other programs send their next
	 * request over it when they have read the answer. */
	else if (c->reply.legacy && c->linger < 0)
		c->linger = usock_peer_is(c->fd, "smcroute") ? 0 : LINGER_MS;
}

size_t client_size(const struct client *c)
{
	return client_unread(c) + show_size(c->reply.show);
}

/* Runs the requests that are here, as many as are due this turn. */
static void client_answer(struct client *c, const struct call_daemon *daemon, int64_t now)
{
	struct wire_request req;
	size_t at = 0;
	unsigned n = 0;
	bool waited = client_unread(c) > 0;
	/* Coarse, but asked after each request: some of them take long. */
	int64_t start = clock_usec(CLOCK_MONOTONIC_COARSE);
	const char *why;

	if (c->reply.later && !client_is_ready(c, daemon->router))
		return;
	c->has_more = false;
	while (at < c->in.len && !c->is_closing && !c->reply.follow) {
		c->has_more = client_unread(c) >= CLIENT_OUT_FULL || n == REQUESTS_A_TURN ||
			  (n && clock_usec(CLOCK_MONOTONIC_COARSE) - start >= TURN_MS * 1000);
		if (c->has_more)
			break;
		enum wire_result res = wire_request(c->in.p + at, c->in.len - at, &req, &why);
		if (res == WIRE_MORE)
			break;
		if (res == WIRE_BAD) {
			request_refuse(c->in.p + at, c->in.len - at, why, &c->out);
			c->is_closing = true;
			break;
		}
		client_run(c, daemon, &req);
		n++;
		/* The rest of a long table has its turns: others come in between. */
		c->has_more = c->reply.show;
		if (c->has_more || c->reply.later)
			break;
		at += req.len;
	}
	buf_consume(&c->in, c->is_closing || c->reply.follow ? c->in.len : at);
	if (!c->in.len)
		buf_free(&c->in);
	if (!c->in.len || c->has_more || c->reply.later)
		c->half = 0;
	else if (n || !c->half)
		c->half = now;
	if (!waited)
		c->moved = now;
}

/* True when a call that failed may be tried again. */
static bool client_may_retry(void)
{
	return errno == EAGAIN || errno == EINTR;
}

/* False when the connection is no more. */
static bool client_receive(struct client *c, int64_t now)
{
	size_t room;
	ssize_t n;

	size_t want = c->sends_much ? 4 * READ_SIZE : READ_SIZE;

	if (!buf_reserve(&c->in, c->in.len < want ? want - c->in.len : 1))
		return false;
	room = (c->in.cap < WIRE_MAX ? c->in.cap : WIRE_MAX) - c->in.len;
	n = recv(c->fd, c->in.p + c->in.len, room, MSG_DONTWAIT);
	if (n < 0)
		return client_may_retry();
	c->is_eof = n == 0;
	c->sends_much |= (size_t)n == room;
	c->in.len += (size_t)n;
	if (n)
		c->heard = now;
	return true;
}

/* Queues a row; false when there is no memory for it. */
static bool client_put_row(struct client *c, const char *text, size_t n)
{
	wire_put_record(&c->out, WIRE_ROW, text, n);
	bool ok = !c->out.failed;
	c->out.failed = false;
	return ok;
}

/* Tells a follower how many events it has missed. */
static void client_report_dropped(struct client *c)
{
	struct timespec ts;
	char text[128];
	int n;

	clock_gettime(CLOCK_REALTIME, &ts);
	if (c->reply.json)
		n = snprintf(text, sizeof text, "{\"time\":%lld.%03ld,\"event\":\"dropped\",\"count\":%lu}\n",
			     (long long)ts.tv_sec, ts.tv_nsec / 1000000, c->dropped);
	else
		n = snprintf(text, sizeof text, "dropped %lu events\n", c->dropped);
	if (client_put_row(c, text, (size_t)n))
		c->dropped = 0;
}

void client_event(struct client *c, const char *line, int64_t now)
{
	if (!client_unread(c))
		c->moved = now;
	if (c->dropped || client_unread(c) > EVENTS_MAX || !client_put_row(c, line, strlen(line)))
		c->dropped++;
}

bool client_flush(struct client *c, int64_t now)
{
	ssize_t n;

	if (!client_unread(c) && c->dropped)
		client_report_dropped(c);
	if (!client_unread(c))
		return true;
	n = send(c->fd, c->out.p + c->sent, client_unread(c), MSG_NOSIGNAL | MSG_DONTWAIT);
	if (n < 0)
		return client_may_retry();
	c->sent += (size_t)n;
	c->moved = now;
	/* Moved down only when most of it is gone, so that the cost stays in proportion. */
	if (c->sent > c->out.len / 2) {
		buf_consume(&c->out, c->sent);
		c->sent = 0;
	}
	if (!c->out.len && c->out.cap > KEEP_SIZE && !c->reply.show)
		buf_free(&c->out);
	return true;
}

/* True when nothing is left to do. */
static bool client_is_done(const struct client *c)
{
	char byte;

	if (c->reply.follow)
		return c->is_eof;
	if (client_unread(c) || c->has_more || c->reply.later)
		return false;
	if (c->is_eof || c->is_closing)
		return true;
	return !c->linger && !c->in.len && recv(c->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) <= 0;
}

bool client_is_ready(const struct client *c, const struct router *r)
{
	return c->reply.later && groups_done(r->groups, c->reply.later);
}

bool client_reassure(struct client *c, int64_t now)
{
	if (!c->reply.later || c->linger >= 0 || client_unread(c) || now - c->moved < REASSURE_MS)
		return false;
	client_put_row(c, "", 0);
	client_flush(c, now);
	return true;
}

bool client_turn(struct client *c, const struct call_daemon *daemon, short revents, int64_t now)
{
	if (client_reads(c) && (revents & ~POLLOUT) && !client_receive(c, now))
		return false;
	daemon->router->now = now;
	client_answer(c, daemon, now);
	/* Of one that has left no further request is run: the answers cost much, and nobody reads them. */
	return client_flush(c, now) && !client_is_done(c);
}
