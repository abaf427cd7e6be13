/* SPDX-License-Identifier: ISC
 *
 * A control server on the fake kernel, for the tests of server.c, client.c and others,
 * and the client's end of socket pairs.
 */
#ifndef TESTS_UNIT_SERVER_H
#define TESTS_UNIT_SERVER_H

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/loop.h"
#include "lib/wire.h"
#include "applets/control/call.h"
#include "applets/control/server.h"
#include "router/router.h"
#include "tests/fake/kernel.h"
#include "tests/unit/test.h"

static struct router router;
static struct loop *loop;
static struct call_daemon for_clients = { .router = &router };
static struct server *server;

static inline void begin(void)
{
	fake_reset();
	fake_journal_on(false);
	router_init(&router, NULL, NULL);
	loop = loop_new();
	server = server_new(loop, &for_clients);
}

static inline void end(void)
{
	server_free(server);
	loop_free(loop);
	router_shutdown(&router);
	router_free(&router);
}

static inline void turns(int n)
{
	while (n--)
		loop_turn(loop, false);
}

/* A connected client: our end, non-blocking. */
static inline int join(void)
{
	int fd[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fd) < 0)
		return -1;
	CHECK_INT(server_adopt(server, fd[1]), 0);
	return fd[0];
}

static inline void put(struct buf *b, uint16_t cmd, int argc, ...)
{
	const char *argv[16];
	va_list ap;

	va_start(ap, argc);
	for (int i = 0; i < argc; i++)
		argv[i] = va_arg(ap, const char *);
	va_end(ap);
	CHECK(wire_put_request(b, cmd, argc, argv));
}

/* Sends what fits, runs the loop, and appends what comes back; until nothing more happens.
 * True when the other end has closed. */
static inline bool exchange(int fd, struct buf *to_send, struct buf *got)
{
	size_t sent = 0;
	bool closed = false;

	for (int idle = 0; idle < 4 && !closed; ) {
		ssize_t n = 0, m;

		if (to_send && sent < to_send->len)
			n = send(fd, to_send->p + sent, to_send->len - sent, MSG_NOSIGNAL);
		sent += n > 0 ? (size_t)n : 0;
		turns(2);
		buf_reserve(got, 65536);
		m = recv(fd, got->p + got->len, 65536, 0);
		got->len += m > 0 ? (size_t)m : 0;
		closed = m == 0 || (m < 0 && errno != EAGAIN);
		idle = n > 0 || m > 0 ? 0 : idle + 1;
	}
	return closed;
}

/* One request of the old protocol and its reply as text with "|" for each NUL. */
static inline const char *legacy(int fd, uint16_t cmd, int argc, const char *a, const char *b, const char *c,
			  const char *d)
{
	static struct buf got;
	struct buf req = { 0 };

	buf_free(&got);
	put(&req, cmd, argc, a, b, c, d);
	exchange(fd, &req, &got);
	buf_free(&req);
	for (size_t i = 0; i < got.len; i++)
		if (!got.p[i])
			got.p[i] = '|';
	return buf_cstr(&got);
}

/* One request of ours; the reply as "T:text\n", the status as "X:n". */
static inline const char *ours(int fd, int argc, const char *a, const char *b, const char *c)
{
	static struct buf text;
	struct buf req = { 0 }, got = { 0 };
	struct wire_record rec;

	buf_free(&text);
	put(&req, WIRE_WORDS, argc, a, b, c);
	exchange(fd, &req, &got);
	for (size_t at = 0; wire_record(got.p + at, got.len - at, &rec) == WIRE_OK; at += rec.size)
		if (rec.type == WIRE_END)
			buf_printf(&text, "X:%d", (unsigned char)*rec.text);
		else
			buf_printf(&text, "%c:%.*s\n", rec.type, (int)rec.len, rec.text);
	buf_free(&req);
	buf_free(&got);
	return buf_cstr(&text);
}

/* n rules (S,G), sources from 10.0.0.1 on. */
static inline void many_rules(int n)
{
	struct buf req = { 0 }, got = { 0 };
	char source[64];
	int fd = join();

	for (int i = 0; i < n; i++) {
		snprintf(source, sizeof source, "10.%d.%d.1", i >> 8, i & 255);
		put(&req, 'a', 4, "a1", source, "225.1.1.1", "a2");
	}
	exchange(fd, &req, &got);
	CHECK_INT(got.len, n);
	close(fd);
	turns(2);
	buf_free(&req);
	buf_free(&got);
}

#endif
