/* SPDX-License-Identifier: ISC
 *
 * A configuration in the place of the live rules: what is left of the old ones, and
 * that nothing changes where memory runs out, whichever piece of it was the last.
 */
#include <stdlib.h>

#include "conf/field.h"
#include "conf/print.h"
#include "conf/read.h"
#include "tests/fake/kernel.h"
#include "tests/unit/test.h"

#include "tests/unit/scarce.h"
#include "lib/grow.c"
#include "router/apply.c"
#include "router/mfc.c"
#include "router/names.c"
#include "router/ruleset.c"
#include "lib/hash.c"
#undef malloc
#undef calloc
#undef realloc

#include "tests/unit/engine.h"

/* All that is live, as text. */
static const char *live(void)
{
	static struct buf b;
	const struct rules *tables[] = { &r.rules.joins, &r.rules.routes };

	b.len = 0;
	for (uint32_t i = 0; i < r.rules.nphyints; i++)
		print_phyint(&b, &r.rules.phyints[i]);
	for (int k = 0; k < 2; k++)
		for (uint32_t id = tables[k]->first; id != HASH_NONE; id = tables[k]->v[id].next) {
			ruleset_print(&b, &r.rules, &tables[k]->v[id], k ? "mroute" : "mgroup", 0);
			buf_chr(&b, '\n');
		}
	return buf_cstr(&b);
}

/* The claims to each route: owners and how many outputs each asks for. */
static const char *claimed(void)
{
	const struct rules *t = &r.rules.routes;
	static struct buf b;
	struct claim claim;

	b.len = 0;
	for (uint32_t id = t->first; id != HASH_NONE; id = t->v[id].next) {
		for (struct claim_walk w = claims_walk(t, id); claims_next(&w, &claim);)
			buf_printf(&b, "%s%u:%u", b.len && b.p[b.len - 1] != '\n' ? " " : "", claim.owner,
				   r.rules.names.lists[claim.oifs].n);
		buf_chr(&b, '\n');
	}
	return buf_cstr(&b);
}

static unsigned names_used(void)
{
	unsigned n = 0;

	for (uint32_t id = 0; id < r.rules.names.n; id++)
		n += name_is_used(&r.rules.names.v[id]);
	return n;
}

#define OLD "phyint eth0 enable\nmgroup from eth0 group 225.9.9.9\n" \
	    "mroute from eth0 group 225.1.1.0/24 to eth1\n" \
	    "mroute from eth0 source 10.0.0.1 group 225.1.1.1 to eth1\n" \
	    "mroute from wg0 source 10.0.0.1 group 225.1.1.1 to eth1\n"
#define NEW "phyint wg0 enable\nmgroup from eth1 group 225.9.9.8\n" \
	    "mroute from eth0 source 10.0.0.1 group 225.1.1.1 to eth1 wg1\n" \
	    "mroute from eth0 source 10.0.0.2 group 225.1.1.2 to eth1\n" \
	    "mroute from tun0 group 225.1.1.0/24 to eth1 eth0\n"

static void replaced(void)
{
	start();
	CHECK_INT(apply(OLD), 0);
	CHECK_STR(live(), OLD);
	CHECK_INT(names_used(), 3);
	CHECK_INT(r.changes.added, 1);
	CHECK_INT(apply(OLD), 0);
	CHECK_INT(r.changes.added + r.changes.changed + r.changes.removed, 0);
	CHECK_INT(apply(NEW), 0);
	CHECK_STR(live(), NEW);
	CHECK_INT(names_used(), 5);
	CHECK_INT(r.changes.added, 1);
	CHECK_INT(apply(""), 0);
	CHECK_STR(live(), "");
	CHECK_INT(names_used(), 0);
	CHECK_INT(r.mfc.by_sg.used, 0);
	end();
}

/* The numbers of rules that stay are theirs; the order is that of the file. */
static void kept(void)
{
	const struct rules *t = &r.rules.routes;

	start();
	CHECK_INT(apply("mroute from a group 225.1.1.1 to b\nmroute from a group 225.1.1.2 to b\n"), 0);
	uint32_t first = t->first, last = t->last;

	CHECK_INT(apply("mroute from a group 225.1.1.2 to b\nmroute from a group 225.1.1.3 to b\n"
			"mroute from a group 225.1.1.1 to b\n"), 0);
	CHECK_INT(t->first, last);
	CHECK_INT(t->last, first);
	CHECK(t->v[last].rank < t->v[first].rank);
	end();
}

/* Of two rules of one (S,G) the first says where its packets come in, whichever was there before. */
static void first_holder(void)
{
	static const char first[] = "mroute from eth0 source 10.0.0.1 group 225.1.1.1 to eth1\n";
	static const char both[] = "mroute from eth1 source 10.0.0.1 group 225.1.1.1 to eth0\n"
				   "mroute from eth0 source 10.0.0.1 group 225.1.1.1 to eth1\n";

	start();
	r.up[FAM_4] = false;
	CHECK_INT(apply(first), 0);
	CHECK_INT(apply(both), 0);
	router_family(&r, FAM_4, true);
	router_sync(&r);
	CHECK_INT(r.mfc.count[MFC_STATIC], 1);
	CHECK_STR(iface_str(iface_by_vif(&r.ifs, FAM_4, r.mfc.v[0].iif)), "eth1");
	end();
}

/* One output a line, as scripts write it: one rule in the end. */
static void output_by_output(void)
{
	enum { LINES = 4000 };
	struct buf text = { 0 };

	start();
	for (int i = 0; i < LINES; i++)
		buf_printf(&text, "mroute from eth0 source 10.0.0.1 group 225.1.1.1 to i%d\n", i);
	CHECK_INT(apply(buf_cstr(&text)), 0);
	CHECK_INT(r.rules.routes.live, 1);
	CHECK_INT(r.rules.names.lists[r.rules.routes.v[r.rules.routes.first].oifs].n, LINES);
	buf_free(&text);
	end();
}

/* Has an owner ask for outputs of a rule. */
static void ask(const char *owner, const char *source, const char *group, const char *oif)
{
	struct ifname out = ifname_of(oif, strlen(oif));
	struct change_rule rule = { .iif = ifname_of("eth0", 4), .oifs = &out, .noifs = 1 };
	const char *words[] = { source, group };
	uint32_t id;

	CHECK(!field_range(words + !source, source ? 2 : 1, &rule.range));
	rule.owner = owner ? owner_hold(&r.rules.owners, owner) : OWNER_UNNAMED;
	CHECK_INT(change_add(&r, &rule, CHANGE_MORE, &id), 0);
	owner_drop(&r.rules.owners, rule.owner);
	router_sync(&r);
}

#define OF_A "mroute from eth0 source 10.0.0.9 group 225.1.1.9 to eth1\n"

/* What owners with names ask for stays, behind the rules of the file or added to them; the rest of clients goes. */
static void owned(void)
{
	start();
	CHECK_INT(apply(OLD), 0);
	ask("a", "10.0.0.9", "225.1.1.9", "eth1");
	ask("a", "10.0.0.1", "225.1.1.1", "lo1");
	ask("b", "10.0.0.2", "225.1.1.2", "eth1");
	ask("b", NULL, "225.1.1.0/24", "eth1");
	ask(NULL, "10.0.0.1", "225.1.1.1", "lo2");
	ask(NULL, "10.0.0.9", "225.1.1.9", "lo2");
	ask(NULL, "10.0.0.8", "225.1.1.8", "lo2");
	CHECK_INT(apply(NEW), 0);
	CHECK_STR(live(), "phyint wg0 enable\nmgroup from eth1 group 225.9.9.8\n"
		  "mroute from eth0 source 10.0.0.1 group 225.1.1.1 to eth1 wg1 lo1\n"
		  "mroute from eth0 source 10.0.0.2 group 225.1.1.2 to eth1\n"
		  "mroute from tun0 group 225.1.1.0/24 to eth1 eth0\n"
		  "mroute from eth0 group 225.1.1.0/24 to eth1\n" OF_A);
	/* The same once more: no call of the kernel. */
	fake_journal();
	CHECK_INT(apply(NEW), 0);
	CHECK_STR(fake_journal(), "");
	CHECK_INT(apply(""), 0);
	CHECK_STR(live(), "mroute from eth0 source 10.0.0.1 group 225.1.1.1 to lo1\n"
		  "mroute from eth0 source 10.0.0.2 group 225.1.1.2 to eth1\n"
		  "mroute from eth0 group 225.1.1.0/24 to eth1\n" OF_A);
	CHECK_INT(r.rules.routes.claims.live, 0);
	CHECK_INT(change_disown(&r, owner_find(&r.rules.owners, "a")), 0);
	CHECK_INT(owner_find(&r.rules.owners, "a"), HASH_NONE);
	CHECK_INT(change_disown(&r, owner_find(&r.rules.owners, "b")), 0);
	router_sync(&r);
	CHECK_STR(live(), "");
	CHECK_INT(names_used(), 0);
	end();
}

/* As it is done between slices, which are as short as can be. */
static int apply_slowly(const struct conf *c)
{
	struct apply *a = apply_new(&r, c);
	enum apply_step step;

	if (!a)
		return -1;
	do
		step = apply_step(a, 1);
	while (step == APPLY_MORE || step == APPLY_SWITCHED);
	apply_free(a);
	return step == APPLY_FAILED ? -1 : 0;
}

/* Applies it with memory for one allocation more each time, until it works: before that all is as it was. */
static void apply_till_it_works(const struct conf *fresh)
{
	char *before = strdup(live()), *owners = strdup(claimed());
	unsigned used = names_used();
	unsigned long n = 0;
	int res = -1;

	for (; n < 1000 && res; n++) {
		left = n;
		res = apply_slowly(fresh);
		left = ~0ul;
		if (!res)
			break;
		CHECK_STR(live(), before);
		CHECK_STR(claimed(), owners);
		CHECK_INT(names_used(), used);
	}
	CHECK(n > 10 && !res);
	free(before);
	free(owners);
}

static void no_memory(void)
{
	struct conf *fresh = parse(NEW NEW);

	start();
	CHECK_INT(apply(OLD), 0);
	apply_till_it_works(fresh);
	CHECK_STR(live(), NEW);
	conf_free(fresh);
	end();
}

/* The same with rules that owners with names ask for, of all kinds. */
static void no_memory_owned(void)
{
	struct conf *fresh = parse(NEW);

	start();
	CHECK_INT(apply(OLD), 0);
	ask("a", "10.0.0.9", "225.1.1.9", "eth1");
	ask("b", "10.0.0.9", "225.1.1.9", "lo2");
	ask("a", "10.0.0.2", "225.1.1.2", "lo1");
	ask("b", "10.0.0.1", "225.1.1.1", "lo2");
	ask(NULL, NULL, "225.1.1.0/24", "lo3");
	apply_till_it_works(fresh);
	CHECK_STR(claimed(), "0:2 3:1\n0:1 2:1\n0:2\n2:1 3:1\n");
	conf_free(fresh);
	end();
}

TEST_MAIN(TEST(replaced) TEST(kept) TEST(first_holder) TEST(output_by_output)
	  TEST(owned) TEST(no_memory) TEST(no_memory_owned))
