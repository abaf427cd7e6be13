/* SPDX-License-Identifier: ISC
 *
 * Claims of several owners, held against a list of who asked for what; and that nothing changes where memory runs out,
 * whichever piece of it was the last.
 */
#include <stdlib.h>

#include "router/claims.h"
#include "tests/fake/kernel.h"
#include "tests/unit/test.h"

#include "tests/unit/scarce.h"
#include "lib/grow.c"
#include "lib/hash.c"
#include "router/change.c"
#include "router/claims.c"
#include "router/names.c"
#include "router/owners.c"
#include "router/ruleset.c"
#undef malloc
#undef calloc
#undef realloc

#include "tests/unit/engine.h"

static const char *const oif_names[] = { "eth1", "eth2", "eth3" };

/* A rule from eth0 for 225.1.1.n with those of oif_names that are bits of `oifs`. */
static struct change_rule rule_of(unsigned n, unsigned oifs, uint32_t owner)
{
	static struct ifname v[3];
	struct change_rule rule = { .iif = ifname_of("eth0", 4), .oifs = v, .owner = owner };
	char group[16];

	snprintf(group, sizeof group, "225.1.1.%u", n);
	addr_any(FAM_4, &rule.range.flow.source, &rule.range.source_len);
	prefix_parse(group, strlen(group), &rule.range.flow.group, &rule.range.group_len);
	for (unsigned i = 0; i < 3; i++)
		if (oifs >> i & 1)
			v[rule.noifs++] = ifname_of(oif_names[i], 4);
	return rule;
}

static uint32_t find(const struct change_rule *rule)
{
	return rules_find(&r.rules, &r.rules.routes, &rule->iif, &rule->range);
}

/* A list of names as bits of oif_names. */
static unsigned bits_of(uint32_t oifs)
{
	const struct oif_list *list = &r.rules.names.lists[oifs];
	unsigned bits = 0;

	for (uint32_t i = 0; i < list->n; i++)
		bits |= 1u << (r.rules.names.v[list->names[i]].ifname.text[3] - '1');
	return bits;
}

#define OWNERS 6
#define RULES 3

/* What each owner asks for of each rule: -1 nothing, else bits of outputs. */
static int asked[RULES][OWNERS];

/* Everything that is there is what was asked for. */
static void compare(void)
{
	uint32_t shared = 0, claims = 0;

	for (unsigned n = 0; n < RULES; n++) {
		struct change_rule rule = rule_of(n, 0, 0);
		uint32_t id = find(&rule);
		unsigned all = 0, count = 0;
		struct claim claim;

		for (uint32_t o = 0; o < OWNERS; o++) {
			if (asked[n][o] < 0)
				continue;
			count++;
			all |= (unsigned)asked[n][o];
			CHECK(id != HASH_NONE && claims_find(&r.rules.routes, id, o, &claim) &&
			      (int)bits_of(claim.oifs) == asked[n][o]);
		}
		CHECK_INT(id != HASH_NONE, count > 0);
		if (!count)
			continue;
		CHECK_INT(bits_of(r.rules.routes.v[id].oifs), all);
		shared += count > 1;
		claims += count > 1 ? count : 0;
		for (struct claim_walk w = claims_walk(&r.rules.routes, id); claims_next(&w, &claim); count--)
			CHECK(claim.owner < OWNERS && asked[n][claim.owner] >= 0);
		CHECK_INT(count, 0);
	}
	CHECK_INT(r.rules.routes.claims.live, claims);
	CHECK_INT(r.rules.routes.claims.by_rule.used, shared);
}

/* What taking outputs back means for one who asks for `had`, others or not. */
static int without(int had, unsigned oifs, bool has_others)
{
	int rest = had & ~(int)oifs;

	return had < 0 || !(had & (int)oifs) ? had : !rest && has_others ? -1 : rest;
}

static bool has_others(unsigned n, uint32_t owner)
{
	for (uint32_t o = 0; o < OWNERS; o++)
		if (o != owner && asked[n][o] >= 0)
			return true;
	return false;
}

/* Notes a change that was made. */
static void note(unsigned n, unsigned verb, uint32_t owner, unsigned oifs)
{
	int *of = asked[n];
	bool is_unnamed = owner < OWNER_NAMED;

	if (verb == 0 && (!is_unnamed || of[OWNER_CONFIG] < 0 || (oifs & ~(unsigned)of[OWNER_CONFIG])))
		of[owner] = (of[owner] < 0 ? 0 : of[owner]) | (int)oifs;
	if (verb == 1 || (verb == 2 && !oifs))
		for (uint32_t o = 0; is_unnamed && o < OWNER_NAMED; o++)
			of[o] = -1;
	if (verb == 1)
		of[owner] = (int)oifs;
	else if (verb == 2 && !oifs)
		of[owner] = -1;
	else if (verb == 2)
		for (uint32_t o = is_unnamed ? 0 : owner; o <= (is_unnamed ? OWNER_NAMED - 1 : owner); o++)
			of[o] = without(of[o], oifs, has_others(n, o));
}

/* The engine on the fake kernel, with the owners held that are not there yet; each has the number that it has here. */
static void begin(void)
{
	char name[2] = "a";

	start();
	for (unsigned n = 0; n < RULES; n++)
		for (unsigned o = 0; o < OWNERS; o++)
			asked[n][o] = -1;
	for (uint32_t o = OWNER_NAMED; o < OWNERS; o++, ++*name)
		CHECK_INT(owner_hold(&r.rules.owners, name), o);
}

/* Does a change: 0, or -1. */
static int change(unsigned n, unsigned verb, uint32_t owner, unsigned oifs)
{
	struct change_rule rule = rule_of(n, oifs, owner);
	uint32_t id = find(&rule);

	if (verb < 2)
		return change_add(&r, &rule, verb == 1 ? CHANGE_REPLACE : CHANGE_MORE, &id);
	return id == HASH_NONE ? -1 : change_remove(&r, &rule, id);
}

/* A file with some rules in the place of the last one; the same once more changes nothing. */
static void reload(uint32_t bits)
{
	struct buf text = { 0 };

	for (unsigned k = 0; k < RULES; k++, bits >>= 4) {
		/* In an order of its own. */
		unsigned n = (k + bits / 8) % RULES, oifs = bits & 7;

		asked[k][OWNER_CONFIG] = asked[k][OWNER_UNNAMED] = -1;
		if (bits & 8)
			buf_printf(&text, "mroute from eth0 group 225.1.1.%u%s%s%s%s\n", n, oifs ? " to" : "",
				   oifs & 1 ? " eth1" : "", oifs & 2 ? " eth2" : "", oifs & 4 ? " eth3" : "");
	}
	for (const char *line = buf_cstr(&text); *line; line = strchr(line, '\n') + 1) {
		unsigned n = (unsigned)(line[strlen("mroute from eth0 group 225.1.1.")] - '0'), oifs = 0;
		size_t len = strcspn(line, "\n");

		for (unsigned i = 0; i < 3; i++)
			if (memmem(line, len, oif_names[i], 4))
				oifs |= 1u << i;
		asked[n][OWNER_CONFIG] = (int)oifs | (asked[n][OWNER_CONFIG] < 0 ? 0 : asked[n][OWNER_CONFIG]);
	}
	CHECK_INT(apply(buf_cstr(&text)), 0);
	fake_journal();
	CHECK_INT(apply(buf_cstr(&text)), 0);
	CHECK_STR(fake_journal(), "");
	CHECK_INT(r.changes.added + r.changes.changed + r.changes.removed, 0);
	buf_free(&text);
}

static void random_changes(void)
{
	uint64_t random = 1;

	begin();
	for (int i = 0; i < 20000; i++) {
		random = random * 6364136223846793005u + 1442695040888963407u;
		uint32_t bits = (uint32_t)(random >> 33);
		unsigned n = bits % RULES, verb = bits / 8 % 3, oifs = bits / 64 % 8;
		uint32_t owner = bits / 1024 % OWNERS;

		change(n, verb, owner, oifs);
		note(n, verb, owner, oifs);
		if (bits / 65536 % 16 == 1)
			reload(bits);
		if (bits / 65536 % 16 == 0 && owner >= OWNER_NAMED) {
			CHECK_INT(change_disown(&r, owner), 0);
			for (n = 0; n < RULES; n++)
				asked[n][owner] = -1;
		}
		router_sync(&r);
		compare();
	}
	end();
}

/* Each of these changes with each piece of memory missing: it fails and nothing is different, or it is done. */
static void no_memory(void)
{
	static const struct { unsigned verb; uint32_t owner; unsigned oifs; } steps[] = {
		{ 0, 0, 1 }, { 0, 2, 2 }, { 0, 3, 4 }, { 1, 3, 3 }, { 0, 1, 4 }, { 2, 3, 1 }, { 2, 0, 0 }, { 2, 2, 0 },
		{ 2, 3, 0 },
	};

	begin();
	for (size_t k = 0; k < sizeof steps / sizeof *steps; k++) {
		int res = -1;

		for (unsigned long n = 0; n < 100 && res; n++) {
			errno = 0;
			left = n;
			res = change(0, steps[k].verb, steps[k].owner, steps[k].oifs);
			left = ~0ul;
			if (!res)
				note(0, steps[k].verb, steps[k].owner, steps[k].oifs);
			compare();
		}
		CHECK_INT(res, 0);
		router_sync(&r);
	}
	CHECK_INT(r.rules.routes.live, 0);
	end();
}

/* A membership goes with the last who wants it. */
static void joins(void)
{
	const struct ifname eth0 = ifname_of("eth0", 4);
	struct change_rule rule = rule_of(9, 0, 0);
	const struct rules *t = &r.rules.joins;

	begin();
	CHECK_INT(apply("mgroup from eth0 group 225.9.9.9\n"), 0);
	for (uint32_t o = 1; o < 4; o++)
		CHECK_INT(change_join(&r, &eth0, &rule.range, o), 0);
	CHECK_INT(change_join(&r, &eth0, &rule.range, 2), 0);
	CHECK_INT(t->live, 2);
	CHECK_INT(r.groups->live, 2);
	CHECK_INT(apply(""), 0);
	CHECK_INT(t->live, 1);
	CHECK_INT(r.groups->live, 1);
	CHECK_INT(change_leave(&r, t->first, 0), -1);
	CHECK_INT(change_join(&r, &eth0, &rule.range, 1), 0);
	CHECK_INT(change_leave(&r, t->first, 2), 0);
	CHECK_INT(change_leave(&r, t->first, 2), -1);
	CHECK_INT(errno, ENOENT);
	CHECK_INT(change_leave(&r, t->first, 0), 0);
	CHECK_INT(r.groups->live, 1);
	CHECK_INT(change_leave(&r, t->first, 3), 0);
	CHECK_INT(r.groups->live, 0);
	CHECK_INT(t->live, 0);
	CHECK_INT(t->claims.live, 0);
	end();
}

/* What a packet has to look through is bounded, but for what is restored. */
static void costs(void)
{
	struct change_rule rule = rule_of(1, 1, OWNER_UNNAMED);
	uint32_t id;
	uint8_t sources = 32, groups;

	begin();
	for (int err = 0; !err; sources--)
		for (groups = 32; !err && groups > 3; groups--) {
			rule.range.source_len = (uint8_t)(ADDR_V4_BITS + sources);
			rule.range.group_len = (uint8_t)(ADDR_V4_BITS + groups);
			addr_mask(&rule.range.flow.group, rule.range.group_len);
			err = change_add(&r, &rule, CHANGE_MORE, &id) < 0 ? errno : 0;
			CHECK(!err || err == EMLINK);
		}
	CHECK_INT(r.rules.routes.live, CHANGE_LENGTHS);
	CHECK_INT(change_add(&r, &rule, CHANGE_RESTORE, &id), 0);
	CHECK_INT(r.rules.routes.lengths.n, CHANGE_LENGTHS + 1);
	CHECK_INT(change_add(&r, &rule, CHANGE_REPLACE, &id), 0);
	for (unsigned n = 1; n <= CHANGE_IIFS; n++) {
		char name[16];

		rule.iif = ifname_of(name, (size_t)snprintf(name, sizeof name, "n%u", n));
		CHECK_INT(change_add(&r, &rule, CHANGE_MORE, &id), n < CHANGE_IIFS ? 0 : -1);
	}
	CHECK_INT(errno, EMLINK);
	end();
}

TEST_MAIN(TEST(random_changes) TEST(no_memory) TEST(joins) TEST(costs))
