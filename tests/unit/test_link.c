/* SPDX-License-Identifier: ISC
 *
 * An interface that there was no memory for, whichever piece of it was the last: all are asked for anew.
 */
#include <stdlib.h>

#include "router/iface.h"

#include "tests/unit/scarce.h"
#include "lib/grow.c"
#include "lib/hash.c"
#include "router/iface.c"
#undef malloc
#undef calloc
#undef realloc

#include "tests/unit/engine.h"

static void no_memory(void)
{
	unsigned lost = 0;

	for (unsigned room = 0; room < 8; room++) {
		start();
		/* As many as there is room for, so that the next one needs more. */
		for (int n = 4; r.ifs.n < r.ifs.cap; n++) {
			char name[16];

			snprintf(name, sizeof name, "x%d", n);
			link_is(n, name);
		}
		CHECK_INT(apply(""), 0);
		CHECK(!r.links_lost);
		left = room;
		link_is(999, "eth9");
		left = ~0ul;
		CHECK_INT(r.links_lost, !iface_find(&r.ifs, 999));
		lost += r.links_lost;
		router_sync(&r);
		r.links_lost = false;
		link_is(999, "eth9");
		CHECK(iface_find(&r.ifs, 999) && !r.links_lost);
		end();
	}
	CHECK(lost > 0 && lost < 8);
}

TEST_MAIN(TEST(no_memory))
