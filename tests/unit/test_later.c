/* SPDX-License-Identifier: ISC
 *
 * Replies that have to wait until many groups are joined or left.
 */
#include "applets/control/server.h"

#include "router/router.h"
#include "tests/unit/server.h"

static void start(void)
{
	struct link_event ev = { .kind = LINK_NEW, .ifindex = 2, .flags = LINK_UP | LINK_MULTICAST, .name = "a1" };

	begin();
	log_set_level(LOG_LVL_NONE);
	router.now = 1000;
	fake_link_add(2);
	router_link_event(&router, &ev);
	router_sync(&router);
}

/* What the daemon does between its turns, until nothing is queued. */
static void settle(void)
{
	while (groups_ticket(&router.groups)) {
		router_tick(&router, router.now);
		server_resume(server);
	}
}

/* A client waits for its own reply, and gets it in order; nobody else waits. */
static void in_order(void)
{
	struct buf req = { 0 }, got = { 0 };
	int fd, other, gone;
	unsigned ticks = 0;

	start();
	fd = join();
	other = join();
	gone = join();
	put(&req, 'j', 2, "a1", "225.0.0.0/18");
	put(&req, 'a', 3, "a1", "225.1.1.1", "a2");
	put(&req, 'l', 2, "a1", "225.0.0.0/18");
	put(&req, 'l', 2, "a1", "225.0.0.0/18");
	exchange(fd, &req, &got);
	CHECK_INT(got.len, 0);
	CHECK_INT(router.conf->nmroutes, 0);
	CHECK_STR(ours(other, 2, "", "ping", ""), "X:0");
	CHECK_STR(ours(other, 3, "", "leave", "a1"), "E:leave: too few words, usage: leave IIF [SOURCE[/LEN]] GROUP[/LEN]\nX:64");
	req.len = 0;
	put(&req, 'j', 2, "a1", "ff3e::/120");
	CHECK_INT(send(gone, req.p, req.len, 0), req.len);
	turns(2);
	close(gone);
	for (; got.len < 3 && ticks < 20; ticks++) {
		settle();
		exchange(fd, NULL, &got);
	}
	settle();
	exchange(fd, NULL, &got);
	CHECK_INT(router.conf->nmroutes, 1);
	CHECK(!memcmp(got.p, "\0\0\0failed leave (*,225.0.0.0/18), not a member", got.len < 48 ? got.len : 48));
	CHECK_INT(fake_join_count(FAM_4), 0);
	CHECK_INT(fake_join_count(FAM_6), 256);
	close(fd);
	close(other);
	turns(2);
	buf_free(&req);
	buf_free(&got);
	end();
}

/* What failed after the reply had to wait is told in it. */
static void told_later(void)
{
	struct buf req = { 0 }, got = { 0 };
	int fd;

	start();
	fd = join();
	put(&req, 'j', 2, "a1", "225.0.0.0/24");
	exchange(fd, &req, &got);
	fake_fail("join", ENOBUFS, 7);
	settle();
	exchange(fd, NULL, &got);
	CHECK_STR(buf_cstr(&got), "the kernel refused 7 of 256 memberships: No buffer space available "
				  "(net.ipv4.igmp_max_memberships = 20)");
	close(fd);
	turns(2);
	buf_free(&req);
	buf_free(&got);
	end();
}

TEST_MAIN(TEST(in_order) TEST(told_later))
