/* SPDX-License-Identifier: ISC
 *
 * Which keyword a mistyped word was meant to be.
 */
#include "lib/near.h"

#include "tests/unit/test.h"

static const char *const words[] = { "mroute", "mgroup", "phyint", "to", "from", "ttl-threshold", "show", "doctor" };

static const char *meant(const char *s)
{
	int k = near_find(s, strlen(s), words, sizeof words / sizeof *words);

	return k < 0 ? "" : words[k];
}

static void slips(void)
{
	CHECK_INT(near_slips("shwo", 4, "show"), 1);
	CHECK_INT(near_slips("sho", 3, "show"), 0);
	CHECK(near_slips("sh", 2, "show") == NEAR_FAR);
	CHECK_INT(near_slips("shows", 5, "show"), 0);
	CHECK_INT(near_slips("shpw", 4, "show"), 1);
	CHECK_INT(near_slips("SHOW", 4, "show"), 0);
	CHECK_INT(near_slips("hsow", 4, "show"), 1);
	CHECK(near_slips("hswo", 4, "show") == NEAR_FAR);
	CHECK(near_slips("", 0, "show") == NEAR_FAR);
	CHECK(near_slips("t", 1, "to") == NEAR_FAR);
	/* Nothing behind the length is looked at. */
	CHECK_INT(near_slips("shwoxyz", 4, "show"), 1);
}

static void nearest(void)
{
	CHECK_STR(meant("mruote"), "mroute");
	CHECK_STR(meant("MROUTE"), "mroute");
	CHECK_STR(meant("mgruop"), "mgroup");
	CHECK_STR(meant("mgroupp"), "mgroup");
	CHECK_STR(meant("TO"), "to");
	CHECK_STR(meant("form"), "from");
	CHECK_STR(meant("from=eth0"), "from");
	CHECK_STR(meant("ttl-treshold"), "ttl-threshold");
	CHECK_STR(meant("tttl-thresholdd"), "ttl-threshold");
	CHECK_STR(meant("ttl"), "ttl-threshold");
	CHECK_STR(meant("dcotor"), "doctor");
	CHECK_STR(meant("eth0"), "");
	CHECK_STR(meant("tp"), "");
	CHECK_STR(meant("mrout\xc3\xa9"), "mroute");
	CHECK_STR(meant("a-word-that-is-longer-than-any-keyword-could-be"), "");
}

TEST_MAIN(TEST(slips) TEST(nearest))
