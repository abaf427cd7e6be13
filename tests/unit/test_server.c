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

#include "applets/control/serve.h"
#include "conf/read.h"
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

/* Whoever edits rules waits while the router is busy with others, in turn; others are answered. */
static void edits_wait(void)
{
	struct buf got = { 0 };
	int one, two, other;

	begin();
	one = join();
	two = join();
	other = join();
	router.sync.is_busy = true;
	CHECK_STR(legacy(one, 'a', 3, "a1", "225.1.1.1", "a2", NULL), "");
	CHECK_STR(legacy(two, 'a', 3, "a1", "225.1.1.2", "a2", NULL), "");
	CHECK_STR(ours(other, 2, "", "ping", NULL), "X:0");
	server_resume(server);
	CHECK_INT(router.rules.routes.live, 0);
	while (router_is_busy(&router))
		router_sync(&router);
	server_resume(server);
	CHECK_INT(router.rules.routes.live, 2);
	exchange(one, NULL, &got);
	exchange(two, NULL, &got);
	CHECK_INT(got.len, 2);
	buf_free(&got);
	close(one);
	close(two);
	close(other);
	turns(4);
	end();
}

/* Edits that had to wait come in the order in which they were asked for, whoever has which descriptor.  Where what was
 * begun is to be ended nothing more is read. */
static void edits_in_order(void)
{
	const struct rules *t = &router.rules.routes;
	struct buf got = { 0 };
	char group[24], text[ADDR_STRLEN];
	int fd[8], n = 0;

	begin();
	for (int i = 0; i < 8; i++)
		fd[i] = join();
	router.sync.is_busy = true;
	for (int i = 0; i < 8; i++) {
		snprintf(group, sizeof group, "225.1.1.%d", i);
		CHECK_STR(legacy(fd[i * 3 % 8], 'a', 3, "a1", group, "a2", NULL), "");
	}
	server_finish(server, true);
	CHECK(server_is_busy(server));
	while (router_is_busy(&router))
		router_sync(&router);
	server_resume(server);
	turns(8);
	CHECK_INT(t->live, 8);
	for (uint32_t id = t->first; id != HASH_NONE; id = t->v[id].next) {
		snprintf(group, sizeof group, "225.1.1.%d", n++);
		CHECK_STR(addr_str(&t->v[id].range.flow.group, text), group);
	}
	for (int i = 0; i < 8; i++) {
		exchange(fd[i], NULL, &got);
		CHECK_STR(legacy(fd[i], 'r', 2, "a1", "225.1.1.0", NULL, NULL), "");
	}
	CHECK_INT(got.len, 8);
	CHECK(!server_is_busy(server));
	CHECK_INT(t->live, 8);
	server_finish(server, false);
	turns(8);
	CHECK_INT(t->live, 7);
	buf_free(&got);
	for (int i = 0; i < 8; i++)
		close(fd[i]);
	turns(8);
	end();
}

/* What was asked for is done whoever still listens, as it is where nobody has to wait. */
static void leaver_waits(void)
{
	int fd;

	begin();
	fd = join();
	router.sync.is_busy = true;
	CHECK_STR(legacy(fd, 'a', 3, "a1", "225.1.1.1", "a2", NULL), "");
	close(fd);
	turns(4);
	CHECK_INT(server->n, 1);
	CHECK_INT(router.rules.routes.live, 0);
	while (router_is_busy(&router))
		router_sync(&router);
	server_resume(server);
	CHECK_INT(router.rules.routes.live, 1);
	turns(2);
	CHECK_INT(server->n, 0);
	end();
}

/* An edit that comes in the middle of a reload is of the rules that come of it, which make no end of it. */
static void edit_in_a_reload(void)
{
	static const char text[] = "mroute from a1 group 225.2.2.2 to a2\n";
	struct conf *c = conf_new();
	struct diags d = { 0 };
	int fd;

	begin();
	fd = join();
	CHECK_STR(legacy(fd, 'a', 3, "a1", "225.1.1.1", "a2", NULL), "|");
	conf_parse_text(c, &d, "test", text, strlen(text));
	CHECK_INT(router_apply_begin(&router, c), 0);
	CHECK_STR(legacy(fd, 'a', 3, "a1", "225.3.3.3", "a2", NULL), "");
	CHECK_INT(router.rules.routes.live, 1);
	while (router_is_busy(&router)) {
		server_resume(server);
		if (!router.apply)
			router_sync(&router);
		else if (router_apply_step(&router, 1, 0) < 0)
			break;
	}
	/* The one from before went with the reload. */
	CHECK_INT(router.rules.routes.live, 1);
	server_resume(server);
	CHECK_INT(router.rules.routes.live, 2);
	conf_free(c);
	diags_free(&d);
	close(fd);
	turns(2);
	end();
}

static void count_fd(void *ctx, const char *name, int fd)
{
	(void)name;
	(void)fd;
	++*(unsigned *)ctx;
}

/* While another daemon takes over nothing is begun, and who waits is not handed to it; when that fails the edit is done. */
static void edit_in_a_handover(void)
{
	struct buf got = { 0 };
	unsigned n = 0;
	int fd;

	begin();
	fd = join();
	router.sync.is_busy = true;
	CHECK_STR(legacy(fd, 'a', 3, "a1", "225.1.1.1", "a2", NULL), "");
	CHECK(server_is_busy(server));
	while (router_is_busy(&router))
		router_sync(&router);
	server_hold(server, true);
	server_resume(server);
	turns(4);
	server_fds(server, count_fd, &n);
	CHECK_INT(n, 0);
	CHECK_INT(router.rules.routes.live, 0);
	server_hold(server, false);
	server_resume(server);
	CHECK_INT(router.rules.routes.live, 1);
	exchange(fd, NULL, &got);
	CHECK_INT(got.len, 1);
	buf_free(&got);
	close(fd);
	turns(2);
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
	TEST(end_in_a_table) TEST(edits_wait) TEST(edits_in_order) TEST(leaver_waits) TEST(edit_in_a_reload)
	TEST(edit_in_a_handover) TEST(slow_reader) TEST(early_leaver) TEST(cap)
	TEST(on_a_path) TEST(out_of_descriptors))
