/* SPDX-License-Identifier: ISC
 *
 * Rules, names, lists, claims, entries and memberships that come and go in great numbers and any order: those that are
 * left are what they were, the kernel has them, and places are as few as they are.
 */
#include <stdlib.h>

#include "lib/grow.h"
#include "router/change.h"
#include "router/claims.h"
#include "router/settle.h"
#include "router/sync.h"
#include "tests/unit/engine.h"

#define MANY 2000
#define OWNERS 3
#define OUTPUTS 24

/* What each owner asks for of rule n: the output's number + 1, or 0. */
static uint8_t asked[MANY][OWNERS];
static uint32_t owners[OWNERS];
static bool joined[MANY];
static uint32_t seed;

static uint32_t any(uint32_t n)
{
	seed = seed * 1103515245 + 12345;
	return (seed >> 8) % n;
}

/* Rule n: half of them have their own (S,G), the others are templates; some have names of their own. */
static struct change_rule rule_of(unsigned n, unsigned output, uint32_t owner)
{
	static struct ifname oif;
	struct change_rule rule = { .iif = ifname_of("eth0", 4), .oifs = &oif, .noifs = 1, .owner = owner };
	char text[32];

	snprintf(text, sizeof text, "225.%u.%u.%u", n % 2 + 1, n >> 8, n & 255);
	addr_parse(text, strlen(text), &rule.range.flow.group);
	rule.range.group_len = 128;
	addr_any(FAM_4, &rule.range.flow.source, &rule.range.source_len);
	if (n % 2) {
		addr_parse("10.0.0.1", 8, &rule.range.flow.source);
		rule.range.source_len = 128;
	}
	snprintf(text, sizeof text, output ? "o%u" : "eth1", n % 3 ? output : n * OUTPUTS + output);
	oif = ifname_of(text, strlen(text));
	return rule;
}

static void toggle(unsigned n, unsigned o)
{
	struct change_rule rule = rule_of(n, asked[n][o] ? asked[n][o] - 1u : any(OUTPUTS), owners[o]);
	uint32_t id = rules_find(&r.rules, &r.rules.routes, &rule.iif, &rule.range);

	if (asked[n][o]) {
		rule.noifs = 0;
		CHECK_INT(change_remove(&r, &rule, id), 0);
		asked[n][o] = 0;
	} else {
		/* The number is in the name. */
		asked[n][o] = (uint8_t)(rule.oifs->text[0] == 'e' ? 1 : any(OUTPUTS - 1) + 2);
		rule = rule_of(n, asked[n][o] - 1u, owners[o]);
		CHECK_INT(change_add(&r, &rule, CHANGE_MORE, &id), 0);
	}
}

static void toggle_join(unsigned n)
{
	struct change_rule rule = rule_of(n & ~1u, 0, owners[0]);
	uint32_t id = rules_find(&r.rules, &r.rules.joins, &rule.iif, &rule.range);

	if (joined[n])
		CHECK_INT(change_leave(&r, id, owners[0]), 0);
	else
		CHECK_INT(change_join(&r, &rule.iif, &rule.range, owners[0]), 0);
	joined[n] = !joined[n];
}

/* So many places and no more, however many there were. */
static void few(uint32_t places, uint32_t live)
{
	if (places >= GROW_LOOSE && places > live + live / 4 + 1)
		CHECK_INT(places, live);
}

static uint32_t compare_rule(unsigned n)
{
	struct change_rule rule = rule_of(n, 0, 0);
	const struct rules *t = &r.rules.routes;
	uint32_t id = rules_find(&r.rules, t, &rule.iif, &rule.range), outputs = 0;
	bool is_asked = false;
	struct claim claim;

	for (unsigned o = 0; o < OWNERS; o++) {
		uint32_t name;

		is_asked |= asked[n][o];
		CHECK_INT(id != HASH_NONE && claims_find(t, id, owners[o], &claim), asked[n][o] != 0);
		if (!asked[n][o] || id == HASH_NONE)
			continue;
		rule = rule_of(n, asked[n][o] - 1u, 0);
		name = name_find(&r.rules.names, rule.oifs);
		CHECK(oif_list_has_name(&r.rules.names, claim.oifs, name));
		CHECK_INT(r.rules.names.lists[claim.oifs].n, 1);
		CHECK(oif_list_has_name(&r.rules.names, t->v[id].oifs, name));
		outputs |= asked[n][o] == 1 ? 2 : 0;
	}
	CHECK_INT(id != HASH_NONE, is_asked);
	if (n % 2) {
		uint32_t oifs = 0;

		CHECK_INT(fake_mfc(&rule.range.flow, NULL, &oifs), is_asked);
		CHECK_INT(oifs, outputs);
		CHECK_INT(mfc_find(&r.mfc, &rule.range.flow) != HASH_NONE, is_asked);
	}
	return is_asked;
}

static void compare(void)
{
	const struct names *names = &r.rules.names;
	const struct claims *c = &r.rules.routes.claims;
	uint32_t rules = 0, joins = 0;

	for (unsigned n = 0; n < MANY; n++) {
		rules += compare_rule(n);
		joins += joined[n];
	}
	CHECK_INT(r.rules.routes.live, rules);
	CHECK_INT(fake_join_count(FAM_4), joins);
	few(r.rules.routes.n, rules);
	few(r.rules.joins.n, joins);
	few(r.groups->n, r.groups->live);
	few(r.mfc.n, r.mfc.by_sg.used);
	few(names->n, names->by_name.used);
	few(names->nlists, names->by_list.used + 1);
	few(c->n, c->live);
	for (uint32_t id = 0; id < names->nlists; id++)
		for (uint32_t i = 0; i < names->lists[id].n; i++)
			CHECK(names->lists[id].names[i] < names->n);
}

static void sync_all(void)
{
	do
		router_sync(&r);
	while (router_is_busy(&r));
	while (groups_ticket(r.groups))
		router_tick(&r, r.now + 1);
	router_sync(&r);
	fake_journal();
}

static void in_any_order(void)
{
	static const unsigned chances[] = { 1, 8, 40, 2, 1000 };	/* how few there are to be, by turns */

	start();
	for (unsigned o = 0; o < OWNERS; o++)
		owners[o] = owner_hold(&r.rules.owners, (const char *[]){ "x", "y", "z" }[o]);
	for (unsigned turn = 0; turn < 20; turn++) {
		unsigned few_are = chances[turn % 5];

		for (unsigned k = 0; k < MANY; k++) {
			unsigned n = turn % 2 ? MANY - 1 - k : any(MANY), o = any(OWNERS);

			if (!asked[n][o] == !any(few_are))
				toggle(n, o);
			if (n % 4 == 0 && !joined[n] == !any(few_are))
				toggle_join(n);
			if (k % 64 == 0)
				sync_all();
		}
		sync_all();
		compare();
	}
	end();
}

/* Learned entries: one that is in use and came last does not keep the places of those that went. */
static void learned(void)
{
	struct upcall up = { .fam = FAM_4, .kind = UPCALL_NOCACHE };
	uint64_t packets = 0;

	start();
	apply("mroute from eth0 group 239.0.0.0/8 to eth1\nmroute from eth0 group 239.1.0.0/16 to eth1\n");
	for (unsigned n = 0; n < 10000; n++) {
		char group[32];

		snprintf(group, sizeof group, "239.%u.%u.%u", n % 2, n >> 8, n & 255);
		addr_parse(group, strlen(group), &up.flow.group);
		addr_parse("10.0.0.1", 8, &up.flow.source);
		router_upcall(&r, &up, 1000);
	}
	CHECK_INT(fake_mfc_count(FAM_4), 10000);
	for (int64_t now = 1000; now < 120000; now += 500) {
		packets++;
		fake_set_stats(&up.flow, packets, packets, 0);
		router_tick(&r, now);
	}
	CHECK_INT(fake_mfc_count(FAM_4), 1);
	CHECK(fake_mfc(&up.flow, NULL, NULL));
	CHECK_INT(r.mfc.n, 1);
	CHECK(r.mfc.cap < 32 && r.mfc.by_sg.n < 32);
	CHECK_INT(r.mfc.shares.slot[share_slot(FAM_4, 0)].count, 1);
	/* It goes in its time as ever. */
	for (int64_t now = 120000; now < 200000; now += 500)
		router_tick(&r, now);
	CHECK_INT(fake_mfc_count(FAM_4), 0);
	CHECK_INT(r.mfc.shares.slot[share_slot(FAM_4, 0)].count, 0);
	end();
}

/* The entries of a template stay together when it gets another number. */
static void shares(void)
{
	struct upcall up = { .fam = FAM_4, .kind = UPCALL_NOCACHE };
	struct change_rule rule = { .iif = ifname_of("eth0", 4), .owner = OWNER_UNNAMED };
	struct ifname oif = ifname_of("eth1", 4);
	const struct share_slot *slot;
	uint32_t id = 0;

	start();
	apply("");
	rule.oifs = &oif;
	addr_any(FAM_4, &rule.range.flow.source, &rule.range.source_len);
	rule.range.group_len = 128;
	addr_parse("10.0.0.1", 8, &up.flow.source);
	for (int pass = 0; pass < 2; pass++)
		for (unsigned n = 0; n < 200; n++) {
			char group[32];

			snprintf(group, sizeof group, "239.1.1.%u", n);
			addr_parse(group, strlen(group), &rule.range.flow.group);
			rule.noifs = !pass;
			if (!pass)
				CHECK_INT(change_add(&r, &rule, CHANGE_MORE, &id), 0);
			else if (n < 199)
				CHECK_INT(change_remove(&r, &rule, rules_find(&r.rules, &r.rules.routes, &rule.iif,
									      &rule.range)), 0);
			sync_all();
			if (!pass && n == 199) {
				up.flow.group = rule.range.flow.group;
				router_upcall(&r, &up, 1000);
			}
		}
	CHECK(r.rules.routes.n < GROW_LOOSE);
	addr_parse("10.0.0.2", 8, &up.flow.source);
	router_upcall(&r, &up, 1000);
	slot = &r.mfc.shares.slot[share_slot(FAM_4, 0)];
	CHECK_INT(slot->n, 1);
	CHECK_INT(slot->count, 2);
	end();
}

/* However much goes at once, a turn of the loop gives the places of one table back, and asks for the next turn. */
static void one_a_turn(void)
{
	unsigned turns = 0;

	start();
	apply("");
	for (unsigned o = 0; o < OWNERS; o++)
		owners[o] = owner_hold(&r.rules.owners, (const char *[]){ "x", "y", "z" }[o]);
	memset(asked, 0, sizeof asked);
	for (unsigned n = 0; n < MANY; n++)
		toggle(n, n % 2);
	sync_all();
	/* Whoever has numbers keeps all places. */
	r.readers++;
	for (unsigned n = 0; n < MANY; n++)
		toggle(n, n % 2);
	sync_all();
	r.readers--;
	for (int64_t now = 2000; !turns || router_due(&r) == r.now; now++) {
		const uint32_t *places[] = { &r.rules.routes.n, &r.rules.names.n, &r.rules.names.nlists, &r.mfc.n };
		uint32_t before[4], settled = 0;

		for (unsigned i = 0; i < 4; i++)
			before[i] = *places[i];
		router_tick(&r, now);
		for (unsigned i = 0; i < 4; i++)
			settled += *places[i] != before[i];
		CHECK(settled <= 1);
		turns += settled;
	}
	CHECK_INT(turns, 4);
	CHECK(r.has_shrunk);
	compare();
	end();
}

TEST_MAIN(TEST(in_any_order) TEST(learned) TEST(shares) TEST(one_a_turn))
