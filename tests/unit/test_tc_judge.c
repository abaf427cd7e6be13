/* SPDX-License-Identifier: ISC
 *
 * Filters of tc, made by hand as the kernel tells them: what matches, and what its actions do.
 */
#include "kernel/linux/tc_judge.h"

#include <arpa/inet.h>

#include <linux/if.h>
#include <linux/if_ether.h>
#include <linux/if_link.h>
#include <linux/pkt_cls.h>
#include <linux/tc_act/tc_gact.h>
#include <linux/tc_act/tc_mirred.h>

#include "tests/unit/nlmsg.h"
#include "tests/unit/test.h"

static struct tc tc;
static struct filter_packet seen;
static struct filter_fate fate;
static size_t options, acts;

/* Begins a filter of a kind for packets of a protocol; its attributes, filter_acts(), its actions and filter_end()
 * follow. */
static void filter_in(const char *kind, uint16_t protocol, uint32_t priority, uint32_t block, uint32_t chain)
{
	struct tcmsg t = { .tcm_ifindex = block ? (int)TCM_IFINDEX_MAGIC_BLOCK : 3, .tcm_parent = block,
			   .tcm_info = priority << 16 | htons(protocol) };

	tc.ifindex = 3;
	start(RTM_NEWTFILTER, &t, sizeof t);
	attr(TCA_KIND, kind, strlen(kind) + 1);
	if (chain)
		attr(TCA_CHAIN, &chain, sizeof chain);
	options = nest(TCA_OPTIONS);
}

static void filter(const char *kind, uint16_t protocol, uint32_t priority)
{
	filter_in(kind, protocol, priority, 0, 0);
}

static void filter_acts(uint16_t type)
{
	acts = nest(type);
}

static void filter_end(void)
{
	nest_end(acts);
	nest_end(options);
	WHOLE(m);
	CHECK_INT(tc_filter_add(&tc, &m), 0);
	END;
}

static void act(uint16_t number, const char *kind, int action, int eaction)
{
	struct tc_mirred mirred = { .action = action, .eaction = eaction, .ifindex = 9 };
	size_t one = nest(number), inner;

	attr(TCA_ACT_KIND, kind, strlen(kind) + 1);
	inner = nest(TCA_ACT_OPTIONS);
	attr(2, &mirred, eaction ? sizeof mirred : sizeof(struct tc_gact));
	nest_end(inner);
	nest_end(one);
}

static unsigned judge(void)
{
	struct probe_packet p = { .has_ports = true, .protocol = 17, .iif = 3, .iif_name = "a1", .is_frame = 1,
				  .ports = { 0, 99, 0x13, 0x88 } };

	addr_parse("10.1.0.9", 8, &p.flow.source);
	addr_parse("225.1.2.3", 9, &p.flow.group);
	filter_begin(&seen, &p);
	if (!tc_judge(&tc, 3, false, &seen, &fate))
		fate.bits = 0;
	tc_free(&tc);
	return fate.bits;
}

/* The rest of a filter that has one action. */
static void one_act(const char *action, int what, int eaction)
{
	filter_acts(TCA_MATCHALL_ACT);
	act(1, action, what, eaction);
	filter_end();
}

static void one(const char *kind, uint16_t protocol, const char *action, int what, int eaction)
{
	filter(kind, protocol, 10);
	one_act(action, what, eaction);
}

static void actions(void)
{
	static const struct { const char *kind; int action, eaction; unsigned want; } rows[] = {
		{ "gact", TC_ACT_SHOT, 0, FILTER_DROPPED }, { "gact", TC_ACT_OK, 0, FILTER_ACCEPTED },
		{ "gact", TC_ACT_STOLEN, 0, FILTER_DROPPED }, { "gact", TC_ACT_UNSPEC, 0, FILTER_ACCEPTED },
		{ "gact", TC_ACT_JUMP | 1, 0, FILTER_EITHER },
		{ "gact", TC_ACT_GOTO_CHAIN | 1, 0, FILTER_ACCEPTED }, { "gact", TC_ACT_PIPE, 0, FILTER_ACCEPTED },
		{ "mirred", TC_ACT_STOLEN, TCA_EGRESS_REDIR, FILTER_DROPPED },
		{ "mirred", TC_ACT_PIPE, TCA_EGRESS_MIRROR, FILTER_ACCEPTED },
		{ "police", 0, 0, FILTER_EITHER }, { "bpf", TC_ACT_OK, 0, FILTER_EITHER },
	};

	CHECK_INT(judge(), 0);
	for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
		one("matchall", ETH_P_ALL, rows[i].kind, rows[i].action, rows[i].eaction);
		CHECK_INT(judge(), rows[i].want);
	}
	CHECK_INT(fate.rule, 10);
	one("matchall", ETH_P_IPV6, "gact", TC_ACT_SHOT, 0);
	CHECK_INT(judge(), FILTER_ACCEPTED);
	one("bpf", ETH_P_ALL, "gact", TC_ACT_SHOT, 0);
	CHECK_INT(judge(), FILTER_EITHER);
	/* The first one that matches decides. */
	one("matchall", ETH_P_IP, "gact", TC_ACT_OK, 0);
	one("matchall", ETH_P_IP, "gact", TC_ACT_SHOT, 0);
	CHECK_INT(judge(), FILTER_ACCEPTED);
	/* A mark that an action may have set. */
	filter("matchall", ETH_P_IP, 10);
	filter_acts(TCA_MATCHALL_ACT);
	act(1, "skbedit", TC_ACT_PIPE, 0);
	act(2, "gact", TC_ACT_SHOT, 0);
	filter_end();
	CHECK_INT(judge(), FILTER_DROPPED);
	CHECK_INT(seen.mark.known, 0);
}

/* Filters that others lead to, and one that leads to itself. */
static void chains(void)
{
	one("matchall", ETH_P_ALL, "gact", TC_ACT_GOTO_CHAIN | 5, 0);
	filter_in("matchall", ETH_P_IP, 7, 0, 5);
	one_act("gact", TC_ACT_SHOT, 0);
	CHECK_INT(judge(), FILTER_DROPPED);
	CHECK_INT(fate.tc.chain, 5);
	CHECK_INT(fate.rule, 7);
	one("matchall", ETH_P_ALL, "gact", TC_ACT_GOTO_CHAIN | 0, 0);
	CHECK_INT(judge(), FILTER_EITHER);
	/* A block that interfaces share. */
	filter_in("matchall", ETH_P_IP, 7, 9, 0);
	one_act("gact", TC_ACT_SHOT, 0);
	CHECK_INT(judge(), FILTER_DROPPED);
	CHECK_INT(fate.tc.block, 9);
}

/* By chance: the other action. */
static void chance(int ptype, int paction, unsigned want)
{
	struct tc_gact_p p = { .ptype = (uint16_t)ptype, .pval = 2, .paction = paction };
	size_t one, inner;
	struct tc_gact gact = { .action = TC_ACT_OK };

	filter("matchall", ETH_P_IP, 1);
	filter_acts(TCA_MATCHALL_ACT);
	one = nest(1);
	attr(TCA_ACT_KIND, "gact", 5);
	inner = nest(TCA_ACT_OPTIONS);
	attr(TCA_GACT_PARMS, &gact, sizeof gact);
	attr(TCA_GACT_PROB, &p, sizeof p);
	nest_end(inner);
	nest_end(one);
	filter_end();
	CHECK_INT(judge(), want);
	CHECK_INT(fate.why, want == FILTER_EITHER ? MAY_BY_CHANCE : 0);
}

static void chances(void)
{
	chance(PGACT_DETERM, TC_ACT_SHOT, FILTER_EITHER);
	chance(PGACT_DETERM, TC_ACT_OK, FILTER_ACCEPTED);
	chance(PGACT_NONE, TC_ACT_SHOT, FILTER_ACCEPTED);
}

/* What is led to an ifb that is up comes back. */
static void ifbs(void)
{
	for (unsigned i = 0; i < 2; i++) {
		struct ifinfomsg ifi = { .ifi_index = 9, .ifi_flags = i ? IFF_UP : 0 };
		size_t info;

		start(RTM_NEWLINK, &ifi, sizeof ifi);
		info = nest(IFLA_LINKINFO);
		attr(IFLA_INFO_KIND, "ifb", 4);
		nest_end(info);
		WHOLE(m);
		CHECK_INT(tc_ifb_add(&tc, &m), 0);
		END;
		one("matchall", ETH_P_ALL, "mirred", TC_ACT_STOLEN, TCA_EGRESS_REDIR);
		CHECK_INT(judge(), i ? FILTER_ACCEPTED : FILTER_DROPPED);
	}
}

static void flower(void)
{
	static const struct { uint16_t key, mask; const char *v, *bits; size_t len; unsigned want; } rows[] = {
		{ TCA_FLOWER_KEY_IPV4_DST, TCA_FLOWER_KEY_IPV4_DST_MASK, "\341\1\2\3", "\377\377\377\377", 4,
		  FILTER_DROPPED },
		{ TCA_FLOWER_KEY_IPV4_DST, TCA_FLOWER_KEY_IPV4_DST_MASK, "\340\0\0\0", "\360\0\0\0", 4,
		  FILTER_DROPPED },
		{ TCA_FLOWER_KEY_IPV4_DST, TCA_FLOWER_KEY_IPV4_DST_MASK, "\341\1\2\4", "\377\377\377\377", 4,
		  FILTER_ACCEPTED },
		{ TCA_FLOWER_KEY_IPV4_SRC, TCA_FLOWER_KEY_IPV4_SRC_MASK, "\12\1\0\0", "\377\377\0\0", 4,
		  FILTER_DROPPED },
		{ TCA_FLOWER_KEY_UDP_DST, TCA_FLOWER_KEY_UDP_DST_MASK, "\23\210", "\377\377", 2, FILTER_DROPPED },
		{ TCA_FLOWER_KEY_UDP_DST, TCA_FLOWER_KEY_UDP_DST_MASK, "\0\65", "\377\377", 2, FILTER_ACCEPTED },
		{ TCA_FLOWER_KEY_IP_PROTO, 0, "\6", NULL, 1, FILTER_ACCEPTED },
		{ TCA_FLOWER_KEY_ETH_DST, TCA_FLOWER_KEY_ETH_DST_MASK, "\1\0\136\0\0\0", "\377\377\377\0\0\0", 6,
		  FILTER_DROPPED },
		{ TCA_FLOWER_KEY_IP_TOS, TCA_FLOWER_KEY_IP_TOS_MASK, "\0", "\374", 1, FILTER_EITHER },
	};

	for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
		filter("flower", ETH_P_IP, 1);
		attr(TCA_FLOWER_KEY_ETH_TYPE, "\10\0", 2);
		attr(rows[i].key, rows[i].v, rows[i].len);
		if (rows[i].bits)
			attr(rows[i].mask, rows[i].bits, rows[i].len);
		filter_acts(TCA_FLOWER_ACT);
		act(1, "gact", TC_ACT_SHOT, 0);
		filter_end();
		CHECK_INT(judge(), rows[i].want);
	}
}

static void u32(void)
{
	struct tc_u32_sel sel = { .flags = TC_U32_TERMINAL };
	struct tc_u32_key key = { .mask = 0xffffffff };
	char both[sizeof sel + sizeof key];

	for (unsigned i = 0; i < 4; i++) {
		static const unsigned want[] = { FILTER_DROPPED, FILTER_ACCEPTED, FILTER_EITHER, FILTER_EITHER };

		key.val = htonl(i == 1 ? 0xe1010204 : 0xe1010203);
		key.off = i == 2 ? 60 : 16;
		sel.nkeys = i == 3 ? 9 : 1;	/* more than there are */
		memcpy(both, &sel, sizeof sel);
		memcpy(both + sizeof sel, &key, sizeof key);
		filter("u32", ETH_P_IP, 1);
		attr(TCA_U32_SEL, both, sizeof both);
		filter_acts(TCA_U32_ACT);
		act(1, "gact", TC_ACT_SHOT, 0);
		filter_end();
		CHECK_INT(judge(), want[i]);
	}
}

static void cuts(void)
{
	filter("flower", ETH_P_IP, 1);
	attr(TCA_FLOWER_KEY_IPV4_DST, "\341\1\2\3", 4);
	filter_acts(TCA_FLOWER_ACT);
	act(1, "mirred", TC_ACT_SHOT, TCA_EGRESS_REDIR);
	nest_end(acts);
	nest_end(options);
	CUTS(tc_filter_add(&tc, &m));
	judge();
}

TEST_MAIN(TEST(actions) TEST(chains) TEST(chances) TEST(ifbs) TEST(flower) TEST(u32) TEST(cuts))
