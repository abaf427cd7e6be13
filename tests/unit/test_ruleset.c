/* SPDX-License-Identifier: ISC
 *
 * The table of rules: order, chains, walks that take pauses, what matches.
 */
#include "router/ruleset.h"

#include "tests/unit/test.h"

static struct ruleset s;

static uint32_t name(const char *text)
{
	struct ifname ifname = ifname_of(text, strlen(text));

	return name_hold(&s.names, &ifname);
}

/* "10.0.0.1" or "0.0.0.0/0", and a group. */
static struct flow_range range_of(const char *source, const char *group)
{
	struct flow_range range;

	prefix_parse(source, strlen(source), &range.flow.source, &range.source_len);
	prefix_parse(group, strlen(group), &range.flow.group, &range.group_len);
	return range;
}

static uint32_t add(const char *iif, const char *source, const char *group, const char *oif)
{
	struct flow_range range = range_of(source, group);
	uint16_t oifs = (uint16_t)name(oif);

	return rules_add(&s, &s.routes, &range, name(iif), oif_list_hold(&s.names, &oifs, 1));
}

static void is_order(const char *want)
{
	char got[64] = "";

	for (uint32_t id = s.routes.first; id != HASH_NONE; id = s.routes.v[id].next)
		snprintf(got + strlen(got), sizeof got - strlen(got), "%u", id);
	CHECK_STR(got, want);
}

static void order(void)
{
	CHECK_INT(ruleset_init(&s), 0);
	for (int i = 0; i < 4; i++)
		add("a", "10.0.0.1", (const char *[]){ "225.1.1.1", "225.1.1.2", "225.1.1.3", "225.1.1.4" }[i], "b");
	is_order("0123");
	rules_del(&s, &s.routes, 1);
	is_order("023");
	CHECK_INT(add("a", "10.0.0.1", "225.1.1.5", "b"), 1);
	is_order("0231");
	rules_del(&s, &s.routes, 0);
	rules_del(&s, &s.routes, 1);
	is_order("23");
	CHECK_INT(s.routes.live, 2);
	rules_del(&s, &s.routes, 3);
	rules_del(&s, &s.routes, 2);
	is_order("");
	CHECK_INT(s.routes.lengths.n, 0);
	ruleset_free(&s);
}

static void chains(void)
{
	struct flow_range range = range_of("10.0.0.1", "225.1.1.1");

	CHECK_INT(ruleset_init(&s), 0);
	uint32_t a = add("a", "10.0.0.1", "225.1.1.1", "x"), b = add("b", "10.0.0.1", "225.1.1.1", "x");
	uint32_t c = add("c", "10.0.0.1", "225.1.1.1", "x"), chain = rules_chain(&s.routes, &range);

	CHECK_INT(rules_in_chain(&s.routes, chain, name("a")), a);
	CHECK_INT(rules_in_chain(&s.routes, chain, name("b")), b);
	CHECK_INT(rules_in_chain(&s.routes, chain, name("c")), c);
	CHECK_INT(rules_in_chain(&s.routes, chain, name("x")), HASH_NONE);
	rules_del(&s, &s.routes, a);
	chain = rules_chain(&s.routes, &range);
	CHECK_INT(rules_in_chain(&s.routes, chain, name("b")), b);
	rules_del(&s, &s.routes, c);
	rules_del(&s, &s.routes, b);
	CHECK_INT(rules_chain(&s.routes, &range), HASH_NONE);
	ruleset_free(&s);
}

static void walks(void)
{
	struct rule_walk one, two;

	CHECK_INT(ruleset_init(&s), 0);
	for (int i = 0; i < 4; i++)
		add("a", "10.0.0.1", (const char *[]){ "225.1.1.1", "225.1.1.2", "225.1.1.3", "225.1.1.4" }[i], "b");
	rules_walk_begin(&s.routes, &one);
	rules_walk_begin(&s.routes, &two);
	CHECK_INT(rules_walk_next(&s.routes, &one), 0);
	CHECK_INT(rules_walk_next(&s.routes, &one), 1);
	/* The next of one, and the one that it was at last. */
	rules_del(&s, &s.routes, 2);
	rules_del(&s, &s.routes, 1);
	CHECK_INT(rules_walk_next(&s.routes, &one), 3);
	CHECK_INT(rules_walk_next(&s.routes, &one), HASH_NONE);
	CHECK_INT(rules_walk_next(&s.routes, &two), 0);
	rules_del(&s, &s.routes, 3);
	CHECK_INT(rules_walk_next(&s.routes, &two), HASH_NONE);
	rules_walk_end(&s.routes, &two);
	rules_walk_end(&s.routes, &one);
	CHECK(!s.routes.walks);
	ruleset_free(&s);
}

/* What comes in on VIF 0, a, goes where the narrowest rule says; a wildcard never sends it back. */
static void matches(void)
{
	struct flow_range packet = range_of("10.0.0.1", "225.1.1.1");
	uint32_t oifs;

	CHECK_INT(ruleset_init(&s), 0);
	add("a", "10.0.0.1", "225.1.1.1", "x");
	add("a", "0.0.0.0/0", "225.0.0.0/8", "e+");
	add("b", "0.0.0.0/0", "225.0.0.0/8", "y");
	s.names.v[name("a")].bits.exact[FAM_4] = 1;
	s.names.v[name("b")].bits.exact[FAM_4] = 2;
	s.names.v[name("x")].bits.exact[FAM_4] = 4;
	s.names.v[name("y")].bits.exact[FAM_4] = 8;
	s.names.v[name("e+")].bits.wild[FAM_4] = 17;
	for (uint32_t id = 0; id < s.names.nlists; id++)
		oif_list_bind(&s.names, id);
	CHECK(ruleset_outputs(&s, &packet.flow, 0, &oifs));
	CHECK_INT(oifs, 4);
	packet = range_of("10.0.0.2", "225.1.1.1");
	CHECK(ruleset_outputs(&s, &packet.flow, 0, &oifs));
	CHECK_INT(oifs, 16);
	CHECK(ruleset_outputs(&s, &packet.flow, 1, &oifs));
	CHECK_INT(oifs, 8);
	CHECK(!ruleset_covers(&s, &packet.flow, 2));
	packet = range_of("10.0.0.1", "226.1.1.1");
	CHECK(!ruleset_covers(&s, &packet.flow, 0));
	ruleset_free(&s);
}

TEST_MAIN(TEST(order) TEST(chains) TEST(walks) TEST(matches))
