/* SPDX-License-Identifier: ISC
 *
 * The pass in slices: what is marked, upcalled and unplugged between them.
 */
#include "router/sync.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>

#include "router/router.h"
#include "tests/unit/engine.h"

#define RULES 300

static struct flow flow_nth(unsigned i)
{
	struct flow flow;
	char text[32];

	snprintf(text, sizeof text, "10.0.%u.%u", i / 200, i % 200 + 1);
	addr_parse(text, strlen(text), &flow.source);
	addr_parse("225.1.1.1", 9, &flow.group);
	return flow;
}

static const char *rules_to(const char *oif)
{
	static struct buf b;

	b.len = 0;
	for (unsigned i = 0; i < RULES; i++)
		buf_printf(&b, "mroute from eth0 source 10.0.%u.%u group 225.1.1.1 to %s\n", i / 200, i % 200 + 1, oif);
	return buf_cstr(&b);
}

/* Entries that the kernel has with these outputs. */
static unsigned with(uint32_t oifs)
{
	unsigned n = 0;
	uint32_t got;

	for (unsigned i = 0; i < RULES; i++) {
		struct flow flow = flow_nth(i);

		n += fake_mfc(&flow, NULL, &got) && got == oifs;
	}
	return n;
}

/* Some entries a slice, and none is left behind; nothing waits that is not asked for. */
static void in_slices(void)
{
	unsigned slices = 1, before = 0, now;

	start();
	r.sync.slice = 640;
	CHECK_INT(begin_apply(rules_to("eth1")), 0);
	CHECK(router_is_busy(&r));
	CHECK_INT(router_ticket(&r) != 0, 1);
	CHECK(router_due(&r) != 0);
	for (; router_is_busy(&r); slices++, before = now) {
		router_tick(&r, 1000);
		now = with(2);
		CHECK(now - before <= 12);
	}
	CHECK_INT(with(2), RULES);
	CHECK(slices > RULES / 12);
	CHECK_INT(router_ticket(&r), 0);
	CHECK_INT(router_due(&r), 0);
	CHECK_INT(r.changes.added, RULES);
	end();
}

/* A packet whose rule has not had its turn yet is forwarded as the rule says; its entry is not made again. */
static void upcall_between(void)
{
	struct upcall up = { .kind = UPCALL_NOCACHE, .fam = FAM_4, .vif = 0, .flow = flow_nth(RULES - 1) };
	uint32_t oifs;

	start();
	r.sync.slice = 640;
	CHECK_INT(begin_apply(rules_to("eth1")), 0);
	while (!r.mfc.ndirty || !iface_by_vif(&r.ifs, FAM_4, 1))
		router_sync(&r);
	CHECK(router_is_busy(&r) && !fake_mfc(&up.flow, NULL, NULL));
	router_upcall(&r, &up, 1000);
	CHECK(fake_mfc(&up.flow, NULL, &oifs) && oifs == 2);
	while (router_is_busy(&r))
		router_sync(&r);
	CHECK_INT(with(2), RULES);
	CHECK_INT(r.changes.added, RULES);
	end();
}

static uint32_t asked;

static bool has_packets(void *ctx)
{
	(void)ctx;
	asked++;
	return true;
}

/* While packets wait a slice is as short as can be, but never nothing. */
static void short_for_packets(void)
{
	const struct router_ops ops = { .has_packets = has_packets };
	unsigned slices = 1, before = 0, now;

	start();
	r.ops = &ops;
	asked = 0;
	CHECK_INT(begin_apply(rules_to("eth1")), 0);
	for (; router_is_busy(&r); slices++, before = now) {
		router_tick(&r, 1000);
		now = with(2);
		CHECK(now - before <= (SYNC_LEAST + SYNC_LOOK) / 64);
	}
	CHECK_INT(with(2), RULES);
	CHECK(slices >= RULES / 24 && slices <= RULES / 8);
	CHECK(asked >= slices - 1);
	end();
}

/* A template that many learned entries follow changes in the middle of the walk over them: all follow the last word. */
static void touched_again(void)
{
	struct upcall up = { .kind = UPCALL_NOCACHE, .fam = FAM_4, .vif = 0 };
	const char *stays = "mroute from eth0 group 225.9.9.9 to eth2\n";
	char text[2][128];

	start();
	link_is(4, "eth2");
	r.expire_sec = 0;
	snprintf(text[0], sizeof text[0], "mroute from eth0 group 225.1.0.0/16 to eth1\n%s", stays);
	snprintf(text[1], sizeof text[1], "mroute from eth0 group 225.1.0.0/16 to eth1 eth2\n%s", stays);
	CHECK_INT(apply(text[0]), 0);
	for (unsigned i = 0; i < RULES; i++) {
		up.flow = flow_nth(i);
		router_upcall(&r, &up, 1000);
	}
	for (uint32_t slice = 1; slice < 40; slice += 3) {
		CHECK_INT(with(2), RULES);
		r.sync.slice = slice;
		CHECK_INT(begin_apply(text[1]), 0);
		CHECK(router_is_busy(&r));
		for (uint32_t k = 0; k < slice; k++)
			router_sync(&r);
		CHECK_INT(apply(text[0]), 0);
	}
	CHECK_INT(apply(text[1]), 0);
	CHECK_INT(with(2), 0);
	end();
}

/* Rules change again and again before the pass has seen them: the last word counts. */
static void changed_between(void)
{
	start();
	link_is(4, "eth2");
	r.sync.slice = 640;
	for (int i = 0; i < 20; i++) {
		CHECK_INT(begin_apply(rules_to(i % 2 ? "eth2" : "eth1")), 0);
		for (int k = 0; k < i; k++)
			router_sync(&r);
		CHECK_INT(begin_apply(i % 3 ? rules_to("eth1 eth2") : ""), 0);
	}
	CHECK_INT(begin_apply(rules_to("eth2")), 0);
	while (router_is_busy(&r))
		router_sync(&r);
	CHECK_INT(with(UINT32_C(1) << iface_find_name(&r.ifs, "eth2")->vif[FAM_4]), RULES);
	CHECK_INT(r.mfc.by_sg.used, RULES);
	end();
}

/* Interfaces that come and go all the time do not keep the pass from its end. */
static void flapping(void)
{
	unsigned turns = 0;

	start();
	r.sync.slice = 640;
	CHECK_INT(begin_apply(rules_to("eth1 x1")), 0);
	for (bool is_there = false; router_is_busy(&r) && turns < 10000; turns++, is_there = !is_there) {
		if (turns < 400) {
			struct link_event ev = { .kind = is_there ? LINK_DEL : LINK_NEW, .ifindex = 9,
						 .name = "x1", .flags = LINK_UP };

			(is_there ? fake_link_del : fake_link_add)(9);
			router_link_event(&r, &ev);
		}
		router_sync(&r);
		if (turns == 399)
			CHECK_INT(r.mfc.by_sg.used, RULES);
	}
	CHECK(turns >= 400 && turns < 10000);
	CHECK_INT(with(2), RULES);
	end();
}

/* An interface goes whose number stays in the kernel: that is removed behind the last entry that has it, nobody gets it
 * before, and not while the kernel refuses to have one of them rewritten.  The fake kernel ends the test otherwise. */
static void number_stays(void)
{
	static const int refused[] = { 0, ENOMEM };

	for (unsigned i = 0; i < sizeof refused / sizeof *refused; i++) {
		start();
		fake_be_freebsd();
		CHECK_INT(apply(rules_to("eth1 eth2")), 0);
		r.sync.slice = 640;
		fake_journal();
		fake_link_del(3);
		router_link_event(&r, &(struct link_event){ .kind = LINK_DEL, .ifindex = 3 });
		link_is(4, "eth2");
		if (refused[i])
			fake_fail("mfc_add", refused[i], 3);
		for (router_sync(&r); router_is_busy(&r); router_sync(&r))
			CHECK(!strstr(fake_journal(), "vif4 del") || !with(2));
		CHECK_INT(r.ifs.leaving[FAM_4], refused[i] ? 2 : 0);
		for (int64_t due; (due = router_due(&r)) != 0;)
			router_tick(&r, due);
		CHECK_INT(r.ifs.leaving[FAM_4], 0);
		CHECK_INT(iface_find_name(&r.ifs, "eth2")->vif[FAM_4], 2);
		CHECK_INT(with(4), RULES);
		end();
	}
}

/* The number of one that is gone stays nobody's as long as the kernel refuses to have an entry rewritten that goes out
 * there, in either system. */
static void number_refused(void)
{
	for (int is_freebsd = 0; is_freebsd < 2; is_freebsd++) {
		start();
		if (is_freebsd)
			fake_be_freebsd();
		CHECK_INT(apply(rules_to("eth1 w0")), 0);
		fake_link_del(3);
		fake_fail("mfc_add", ENOMEM, 3);
		router_link_event(&r, &(struct link_event){ .kind = LINK_DEL, .ifindex = 3 });
		for (router_sync(&r); router_is_busy(&r); router_sync(&r))
			;
		CHECK_INT(with(2), 3);
		link_is(5, "w0");
		for (router_sync(&r); router_is_busy(&r); router_sync(&r))
			;
		CHECK_INT(iface_find_name(&r.ifs, "w0")->vif[FAM_4], 2);
		CHECK_INT(with(2), 0);
		CHECK_INT(with(4), RULES);
		link_is(6, "w1");
		CHECK_INT(apply(rules_to("w0 w1")), 0);
		CHECK_INT(iface_find_name(&r.ifs, "w1")->vif[FAM_4], 1);
		end();
	}
}

/* Before the kernel has an entry of any source it has those of the sources that are exceptions. */
static void exceptions_first(void)
{
	const struct flow any = { .source = { .w = { 0, 0, htonl(0xffff), 0 } }, .group = flow_nth(0).group };
	struct buf text = { 0 };

	start();
	r.sync.slice = 640;
	buf_str(&text, "mroute from eth0 group 225.1.1.1 kernel to eth1\n");
	buf_str(&text, rules_to("eth1 x1"));
	CHECK_INT(begin_apply(buf_cstr(&text)), 0);
	for (; router_is_busy(&r); router_sync(&r))
		if (fake_mfc_for(&any, 0, NULL, NULL))
			CHECK_INT(r.changes.added, RULES + 1);
	CHECK(fake_mfc_for(&any, 0, NULL, NULL));
	buf_free(&text);
	end();
}

/* An interface that comes does not get the number of one that is gone before all entries have let go of that. */
static void number_held(void)
{
	struct link_event gone = { .kind = LINK_DEL, .ifindex = 2 };
	int vif = 0;

	start();
	CHECK_INT(apply(rules_to("eth1")), 0);
	r.sync.slice = 640;
	CHECK_INT(iface_find_name(&r.ifs, "eth0")->vif[FAM_4], 0);
	CHECK_INT(begin_apply("mroute from w+ group 225.1.1.1 to eth1\n"), 0);
	fake_link_del(2);
	router_link_event(&r, &gone);
	link_is(5, "w0");
	for (router_sync(&r); router_is_busy(&r); router_sync(&r)) {
		vif = iface_find_name(&r.ifs, "w0")->vif[FAM_4];
		CHECK(vif != 0 || !with(2));
	}
	CHECK_INT(with(2), 0);
	end();
}

/* One that comes in the place of another one, with nothing in between, has all entries of that, also where these alone
 * came in there. */
static void made_anew(void)
{
	static const char *const more[] = { "", "mroute from eth0 source 10.0.0.0/8 group 225.1.1.1 to eth1\n" };
	const struct flow any = { .source = { .w = { 0, 0, htonl(0xffff), 0 } }, .group = flow_nth(0).group };
	struct link_event gone = { .kind = LINK_DEL, .ifindex = 2 };
	char text[200];
	int vif;

	/* One of all sources is in the kernel, or it waits for an exception to go. */
	for (int is_aside = 0; is_aside < 2; is_aside++) {
		start();
		snprintf(text, sizeof text, "mroute from eth0 group 225.1.1.1 kernel to eth1\n%s", more[is_aside]);
		CHECK_INT(apply(text), 0);
		CHECK_INT(fake_mfc_for(&any, 0, NULL, NULL), !is_aside);
		fake_link_del(2);
		router_link_event(&r, &gone);
		link_is(5, "eth0");
		router_sync(&r);
		vif = iface_find_name(&r.ifs, "eth0")->vif[FAM_4];
		CHECK(vif >= 0);
		CHECK_INT(fake_mfc_for(&any, vif, NULL, NULL), !is_aside);
		CHECK(mfc_find_any(&r.mfc, &any.group, vif) != HASH_NONE);
		end();
	}
}

/* A family that comes up anywhere in the middle of a reload gets all entries. */
static void family_between(void)
{
	bool is_over = false;

	for (unsigned cut = 0; !is_over; cut += 23) {
		struct conf *c;

		start();
		r.up[FAM_4] = false;
		CHECK_INT(apply(rules_to("eth1")), 0);
		c = parse(rules_to("eth1"));
		r.sync.slice = 100;
		CHECK_INT(router_apply_begin(&r, c), 0);
		for (unsigned i = 0; i < cut && !is_over; i++)
			is_over = router_apply_step(&r, 1, 1000) <= 0;
		router_family(&r, FAM_4, true);
		router_sync(&r);
		while (r.apply && router_apply_step(&r, 1, 1000) > 0)
			;
		while (router_is_busy(&r))
			router_sync(&r);
		CHECK_INT(with(2), RULES);
		conf_free(c);
		end();
	}
}

/* A flush takes a bounded number at once. */
static void flushed(void)
{
	struct router_flush flush = { 0 };
	unsigned calls = 1;

	start();
	CHECK_INT(apply("mroute from eth0 group 225.1.1.1 to eth1\n"), 0);
	for (unsigned i = 0; i < 1200; i++) {
		struct upcall up = { .kind = UPCALL_NOCACHE, .fam = FAM_4, .vif = 0, .flow = flow_nth(i) };

		router_upcall(&r, &up, 1000);
	}
	CHECK_INT(mfc_dynamic(&r.mfc), 1200);
	while (router_flush(&r, &flush))
		CHECK_INT(mfc_dynamic(&r.mfc), 1200 - 512 * calls++);
	CHECK_INT(flush.entries, 1200);
	CHECK_INT(mfc_dynamic(&r.mfc), 0);
	CHECK_INT(calls, 3);
	end();
}

TEST_MAIN(TEST(in_slices) TEST(upcall_between) TEST(short_for_packets) TEST(touched_again) TEST(changed_between)
	  TEST(flapping) TEST(number_stays) TEST(number_refused)
	  TEST(exceptions_first) TEST(number_held) TEST(made_anew) TEST(family_between) TEST(flushed))
