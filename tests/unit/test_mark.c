/* SPDX-License-Identifier: ISC
 *
 * What is marked is looked at in the end, even where memory for the marks runs out.
 */
#include <stdlib.h>

#include "conf/print.h"
#include "conf/read.h"
#include "lib/grow.h"
#include "tests/fake/kernel.h"
#include "tests/unit/test.h"

static unsigned long left = ~0ul;	/* pieces of memory that the files below can have before one cannot be had */

static bool had(void)
{
	return left && left--;
}

static void *starving_grow(void *v, uint32_t *cap, uint64_t need, size_t size)
{
	return need <= *cap || had() ? grow(v, cap, need, size) : NULL;
}

static int starving_reserve(struct hash *t, const struct hash_ops *ops, const void *ctx, uint32_t n)
{
	return n + n / 4 + 1 <= t->n || had() ? hash_reserve(t, ops, ctx, n) : -1;
}

#define malloc(n) (had() ? (malloc)(n) : NULL)
#define realloc(p, n) (had() ? (realloc)(p, n) : NULL)
#define grow starving_grow
#define hash_reserve starving_reserve
#include "router/mark.c"
#include "router/mfc.c"
#include "router/names.c"
#include "router/router.c"
#include "router/ruleset.c"
#undef malloc
#undef realloc
#undef grow
#undef hash_reserve

#include "tests/unit/engine.h"

static struct flow flow_of(const char *source, const char *group)
{
	struct flow flow = { 0 };

	CHECK_INT(addr_parse(source, strlen(source), &flow.source), 0);
	CHECK_INT(addr_parse(group, strlen(group), &flow.group), 0);
	return flow;
}

/* The range of a template is looked at, when nothing can be written down. */
static void template_without_memory(void)
{
	struct upcall up = { .kind = UPCALL_NOCACHE, .fam = FAM_4, .vif = 1, .flow = flow_of("10.0.0.1", "225.1.1.1") };
	struct change_rule rule = { .iif = ifname_of("eth0", 4) };
	uint32_t id, oifs;

	start();
	CHECK_INT(apply("phyint eth1 enable\nmroute from eth0 group 225.1.1.0/24 to eth1\n"), 0);
	router_upcall(&r, &up, 1000);
	CHECK(fake_mfc(&up.flow, NULL, &oifs) && oifs == 1);
	rule.range = r.rules.routes.v[r.rules.routes.first].range;
	CHECK_INT(change_add(&r, &rule, CHANGE_REPLACE, &id), 0);
	left = 0;
	router_sync(&r);
	left = ~0ul;
	CHECK(fake_mfc(&up.flow, NULL, &oifs) && oifs == 0);
	end();
}

/* A rule that could not be added is not there; one that was is in the kernel. */
static void flow_without_memory(void)
{
	struct flow flow = flow_of("10.0.0.1", "225.1.1.1");
	struct change_rule rule = { .iif = ifname_of("eth0", 4), .range = flow_range_of(&flow) };
	unsigned long n = 0;
	int res = -1;

	for (; n < 100 && res; n++) {
		uint32_t id;

		start();
		CHECK_INT(apply("mroute from eth0 group 225.1.2.0/24 to eth1\n"), 0);
		left = n;
		res = change_add(&r, &rule, CHANGE_MORE, &id);
		router_sync(&r);
		left = ~0ul;
		CHECK_INT(r.rules.routes.live, res ? 1 : 2);
		CHECK_INT(fake_mfc(&flow, NULL, NULL), !res);
		end();
	}
	CHECK(n > 2 && !res);
}

/* What bind_names() had no memory for is made good by the next reload. */
static void bound_without_memory(void)
{
	static const char text[] = "mroute from eth2 source 10.0.0.1 group 225.1.1.1 to eth1\n";
	struct flow flow = flow_of("10.0.0.1", "225.1.1.1");

	for (unsigned long n = 0; n < 10; n++) {
		start();
		CHECK_INT(apply(text), 0);
		link_is(4, "eth2");
		left = n;
		router_sync(&r);
		left = ~0ul;
		CHECK_INT(apply(text), 0);
		CHECK(fake_mfc(&flow, NULL, NULL));
		end();
	}
}

/* One range that is marked again is one. */
static void marked_twice(void)
{
	start();
	CHECK_INT(apply("mroute from eth0 group 225.1.1.0/24\nmroute from eth0 group 225.1.2.0/24\n"), 0);
	const struct rules *t = &r.rules.routes;

	mark_entries_in(&r, &t->v[t->first].range);
	mark_entries_in(&r, &t->v[t->first].range);
	CHECK_INT(r.touched.n, 1);
	mark_entries_in(&r, &t->v[t->last].range);
	CHECK_INT(r.touched.n, 2);
	CHECK(mark_touched(&r, UINT32_MAX));
	CHECK_INT(r.touched.n, 0);
	end();
}

TEST_MAIN(TEST(template_without_memory) TEST(flow_without_memory) TEST(bound_without_memory) TEST(marked_twice))
