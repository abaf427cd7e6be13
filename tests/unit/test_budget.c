/* SPDX-License-Identifier: ISC
 *
 * Who gives way when there are more sources than -M allows: what a flood on eth0 does to others and to itself, and by
 * chance with all that can happen, where each decision is judged by a look at all entries.
 */
#include "router/budget.h"

#include <errno.h>
#include <stdlib.h>

#include "router/router.h"
#include "tests/unit/engine.h"

/* Three interfaces, with most of the templates on the first; groups 225.9.x.x have no rule. */
#define RULE(n) "mroute from eth0 group 225." #n ".0.0/16 to eth1\n"
static const char rules[] = RULE(1) RULE(2) RULE(11) RULE(12) RULE(13) RULE(14) RULE(15) RULE(16)
			    "mroute from eth1 group 225.3.0.0/16 to eth0\n"
			    "mroute from eth2 group 225.4.0.0/16 to eth0\n"
			    "mroute from eth0 group ff05::/16 to eth1\n"
			    "mroute from eth1 group ff06::/16 to eth0\n";

enum { ETH0, ETH1, ETH2 };		/* VIFs */

static struct flow flow_of(unsigned group, unsigned source)
{
	return (struct flow){
		.source.b = { [10] = 0xff, 0xff, 10, (uint8_t)(source >> 16), (uint8_t)(source >> 8), (uint8_t)source },
		.group.b = { [10] = 0xff, 0xff, 225, (uint8_t)group, 1, 1 },
	};
}

static struct flow flow6_of(unsigned group, unsigned source)
{
	return (struct flow){
		.source.b = { 0xfd, [12] = 1, (uint8_t)(source >> 16), (uint8_t)(source >> 8), (uint8_t)source },
		.group.b = { 0xff, (uint8_t)group, [15] = 1 },
	};
}

static bool is_in(struct flow flow)
{
	return fake_mfc(&flow, NULL, NULL);
}

/* The flow has had so many packets by now. */
static void packets(struct flow flow, unsigned n)
{
	fake_set_stats(&flow, n, 100 * n, 0);
}

/* A packet of a flow: the kernel asks when it has no entry.  True when it has one then. */
static bool hear(int vif, struct flow flow)
{
	struct upcall up = { UPCALL_NOCACHE, flow_fam(&flow), vif, flow };

	if (is_in(flow))
		return true;
	router_upcall(&r, &up, r.now);
	if (is_in(flow))
		packets(flow, 1);
	return is_in(flow);
}

/* So many sources heard in turn; how many of them had an entry afterwards. */
static unsigned hear_many(int vif, unsigned group, unsigned first, unsigned n)
{
	unsigned got = 0;

	for (unsigned i = 0; i < n; i++)
		got += hear(vif, flow_of(group, first + i));
	return got;
}

static unsigned in(unsigned group, unsigned first, unsigned n)
{
	return n ? is_in(flow_of(group, first)) + in(group, first + 1, n - 1) : 0;
}

static void begin(unsigned max)
{
	start();
	kernel_mroute_open(FAM_6, 0);
	router_family(&r, FAM_6, true);
	link_is(4, "eth2");
	CHECK_INT(apply(rules), 0);
	r.now = 1000;
	r.expire_sec = 0;
	r.max_dynamic = max;
}

/* ---- the words of the manual page, one by one ---- */

/* Those on other interfaces are learned at once, those in use on the flooded one stay. */
static void flood(void)
{
	begin(100);
	for (unsigned i = 0; i < 10; i++) {
		CHECK(hear(ETH0, flow_of(1, 500000 + i)));
		packets(flow_of(1, 500000 + i), 50);
	}
	for (unsigned k = 0; k < 20; k++) {
		CHECK_INT(hear_many(ETH0, 1, k * 1000, 1000), 1000);
		CHECK(hear(ETH1, flow_of(3, k)) && hear(ETH2, flow_of(4, k)));
		CHECK_INT(in(3, 0, k + 1), k + 1);
		CHECK_INT(in(4, 0, k + 1), k + 1);
		CHECK_INT(in(1, 500000, 10), 10);
		CHECK_INT(mfc_dynamic(&r.mfc), 100);
		for (unsigned i = 0; i < 10; i++)
			packets(flow_of(1, 500000 + i), 51 + k);
		r.now += 800;
	}
	CHECK_INT(r.count.refused, 0);
	CHECK_INT(r.count.learned - r.count.evicted, 100);
	end();
}

/* A counter that cannot be read does not make a flow idle. */
static void unread(void)
{
	begin(10);
	for (unsigned i = 0; i < 10; i++) {
		CHECK(hear(ETH0, flow_of(1, i)));
		packets(flow_of(1, i), 50);
	}
	r.now += 60000;
	for (unsigned i = 0; i < 10; i++)
		packets(flow_of(1, i), 60);
	fake_fail("mfc_stats", ENOMEM, 3);
	CHECK(!hear(ETH0, flow_of(1, 100)));
	CHECK_INT(in(1, 0, 10), 10);
	/* One that is idle goes before those of which that is not known. */
	r.now += 60000;
	for (unsigned i = 0; i < 9; i++)
		packets(flow_of(1, i), 70);
	fake_fail("mfc_stats", ENOMEM, 3);
	CHECK(hear(ETH0, flow_of(1, 101)));
	CHECK_INT(in(1, 0, 9), 9);
	CHECK_INT(in(1, 9, 1), 0);
	end();
}

/* A flood without a rule has no more than its share either, and its own go first. */
static void unruled(void)
{
	begin(60);
	CHECK_INT(hear_many(ETH0, 9, 0, 5000), 5000);
	CHECK_INT(hear_many(ETH0, 1, 0, 20), 20);
	CHECK_INT(hear_many(ETH1, 3, 0, 25), 25);
	CHECK_INT(hear_many(ETH0, 9, 5000, 5000), 5000);
	CHECK_INT(in(1, 0, 20), 20);
	CHECK_INT(in(3, 0, 25), 25);
	/* Its learned ones are more than its share alone: the blocked ones have one place of those not in use. */
	CHECK_INT(hear_many(ETH0, 1, 100, 40), 40);
	CHECK_INT(mfc_dynamic(&r.mfc), r.mfc.count[MFC_LEARNED]);
	CHECK_INT(hear_many(ETH0, 9, 0, 100), 100);
	CHECK_INT(r.mfc.count[MFC_BLOCKED], 1);
	CHECK_INT(r.count.refused, 0);
	for (unsigned i = 0; i < 40; i++)
		if (is_in(flow_of(1, 100 + i)))
			packets(flow_of(1, 100 + i), 5);
	CHECK(hear(ETH0, flow_of(1, 200)) && !is_in(flow_of(9, 99)));
	packets(flow_of(1, 200), 5);
	CHECK(!hear(ETH0, flow_of(9, 1)));
	CHECK_INT(r.count.refused, 1);
	/* Elsewhere it is one of a few. */
	CHECK(hear(ETH2, flow_of(9, 1)));
	end();
}

/* Within an interface the template that has the most gives way, even what is in use. */
static void templates(void)
{
	begin(50);
	CHECK_INT(hear_many(ETH0, 1, 0, 50), 50);
	CHECK_INT(hear_many(ETH0, 2, 0, 10), 10);
	CHECK_INT(hear_many(ETH0, 1, 1000, 1000), 1000);
	CHECK_INT(in(2, 0, 10), 10);
	for (unsigned i = 0; i < 40; i++)
		packets(flow_of(1, 1960 + i), 9);
	CHECK_INT(hear_many(ETH0, 2, 10, 15), 15);
	CHECK_INT(in(2, 0, 25), 25);
	CHECK_INT(in(1, 1960, 40), 25);
	/* Each has its half now, and all of this one's are in use. */
	CHECK(!hear(ETH0, flow_of(1, 5)));
	CHECK_INT(r.count.refused, 1);
	/* The other one's are not. */
	CHECK_INT(hear_many(ETH0, 2, 100, 100), 100);
	CHECK_INT(in(1, 1960, 40), 25);
	end();
}

/* Seen once before used, then the longest idle; what had a packet within the last two seconds stays. */
static void in_order(void)
{
	begin(4);
	for (unsigned i = 0; i < 4; i++) {
		CHECK(hear(ETH0, flow_of(1, i)));
		packets(flow_of(1, i), i == 2 ? 1 : 7);
	}
	CHECK(hear(ETH0, flow_of(1, 10)));
	CHECK(!is_in(flow_of(1, 2)) && in(1, 0, 4) == 3);
	packets(flow_of(1, 10), 2);
	CHECK(!hear(ETH0, flow_of(1, 11)));
	r.now += 3000;
	packets(flow_of(1, 0), 8);
	CHECK(hear(ETH0, flow_of(1, 11)));
	CHECK(is_in(flow_of(1, 0)) && !is_in(flow_of(1, 1)) && is_in(flow_of(1, 3)) && is_in(flow_of(1, 10)));
	CHECK(hear(ETH0, flow_of(1, 12)));
	CHECK(!is_in(flow_of(1, 11)) && is_in(flow_of(1, 3)) && is_in(flow_of(1, 10)));
	end();
}

/* With fewer entries than interfaces each has its turn, but for what is in use. */
static void few(void)
{
	for (unsigned max = 1; max <= 3; max++) {
		begin(max);
		for (unsigned k = 0; k < 30; k++)
			CHECK(hear(ETH0, flow_of(1, k)) && hear(ETH1, flow_of(3, k)) && hear(ETH2, flow_of(4, k)));
		CHECK_INT(r.count.refused, 0);
		CHECK_INT(mfc_dynamic(&r.mfc), max);
		if (max == 3)
			CHECK(is_in(flow_of(1, 29)) && is_in(flow_of(3, 29)) && is_in(flow_of(4, 29)));
		packets(flow_of(4, 29), 5);
		CHECK_INT(hear(ETH1, flow_of(3, 77)), max > 1);
		CHECK(is_in(flow_of(4, 29)));
		/* Its packet went its way all the same. */
		if (max == 1)
			CHECK(strstr(fake_journal(), "mfc4 add (10.0.0.77,225.3.1.1) iif 1 oifs 0\n"
						     "mfc4 del (10.0.0.77,225.3.1.1)\n"));
		end();
	}
}

/* The families have shares of their own. */
static void families(void)
{
	begin(20);
	CHECK_INT(hear_many(ETH0, 1, 0, 100), 100);
	for (unsigned i = 0; i < 10; i++)
		CHECK(hear(ETH0, flow6_of(5, i)));
	CHECK_INT(hear_many(ETH0, 1, 100, 100), 100);
	for (unsigned i = 0; i < 10; i++)
		CHECK(is_in(flow6_of(5, i)));
	end();
}

/* ---- each decision judged ---- */

static unsigned evicted;
static struct upcall fresh;		/* the new source */

/* Entries of a VIF and a family, of one rule that decides there or, with HASH_NONE, all. */
static unsigned count(enum fam fam, int vif, uint32_t template)
{
	unsigned n = 0;
	uint32_t oifs;

	for (uint32_t at = 0; at < r.mfc.n; at++) {
		const struct mfc *e = &r.mfc.v[at];

		n += mfc_is_dynamic(e) && flow_fam(&e->flow) == fam && e->iif == vif &&
		     (template == HASH_NONE ||
		      (e->state == MFC_LEARNED && ruleset_decision(&r.rules, &e->flow, vif, &oifs) == template));
	}
	return n;
}

/* True when packets were seen of it within the last two seconds, beside the one that made it. */
static bool is_in_use(uint32_t at)
{
	const struct mfc_use *u = mfc_use(&r.mfc, at);

	return u->seen > 1 && (uint32_t)(r.now / MFC_TICK) - u->used < 20;
}

/* No interface has more than who gives way; within it no blocked one stays before a learned one, and no template has
 * more than who gives way there, nor than the new source's when it is in use.  The new one is counted. */
static void judge(void *ctx, const struct event *ev)
{
	uint32_t at = ev->flow ? mfc_find(&r.mfc, ev->flow) : HASH_NONE, oifs;

	(void)ctx;
	if (ev->kind != EVENT_EVICTED)
		return;
	const struct mfc *e = &r.mfc.v[at];
	unsigned most = count(ev->fam, e->iif, HASH_NONE), blocked = 0;

	evicted++;
	for (int vif = 0; vif < 6; vif++)
		CHECK(count(vif % 2, vif / 2, HASH_NONE) <= most);
	if (e->state == MFC_BLOCKED)
		return;
	for (uint32_t i = 0; i < r.mfc.n; i++)
		blocked += r.mfc.v[i].state == MFC_BLOCKED && r.mfc.v[i].iif == e->iif &&
			   flow_fam(&r.mfc.v[i].flow) == ev->fam && !flow_eq(&r.mfc.v[i].flow, &fresh.flow);
	CHECK_INT(blocked, 0);
	most = count(ev->fam, e->iif, ruleset_decision(&r.rules, ev->flow, e->iif, &oifs));
	for (uint32_t id = 0; id < r.rules.routes.n; id++)
		CHECK(!rules_is_live(&r.rules.routes, id) || count(ev->fam, e->iif, id) <= most);
	if (is_in_use(at) && fresh.fam == ev->fam && fresh.vif == e->iif)
		CHECK(count(ev->fam, e->iif, ruleset_decision(&r.rules, &fresh.flow, e->iif, &oifs)) < most);
	else if (is_in_use(at))
		CHECK(count(fresh.fam, fresh.vif, HASH_NONE) < count(ev->fam, e->iif, HASH_NONE));
}

/* What share.c counts and lists is what there is. */
static void recount(void)
{
	struct shares *s = &r.mfc.shares;
	unsigned listed = 0;

	for (int i = 0; i < 6; i++)
		CHECK_INT(s->slot[share_slot(i % 2, i / 2)].count, count(i % 2, i / 2, HASH_NONE));
	for (unsigned i = 0; i < SHARE_SLOTS; i++) {
		unsigned sum = s->v[i].count;

		for (uint32_t k = 0; k < s->slot[i].n; k++) {
			const struct share *share = &s->v[s->slot[i].heap[k]];

			CHECK(share->count && share->place == k && share->slot == i);
			CHECK(!k || share->count <= s->v[s->slot[i].heap[(k - 1) / 2]].count);
			CHECK_INT(share->count, count(i >= KERNEL_VIFS, (int)(i % KERNEL_VIFS), share->template));
			sum += share->count;
		}
		CHECK_INT(sum, s->slot[i].count);
	}
	for (uint32_t at = 0; at < r.mfc.n; at++) {
		if (!mfc_is_dynamic(&r.mfc.v[at]))
			continue;
		const struct mfc_use *u = &s->use[at];
		const struct share_list *l = &s->v[u->list / SHARE_CLASSES].list[u->list % SHARE_CLASSES];

		CHECK_INT(u->prev == HASH_NONE ? l->head : s->use[u->prev].next, at);
		CHECK_INT(u->next == HASH_NONE ? l->tail : s->use[u->next].prev, at);
		listed++;
	}
	CHECK_INT(listed, mfc_dynamic(&r.mfc));
	CHECK(listed <= r.max_dynamic);
}

/* A packet by chance: on the first interface three times as often. */
static void packet(void)
{
	static const int vifs[] = { ETH0, ETH0, ETH0, ETH1, ETH2 };
	static const unsigned char groups[] = { 1, 2, 3, 4, 9, 11, 12, 13, 14, 15, 16 };
	int vif = vifs[rand() % 5];
	unsigned group = groups[(unsigned)rand() % sizeof groups], source = (unsigned)(rand() % 30);
	struct flow flow = rand() % 4 ? flow_of(group, source) : flow6_of(group % 4 + 4, source);
	enum fam fam = flow_fam(&flow);
	struct mfc_stats st = { 0 };

	if (is_in(flow)) {
		kernel_mfc_stats(&flow, &st);
		packets(flow, (unsigned)st.packets + 1);
	} else if (iface_by_vif(&r.ifs, fam, vif)) {
		unsigned most = 0, own = count(fam, vif, HASH_NONE);

		for (int i = 0; i < 6; i++)
			most = count(i % 2, i / 2, HASH_NONE) > most ? count(i % 2, i / 2, HASH_NONE) : most;
		fresh = (struct upcall){ UPCALL_NOCACHE, fam, vif, flow };
		/* Who has less than another one is never refused. */
		CHECK(hear(vif, flow) || own + 1 >= most);
	}
}

static void link_goes(int ifindex)
{
	fake_link_del(ifindex);
	router_link_event(&r, &(struct link_event){ .kind = LINK_DEL, .ifindex = ifindex });
}

/* Packets, time, rules and interfaces that come and go, other numbers of entries. */
static void by_chance(void)
{
	static const struct router_ops ops = { .event = judge };

	srand(17);
	for (int round = 0; round < 40; round++) {
		begin((unsigned)(rand() % 60 + 1));
		r.ops = &ops;
		r.expire_sec = rand() % 2 ? 30 : 0;
		for (int i = 0; i < 1500; i++) {
			int what = rand() % 200;

			if (what > 6)
				packet();
			else if (what > 2)
				router_tick(&r, r.now + rand() % 4000);
			else if (what == 2)
				apply(rules);
			else if (what == 1)
				apply("mroute from eth0 group 225.0.0.0/8 to eth1\n"
				      "mroute from eth2 group 225.4.0.0/16 to eth0\n"
				      "mroute from eth0 source 10.0.0.5 group 225.1.1.1 to eth2\n");
			else if (!fake_link_is(3))
				link_is(3, "eth1");
			else
				link_goes(3);
			router_sync(&r);
			if (what < 20)
				recount();
		}
		end();
	}
	CHECK(evicted > 1000);
}

/* A hundred thousand templates with a source each: whoever has two gives one. */
static void many_templates(void)
{
	struct buf b = { 0 };

	begin(20000);
	for (unsigned i = 0; i < 20000; i++)
		buf_printf(&b, "mroute from eth0 source 10.%u.%u.0/24 group 225.7.0.0/16 to eth1\n", i >> 8, i & 255);
	CHECK_INT(apply(buf_cstr(&b)), 0);
	buf_free(&b);
	r.max_dynamic = 20000;
	for (unsigned i = 0; i < 20000; i++)
		CHECK(hear(ETH0, flow_of(7, i << 8 | 1)));
	CHECK(hear(ETH0, flow_of(7, 2)) && hear(ETH0, flow_of(7, 3)));
	CHECK(!is_in(flow_of(7, 1)) && !is_in(flow_of(7, 2)));
	CHECK_INT(in(7, 257, 1), 1);
	CHECK_INT(r.mfc.shares.slot[0].n, 20000);
	end();
}

TEST_MAIN(TEST(flood) TEST(unruled) TEST(templates) TEST(in_order) TEST(few) TEST(unread) TEST(families) TEST(by_chance)
	  TEST(many_templates))
