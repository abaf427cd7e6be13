/* SPDX-License-Identifier: ISC
 *
 * Rules that are the same but for their outputs become one.
 */
#include "router/rule.h"

#include <stdlib.h>
#include <time.h>

#include "tests/unit/test.h"

/* One output a line, as scripts write it: the time may not grow with the cube of the lines. */
static void output_by_output(void)
{
	enum { LINES = 4000 };
	struct mroute m = { .slen = 128, .glen = 128 };
	struct conf *c = conf_new();
	struct rules x;
	char s[CONF_IFNAME];

	addr_parse("10.0.0.1", 8, &m.source);
	addr_parse("225.1.1.1", 9, &m.group);
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

TEST_MAIN(
	TEST(output_by_output)
	TEST(combined)
)
