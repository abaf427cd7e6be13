/* SPDX-License-Identifier: ISC
 *
 * A listening socket that goes from one server to another, and a connection that leaves its server.
 */
#include "lib/usock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "lib/proc.h"
#include "tests/fake/memory.h"
#include "tests/unit/server.h"

static char dir[] = "/tmp/test_usock.XXXXXX";
static unsigned looks_missed;

/* The list of sockets without any, so many times. */
FILE *fopen(const char *path, const char *mode)
{
	bool is_missed = looks_missed && !strcmp(path, "/proc/net/unix");
	int flags = *mode == 'r' ? O_RDONLY : O_WRONLY | O_CREAT | O_TRUNC;
	int fd = open(is_missed ? "/dev/null" : path, flags | O_CLOEXEC, 0600);

	looks_missed -= is_missed;
	return fd < 0 ? NULL : fdopen(fd, *mode == 'r' ? "r" : "w");
}

static char *path_of(const char *name)
{
	static char path[2][100];
	static int turn;

	turn = !turn;
	snprintf(path[turn], sizeof path[turn], "%s/%s", dir, name);
	return path[turn];
}

/* Words of a request on a new connection; the connection. */
static int ask(const char *path)
{
	struct buf req = { 0 };
	static const char *const words[] = { "", "ping" };
	int fd = usock_connect(path);

	CHECK(fd >= 0 && wire_put_request(&req, WIRE_WORDS, 2, words));
	CHECK_INT(send(fd, req.p, req.len, 0), (ssize_t)req.len);
	buf_free(&req);
	return fd;
}

/* Bytes that have been answered. */
static ssize_t answered(int fd)
{
	char text[256];

	return recv(fd, text, sizeof text, MSG_DONTWAIT);
}

static void listener_goes_on(void)
{
	const char *path;
	struct server *next;
	struct stat st;
	int fd, early, late;

	CHECK(mkdtemp(dir));
	begin();
	path = path_of("s.sock");
	memory_scarce(0, 1);
	CHECK_INT(server_listen(server, path, 0600, (uid_t)-1, (gid_t)-1), -1);
	CHECK(errno == ENOMEM && memory_plenty() && lstat(path, &st) < 0);
	CHECK_INT(server_listen(server, path, 0600, (uid_t)-1, (gid_t)-1), 0);
	/* One look at the list may miss it. */
	looks_missed = 1;
	CHECK(usock_is_listed(path));
	looks_missed = 0;
	early = ask(path);
	turns(2);
	CHECK(answered(early) > 0);
	CHECK(!server_is_busy(server));
	/* Held: what comes waits, of old clients and new ones. */
	server_hold(server, true);
	CHECK_INT(send(early, "\x20", 1, 0), 1);
	late = ask(path);
	turns(3);
	CHECK(answered(late) < 0 && errno == EAGAIN);
	CHECK(!server_is_busy(server));

	next = server_new(loop, &for_clients);
	fd = fcntl(server_listener(server), F_DUPFD_CLOEXEC, 3);
	CHECK_INT(server_listen_on(next, "/nonexistent", fd, true), -1);
	CHECK_INT(errno, EADDRNOTAVAIL);
	CHECK_INT(server_listen_on(next, path, STDIN_FILENO, true), -1);
	CHECK_INT(server_listen_on(next, path_of("./s.sock"), fd, false), -1);
	path = path_of("./s.sock");
	/* Without memory it is still the caller's, and the socket where it was. */
	memory_scarce(0, 1);
	CHECK_INT(server_listen_on(next, path, fd, true), -1);
	CHECK(memory_plenty());
	CHECK_INT(errno, ENOMEM);
	CHECK(fcntl(fd, F_GETFD) >= 0 && lstat(path, &st) == 0);
	CHECK_INT(server_listen_on(next, path, fd, true), 0);
	server_release(server);
	server_free(server);
	server = next;
	CHECK(lstat(path, &st) == 0);
	turns(2);
	CHECK(answered(late) > 0);
	/* Reset, as its byte was never read. */
	CHECK(answered(early) <= 0 && errno != EAGAIN);
	close(early);
	close(late);
	end();
	CHECK(lstat(path, &st) < 0);
	CHECK_INT(rmdir(dir), 0);
}

static void held_and_served_again(void)
{
	struct buf req = { 0 };
	static const char *const words[] = { "", "ping" };
	int fd;

	begin();
	fd = join();
	wire_put_request(&req, WIRE_WORDS, 2, words);
	server_hold(server, true);
	CHECK_INT(send(fd, req.p, req.len, 0), (ssize_t)req.len);
	turns(3);
	CHECK(answered(fd) < 0);
	server_hold(server, false);
	turns(1);
	CHECK(answered(fd) > 0);
	/* Half a request is a client that is busy. */
	CHECK_INT(send(fd, req.p, req.len / 2, 0), (ssize_t)(req.len / 2));
	turns(1);
	CHECK(server_is_busy(server));
	buf_free(&req);
	close(fd);
	end();
}

static int given;
static char asked[64];

static int on_hand_over(void *ctx, struct call *call, const char *version)
{
	(void)ctx;
	CHECK(usock_peer_may(call->fd, geteuid()) && !usock_peer_may(call->fd, geteuid() + 1) == (geteuid() != 0));
	snprintf(asked, sizeof asked, "%s", version ? version : "");
	if (!*asked)
		return call_fail(call, 69, "not now");
	call->takes_over = true;
	return 0;
}

static void on_give(void *ctx, int fd)
{
	(void)ctx;
	given = fd;
}

static void connection_leaves(void)
{
	struct buf req = { 0 };
	static const char *const words[] = { "9.9" };
	struct wire_record rec;
	char text[256];
	ssize_t n;
	int fd;

	begin();
	for_clients.hand_over = on_hand_over;
	for_clients.give = on_give;
	given = -1;
	fd = join();
	wire_put_request(&req, WIRE_TAKEOVER, 0, words);
	CHECK_INT(send(fd, req.p, req.len, 0), (ssize_t)req.len);
	turns(2);
	n = recv(fd, text, sizeof text, MSG_DONTWAIT);
	CHECK(n > 0 && wire_record(text, (size_t)n, &rec) == WIRE_OK && rec.type == WIRE_ERROR);
	CHECK_INT(given, -1);
	req.len = 0;
	wire_put_request(&req, WIRE_TAKEOVER, 1, words);
	CHECK_INT(send(fd, req.p, req.len, 0), (ssize_t)req.len);
	turns(2);
	CHECK_STR(asked, "9.9");
	n = recv(fd, text, sizeof text, MSG_DONTWAIT);
	CHECK(n > 0 && wire_record(text, (size_t)n, &rec) == WIRE_OK && rec.type == WIRE_END && !*rec.text);
	CHECK(given >= 0);
	CHECK_INT(send(given, "x", 1, 0), 1);
	CHECK_INT(recv(fd, text, sizeof text, MSG_DONTWAIT), 1);
	close(given);
	close(fd);
	buf_free(&req);
	end();
}

/* Whose a socket is, told by names alone. */
static void may_be(void)
{
	char own[] = "/tmp/test_usock.XXXXXX", socket[100], pid[100], name[32];
	FILE *f;

	NEED_PROC();
	CHECK(proc_name(getpid(), name, sizeof name) && mkdtemp(own));
	snprintf(socket, sizeof socket, "%s/a.b.sock", own);
	snprintf(pid, sizeof pid, "%s/a.b.pid", own);
	CHECK(usock_may_be(socket, "a.b"));
	CHECK(usock_may_be("a.sock", "a"));
	CHECK(!usock_may_be(socket, name));
	f = fopen(pid, "w");
	CHECK(f && fprintf(f, "%d\n", (int)getpid()) > 0 && fclose(f) == 0);
	CHECK(usock_may_be(socket, name));
	CHECK(!usock_may_be(socket, "smcroute"));
	CHECK(unlink(pid) == 0 && rmdir(own) == 0);
}

TEST_MAIN(TEST(listener_goes_on) TEST(held_and_served_again) TEST(connection_leaves) TEST(may_be))
