/* SPDX-License-Identifier: ISC
 *
 * Rules that are the same but for their outputs become one; what they mean when they get other numbers.
 */
#include "router/rule.h"

#include <time.h>

#include "router/router.h"
#include "tests/fake/kernel.h"
#include "tests/unit/test.h"

/* One output a line, as scripts write it: the time may not grow with the cube of the lines. */
static void output_by_output(void)
{
	enum { LINES = 4000 };
	struct conf_rule m = { .range = { .source_len = 128, .group_len = 128 } };
	struct conf *c = conf_new();
	struct rules x;
	char s[IFNAME_SIZE];

	addr_parse("10.0.0.1", 8, &m.range.flow.source);
	addr_parse("225.1.1.1", 9, &m.range.flow.group);
	m.iif = conf_name(c, "eth0", 4);
	for (int i = 0; i < LINES; i++) {
		uint16_t name = conf_name(c, s, (size_t)snprintf(s, sizeof s, "i%d", i));

		m.oifs = conf_set(c, &name, 1);
		conf_add_mroute(c, &m);
	}
	clock_t start = clock();

	CHECK_INT(rules_index(&x, c), 0);
	CHECK(clock() - start < CLOCKS_PER_SEC);
	CHECK_INT(x.removed, LINES - 1);
	CHECK_INT(c->sets[c->mroutes[0].oifs].n, LINES);
	rules_free(&x);
	conf_free(c);
}

/* The outputs of a list and some more, or without some, in the order in which they were named. */
static void combined(void)
{
	struct conf *c = conf_new();
	const uint16_t list[] = { conf_name(c, "a", 1), conf_name(c, "b", 1), conf_name(c, "c", 1) };
	const uint16_t more[] = { list[2], list[0], list[2] };
	uint32_t ab = conf_set(c, list, 2), abc = conf_set(c, list, 3);

	CHECK_INT(rules_combine(c, ab, more, 3, false), abc);
	CHECK_INT(rules_combine(c, abc, more, 1, true), ab);
	CHECK_INT(rules_combine(c, abc, list, 3, true), 0);
	CHECK_INT(rules_combine(c, 0, list, 2, false), ab);
	CHECK_INT(rules_combine(c, ab, list, 0, false), ab);
	conf_free(c);
}

static void link_is(struct router *r, int ifindex, const char *name)
{
	struct link_event ev = { .kind = LINK_NEW, .ifindex = ifindex, .flags = LINK_UP | LINK_MULTICAST };

	snprintf(ev.name, sizeof ev.name, "%s", name);
	fake_link_add(ifindex);
	router_link_event(r, &ev);
}

/* Any command may be the one before which the conf is rebuilt, and the next thing may be a new source. */
static void compacted(void)
{
	static const char text[] = "mroute from eth0 group 225.1.1.1 to eth1\nmroute from wg0 group 225.2.2.2 to eth1\n";
	struct upcall up = { .kind = UPCALL_NOCACHE, .fam = FAM_4 };
	struct diags d = { 0 };
	struct router r;
	struct conf *c = conf_new();
	uint32_t oifs = 0;

	fake_reset();
	CHECK_INT(router_init(&r, NULL, NULL), 0);
	kernel_mroute_open(FAM_4, 0);
	router_family(&r, FAM_4, true);
	link_is(&r, 2, "eth0");
	link_is(&r, 3, "eth1");
	conf_parse_text(c, &d, "test", text, strlen(text));
	diags_free(&d);
	CHECK_INT(router_apply_conf(&r, c, 1000), 0);
	CHECK_INT(router_compact(&r, true), 0);
	CHECK(rule_is_bound(&r.rules, &r.conf->mroutes[0]));
	CHECK(!rule_is_bound(&r.rules, &r.conf->mroutes[1]));
	addr_parse("10.0.0.1", 8, &up.flow.source);
	addr_parse("225.1.1.1", 9, &up.flow.group);
	router_upcall(&r, &up, 2000);
	CHECK(fake_mfc(&up.flow, NULL, &oifs));
	CHECK_INT(oifs, 2);
	router_shutdown(&r);
	fake_reset();
}

TEST_MAIN(
	TEST(compacted)
	TEST(output_by_output)
	TEST(combined)
)
