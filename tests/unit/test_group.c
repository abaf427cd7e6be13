/* SPDX-License-Identifier: ISC
 *
 * Memberships on the fake kernel: how many are joined and left, and when.
 * Counting verbs stands for measuring time.
 */
#include "router/group.h"

#include <stdlib.h>

#include "applets/control/command.h"
#include "conf/read.h"
#include "tests/unit/server.h"

static void link_is(enum link_kind kind, int ifindex, const char *name)
{
	struct link_event ev = { .kind = kind, .ifindex = ifindex, .flags = LINK_UP | LINK_MULTICAST };

	snprintf(ev.name, sizeof ev.name, "%s", name);
	if (kind == LINK_DEL)
		fake_link_del(ifindex);
	else
		fake_link_add(ifindex);
	router_link_event(&router, &ev);
	router_sync(&router);
}

static void start(void)
{
	begin();
	log_set_level(LOG_LVL_NONE);
	router.now = 1000;
	fake_journal_on(true);
	link_is(LINK_NEW, 2, "a1");
	link_is(LINK_NEW, 3, "a2");
	fake_journal();
}

/* A whole configuration. */
static void conf(const char *text)
{
	struct diags d = { 0 };
	struct conf *c = conf_new();

	conf_parse_text(c, &d, "conf", text, strlen(text));
	CHECK_INT(d.errors, 0);
	diags_free(&d);
	CHECK_INT(router_apply(&router, c, 1000), 0);
	conf_free(c);
}

/* A command line; true when its reply has to wait. */
static bool ctl_words(const char *line, int *status)
{
	char words[128], *argv[8];
	struct buf out = { 0 };
	struct call c = { .daemon = &for_clients, .router = &router, .out = &out };

	snprintf(words, sizeof words, "%s", line);
	for (char *w = strtok(words, " "); w; w = strtok(NULL, " "))
		argv[c.argc++] = w;
	c.argv = (const char *const *)argv;
	*status = command_run(&c);
	buf_free(&out);
	return c.later;
}

/* Ticks until nothing is queued; how many it took. */
static int settle(void)
{
	int n = 0;

	for (; router_due(&router) && router_due(&router) <= router.now; n++)
		router_tick(&router, router.now);
	return n;
}

/* Runs a command to its end: its exit status. */
static int run(const char *line)
{
	int status;

	ctl_words(line, &status);
	settle();
	return status;
}

/* Lines of the journal that begin with a verb; takes the journal. */
static unsigned verbs(const char *verb, const char **rest)
{
	static char *kept;
	unsigned n = 0;

	if (verb) {
		free(kept);
		kept = strdup(fake_journal());
	}
	for (const char *p = kept; p && *p; p += strcspn(p, "\n"), p += *p == '\n')
		n += !strncmp(p, verb ? verb : *rest, strlen(verb ? verb : *rest));
	return n;
}

/* Joins and leaves since the last call. */
static void did(unsigned joins, unsigned leaves)
{
	const char *leave = "leave";

	CHECK_INT(verbs("join", NULL), joins);
	CHECK_INT(verbs(NULL, &leave), leaves);
}

static unsigned members(void)
{
	return fake_join_count(FAM_4) + fake_join_count(FAM_6);
}

/* ---- ---- */

static void in_proportion(void)
{
	start();
	for (unsigned bits = 0; bits <= 14; bits += 7) {
		char line[64];

		for (int v6 = 0; v6 < 2; v6++) {
			const char *group = v6 ? "ff3e::" : "225.0.0.0";

			snprintf(line, sizeof line, "join a1 %s/%u", group, (v6 ? 128 : 32) - bits);
			CHECK_INT(run(line), 0);
			did(1u << bits, 0);
			CHECK_INT(run(line), 0);
			did(0, 0);
			snprintf(line, sizeof line, "leave a1 %s/%u", group, (v6 ? 128 : 32) - bits);
			CHECK_INT(run(line), 0);
			did(0, 1u << bits);
			CHECK_INT(run(line), 66);
			did(0, 0);
		}
	}
	CHECK_INT(run("join a1 10.0.0.0/25 232.1.1.0/25"), 0);
	did(16384, 0);
	CHECK_INT(members(), 16384);
	CHECK_INT(run("leave a1 10.0.0.0/25 232.1.1.0/25"), 0);
	did(0, 16384);
	CHECK_INT(router.groups->live + members(), 0);
	CHECK(router.groups->cap < 64);
	end();
}

/* However little is said to ask for them, there are so many at a time. */
static void not_too_many(void)
{
	char line[64];

	start();
	for (int i = 0; i < CHANGE_MEMBERS >> 16; i++) {
		snprintf(line, sizeof line, "join a1 225.%d.0.0/16", i);
		CHECK_INT(run(line), 0);
	}
	CHECK_INT(run("join a1 226.0.0.0/16"), 71);
	CHECK_INT(run("join a1 226.0.0.0"), 71);
	CHECK_INT(run("join a1 225.1.0.0/16"), 0);
	CHECK_INT(run("join none 226.0.0.0/16"), 0);
	CHECK_INT(router.groups->live, CHANGE_MEMBERS);
	CHECK_INT(run("leave a1 225.1.0.0/16"), 0);
	CHECK_INT(run("join a1 226.0.0.0"), 0);
	fake_journal();
	end();
}

/* The loop has its turn after a few; a small command does not wait for a large one. */
static void slices(void)
{
	int status;

	start();
	CHECK(ctl_words("join a1 ff3e::/114", &status));
	CHECK(members() <= 64);
	router_tick(&router, router.now);
	CHECK(members() <= 128);
	CHECK(!ctl_words("join a2 225.1.1.1", &status));
	CHECK_INT(fake_join_count(FAM_4), 1);
	CHECK(!ctl_words("leave a2 225.1.1.1", &status));
	CHECK_INT(fake_join_count(FAM_4), 0);
	/* One of those that wait is there when the others are. */
	CHECK(ctl_words("join a1 ff3e::1000", &status));
	CHECK(settle() >= 16384 / 64);
	CHECK_INT(members(), 16384);
	CHECK_INT(run("leave a1 ff3e::/114"), 0);
	CHECK_INT(members(), 1);
	end();
}

/* What is wanted no more before its turn comes is not joined, and the other way round. */
static void mind_changed(void)
{
	int status;

	start();
	CHECK(ctl_words("join a1 225.0.0.0/22", &status));
	CHECK(ctl_words("leave a1 225.0.0.0/22", &status));
	settle();
	CHECK(members() == 0);
	CHECK(verbs("join", NULL) <= 64);
	CHECK_INT(router.groups->live, 0);
	CHECK_INT(run("join a1 225.0.0.0/22"), 0);
	fake_journal();
	CHECK(ctl_words("leave a1 225.0.0.0/22", &status));
	CHECK(ctl_words("join a1 225.0.0.0/22", &status));
	settle();
	CHECK_INT(members(), 1024);
	CHECK(verbs("leave", NULL) <= 64);
	/* Shut down with work to do. */
	CHECK(ctl_words("leave a1 225.0.0.0/22", &status));
	end();
}

static void overlaps(void)
{
	start();
	CHECK_INT(run("join a1 225.1.1.0/24"), 0);
	did(256, 0);
	CHECK_INT(run("join a1 225.1.1.128/25"), 0);
	CHECK_INT(run("join a1 225.1.1.200"), 0);
	did(0, 0);
	CHECK_INT(run("leave a1 225.1.1.0/24"), 0);
	did(0, 128);
	CHECK_INT(run("leave a1 225.1.1.128/25"), 0);
	did(0, 127);
	CHECK_INT(run("leave a1 225.1.1.128/25"), 66);
	CHECK_INT(run("leave a1 225.1.1.200"), 0);
	did(0, 1);
	/* Any source and one source are not the same. */
	CHECK_INT(run("join a1 232.1.1.1"), 0);
	CHECK_INT(run("join a1 10.0.0.1 232.1.1.1"), 0);
	did(2, 0);
	CHECK_INT(run("leave a1 10.0.0.2 232.1.1.1"), 66);
	CHECK_INT(run("leave a1 232.1.1.1"), 0);
	did(0, 1);
	end();
}

static void reload(void)
{
	start();
	conf("mgroup from a1 group 225.1.0.0/20\nmgroup from a1 group ff3e::/116\n");
	settle();
	did(8192, 0);
	conf("mgroup from a1 group 225.1.0.0/20\nmgroup from a1 group ff3e::/116\n");
	settle();
	did(0, 0);
	conf("mgroup from a1 group 225.1.8.0/21\nmgroup from a1 group ff3e::/117\n");
	settle();
	did(0, 4096);
	/* What a client joined goes with a reload, what both want stays. */
	CHECK_INT(run("join a1 225.1.15.0/24"), 0);
	CHECK_INT(run("join a1 225.9.9.9"), 0);
	did(1, 0);
	conf("mgroup from a1 group 225.1.8.0/21\nmgroup from a1 group ff3e::/117\n");
	settle();
	did(0, 1);
	conf("mgroup from a2 group 225.1.8.0/21\n");
	settle();
	did(2048, 4096);
	end();
}

static void interfaces(void)
{
	start();
	conf("mgroup from a1 group 225.1.1.0/24\nmgroup from b+ group ff3e::/120\n");
	settle();
	did(256, 0);
	link_is(LINK_NEW, 9, "b15");
	settle();
	did(256, 0);
	/* Gone: what the kernel took away is left all the same, its sockets are charged for it. */
	link_is(LINK_DEL, 2, "a1");
	settle();
	did(0, 256);
	link_is(LINK_NEW, 12, "a1");
	settle();
	did(256, 0);
	link_is(LINK_NEW, 12, "x1");
	settle();
	did(0, 256);
	link_is(LINK_NEW, 12, "a1");
	settle();
	did(256, 0);
	/* The same index again, before the old memberships are left. */
	link_is(LINK_DEL, 12, "a1");
	link_is(LINK_NEW, 12, "a1");
	settle();
	did(256, 256);
	CHECK_INT(members(), 512);
	end();
}

static void failures(void)
{
	struct link_event ev = { .kind = LINK_ADDR, .ifindex = 2 };
	int status;

	start();
	fake_fail("join", ENOBUFS, 3);
	CHECK_INT(run("join a1 225.1.1.0/29"), 71);
	did(8, 0);
	CHECK_INT(router.groups->failed, 3);
	/* The same again tries those alone; so does a change of the interface. */
	fake_fail("join", ENOBUFS, 1);
	CHECK_INT(run("join a1 225.1.1.0/29"), 71);
	did(3, 0);
	router_link_event(&router, &ev);
	router_sync(&router);
	did(1, 0);
	CHECK_INT(router.groups->failed, 0);
	router_link_event(&router, &ev);
	router_sync(&router);
	did(0, 0);
	fake_fail("join", EMFILE, -1);
	CHECK(ctl_words("join a2 ff3e::/120", &status));
	settle();
	CHECK_INT(router.groups->failed, 256);
	CHECK_INT(run("leave a2 ff3e::/120"), 0);
	did(256, 0);
	CHECK_INT(router.groups->failed, 0);
	end();
}

static void refused(void)
{
	static const char *const lines[] = {
		"join a1 225.0.0.0/8", "join a1 225.0.0.0/15", "join a1 10.0.0.0/20 232.0.0.0/19", "join a1 ff3e::/64",
		"join a1 ff3e::/8", "join a1 fd00::/32 ff3e::1", "join a1 224.0.0.0/3", "join a1 ff00::/7",
		"join a1 10.0.0.1", "join a1 fd00::1", "join a1 fd00::1 225.1.1.1", "join a1 10.0.0.1 ff3e::1",
		"join a1 225.1.1.1/99", "join a1 225.1.1.1/abc", "join a1 225.1.1.1/", "join a1 225.1.1.1/-3",
		"join a1 225.1.1.1/24x",
		"join a1 225.1.1.1 225.1.1.1", "join a1 225.1.1", "join a1 nonsense",
		"join abcdefghijklmnopqr 225.1.1.1",
	};

	start();
	for (unsigned i = 0; i < sizeof lines / sizeof *lines; i++)
		if (run(lines[i]) != 65)
			CHECK_STR(lines[i], "refused with 65");
	CHECK_INT(run("join a1"), 64);
	CHECK_INT(run("join a1 10.0.0.1 232.1.1.1 x"), 64);
	did(0, 0);
	CHECK_INT(router.groups->live, 0);
	/* The largest that is taken. */
	CHECK_INT(run("join a1 225.0.0.0/16"), 0);
	CHECK_INT(members(), 65536);
	end();
}

/* ---- whatever happens, in the end there is what the lines say ---- */

static bool up[4];

static unsigned expected(void)
{
	static bool there[4][64];
	const struct rules *t = &router.rules.joins;
	unsigned n = 0;

	memset(there, 0, sizeof there);
	for (uint32_t id = t->first; id != HASH_NONE; id = t->v[id].next) {
		const struct flow_range *range = &t->v[id].range;
		const struct ifname *name = &router.rules.names.v[t->v[id].iif].ifname;

		for (int i = 0; i < 4; i++)
			for (int a = 0; a < 1 << (128 - range->group_len); a++)
				there[i][(range->flow.group.b[15] + a) & 63] |=
					up[i] && (name->is_wildcard || name->text[1] == '0' + i);
	}
	for (int i = 0; i < 4; i++)
		for (int a = 0; a < 64; a++)
			n += there[i][a];
	return n;
}

static void at_random(void)
{
	start();
	link_is(LINK_DEL, 2, "a1");
	link_is(LINK_DEL, 3, "a2");
	memset(up, 0, sizeof up);
	srand(7);
	for (int step = 0; step < 4000; step++) {
		int i = rand() % 4, bits = rand() % 7, base = (rand() % 64) & ~((1 << bits) - 1), status;
		char line[64], name[8];

		snprintf(name, sizeof name, "a%d", i);
		switch (rand() % 8) {
		case 0:
			link_is(up[i] ? LINK_DEL : LINK_NEW, 10 + i, name);
			up[i] = !up[i];
			break;
		case 1:
			router_sync(&router);
			break;
		case 2:
			router_tick(&router, router.now);
			break;
		default:
			snprintf(line, sizeof line, "%s %s 225.1.1.%d/%d", rand() % 2 ? "join" : "leave",
				 rand() % 5 ? name : "a+", base, 32 - bits);
			ctl_words(line, &status);
		}
		if (step % 16 == 15) {
			settle();
			if (members() != expected()) {
				CHECK_INT(members(), expected());
				break;
			}
			CHECK_INT(router.groups->live, members());
		}
	}
	end();
}

TEST_MAIN(TEST(in_proportion) TEST(not_too_many)
	  TEST(slices) TEST(mind_changed) TEST(overlaps) TEST(reload) TEST(interfaces)
	  TEST(failures) TEST(refused) TEST(at_random))
