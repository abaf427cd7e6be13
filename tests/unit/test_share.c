/* SPDX-License-Identifier: ISC
 *
 * Without memory for the share of a template its entries are in their interface's own share, and give way like blocked
 * ones; the rest is tested by test_budget.c.
 */
#include <stdlib.h>

#include "lib/grow.h"
#include "lib/hash.h"
#include "tests/fake/kernel.h"

static unsigned long left = ~0ul;	/* pieces of memory that can be had */

static void *scarce_grow(void *v, uint32_t *cap, uint64_t need, size_t size)
{
	return need <= *cap || (left && left--) ? grow(v, cap, need, size) : NULL;
}

static int scarce_reserve(struct hash *t, const struct hash_ops *ops, const void *ctx, uint32_t n)
{
	return n + n / 4 + 1 <= t->n || (left && left--) ? hash_reserve(t, ops, ctx, n) : -1;
}

#define grow scarce_grow
#define hash_reserve scarce_reserve
#include "router/share.c"
#undef grow
#undef hash_reserve

#include "tests/unit/engine.h"

static const char rules[] = "mroute from eth0 group 225.1.0.0/16 to eth1\n"
			    "mroute from eth0 group 225.2.0.0/16 to eth1\n";

static void hear(unsigned group, unsigned source)
{
	struct upcall up = { .kind = UPCALL_NOCACHE, .fam = FAM_4, .flow = {
		.source.b = { [10] = 0xff, 0xff, 10, 0, (uint8_t)(source >> 8), (uint8_t)source },
		.group.b = { [10] = 0xff, 0xff, 225, (uint8_t)group, 1, 1 },
	} };

	router_upcall(&r, &up, 1000);
	CHECK(fake_mfc(&up.flow, NULL, NULL));
}

/* However few pieces there are, each source is learned, and all are counted. */
static void without_memory(void)
{
	for (unsigned pieces = 0; pieces < 6; pieces++) {
		left = ~0ul;
		start();
		CHECK_INT(apply(rules), 0);
		r.max_dynamic = 20;
		left = pieces;
		for (unsigned i = 0; i < 100; i++) {
			hear(1, i);
			hear(2, i);
		}
		CHECK_INT(mfc_dynamic(&r.mfc), 20);
		CHECK_INT(r.mfc.shares.slot[0].count, 20);
		CHECK(pieces ? r.mfc.shares.slot[0].n <= 2 : r.mfc.shares.v[0].count == 20);
		left = ~0ul;
		hear(1, 200);
		CHECK(r.mfc.shares.slot[0].n >= 1);
		end();
	}
}

/* Not even what there is from the start. */
static void not_at_all(void)
{
	struct shares s;

	left = 0;
	CHECK_INT(shares_init(&s), -1);
	shares_free(&s);
	CHECK_INT(router_init(&r, NULL, NULL), -1);
	router_shutdown(&r);
	left = ~0ul;
}

TEST_MAIN(TEST(without_memory) TEST(not_at_all))
