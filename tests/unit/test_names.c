/* SPDX-License-Identifier: ISC
 *
 * Names and lists stay as long as somebody refers to them, and no longer.
 */
#include "router/names.h"

#include "tests/unit/test.h"

static struct names t;

static uint16_t hold(const char *name)
{
	struct ifname ifname = ifname_of(name, strlen(name));

	return (uint16_t)name_hold(&t, &ifname);
}

static bool is_there(const char *name)
{
	struct ifname ifname = ifname_of(name, strlen(name));

	return name_find(&t, &ifname) != HASH_NONE;
}

static void counted(void)
{
	CHECK_INT(names_init(&t), 0);
	uint16_t a = hold("a");

	CHECK_INT(hold("a"), a);
	name_drop(&t, a);
	name_refer(&t, a, FAM_4, 0);
	name_drop(&t, a);
	CHECK(is_there("a") && t.nfresh == 1 && t.fresh[0] == a && !t.refs_changed);
	t.v[a].is_looked_up = t.v[a].is_met = true;
	CHECK(t.v[a].rank[FAM_4] && !t.v[a].rank[FAM_6]);
	name_refer(&t, a, FAM_4, 0);
	name_unrefer(&t, a, FAM_4, 0);
	CHECK(!t.refs_changed);
	name_unrefer(&t, a, FAM_4, 0);
	CHECK(t.refs_changed && !is_there("a"));
	/* Its place is the next one's. */
	CHECK_INT(hold("b"), a);
	CHECK(!t.v[a].rank[FAM_4]);
	names_free(&t);
}

static void lists(void)
{
	CHECK_INT(names_init(&t), 0);
	uint16_t ab[] = { hold("a"), hold("b") };
	uint32_t list = oif_list_hold(&t, ab, 2);

	name_drop(&t, ab[0]);
	name_drop(&t, ab[1]);
	CHECK(is_there("a") && is_there("b"));
	CHECK_INT(oif_list_hold(&t, ab, 2), list);
	oif_list_drop(&t, list);
	oif_list_refer(&t, list, FAM_6, 0);
	oif_list_drop(&t, list);
	CHECK_INT(t.v[ab[1]].refs[0][FAM_6], 1);
	oif_list_refer(&t, list, FAM_6, 0);
	CHECK_INT(t.v[ab[1]].refs[0][FAM_6], 1);
	oif_list_unrefer(&t, list, FAM_6, 0);
	oif_list_unrefer(&t, list, FAM_6, 0);
	CHECK(!is_there("a") && !is_there("b"));
	/* The empty one is always there. */
	CHECK_INT(oif_list_hold(&t, NULL, 0), 0);
	oif_list_drop(&t, 0);
	CHECK_INT(oif_list_hold(&t, NULL, 0), 0);
	names_free(&t);
}

/* The outputs of a list and some more, or without some, in the order in which they were named. */
static void combined(void)
{
	CHECK_INT(names_init(&t), 0);
	const uint16_t names[] = { hold("a"), hold("b"), hold("c") };
	const uint16_t more[] = { names[2], names[0], names[2] };
	uint32_t ab = oif_list_hold(&t, names, 2), abc = oif_list_hold(&t, names, 3);

	CHECK_INT(oif_list_combine(&t, ab, more, 3, false), abc);
	CHECK_INT(oif_list_combine(&t, abc, more, 1, true), ab);
	CHECK_INT(oif_list_combine(&t, abc, names, 3, true), 0);
	CHECK_INT(oif_list_combine(&t, 0, names, 2, false), ab);
	CHECK_INT(oif_list_combine(&t, ab, names, 0, false), ab);
	names_free(&t);
}

static void bound(void)
{
	CHECK_INT(names_init(&t), 0);
	uint16_t ab[] = { hold("a"), hold("b+") };

	t.v[ab[0]].bits = (struct vif_bits){ .exact = { 1, 2 }, .lacks = { 0, 1 } };
	t.v[ab[1]].bits = (struct vif_bits){ .wild = { 4, 0 } };
	uint32_t list = oif_list_hold(&t, ab, 2);

	CHECK(t.lists[list].bits.exact[FAM_4] == 1 && t.lists[list].bits.wild[FAM_4] == 4);
	CHECK(!t.lists[list].bits.lacks[FAM_4] && t.lists[list].bits.lacks[FAM_6]);
	CHECK(!oif_list_bind(&t, list));
	t.v[ab[1]].bits.wild[FAM_4] = 12;
	CHECK(oif_list_bind(&t, list));
	CHECK_INT(t.lists[list].bits.wild[FAM_4], 12);
	names_free(&t);
}

/* 65,536 names and no more. */
static void run_out(void)
{
	char s[IFNAME_SIZE];

	CHECK_INT(names_init(&t), 0);
	for (int i = 0; i <= UINT16_MAX; i++) {
		struct ifname ifname = ifname_of(s, (size_t)snprintf(s, sizeof s, "i%d", i));

		if (name_hold(&t, &ifname) != (uint32_t)i)
			test_failed++;
	}
	struct ifname more = ifname_of("more", 4);

	CHECK_INT(name_hold(&t, &more), HASH_NONE);
	name_drop(&t, 77);
	CHECK_INT(name_hold(&t, &more), 77);
	names_free(&t);
}

TEST_MAIN(TEST(counted) TEST(lists) TEST(combined) TEST(bound) TEST(run_out))
