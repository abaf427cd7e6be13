/* SPDX-License-Identifier: ISC
 *
 * The first of several with one key.
 */
#include "lib/sorted.h"

#include "tests/unit/test.h"

static int compare(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

static void first(void)
{
	static const int v[] = { 1, 3, 3, 3, 7 };
	static const struct { int key; unsigned at; } wanted[] = {
		{ 0, 0 }, { 1, 0 }, { 2, 1 }, { 3, 1 }, { 4, 4 }, { 7, 4 }, { 8, 5 },
	};

	for (unsigned i = 0; i < sizeof wanted / sizeof *wanted; i++)
		CHECK_INT(sorted_first(&wanted[i].key, v, 5, sizeof *v, compare), wanted[i].at);
	CHECK_INT(sorted_first(&v[0], v, 0, sizeof *v, compare), 0);
}

TEST_MAIN(TEST(first))
