/* SPDX-License-Identifier: ISC
 *
 * Many clients at once and the socket they come through: who is served, who has
 * to go, and whose place is never taken.
 */
#include "applets/control/server.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "lib/usock.h"
#include "tests/unit/server.h"

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

/* The request of one that leaves at once is done all the same; what it asked behind that
 * costs nobody anything. */
static void early_leaver(void)
{
	struct buf req = { 0 };
	int fd;

	begin();
	put(&req, 'a', 4, "a1", "10.0.0.1", "225.1.1.1", "a2");
	for (int i = 0; i < 200; i++)
		put(&req, 's', 0);
	for (int i = 0; i < 50; i++) {
		fd = join();
		CHECK_INT(send(fd, req.p, req.len, 0), req.len);
		close(fd);
		turns(2);
		CHECK_INT(router.rules.routes.live, 1);
	}
	buf_free(&req);
	end();
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
			for (int64_t now = loop_now(loop); loop_touch(loop) == now;)
				;
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
	CHECK_INT(server_listen(server, path, 0600, (uid_t)-1, (gid_t)-1), 0);
	CHECK_INT(stat(path, &st), 0);
	CHECK_INT(st.st_mode & 07777, 0600);
	fd = usock_connect(path);
	turns(2);
	CHECK_STR(ours(fd, 2, "", "ping", ""), "X:0");
	close(fd);

	/* A second one leaves the first alone. */
	struct server *second = server_new(loop, &for_clients);
	CHECK_INT(server_listen(second, path, 0600, (uid_t)-1, (gid_t)-1), -1);
	CHECK_INT(errno, EADDRINUSE);
	server_free(second);
	fd = usock_connect(path);
	CHECK(fd >= 0);
	close(fd);
	turns(2);
	server_unlisten(server);
	CHECK_INT(stat(path, &st), -1);

	/* A dead one is replaced; what is no socket is not. */
	struct usock_id id;
	fd = usock_listen(path, 0600, (uid_t)-1, (gid_t)-1, &id);
	close(fd);
	CHECK_INT(stat(path, &st), 0);
	CHECK_INT(server_listen(server, path, 0660, (uid_t)-1, (gid_t)-1), 0);
	CHECK(stat(path, &st) == 0 && (st.st_mode & 07777) == 0660);
	/* Nor is what has taken our place removed. */
	unlink(path);
	close(open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
	server_unlisten(server);
	CHECK_INT(stat(path, &st), 0);
	CHECK_INT(server_listen(server, path, 0600, (uid_t)-1, (gid_t)-1), -1);
	CHECK_INT(errno, EEXIST);
	unlink(path);
	rmdir(dir);

	memset(longer, 'x', sizeof longer);
	longer[sizeof longer - 1] = '\0';
	CHECK_INT(server_listen(server, longer, 0600, (uid_t)-1, (gid_t)-1), -1);
	CHECK_INT(errno, ENAMETOOLONG);
	CHECK_INT(server_listen(server, "", 0600, (uid_t)-1, (gid_t)-1), -1);
	CHECK_INT(usock_connect("/nonexistent/x"), -1);
	CHECK_INT(errno, ENOENT);
	end();
}

/* Silent clients that use up the descriptors do not keep others out. */
static void out_of_descriptors(void)
{
	struct rlimit old, low;
	struct buf req = { 0 }, got = { 0 };
	int fd[64], probe;

	begin();
	strcpy(dir + strlen(dir) - 6, "XXXXXX");
	if (!mkdtemp(dir))
		return;
	snprintf(path, sizeof path, "%s/s.sock", dir);
	CHECK_INT(server_listen(server, path, 0600, (uid_t)-1, (gid_t)-1), 0);
	for (int i = 0; i < 64; i++)
		fd[i] = usock_connect(path);
	getrlimit(RLIMIT_NOFILE, &old);
	probe = dup(0);
	close(probe);
	low = old;
	low.rlim_cur = (rlim_t)probe + 10;
	setrlimit(RLIMIT_NOFILE, &low);
	put(&req, WIRE_WORDS, 2, "", "ping");
	CHECK(fd[63] >= 0);
	for (bool closed = exchange(fd[63], &req, &got); !got.len && !closed; closed = exchange(fd[63], NULL, &got))
		usleep(1000);
	CHECK(got.len && *got.p == WIRE_END);
	buf_free(&req);
	buf_free(&got);
	setrlimit(RLIMIT_NOFILE, &old);
	for (int i = 0; i < 64; i++)
		close(fd[i]);
	turns(4);
	server_unlisten(server);
	rmdir(dir);
	end();
}

/* The daemon is told to end in the middle of a table: the engine is gone before its clients are. */
static void end_in_a_table(void)
{
	struct buf req = { 0 };
	int fd;

	begin();
	many_rules(5000);
	fd = join();
	put(&req, 's', 0);
	CHECK_INT(send(fd, req.p, req.len, 0), req.len);
	turns(2);
	CHECK(router.rules.routes.walks);
	router_shutdown(&router);
	server_free(server);
	router_free(&router);
	loop_free(loop);
	close(fd);
	buf_free(&req);
}

TEST_MAIN(
	TEST(end_in_a_table) TEST(slow_reader) TEST(early_leaver) TEST(cap) TEST(on_a_path) TEST(out_of_descriptors))
