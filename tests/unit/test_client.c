/* SPDX-License-Identifier: ISC
 *
 * One client: bytes of both protocols, order, lies, deadlines, events, and what is
 * left in memory afterwards.
 */
#include "applets/control/client.h"

#include <poll.h>
#include <stdlib.h>
#include <sys/prctl.h>

#include "tests/unit/server.h"

static void old_protocol(void)
{
	int fd;
	const char *s;

	begin();
	fd = join();
	CHECK_STR(legacy(fd, 'a', 4, "a1", "10.0.0.1", "225.1.1.1", "a2"), "|");
	CHECK_STR(legacy(fd, 'a', 3, "a1", "225.1.1.1", "a2", ""), "|");
	CHECK_STR(legacy(fd, 'F', 0, "", "", "", ""), "|");
	CHECK_STR(legacy(fd, 'r', 3, "a1", "10.0.0.1", "225.1.1.1", ""), "|");
	s = legacy(fd, 'r', 3, "a1", "10.0.0.1", "225.1.1.1", "");
	CHECK(strlen(s) > 2 && strlen(s) <= 255 && strchr(s, '|') == s + strlen(s) - 1);
	s = legacy(fd, 's', 0, "", "", "", "");
	CHECK(strstr(s, "(*,G) Template Rules_\n") && strstr(s, "(*, 225.1.1.1)") && s[strlen(s) - 1] == '|');
	s = legacy(fd, 'S', 1, "", "", "", "");
	CHECK(strstr(s, "PACKETS") != NULL);
	s = legacy(fd, 's', 1, "int", "", "", "");
	CHECK(strstr(s, "INDEX PHYINT") && strstr(s, "=\n"));
	s = legacy(fd, 'J', 1, "routes", "", "", "");
	CHECK(*s == '{' && strstr(s, "}\n|"));
	CHECK_STR(legacy(fd, 'q', 0, "", "", "", ""), "unknown command|");
	close(fd);
	turns(2);
	end();
}

/* An error is cut to 254 bytes and a NUL. */
static void long_error(void)
{
	char word[2000];
	int fd;

	begin();
	fd = join();
	memset(word, 'x', sizeof word - 1);
	word[sizeof word - 1] = '\0';
	const char *s = legacy(fd, 'a', 3, "a1", word, word, "");
	CHECK(strlen(s) > 1 && strlen(s) <= 255);
	close(fd);
	turns(2);
	end();
}

static void our_protocol(void)
{
	int fd;

	begin();
	fd = join();
	CHECK_STR(ours(fd, 2, "", "ping", ""), "X:0");
	CHECK_STR(ours(fd, 0, "", "", ""), "E:no command\nX:64");
	CHECK_STR(ours(fd, 1, "", "", ""), "E:no command\nX:64");
	CHECK_STR(ours(fd, 2, "-x", "ping", ""), "E:unknown option\nX:64");
	CHECK(strstr(ours(fd, 2, "", "nonsense", ""), "\nX:64"));
	CHECK(strstr(ours(fd, 3, "-dj", "show", "interfaces"), "R:{\"interfaces\":[]}\n"));
	CHECK(!strncmp(ours(fd, 3, "", "show", "interfaces"), "H:", 2));
	CHECK_STR(ours(fd, 2, "", "ping", ""), "X:0");
	close(fd);
	turns(2);
	end();
}

/* The client of SMCRoute reads until the end, so the end must come; others may go on. */
static void old_client_sees_the_end(void)
{
	struct buf req = { 0 }, got = { 0 };
	int fd;

	NEED_PROC();
	begin();
	prctl(PR_SET_NAME, "smcroutectl");
	fd = join();
	put(&req, 'F', 0);
	put(&req, 'F', 0);
	CHECK(exchange(fd, &req, &got));
	CHECK_INT(got.len, 2);
	close(fd);
	prctl(PR_SET_NAME, "test_client");
	got.len = 0;
	fd = join();
	CHECK(!exchange(fd, &req, &got));
	CHECK(!exchange(fd, &req, &got));
	CHECK_INT(got.len, 4);
	/* But not for ever. */
	while (!exchange(fd, NULL, &got))
		usleep(1000);
	close(fd);
	buf_free(&req);
	buf_free(&got);
	end();
}

static void pipelined(void)
{
	struct buf req = { 0 }, got = { 0 };
	char group[64];
	int fd;

	begin();
	fd = join();
	for (int i = 0; i < 5000; i++) {
		snprintf(group, sizeof group, "225.%d.%d.1", i >> 8, i & 255);
		put(&req, 'a', 4, "a1", "10.0.0.1", i % 10 == 7 ? "bad" : group, "a2");
	}
	exchange(fd, &req, &got);
	CHECK_INT(router.rules.routes.live, 4500);
	size_t at = 0;
	for (int i = 0; i < 5000 && at < got.len; i++) {
		size_t len = strnlen(got.p + at, got.len - at);

		CHECK_INT(len > 0, i % 10 == 7);
		at += len + 1;
	}
	CHECK_INT(at, got.len);
	shutdown(fd, SHUT_WR);
	CHECK(exchange(fd, NULL, &got));
	close(fd);
	buf_free(&req);
	buf_free(&got);
	end();
}

/* Sends n bytes as they are: an answer with a reason comes, and the end. */
static void lie(const void *p, size_t n, const char *reason)
{
	struct buf raw = { 0 }, got = { 0 };
	int fd = join();

	buf_add(&raw, p, n);
	CHECK(exchange(fd, &raw, &got));
	CHECK(got.len > 1 && got.len <= 255);
	CHECK(got.len && !got.p[got.len - 1] && strstr(got.p, reason));
	close(fd);
	buf_free(&raw);
	buf_free(&got);
}

static void lies(void)
{
	static const unsigned long long lengths[] = { 0, 3, 15, 1ull << 31, 1ull << 63, ~0ull };
	static char noise[1 << 20];
	char frame[64] = { 0 };
	size_t len;
	uint16_t word[2] = { 'a', 60000 };
	int other;

	begin();
	other = join();
	for (unsigned i = 0; i < sizeof lengths / sizeof *lengths; i++) {
		len = (size_t)lengths[i];
		memcpy(frame, &len, sizeof len);
		lie(frame, 24, "malformed");
	}
	len = 40;
	memcpy(frame, &len, sizeof len);
	memcpy(frame + sizeof len, word, sizeof word);
	lie(frame, 40, "malformed");
	word[1] = 3;
	memcpy(frame + sizeof len, word, sizeof word);
	memset(frame + WIRE_HDR, 'x', 40 - WIRE_HDR);
	lie(frame, 40, "malformed");
	srandom(1);
	for (size_t i = 0; i < sizeof noise; i++)
		noise[i] = (char)(random() | 128);
	lie(noise, sizeof noise, "malformed");

	/* In our own form when it was meant for us. */
	struct buf raw = { 0 }, got = { 0 };
	struct wire_record rec;
	int fd = join();
	len = 40;
	word[0] = WIRE_WORDS;
	memcpy(frame, &len, sizeof len);
	memcpy(frame + sizeof len, word, sizeof word);
	buf_add(&raw, frame, 40);
	CHECK(exchange(fd, &raw, &got));
	CHECK_INT(wire_record(got.p, got.len, &rec), WIRE_OK);
	CHECK_INT(rec.type, WIRE_ERROR);
	close(fd);
	buf_free(&raw);
	buf_free(&got);

	CHECK_STR(ours(other, 2, "", "ping", ""), "X:0");
	close(other);
	turns(2);
	end();
}

static void byte_by_byte(void)
{
	struct buf req = { 0 }, got = { 0 };
	int fd;

	begin();
	fd = join();
	put(&req, 'a', 4, "a1", "10.0.0.1", "225.1.1.1", "a2");
	for (size_t i = 0; i < req.len; i++) {
		CHECK_INT(send(fd, req.p + i, 1, 0), 1);
		turns(1);
	}
	exchange(fd, NULL, &got);
	CHECK_INT(got.len, 1);
	CHECK_INT(router.rules.routes.live, 1);
	close(fd);
	turns(2);
	buf_free(&req);
	buf_free(&got);
	end();
}

static void deadlines(void)
{
	struct buf req = { 0 };
	struct client *c;
	int fd[2];

	begin();
	many_rules(5000);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fd) < 0)
		return;
	c = client_new(fd[1], &for_clients, 1000);
	CHECK_INT(client_events(c), POLLIN);
	CHECK(client_deadline(c) == INT64_MAX);
	/* Half a message: its age counts, not the last byte of it. */
	put(&req, 's', 0);
	CHECK_INT(send(fd[0], req.p, 5, 0), 5);
	CHECK(client_turn(c, POLLIN, 2000, INT64_MAX));
	CHECK_INT(client_deadline(c), 32000);
	CHECK_INT(send(fd[0], req.p + 5, 3, 0), 3);
	CHECK(client_turn(c, POLLIN, 9000, INT64_MAX));
	CHECK_INT(client_deadline(c), 32000);
	/* Complete, but the answer is not read. */
	CHECK_INT(send(fd[0], req.p + 8, req.len - 8, 0), req.len - 8);
	CHECK(client_turn(c, POLLIN, 10000, INT64_MAX));
	while (!c->out.len)
		CHECK(client_turn(c, POLLOUT, 10000, INT64_MAX));
	CHECK_INT(client_deadline(c), 70000);
	CHECK(client_events(c) & POLLOUT);
	/* Read: memory is as before. */
	char chunk[65536];
	for (int64_t now = 11000; c->out.len || c->has_more; now++) {
		CHECK(recv(fd[0], chunk, sizeof chunk, 0) > 0);
		CHECK(client_turn(c, POLLOUT, now, INT64_MAX));
		CHECK(!(c->out.len || c->has_more) || client_deadline(c) == now + 60000);
	}
	CHECK(!c->in.p && c->out.cap <= 16384);
	CHECK_INT(client_events(c), POLLIN);
	client_free(c);
	close(fd[0]);
	buf_free(&req);
	end();
}

static size_t count(const char *hay, const char *needle)
{
	size_t n = 0;

	for (; (hay = strstr(hay, needle)); hay += strlen(needle))
		n++;
	return n;
}

/* One who follows and does not read loses events, and is told how many. */
static void follower(bool json)
{
	struct buf got = { 0 }, text = { 0 };
	struct wire_record rec;
	struct client *c;
	char want[64];
	size_t seen;
	int fd[2];

	begin();
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fd) < 0)
		return;
	c = client_new(fd[1], &for_clients, 1000);
	c->call.follow = true;
	c->call.json = json;
	for (int i = 0; i < 100000; i++) {
		client_event(c, json ? "{\"event\":\"learned\"}\n" : "an event\n", 1000);
		if (i % 1000 == 0)
			CHECK(client_turn(c, POLLOUT, 1000, INT64_MAX));
	}
	CHECK(c->dropped > 0 && c->dropped < 100000);
	CHECK(c->out.len < 300 * 1024);
	CHECK(client_deadline(c) == INT64_MAX);
	snprintf(want, sizeof want, json ? "\"event\":\"dropped\",\"count\":%lu}\n" : "dropped %lu events\n",
		 c->dropped);
	seen = 100000 - c->dropped;
	while (client_events(c) & POLLOUT) {
		ssize_t n;

		buf_reserve(&got, 65536);
		n = recv(fd[0], got.p + got.len, 65536, 0);
		got.len += n > 0 ? (size_t)n : 0;
		CHECK(client_turn(c, POLLOUT, 2000, INT64_MAX));
	}
	CHECK_INT(c->dropped, 0);
	client_event(c, "last\n", 3000);
	CHECK(client_turn(c, POLLOUT, 3000, INT64_MAX));
	for (ssize_t n = 1; n > 0; got.len += n > 0 ? (size_t)n : 0) {
		buf_reserve(&got, 65536);
		n = recv(fd[0], got.p + got.len, 65536, 0);
	}
	size_t at = 0;
	for (; wire_record(got.p + at, got.len - at, &rec) == WIRE_OK; at += rec.size)
		buf_add(&text, rec.text, rec.len);
	CHECK_INT(at, got.len);
	CHECK_INT(count(buf_cstr(&text), json ? "learned" : "an event"), seen);
	CHECK_INT(count(buf_cstr(&text), want), 1);
	CHECK(text.len > 5 && !strcmp(buf_cstr(&text) + text.len - 5, "last\n"));
	/* What a follower sends is of no interest, that it leaves is. */
	CHECK_INT(send(fd[0], "xxxxxxxxxxxx", 12, 0), 12);
	CHECK(client_turn(c, POLLIN, 4000, INT64_MAX));
	close(fd[0]);
	CHECK(!client_turn(c, POLLIN | POLLHUP, 4000, INT64_MAX));
	client_free(c);
	buf_free(&got);
	buf_free(&text);
	end();
}

static void follower_text(void)
{
	follower(false);
}

static void follower_json(void)
{
	follower(true);
}

TEST_MAIN(
	TEST(old_protocol) TEST(long_error) TEST(our_protocol) TEST(old_client_sees_the_end)
	TEST(pipelined) TEST(lies) TEST(byte_by_byte) TEST(deadlines) TEST(follower_text)
	TEST(follower_json))
