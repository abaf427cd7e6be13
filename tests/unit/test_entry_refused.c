/* SPDX-License-Identifier: ISC
 *
 * What the kernel refuses, more than once in a row: the mirror has what the kernel has, and it is tried again.  By
 * chance test_router.c does so too.
 */
#include <errno.h>
#include <stdlib.h>

#include "tests/fake/memory.h"
#include "tests/unit/engine.h"

static const char rules[] = "mroute from eth0 group 225.1.1.1 to eth1\n"
			    "mroute from eth1 group 225.1.1.1 to eth0\n";

static struct upcall upcall_of(const char *source, const char *group, int vif)
{
	struct upcall up = { .fam = FAM_4, .vif = vif };

	addr_parse(source, strlen(source), &up.flow.source);
	addr_parse(group, strlen(group), &up.flow.group);
	return up;
}

static const struct mfc *entry_of(const struct flow *flow)
{
	uint32_t at = mfc_find(&r.mfc, flow);

	return at == HASH_NONE ? NULL : &r.mfc.v[at];
}

/* The mirror is true: it has so many entries in the kernel as that has. */
static unsigned installed(void)
{
	unsigned n = 0;

	for (uint32_t at = 0; at < r.mfc.n; at++)
		n += r.mfc.v[at].state != MFC_FREE && r.mfc.v[at].flags & MFC_INSTALLED;
	CHECK_INT(fake_mfc_count(FAM_4), n);
	return n;
}

static void retry(void)
{
	CHECK(r.retry_due);
	router_tick(&r, r.retry_due);
	while (router_is_busy(&r))
		router_tick(&r, r.now);
}

/* One that the kernel asks for again is neither taken out nor put in. */
static void asked_again(void)
{
	struct upcall up = upcall_of("10.0.0.1", "225.1.1.1", 0);

	start();
	CHECK_INT(apply(rules), 0);
	router_upcall(&r, &up, 1000);
	fake_fail("mfc_del", ENOMEM, 1);
	fake_fail("mfc_add", ENOMEM, 1);
	router_upcall(&r, &up, 1000);
	CHECK_INT(installed(), 1);
	fake_fail("mfc_add", 0, 0);
	retry();
	CHECK_INT(installed(), 1);
	end();
}

/* What an entry counted before it was taken out for that keeps it, and that is no change. */
static void asked_again_counts(void)
{
	struct upcall up = upcall_of("10.0.0.1", "225.1.1.1", 0);

	start();
	CHECK_INT(apply(rules), 0);
	router_upcall(&r, &up, 1000);
	fake_set_stats(&up.flow, 5, 500, 0);
	router_upcall(&r, &up, 30000);
	CHECK_INT(mfc_use(&r.mfc, mfc_find(&r.mfc, &up.flow))->used, 30000 / MFC_TICK);
	CHECK_INT(r.changes.added, 1);
	CHECK_INT(r.changes.removed, 0);
	end();
}

/* Packets without a source are let go of by an entry that cannot be removed. */
static void nobody(void)
{
	struct upcall up = upcall_of("0.0.0.0", "225.1.1.1", 0);

	start();
	CHECK_INT(apply(rules), 0);
	fake_fail("mfc_del", ENOMEM, 2);
	router_upcall(&r, &up, 1000);
	CHECK_INT(installed(), 1);
	retry();
	CHECK_INT(installed(), 1);
	retry();
	CHECK_INT(installed(), 0);
	end();
}

/* So it is where there is no more memory, and one of a rule is let alone. */
static void nobody_more(void)
{
	struct upcall up = upcall_of("0.0.0.0", "225.2.2.2", 0);

	start();
	memory_scarce(0, 1000);
	fake_fail("mfc_del", ENOMEM, 1);
	router_upcall(&r, &up, 1000);
	memory_plenty();
	CHECK_INT(installed(), 0);
	CHECK_INT(apply("mroute from eth0 group 225.2.2.2 kernel to eth1\n"), 0);
	CHECK_INT(installed(), 1);
	fake_fail("mfc_del", 0, 0);
	router_upcall(&r, &up, 1000);
	CHECK_INT(installed(), 1);
	end();
}

/* A new source without memory, and the entry that lets its packets go stays. */
static void no_memory(void)
{
	struct upcall up = upcall_of("10.0.0.1", "225.1.1.1", 0);

	start();
	CHECK_INT(apply(rules), 0);
	memory_scarce(0, 1000);
	for (uint8_t n = 0; n < 100; n++) {
		up.flow.source.b[15] = n;
		fake_fail("mfc_del", ENOMEM, 1);
		router_upcall(&r, &up, 1000);
		installed();
	}
	CHECK(r.count.refused);
	memory_plenty();
	end();
}

/* Counters that cannot be read say nothing about whether the entry is there, or is in use. */
static void unread(void)
{
	struct upcall up = upcall_of("10.0.0.1", "225.1.1.1", 0);
	const struct mfc *e;

	start();
	r.expire_sec = 10;
	CHECK_INT(apply(rules), 0);
	router_upcall(&r, &up, 1000);
	fake_fail("mfc_stats", ENOMEM, -1);
	for (int64_t now = 1000; now < 30000; now += 100)
		router_tick(&r, now);
	CHECK_INT(installed(), 1);
	up.kind = UPCALL_WRONGVIF;
	up.vif = 1;
	router_upcall(&r, &up, 30000);
	e = entry_of(&up.flow);
	CHECK(e && e->iif == 0);
	/* One that is not there is no longer in the mirror either. */
	fake_fail("mfc_stats", ENOENT, -1);
	for (int64_t now = 30000; now < 32000; now += 100)
		router_tick(&r, now);
	CHECK_INT(installed(), 0);
	end();
}

/* The word of another failure is not taken for "there is no such output". */
static void break_errno(void *ctx, const struct event *ev)
{
	(void)ctx;
	(void)ev;
	errno = ENOENT;
}

static void half_removed(void)
{
	static const struct router_ops ops = { .event = break_errno };
	struct ifname oifs[2] = { ifname_of("eth0", 4), ifname_of("eth1", 4) };
	struct change_rule rule = { .iif = ifname_of("eth0", 4), .oifs = oifs, .noifs = 1, .owner = OWNER_UNNAMED };
	struct upcall up = upcall_of("0.0.0.0", "225.1.1.1", 0);
	uint32_t id;
	unsigned n = 0;
	bool has_failed = false, is_done = false;

	for (; n < 100 && !is_done; n++) {
		start();
		r.ops = &ops;
		CHECK_INT(apply("mroute from eth0 group 225.1.1.1 to eth1\n"), 0);
		rule.range = flow_range_of(&up.flow);
		rule.range.source_len = ADDR_V4_BITS;
		rule.noifs = 2;
		CHECK_INT(change_add(&r, &rule, CHANGE_MORE, &id), 0);
		rule.oifs = oifs + 1;
		rule.noifs = 1;
		memory_scarce(n, 1);
		errno = 0;
		is_done = change_remove(&r, &rule, id) == 0;
		if (!is_done) {
			CHECK_INT(errno, ENOMEM);
			has_failed = true;
		}
		memory_plenty();
		rule.oifs = oifs;
		end();
	}
	CHECK(has_failed && n < 100);
}

/* What nobody knows of a table that was taken over and cannot be removed is no reason to begin anew: packets go on. */
static void stranger_stays(void)
{
	struct upcall up = upcall_of("10.0.0.1", "225.1.1.1", 0);
	struct flow odd = upcall_of("10.0.0.2", "225.1.1.1", 9).flow;
	const struct mfc *e;

	for (int kind = 0; kind < 2; kind++) {
		start();
		CHECK_INT(apply(rules), 0);
		router_upcall(&r, &up, 1000);
		fake_stranger(true);
		CHECK_INT(kernel_mfc_add(&odd, 9, 0, NULL), 0);
		fake_link_add(7);
		CHECK_INT(kernel_vif_add(FAM_4, 5, 7, 1), 0);
		fake_stranger(false);
		succeed();
		fake_fail(kind ? "vif_del" : "mfc_del", ENOMEM, 1);
		CHECK_INT(router_adopt(&r, FAM_4, 1000), 0);
		e = entry_of(&up.flow);
		CHECK(e && e->flags & MFC_INSTALLED);
		CHECK_INT(fake_mfc_count(FAM_4), kind ? 1 : 2);
		end();
	}
}

/* An entry that the kernel refuses to change sends to the number of an interface that went, or comes in there: as
 * long as that is so no other interface has that number, whose packets these would be. */
static void number_of_refused(void)
{
	static const char more[] = "mroute from eth0 group 225.1.1.1 to eth1\n"
				   "mroute from eth1 group 225.1.1.2 to eth0\n"
				   "mroute from eth5 group 225.5.5.5 to eth0\n";
	struct link_event gone = { .kind = LINK_DEL, .ifindex = 3 };
	struct upcall to = upcall_of("10.0.0.1", "225.1.1.1", 0), from = upcall_of("10.0.0.1", "225.1.1.2", 1);
	const struct iface *other;

	for (int is_from = 0; is_from < 2; is_from++) {
		start();
		CHECK_INT(apply(more), 0);
		router_upcall(&r, is_from ? &from : &to, 1000);
		CHECK_INT(installed(), 1);
		fake_fail("mfc_add", ENOMEM, -1);
		fake_fail("mfc_del", ENOMEM, -1);
		fake_link_del(3);
		router_link_event(&r, &gone);
		router_sync(&r);
		CHECK_INT(installed(), 1);
		link_is(5, "eth5");
		router_sync(&r);
		other = iface_find_name(&r.ifs, "eth5");
		CHECK(other->vif[FAM_4] != 1);
		router_tick(&r, r.retry_due);
		CHECK(other->vif[FAM_4] != 1);
		fake_fail("mfc_add", 0, 0);
		fake_fail("mfc_del", 0, 0);
		retry();
		/* It is free once the entry is as it is to be. */
		link_is(6, "eth1");
		router_sync(&r);
		CHECK_INT(iface_find_name(&r.ifs, "eth1")->vif[FAM_4], other->vif[FAM_4] == 1 ? 2 : 1);
		end();
	}
}

/* Flows that waited when a table was taken over wait for rules, too: without them there is nothing due. */
static void waits_for_rules(void)
{
	struct flow flow = upcall_of("10.0.0.1", "225.1.1.1", 0).flow;

	start();
	fake_add_unresolved(&flow);
	CHECK_INT(router_adopt(&r, FAM_4, 1000), 0);
	router_tick(&r, 5000);
	CHECK(!router_due(&r) || router_due(&r) > 5000);
	CHECK_INT(apply("mroute from eth0 group 225.1.1.1 to eth1\n"), 0);
	CHECK(router_due(&r));
	router_tick(&r, 6000);
	CHECK_INT(installed(), 1);
	end();
}

TEST_MAIN(TEST(asked_again) TEST(asked_again_counts) TEST(nobody) TEST(nobody_more) TEST(no_memory) TEST(unread)
	  TEST(half_removed) TEST(stranger_stays) TEST(number_of_refused) TEST(waits_for_rules))
