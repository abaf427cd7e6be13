/* SPDX-License-Identifier: ISC
 *
 * The control server on socket pairs and on a real path: order, bytes of both
 * protocols, lies, limits, deadlines, and what is left afterwards.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/status.h"
#include "lib/usock.h"
#include "lib/wire.h"
#include "router/client.h"
#include "router/command.h"
#include "router/control.h"
#include "router/router.h"
#include "tests/fake_kernel.h"
#include "tests/unit/test.h"

static struct router router;
static struct loop *loop;
static struct control *ctl;

static void begin(void)
{
	fake_reset();
	fake_journal_on(false);
	router_init(&router, NULL, NULL);
	loop = loop_new();
	ctl = control_new(loop, &router);
}

static void end(void)
{
	control_free(ctl);
	loop_free(loop);
	router_shutdown(&router);
}

static void turns(int n)
{
	while (n--)
		loop_turn(loop, false);
}

/* A connected client: our end, non-blocking. */
static int join(void)
{
	int fd[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fd) < 0)
		return -1;
	CHECK_INT(control_adopt(ctl, fd[1]), 0);
	return fd[0];
}

static void put(struct buf *b, uint16_t cmd, int argc, ...)
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
static bool exchange(int fd, struct buf *to_send, struct buf *got)
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
static const char *legacy(int fd, uint16_t cmd, int argc, const char *a, const char *b, const char *c,
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
static const char *ours(int fd, int argc, const char *a, const char *b, const char *c)
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

	begin();
	prctl(PR_SET_NAME, "smcroutectl");
	fd = join();
	put(&req, 'F', 0);
	put(&req, 'F', 0);
	CHECK(exchange(fd, &req, &got));
	CHECK_INT(got.len, 2);
	close(fd);
	prctl(PR_SET_NAME, "test_control");
	got.len = 0;
	fd = join();
	CHECK(!exchange(fd, &req, &got));
	CHECK(!exchange(fd, &req, &got));
	CHECK_INT(got.len, 4);
	/* But not for ever. */
	usleep(1100 * 1000);
	CHECK(exchange(fd, NULL, &got));
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
	CHECK_INT(router.conf->nmroutes, 4500);
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

static void many_rules(int n)
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

/* Asks for 200 tables and reads none: little is made before it reads, others are served, and
 * when it does read at last all is there. */
static void slow_reader(void)
{
	struct buf req = { 0 }, got = { 0 };
	int fd, other;
	size_t ends = 0;

	begin();
	many_rules(5000);
	fd = join();
	other = join();
	for (int i = 0; i < 200; i++)
		put(&req, 's', 0);
	CHECK_INT(send(fd, req.p, req.len, 0), req.len);
	turns(50);
	CHECK_STR(ours(other, 2, "", "ping", ""), "X:0");
	exchange(fd, NULL, &got);
	for (size_t i = 0; i < got.len; i++)
		ends += !got.p[i];
	CHECK_INT(ends, 200);
	CHECK(got.len > 200 * 5000 * 40);
	close(fd);
	close(other);
	turns(2);
	buf_free(&req);
	buf_free(&got);
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
	CHECK_INT(router.conf->nmroutes, 1);
	close(fd);
	turns(2);
	buf_free(&req);
	buf_free(&got);
	end();
}

/* Requests of one that leaves at once are done all the same. */
static void early_leaver(void)
{
	struct buf req = { 0 };
	int fd;

	begin();
	for (int i = 0; i < 50; i++) {
		fd = join();
		put(&req, 's', 0);
		put(&req, 'a', 4, "a1", "10.0.0.1", "225.1.1.1", "a2");
		CHECK_INT(send(fd, req.p, req.len, 0), req.len);
		close(fd);
		turns(2);
		req.len = 0;
	}
	CHECK_INT(router.conf->nmroutes, 1);
	buf_free(&req);
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
	c = client_new(fd[1], 1000);
	CHECK_INT(client_events(c), POLLIN);
	CHECK(client_deadline(c) == INT64_MAX);
	/* Half a message: its age counts, not the last byte of it. */
	put(&req, 's', 0);
	CHECK_INT(send(fd[0], req.p, 10, 0), 10);
	CHECK(client_turn(c, &router, POLLIN, 2000));
	CHECK_INT(client_deadline(c), 32000);
	CHECK_INT(send(fd[0], req.p + 10, 3, 0), 3);
	CHECK(client_turn(c, &router, POLLIN, 9000));
	CHECK_INT(client_deadline(c), 32000);
	/* Complete, but the answer is not read. */
	CHECK_INT(send(fd[0], req.p + 13, req.len - 13, 0), req.len - 13);
	CHECK(client_turn(c, &router, POLLIN, 10000));
	CHECK(client_waiting(c) > 0);
	CHECK_INT(client_deadline(c), 70000);
	CHECK(client_events(c) & POLLOUT);
	/* Read: memory is as before. */
	char chunk[65536];
	for (int64_t now = 11000; client_waiting(c); now++) {
		CHECK(recv(fd[0], chunk, sizeof chunk, 0) > 0);
		CHECK(client_turn(c, &router, POLLOUT, now));
		CHECK(!client_waiting(c) || client_deadline(c) == now + 60000);
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
	c = client_new(fd[1], 1000);
	c->follow = true;
	c->json = json;
	for (int i = 0; i < 100000; i++) {
		client_event(c, json ? "{\"event\":\"learned\"}\n" : "an event\n", 1000);
		if (i % 1000 == 0)
			CHECK(client_turn(c, &router, POLLOUT, 1000));
	}
	CHECK(c->dropped > 0 && c->dropped < 100000);
	CHECK(client_waiting(c) < 300 * 1024);
	CHECK(client_deadline(c) == INT64_MAX);
	snprintf(want, sizeof want, json ? "\"event\":\"dropped\",\"count\":%lu}\n" : "dropped %lu events\n", c->dropped);
	seen = 100000 - c->dropped;
	while (client_events(c) & POLLOUT) {
		ssize_t n;

		buf_reserve(&got, 65536);
		n = recv(fd[0], got.p + got.len, 65536, 0);
		got.len += n > 0 ? (size_t)n : 0;
		CHECK(client_turn(c, &router, POLLOUT, 2000));
	}
	CHECK_INT(c->dropped, 0);
	client_event(c, "last\n", 3000);
	CHECK(client_turn(c, &router, POLLOUT, 3000));
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
	CHECK(client_turn(c, &router, POLLIN, 4000));
	close(fd[0]);
	CHECK(!client_turn(c, &router, POLLIN | POLLHUP, 4000));
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

static bool is_open(int fd)
{
	char byte;

	return recv(fd, &byte, 1, MSG_PEEK) < 0 && errno == EAGAIN;
}

/* The 257th is let in for the one that has been silent the longest. */
static void cap(void)
{
	int fd[400];
	unsigned open = 0;

	begin();
	for (int i = 0; i < 400; i++) {
		fd[i] = join();
		if (i == 0)
			CHECK_INT(send(fd[0], "\x20\0\0", 3, 0), 3);
		if (i < 2 || i == 200) {
			turns(1);
			usleep(3000);
			turns(1);
		}
	}
	for (int i = 0; i < 400; i++)
		open += is_open(fd[i]);
	CHECK_INT(open, 256);
	CHECK(is_open(fd[0]));		/* half a message: not the first to go */
	CHECK(!is_open(fd[1]));
	CHECK(is_open(fd[399]));
	CHECK_STR(ours(fd[399], 2, "", "ping", ""), "X:0");
	for (int i = 0; i < 400; i++)
		close(fd[i]);
	turns(2);
	end();
}

/* ---- on a path ---- */

static char dir[] = "/tmp/smcroute-test-XXXXXX";
static char path[64];

static void on_a_path(void)
{
	struct stat st;
	char longer[200];
	int fd;

	begin();
	if (!mkdtemp(dir))
		return;
	snprintf(path, sizeof path, "%s/s.sock", dir);
	CHECK_INT(control_listen(ctl, path, 0600, (uid_t)-1, (gid_t)-1), 0);
	CHECK_INT(stat(path, &st), 0);
	CHECK_INT(st.st_mode & 07777, 0600);
	fd = usock_connect(path);
	turns(2);
	CHECK_STR(ours(fd, 2, "", "ping", ""), "X:0");
	close(fd);

	/* A second one leaves the first alone. */
	struct control *second = control_new(loop, &router);
	CHECK_INT(control_listen(second, path, 0600, (uid_t)-1, (gid_t)-1), -1);
	CHECK_INT(errno, EADDRINUSE);
	control_free(second);
	fd = usock_connect(path);
	CHECK(fd >= 0);
	close(fd);
	turns(2);
	control_unlisten(ctl);
	CHECK_INT(stat(path, &st), -1);

	/* A dead one is replaced; what is no socket is not. */
	struct usock_id id;
	fd = usock_listen(path, 0600, (uid_t)-1, (gid_t)-1, &id);
	close(fd);
	CHECK_INT(stat(path, &st), 0);
	CHECK_INT(control_listen(ctl, path, 0660, (uid_t)-1, (gid_t)-1), 0);
	CHECK(stat(path, &st) == 0 && (st.st_mode & 07777) == 0660);
	/* Nor is what has taken our place removed. */
	unlink(path);
	close(open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
	control_unlisten(ctl);
	CHECK_INT(stat(path, &st), 0);
	CHECK_INT(control_listen(ctl, path, 0600, (uid_t)-1, (gid_t)-1), -1);
	CHECK_INT(errno, EEXIST);
	unlink(path);
	rmdir(dir);

	memset(longer, 'x', sizeof longer);
	longer[sizeof longer - 1] = '\0';
	CHECK_INT(control_listen(ctl, longer, 0600, (uid_t)-1, (gid_t)-1), -1);
	CHECK_INT(errno, ENAMETOOLONG);
	CHECK_INT(control_listen(ctl, "", 0600, (uid_t)-1, (gid_t)-1), -1);
	CHECK_INT(usock_connect("/nonexistent/x"), -1);
	CHECK_INT(errno, ENOENT);
	end();
}

/* Silent clients that use up the descriptors do not keep others out. */
static void out_of_descriptors(void)
{
	struct rlimit old, low;
	int fd[64], probe;

	begin();
	strcpy(dir + strlen(dir) - 6, "XXXXXX");
	if (!mkdtemp(dir))
		return;
	snprintf(path, sizeof path, "%s/s.sock", dir);
	CHECK_INT(control_listen(ctl, path, 0600, (uid_t)-1, (gid_t)-1), 0);
	for (int i = 0; i < 64; i++)
		fd[i] = usock_connect(path);
	getrlimit(RLIMIT_NOFILE, &old);
	probe = dup(0);
	close(probe);
	low = old;
	low.rlim_cur = (rlim_t)probe + 10;
	setrlimit(RLIMIT_NOFILE, &low);
	for (int i = 0; i < 100; i++) {
		turns(2);
		usleep(5000);
	}
	CHECK(fd[63] >= 0);
	CHECK_STR(ours(fd[63], 2, "", "ping", ""), "X:0");
	setrlimit(RLIMIT_NOFILE, &old);
	for (int i = 0; i < 64; i++)
		close(fd[i]);
	turns(4);
	control_unlisten(ctl);
	rmdir(dir);
	end();
}

TEST_MAIN(
	TEST(old_protocol) TEST(long_error) TEST(our_protocol) TEST(old_client_sees_the_end)
	TEST(pipelined) TEST(lies) TEST(slow_reader) TEST(byte_by_byte) TEST(early_leaver)
	TEST(deadlines) TEST(follower_text) TEST(follower_json) TEST(cap) TEST(on_a_path)
	TEST(out_of_descriptors))
