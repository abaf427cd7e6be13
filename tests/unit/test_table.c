/* SPDX-License-Identifier: ISC
 *
 * The rules that `ip mrule` shows, held against what is routed: what is reported, once, and what is not.
 */
#include "router/table.h"

#include <fcntl.h>
#include <unistd.h>

#include "conf/read.h"
#include "lib/log.h"
#include "router/link.h"
#include "router/router.h"
#include "router/sync.h"
#include "router/wait.h"
#include "tests/fake/kernel.h"
#include "tests/unit/test.h"

static struct router router;
static int pipe_fd[2], old_stderr;

static void link_up(int ifindex, const char *name)
{
	struct link_event ev = { .kind = LINK_NEW, .ifindex = ifindex, .flags = LINK_UP | LINK_MULTICAST };

	snprintf(ev.name, sizeof ev.name, "%s", name);
	fake_link_add(ifindex);
	router_link_event(&router, &ev);
}

/* A router with a table that takes packets from a1 and a'b, IPv4. */
static void begin(uint32_t table)
{
	static const char text[] = "mroute from a1 group 225.1.2.3 to a2\nmroute from a'b group 225.1.2.4 to a2\n";
	struct diags d = { 0 };
	struct conf *c = conf_new();

	fake_reset();
	CHECK_INT(kernel_mroute_open(FAM_4, table), 0);
	CHECK_INT(router_init(&router, NULL, NULL), 0);
	router.table = table;
	router_family(&router, FAM_4, true);
	link_up(2, "a1");
	link_up(3, "a2");
	link_up(4, "a'b");
	CHECK(conf_parse_text(c, &d, "test", text, strlen(text)));
	CHECK_INT(d.errors, 0);
	CHECK_INT(pipe2(pipe_fd, O_NONBLOCK | O_CLOEXEC), 0);
	old_stderr = dup(STDERR_FILENO);
	dup2(pipe_fd[1], STDERR_FILENO);
	CHECK_INT(router_apply(&router, c, 1000), 0);
	router_sync(&router);
	conf_free(c);
	diags_free(&d);
}

/* What was logged. */
static const char *end(void)
{
	static char text[65536];
	ssize_t n = read(pipe_fd[0], text, sizeof text - 1);

	text[n > 0 ? n : 0] = '\0';
	dup2(old_stderr, STDERR_FILENO);
	close(old_stderr);
	close(pipe_fd[0]);
	close(pipe_fd[1]);
	router_shutdown(&router);
	router_free(&router);
	return text;
}

static void event(enum link_kind kind, enum fam fam, const char *name, uint32_t table)
{
	struct link_event ev = { .kind = kind, .fam = fam, .table = table };

	snprintf(ev.name, sizeof ev.name, "%s", name);
	router_link_event(&router, &ev);
}

/* Neither has a rule: a command for each, quoted for the shell, once. */
static void missing(void)
{
	begin(100);
	CHECK(strstr(fake_journal(), "rules4 ask\n"));
	for (int i = 0; i < 2; i++) {
		event(LINK_RULES_BEGIN, FAM_4, "", 0);
		event(LINK_RULE, FAM_4, "a2", 100);
		event(LINK_RULES_END, FAM_4, "", 0);
	}
	event(LINK_RULES_BEGIN, FAM_6, "", 0);
	event(LINK_RULES_END, FAM_6, "", 0);
	CHECK_STR(end(), "a1: its IPv4 packets do not get to table 100; add: ip mrule add iif a1 lookup 100\n"
			 "a'b: its IPv4 packets do not get to table 100; add: ip mrule add iif 'a'\\''b' lookup 100\n");
}

/* Who has a VIF come and go again and again has it said so often, and no oftener. */
static void again_and_again(void)
{
	unsigned lines = 0;

	begin(100);
	for (int i = 0; i < 500; i++) {
		iface_find_name(&router.ifs, "a1")->table[FAM_4] = TABLE_UNKNOWN;
		table_check(&router);
		event(LINK_RULES_BEGIN, FAM_4, "", 0);
		event(LINK_RULES_END, FAM_4, "", 0);
	}
	for (const char *p = end(); (p = strchr(p, '\n')); p++)
		lines++;
	CHECK(lines > 5 && lines <= WAIT_LINES);
}

/* The first rule for an interface counts; one without a name is for all. */
static void there(void)
{
	begin(100);
	event(LINK_RULES_BEGIN, FAM_4, "", 0);
	event(LINK_RULE, FAM_4, "a'b", 200);
	event(LINK_RULE, FAM_4, "", 100);
	event(LINK_RULES_END, FAM_4, "", 0);
	CHECK_STR(end(), "a'b: its IPv4 packets do not get to table 100; add: ip mrule add iif 'a'\\''b' lookup 100\n");
}

/* A rule that a VRF brings: it leads those that are in one to the table of theirs, and no other interface anywhere. */
static void vrf(void)
{
	struct link_event in = { .kind = LINK_NEW, .ifindex = 2, .flags = LINK_UP | LINK_MULTICAST, .master = 9,
				 .vrf = 77, .name = "a1" };
	struct link_event rule = { .kind = LINK_RULE, .fam = FAM_4, .by_vrf = true };

	for (uint32_t table = 77; table <= 78; table++) {
		begin(table);
		router_link_event(&router, &in);
		event(LINK_RULES_BEGIN, FAM_4, "", 0);
		router_link_event(&router, &rule);
		event(LINK_RULE, FAM_4, "", table);
		event(LINK_RULES_END, FAM_4, "", 0);
		CHECK_STR(end(), table == 77 ? "" :
			  "a1: its IPv4 packets do not get to table 78; add: ip mrule add iif a1 lookup 78\n");
	}
}

/* An answer that breaks off and comes anew; one that began before anybody asked says nothing. */
static void again(void)
{
	begin(100);
	event(LINK_RULE, FAM_4, "", 100);
	event(LINK_RULES_END, FAM_4, "", 0);
	event(LINK_RULES_BEGIN, FAM_4, "", 0);
	event(LINK_RULE, FAM_4, "a1", 200);
	event(LINK_RULES_BEGIN, FAM_4, "", 0);
	event(LINK_RULE, FAM_4, "", 100);
	event(LINK_RULES_END, FAM_4, "", 0);
	CHECK_STR(end(), "");
}

/* Without a table of its own nothing is asked. */
static void none(void)
{
	begin(0);
	CHECK(!strstr(fake_journal(), "rules4"));
	CHECK_STR(end(), "");
}

TEST_MAIN(TEST(missing) TEST(again_and_again) TEST(there) TEST(vrf) TEST(again) TEST(none))
