/* SPDX-License-Identifier: ISC
 *
 * How many sources of a group are joined on an interface, where that has a limit; and that the engine lives with it.
 */
#include "kernel/sources.h"

#include "router/group.h"
#include "tests/fake/memory.h"
#include "tests/unit/engine.h"

#define SOURCES KERNEL_GROUP_SOURCES

static struct addr group_of(unsigned n)
{
	return (struct addr){ .b = { [10] = 0xff, 0xff, 232, 1, (uint8_t)(n >> 8), (uint8_t)n } };
}

static void join_all(int ifindex, const struct addr *group)
{
	for (unsigned i = 0; i < SOURCES; i++) {
		CHECK(sources_have_room(ifindex, group));
		sources_more(ifindex, group);
	}
}

static void without_a_limit(void)
{
	struct addr group = group_of(1);

	fake_reset();
	for (unsigned i = 0; i < 2 * SOURCES; i++) {
		CHECK(sources_have_room(2, &group));
		sources_more(2, &group);
	}
	sources_less(2, &group);
}

/* Each group of each interface has its own; one that is left makes room for one. */
static void limit(void)
{
	struct addr group = group_of(1), other = group_of(2);

	fake_reset();
	fake_be_freebsd();
	join_all(2, &group);
	CHECK(!sources_have_room(2, &group));
	CHECK(sources_have_room(3, &group) && sources_have_room(2, &other));
	sources_less(2, &group);
	CHECK(sources_have_room(2, &group));
	sources_more(2, &group);
	CHECK(!sources_have_room(2, &group));
	sources_forget();
	CHECK(sources_have_room(2, &group));
}

/* Groups that are left make place for others, and none of what is counted is lost by that. */
static void many_groups(void)
{
	struct addr group;

	fake_reset();
	fake_be_freebsd();
	for (unsigned g = 0; g < 300; g++) {
		group = group_of(g);
		if (g % 3 == 0)
			join_all(2, &group);
		else if (sources_have_room(2, &group))
			sources_more(2, &group);
	}
	for (unsigned g = 0; g < 300; g++) {
		group = group_of(g);
		if (g % 3)
			sources_less(2, &group);
	}
	for (unsigned g = 0; g < 300; g++) {
		group = group_of(g);
		CHECK(sources_have_room(2, &group) == (g % 3 != 0));
	}
	/* One that was never joined. */
	group = group_of(999);
	sources_less(2, &group);
	sources_forget();
}

/* Without memory to count it nothing is joined. */
static void without_memory(void)
{
	struct addr group = group_of(1);

	fake_reset();
	fake_be_freebsd();
	for (unsigned n = 0; n < 2; n++) {
		memory_scarce(n, 1);
		CHECK(!sources_have_room(2, &group));
		memory_plenty();
	}
	CHECK(sources_have_room(2, &group));
}

static void settle(void)
{
	while (router_due(&r) && router_due(&r) <= r.now)
		router_tick(&r, r.now);
}

/* 512 sources are asked for: those beyond the limit fail, and are joined as soon as others are left.  The fake kernel
 * ends the test at one too many. */
static void engine_lives_with_it(void)
{
	static const char half[] = "mgroup from eth0 source 10.0.2.0/25 group 232.1.1.1\n";

	start();
	fake_be_freebsd();
	CHECK_INT(apply("mgroup from eth0 source 10.0.0.0/23 group 232.1.1.1\n"
			"mgroup from eth1 source 10.0.0.0/25 group 232.1.1.1\n"), 0);
	settle();
	CHECK_INT(fake_join_count(FAM_4), SOURCES + 128);
	CHECK_INT(r.groups->failed, 512 - SOURCES);
	CHECK_INT(apply(half), 0);
	settle();
	CHECK_INT(fake_join_count(FAM_4), 128);
	CHECK_INT(r.groups->failed, 0);
	/* The interface goes, with all that is joined there, and comes with another number. */
	fake_link_del(2);
	router_link_event(&r, &(struct link_event){ .kind = LINK_DEL, .ifindex = 2 });
	link_is(9, "eth0");
	router_sync(&r);
	settle();
	CHECK_INT(fake_join_count(FAM_4), 128);
	/* Or with the same. */
	fake_link_del(9);
	router_link_event(&r, &(struct link_event){ .kind = LINK_DEL, .ifindex = 9 });
	link_is(9, "eth0");
	CHECK_INT(apply(half), 0);
	settle();
	CHECK_INT(fake_join_count(FAM_4), 128);
	end();
}

/* While one router takes over from another both have theirs joined. */
static void two_at_once(void)
{
	start();
	fake_be_freebsd();
	CHECK_INT(apply("mgroup from eth0 source 10.0.0.0/23 group 232.1.1.1\n"), 0);
	settle();
	CHECK_INT(fake_join_count(FAM_4), SOURCES);
	succeed();
	CHECK_INT(kernel_adopt("member.1", -1, 0), 0);
	CHECK(router_adopt(&r, FAM_4, 1000) < 0 || !r.groups->failed);
	CHECK_INT(apply("mgroup from eth0 source 10.0.4.0/23 group 232.1.1.1\n"), 0);
	settle();
	CHECK_INT(fake_join_count(FAM_4), SOURCES);
	CHECK_INT(kernel_join_settled(), 1);
	end();
}

TEST_MAIN(TEST(without_a_limit) TEST(limit) TEST(many_groups) TEST(without_memory) TEST(engine_lives_with_it)
	  TEST(two_at_once))
