/* SPDX-License-Identifier: ISC
 *
 * A table that was taken over, where memory runs out or the kernel's answers fail: the routes are what the rules want
 * afterwards, and what nothing was wrong with was not touched.  What becomes of each kind of entry is in
 * tests/scenario/mrdisc-adopt.scn.
 */
#include <stdlib.h>

#include "conf/read.h"
#include "tests/fake/kernel.h"
#include "tests/unit/test.h"

#include "tests/unit/scarce.h"
#include "lib/grow.c"
#include "router/adopt.c"
#include "router/mfc.c"
#include "lib/hash.c"
#undef malloc
#undef calloc
#undef realloc

#include "tests/unit/engine.h"

static const char rules[] = "phyint eth1 ttl-threshold 3\n"
			    "mroute from eth0 source 10.0.0.1 group 225.1.1.1 to eth1\n"
			    "mroute from eth1 source 10.0.0.2 group 225.1.1.1 to eth0\n"
			    "mroute from eth0 group 225.2.0.0/16 to eth1\n"
			    "mroute from eth0 group 225.3.3.3 kernel to eth1\n";

static struct flow flow_of(unsigned source, unsigned group)
{
	struct flow flow = { .source = { .b = { [10] = 0xff, 0xff, 10, 0, (uint8_t)(source >> 8),
						   (uint8_t)source } },
			     .group = { .b = { [10] = 0xff, 0xff, 225, (uint8_t)group, 1, 1 } } };

	return flow;
}

static void hear(unsigned source, unsigned group)
{
	struct upcall up = { UPCALL_NOCACHE, FAM_4, 0, flow_of(source, group) };

	router_upcall(&r, &up, 1000);
}

/* Four rules, `learned` flows of a template, a blocked one. */
static void fill(unsigned learned)
{
	start();
	CHECK_INT(apply(rules), 0);
	for (unsigned i = 0; i < learned; i++)
		hear(10 + i, 2);
	hear(9, 9);
}

static unsigned words;

static void note_word(void *ctx)
{
	(void)ctx;
	words++;
}

/* Lines of the journal that hold a word. */
static unsigned calls(const char *word)
{
	unsigned n = 0;

	for (const char *p = fake_journal(); (p = strstr(p, word)); p++)
		n++;
	return n;
}

static bool goes(unsigned source, unsigned group, uint32_t wanted)
{
	struct flow flow = flow_of(source, group);
	uint32_t oifs;

	return fake_mfc(&flow, NULL, &oifs) && oifs == wanted;
}

/* Nothing to do. */
static void as_it_was(void)
{
	fill(5);
	succeed();
	CHECK_INT(router_adopt(&r, FAM_4, 1000), 0);
	CHECK_INT(apply(rules), 0);
	CHECK_STR(fake_journal(), "");
	CHECK_INT(r.mfc.count[MFC_LEARNED], 5);
	CHECK_INT(r.mfc.count[MFC_BLOCKED], 1);
	CHECK_INT(r.mfc.count[MFC_STATIC], 2);
	CHECK_INT(r.mfc.count[MFC_KERNEL], 1);
	end();
}

/* Ten rules of 1,000 are others: twenty entries are touched. */
static void the_difference(void)
{
	static const char line[] = "mroute from eth0 source 10.0.0.1 group 225.%d.%u.%u to eth1\n";
	static char before[80000], after[80000];
	size_t n = 0, m = 0;

	for (unsigned i = 0; i < 1000; i++) {
		n += (size_t)snprintf(before + n, sizeof before - n, line, 4, i / 250, i % 250);
		m += (size_t)snprintf(after + m, sizeof after - m, line, i % 100 ? 4 : 5, i / 250, i % 250);
	}
	start();
	CHECK_INT(apply(before), 0);
	succeed();
	CHECK_INT(router_adopt(&r, FAM_4, 1000), 0);
	CHECK_INT(apply(after), 0);
	CHECK_INT(calls("mfc4"), 20);
	CHECK_INT(r.changes.added, 10);
	CHECK_INT(r.changes.changed, 10);	/* until they expire they are blocked */
	end();
}

/* Whichever piece of memory is the last one: either the table was read, and nothing happens, or it is made anew. */
static void without_memory(void)
{
	unsigned long n = 0;
	int res;

	do {
		fill(20);
		succeed();
		left = n;
		res = router_adopt(&r, FAM_4, 1000);
		left = ~0ul;
		CHECK(res == 0 || errno == ENOMEM);
		CHECK_INT(calls("reset4"), res < 0);
		CHECK_INT(r.mfc.count[MFC_LEARNED], res < 0 ? 0 : 22);
		CHECK_INT(apply(rules), 0);
		CHECK_INT(calls("mfc4"), res < 0 ? 3 : 0);
		CHECK_INT(fake_mfc_count(FAM_4), res < 0 ? 3 : 24);
		CHECK(goes(1, 1, 2) && goes(2, 1, 1));
		hear(10, 2);
		CHECK(goes(10, 2, 2));
		end();
	} while (res < 0 && n++ < 100);
	CHECK(n > 3 && n < 100);
}

/* Answers that fail, one of them half-way. */
static void failing_answers(void)
{
	static const char *const verbs[] = { "vifs_read", "mfc_read" };

	for (unsigned i = 0; i < 2; i++) {
		fill(20);
		succeed();
		fake_fail(verbs[i], ENOBUFS, 1);
		CHECK(router_adopt(&r, FAM_4, 1000) < 0 && errno == ENOBUFS);
		CHECK_INT(fake_mfc_count(FAM_4), 0);
		CHECK_INT(apply(rules), 0);
		CHECK(goes(1, 1, 2) && goes(2, 1, 1));
		CHECK_INT(fake_mfc_count(FAM_4), 3);
		CHECK(!r.has_old_numbers[FAM_4]);
		end();
		/* Not even an empty table can be had. */
		fill(20);
		succeed();
		fake_fail(verbs[i], ENOBUFS, 1);
		fake_fail("mroute_reset", EIO, 1);
		CHECK(router_adopt(&r, FAM_4, 1000) < 0 && errno == ENOBUFS);
		CHECK_INT(kernel_mroute_fd(FAM_4), -1);
		CHECK(!r.up[FAM_4]);
		CHECK_INT(apply(rules), 0);
		CHECK_INT(fake_mfc_count(FAM_4), 0);
		end();
	}
}

/* A router that goes on itself, after another process has had its sockets and changed what it liked. */
static void back_again(void)
{
	static const uint8_t ttl[KERNEL_VIFS] = { 1, 1, 1 };
	struct flow flow;

	fill(3);
	flow = flow_of(1, 1);
	CHECK_INT(kernel_mfc_add(&flow, 0, 0, ttl), 0);
	flow = flow_of(2, 1);
	CHECK_INT(kernel_mfc_del(&flow, 1), 0);
	flow = flow_of(77, 7);
	CHECK_INT(kernel_mfc_add(&flow, 1, 1, ttl), 0);
	CHECK_INT(kernel_vif_add(FAM_4, 9, 2, 1), 0);
	flow = flow_of(10, 2);
	CHECK_INT(kernel_mfc_add(&flow, 0, 2, ttl), 0);
	fake_journal();
	CHECK_INT(router_adopt(&r, FAM_4, 1000), 0);
	router_sync(&r);
	CHECK(goes(1, 1, 2) && goes(2, 1, 1) && goes(77, 7, 0) && goes(10, 2, 2) && goes(11, 2, 2));
	CHECK_STR(fake_journal(),
		  "mfc4 add (10.0.0.2,225.1.1.1) iif 1 oifs 0\n"
		  "mfc4 add (10.0.0.1,225.1.1.1) iif 0 oifs 1 ttl 3\n"
		  "mfc4 add (10.0.0.77,225.7.1.1) iif 1 oifs -\n"
		  "mfc4 add (10.0.0.10,225.2.1.1) iif 0 oifs 1 ttl 3\n"
		  "vif4 del 9\n");
	router_sync(&r);
	CHECK_STR(fake_journal(), "");
	end();
}

/* Fewer learned ones are allowed than there are: the longest idle go, blocked ones first. */
static void too_many(void)
{
	struct flow flow;

	fill(10);
	for (unsigned i = 0; i < 10; i++) {
		flow = flow_of(10 + i, 2);
		fake_set_idle(&flow, i == 4 ? 59000 : i == 7 ? 58000 : i * 100);
	}
	succeed();
	r.max_dynamic = 8;
	CHECK_INT(router_adopt(&r, FAM_4, 100000), 0);
	CHECK_INT(apply(rules), 0);
	CHECK_STR(fake_journal(), "mfc4 del (10.0.0.9,225.9.1.1)\n"
		  "mfc4 del (10.0.0.14,225.2.1.1)\n"
		  "mfc4 del (10.0.0.17,225.2.1.1)\n");
	end();
}

/* Whoever waits for this one hears that it goes on. */
static void very_many(void)
{
	static const struct router_ops ops = { .adopting = note_word };

	fill(3000);
	succeed();
	r.ops = &ops;
	CHECK_INT(router_adopt(&r, FAM_4, 1000), 0);
	r.ops = NULL;
	CHECK_INT(words, 2);
	CHECK_INT(r.mfc.count[MFC_LEARNED], 3002);
	end();
}

/* Nobody knows yet what is wanted: links that come meanwhile change nothing. */
static void before_the_rules(void)
{
	fill(2);
	succeed();
	CHECK_INT(router_adopt(&r, FAM_4, 1000), 0);
	link_is(4, "eth2");
	router_sync(&r);
	CHECK_STR(fake_journal(), "");
	CHECK_INT(apply(rules), 0);
	CHECK_STR(fake_journal(), "");
	end();
}

/* Packets of router discovery within 8 s, of a kind. */
static unsigned advertised(const char *kind)
{
	unsigned n = 0;
	int64_t end = r.now + 8000;

	for (int64_t now = r.now; now < end; now += 100)
		router_tick(&r, now);
	for (const char *at = fake_journal(); at && (at = strstr(at, kind)); at++)
		n++;
	return n;
}

/* A successor that failed may have said that this is no router any more: it is said again that it is. */
static void says_that_it_goes_on(void)
{
	if (!WITH_MRDISC)
		return;
	start();
	r.mrdisc->up[FAM_4] = kernel_mrdisc_open(FAM_4) == 0;
	CHECK_INT(apply("phyint eth0 mrdisc\nmroute from eth0 group 225.2.0.0/16 to eth1\n"), 0);
	fake_journal_on(true);
	CHECK_INT(advertised("mrdisc4 advert if2"), MRDISC_INITIAL);
	CHECK_INT(router_adopt(&r, FAM_4, r.now), 0);
	router_sync(&r);
	CHECK_INT(advertised("mrdisc4 advert if2"), MRDISC_INITIAL);
	end();
}

TEST_MAIN(TEST(says_that_it_goes_on) TEST(as_it_was) TEST(the_difference) TEST(without_memory)
	  TEST(failing_answers) TEST(back_again) TEST(too_many) TEST(very_many) TEST(before_the_rules))
