/* SPDX-License-Identifier: ISC
 *
 * The turns of clients: edits that wait while the router is busy, whatever becomes of their client, and who takes over.
 */
#include "applets/control/serve.h"

#include "conf/read.h"
#include "tests/unit/server.h"

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
	turns(8);
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

static int given;

static void count_fd(void *ctx, const char *name, int fd)
{
	(void)name;
	(void)fd;
	++*(unsigned *)ctx;
}

/* While another daemon takes over nothing is begun, and who waits is not handed to it, but served if that fails. */
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

static int take_over(void *ctx, struct call *call, const char *version)
{
	(void)ctx;
	(void)version;
	call->takes_over = true;
	return 0;
}

static void give(void *ctx, int fd)
{
	(void)ctx;
	CHECK(fd >= 0);
	close(fd);
	given++;
}

/* Whoever was let in to take over is handed on, also when he is gone by then: the daemon must not wait for him. */
static void takes_over(void)
{
	struct buf req = { 0 };
	int fd;

	for_clients.hand_over = take_over;
	for_clients.give = give;
	given = 0;
	begin();
	put(&req, WIRE_TAKEOVER, 1, "1.0");
	for (int leaves = 0; leaves < 2; leaves++) {
		fd = join();
		CHECK_INT(send(fd, req.p, req.len, 0), req.len);
		if (leaves)
			close(fd);
		turns(3);
		CHECK_INT(given, leaves + 1);
		CHECK_INT(server->n, 0);
		if (!leaves)
			close(fd);
	}
	buf_free(&req);
	end();
	for_clients.hand_over = NULL;
	for_clients.give = NULL;
}

TEST_MAIN(
	TEST(edits_wait) TEST(edits_in_order) TEST(leaver_waits) TEST(edit_in_a_reload) TEST(edit_in_a_handover)
	TEST(takes_over))
