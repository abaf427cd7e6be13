/* SPDX-License-Identifier: ISC
 *
 * Requests and their replies: those of both protocols, and those that have to wait until
 * many groups are joined or left.
 */
#include "applets/control/request.h"

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
	while (groups_ticket(router.groups)) {
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
	CHECK_INT(router.rules.routes.live, 0);
	CHECK_STR(ours(other, 2, "", "ping", ""), "X:0");
	CHECK_STR(ours(other, 3, "", "leave", "a1"),
		  "E:leave: too few words, usage: leave IIF [SOURCE[/LEN]] GROUP[/LEN]\nX:64");
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
	CHECK_INT(router.rules.routes.live, 1);
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

/* What failed after the reply had to wait is reported in it. */
static void reported_later(void)
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

/* Runs n words as one request, without a connection: the reply as text, "|" for each NUL. */
static const char *run(uint16_t cmd, int n, const char *const *words, struct call *call)
{
	static struct buf out;
	struct buf frame = { 0 };
	struct wire_request req;
	const char *why;

	buf_free(&out);
	CHECK(wire_put_request(&frame, cmd, n, words));
	CHECK_INT(wire_request(frame.p, frame.len, &req, &why), WIRE_OK);
	call->out = &out;
	CHECK(request_run(call, &req));
	for (size_t i = 0; i < out.len; i++)
		if (!out.p[i])
			out.p[i] = '|';
	buf_free(&frame);
	return buf_cstr(&out);
}

/* Each command of SMCRoute's protocol is a letter; what has none there is not to be had. */
static void letters(void)
{
	const char *words[] = { "a1", "225.1.1.1", "a2" };
	struct call call = { .daemon = &for_clients, .router = &router };

	start();
	CHECK_STR(run('a', 3, words, &call), "|");
	CHECK(call.form == CALL_LEGACY && !call.follow && !call.show && !call.later);
	CHECK_STR(run('r', 3, words, &call), "|");
	CHECK_STR(run('F', 0, words, &call), "|");
	CHECK_STR(run('m', 0, words, &call), "unknown command|");
	/* With a word: the header of 32 bits and of no command and no words looks like a length of 64. */
	CHECK_STR(run(0, 1, words, &call), "unknown command|");
	CHECK_STR(run('a' + 256, 0, words, &call), "unknown command|");
	end();
}

/* One who follows gets no end of a reply; the first word is options, in any form. */
static void own_words(void)
{
	const char *monitor[] = { "-j", "mon" }, *ping[] = { "-", "ping" };
	struct call call = { .daemon = &for_clients, .router = &router };

	start();
	CHECK_STR(run(WIRE_WORDS, 2, monitor, &call), "");
	CHECK(call.follow && call.json && call.form == CALL_RECORDS);
	CHECK(*run(WIRE_WORDS, 2, ping, &call) == WIRE_END);
	CHECK(!call.follow && !call.json);
	end();
}

/* The name of an owner ends the options.  Each request has its own, and no name that is none gets through. */
static void owner_words(void)
{
	const char *words[] = { "-djox.y", "add", "a1", "225.1.1.1", "a2" };
	static const char *const bad[] = { "-o", "-o-", "-oa b", "-o\033", "-oconfig", "-oa/b", "-o\xff" };
	struct call call = { .daemon = &for_clients, .router = &router };
	const struct rules *t = &router.rules.routes;

	start();
	run(WIRE_WORDS, 5, words, &call);
	CHECK(call.detail && call.json && !*call.error);
	CHECK_STR(owner_name(&router.rules.owners, t->v[t->first].owner), "x.y");
	words[0] = "";
	run(WIRE_WORDS, 5, words, &call);
	CHECK(!call.owner && !*call.error);
	CHECK_INT(t->v[t->first].owner, OWNER_SEVERAL);
	words[0] = "-ox.y";
	words[1] = "ping";
	run(WIRE_WORDS, 2, words, &call);
	CHECK_STR(call.error, "ping: -o x.y has no meaning here");
	words[1] = "add";
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		words[0] = bad[i];
		run(WIRE_WORDS, 5, words, &call);
		CHECK(*call.error);
	}
	CHECK_INT(t->live, 1);
	CHECK_INT(router.rules.owners.by_name.used, 1);
	for (int i = 0; i < 4092; i++) {
		char name[16];

		snprintf(name, sizeof name, "o%d", i);
		CHECK(owner_hold(&router.rules.owners, name) != HASH_NONE);
	}
	words[0] = "-omore";
	run(WIRE_WORDS, 5, words, &call);
	CHECK_STR(call.error, "4093 owners ask for something already: disown one");
	words[0] = "-ox.y";
	run(WIRE_WORDS, 5, words, &call);
	CHECK(!*call.error);
	end();
}

TEST_MAIN(TEST(letters) TEST(own_words) TEST(owner_words) TEST(in_order) TEST(reported_later))
