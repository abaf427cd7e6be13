/* SPDX-License-Identifier: ISC
 *
 * Names of owners: which are good, how long one stays, and how many there can be.
 */
#include "router/owners.h"

#include <errno.h>

#include "tests/unit/test.h"

static void names(void)
{
	static const char *const good[] = { "a", "docker", "net.d_2-x", "0", "_", ".x", "Config" };
	static const char *const bad[] = { "", "-x", "a b", "a/b", "a\n", "\033[31m", "a\"", "\xc3\xa4", "a;b", "$x",
					   "config", "unnamed" };
	char longest[OWNER_NAME_MAX + 2] = "";

	for (size_t i = 0; i < sizeof good / sizeof *good; i++)
		CHECK(!owner_check(good[i]));
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		CHECK(owner_check(bad[i]));
	memset(longest, 'x', OWNER_NAME_MAX);
	CHECK(!owner_check(longest));
	longest[OWNER_NAME_MAX] = 'x';
	CHECK(owner_check(longest));
}

static void lives(void)
{
	struct owners t = { 0 };
	uint32_t a = owner_hold(&t, "a"), b = owner_hold(&t, "b");

	CHECK(a >= OWNER_NAMED && b >= OWNER_NAMED && a != b);
	CHECK_INT(owner_hold(&t, "a"), a);
	owner_drop(&t, a);
	CHECK_INT(owner_find(&t, "a"), a);
	CHECK_STR(owner_name(&t, a), "a");
	CHECK_STR(owner_name(&t, OWNER_CONFIG), "config");
	owner_drop(&t, a);
	CHECK_INT(owner_find(&t, "a"), HASH_NONE);
	CHECK_INT(owner_find(&t, "b"), b);
	/* Its number is free again. */
	CHECK_INT(owner_hold(&t, "c"), a);
	CHECK_STR(owner_name(&t, a), "c");
	owner_refer(&t, OWNER_UNNAMED);
	owner_drop(&t, OWNER_UNNAMED);
	owners_free(&t);
}

static void many(void)
{
	struct owners t = { 0 };
	uint32_t n = 0, owner = 0;
	char name[16];

	for (; owner != HASH_NONE; n++) {
		snprintf(name, sizeof name, "o%u", n);
		owner = owner_hold(&t, name);
	}
	CHECK_INT(errno, ENOSPC);
	CHECK_INT(n - 1, OWNER_SEVERAL - OWNER_NAMED);
	owner_drop(&t, OWNER_NAMED + 7);
	CHECK_INT(owner_hold(&t, "last"), OWNER_NAMED + 7);
	owners_free(&t);
}

TEST_MAIN(TEST(names) TEST(lives) TEST(many))
