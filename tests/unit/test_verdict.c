/* SPDX-License-Identifier: ISC
 *
 * The verdicts: at which station which packets are missing, and what is known of them there.
 */
#include "applets/doctor/verdict.h"

#include "tests/unit/test.h"

#define X 100
#define ALL { X, X }

/* ---- before the entry ---- */

static const struct in_row {
	const char *name;
	enum verdict want[LOSSES];	/* VERDICT_FINE ends it */
	struct evidence e;
} ins[] = {
	{ "all get to the entry", { 0 },
	  { .is_seen = true, .wire = X, .ip = X, .has_entry = true, .is_here = true, .right = ALL, .has_vif = true } },
	{ "samples a little apart", { 0 },
	  { .is_seen = true, .wire = X, .ip = X, .has_entry = true, .is_here = true, .right = { X - 4, X - 4 },
	    .has_vif = true } },
	{ "another group by a rule here", { VERDICT_CHANGED },
	  { .is_seen = true, .wire = X, .ip = X, .has_vif = true, .is_changed = true, .is_regrouped = true } },
	{ "another source by a rule here, of which nothing comes", { VERDICT_CHANGED },
	  { .is_seen = true, .wire = X, .ip = X, .has_vif = true, .is_changed = true } },
	{ "another source by a rule here, which is refused", { VERDICT_RP_FILTER },
	  { .is_seen = true, .wire = X, .ip = X, .has_vif = true, .is_changed = true, .rp_refuses = true } },
	{ "a filter that may drop, and everything comes through", { 0 },
	  { .is_seen = true, .wire = X, .ip = X, .has_entry = true, .is_here = true, .right = ALL, .has_vif = true,
	    .filter = FILTER_MAY_DROP } },
	{ "firewall before routing", { VERDICT_FIREWALL },
	  { .is_seen = true, .wire = X, .ip = X, .has_vif = true, .filter = FILTER_DROPS } },
	{ "a filter that cannot be judged is no cause", { VERDICT_LOST_IN },
	  { .is_seen = true, .wire = X, .ip = X, .has_vif = true, .filter = FILTER_MAY_DROP } },
	{ "rp_filter", { VERDICT_RP_FILTER },
	  { .is_seen = true, .wire = X, .ip = X, .has_vif = true, .rp_refuses = true } },
	{ "rp_filter and firewall: both", { VERDICT_FIREWALL, VERDICT_RP_FILTER },
	  { .is_seen = true, .wire = X, .ip = X, .has_vif = true, .rp_refuses = true, .filter = FILTER_DROPS } },
	{ "rp_filter and no VIF: both", { VERDICT_RP_FILTER, VERDICT_NO_VIF },
	  { .is_seen = true, .wire = X, .ip = X, .rp_refuses = true } },
	{ "a source of this link", { VERDICT_SOURCE },
	  { .is_seen = true, .wire = X, .ip = X, .has_vif = true, .stays_here = true, .rp_refuses = true } },
	{ "IPv6 is off there", { VERDICT_FAMILY, VERDICT_NO_VIF },
	  { .is_seen = true, .fam = FAM_6, .wire = X, .ip = X, .lacks_family = true } },
	{ "wrong iif", { VERDICT_WRONG_IIF },
	  { .is_seen = true, .wire = X, .ip = X, .has_vif = true, .has_entry = true, .wrong = X } },
	{ "wrong iif, no VIF there", { VERDICT_NO_VIF },
	  { .is_seen = true, .wire = X, .ip = X, .has_entry = true, .wrong = X } },
	{ "wrong iif, not seen", { VERDICT_WRONG_IIF }, { .has_vif = true, .has_entry = true, .wrong = X } },
	{ "not answered", { VERDICT_NO_ANSWER },
	  { .is_seen = true, .wire = X, .ip = X, .has_vif = true, .is_unresolved = true } },
	{ "table", { VERDICT_TABLE }, { .is_seen = true, .wire = X, .ip = X, .has_other_table = true } },
	{ "damaged", { VERDICT_BROKEN }, { .is_seen = true, .wire = X, .ip = X, .broken = X, .has_vif = true } },
	{ "one in ten damaged", { VERDICT_BROKEN },
	  { .is_seen = true, .wire = X, .ip = X, .broken = 10, .has_vif = true, .has_entry = true, .is_here = true,
	    .right = { X - 10, X - 10 } } },
	{ "dropped by tc", { VERDICT_INGRESS }, { .is_seen = true, .wire = X, .has_vif = true } },
	{ "a port of a bridge takes nothing in, which keeps it from this host too", { VERDICT_PORT_IN, VERDICT_KEPT },
	  { .is_seen = true, .wire = X, .has_vif = true, .port_stops = true, .is_kept = true } },
	{ "a filter below drops it, and a bridge keeps it", { VERDICT_FIREWALL, VERDICT_KEPT },
	  { .is_seen = true, .wire = X, .has_vif = true, .ingress = FILTER_DROPS, .is_kept = true } },
	{ "a bridge that snoops keeps it from this host", { VERDICT_KEPT },
	  { .is_seen = true, .wire = X, .has_vif = true, .is_kept = true } },
	{ "a rate limit before routing", { VERDICT_LOST_IN },
	  { .is_seen = true, .wire = X, .ip = X, .has_vif = true, .has_entry = true, .is_here = true,
	    .right = { 10, 10 }, .filter = FILTER_MAY_DROP } },
	{ "the same, when as many packets were not read", { 0 },
	  { .is_seen = true, .wire = X, .ip = X, .has_vif = true, .has_entry = true, .is_here = true,
	    .right = { 10, 10 }, .unread = X } },
	{ "some came before there was an entry", { 0 },
	  { .is_seen = true, .wire = X, .ip = X, .has_vif = true, .has_entry = true, .is_here = true, .is_fresh = true,
	    .right = { 40, 40 } } },
	{ "all came before there was an entry, and none got to it", { VERDICT_LOST_IN },
	  { .is_seen = true, .wire = X, .ip = X, .has_vif = true, .has_entry = true, .is_here = true,
	    .is_fresh = true } },
	{ "a port below", { 0 }, { .is_seen = true, .wire = X, .is_lower = true } },
	{ "not seen, nothing counted", { 0 }, { .has_vif = true } },
};

static void before_the_entry(void)
{
	for (unsigned i = 0; i < sizeof ins / sizeof *ins; i++) {
		struct loss v[LOSSES] = { { 0 } };
		unsigned n = verdict_in(&ins[i].e, v), want = 0;

		while (want < LOSSES && ins[i].want[want])
			want++;
		if (n != want || (n && v[0].verdict != ins[i].want[0]))
			printf("# %s\n", ins[i].name);
		CHECK_INT(n, want);
		for (unsigned k = 0; k < want; k++)
			CHECK_INT(v[k].verdict, ins[i].want[k]);
	}
}

/* ---- behind it ---- */

static const struct out_row {
	const char *name;
	enum verdict want[LOSSES];
	uint64_t n;			/* lost by the first */
	bool is_seen;
	enum fam fam;
	struct evidence_out o;
} outs[] = {
	{ "good", { 0 }, 0, true, FAM_4, { .vif = ALL, .sent = ALL, .left = ALL } },
	{ "good, a few are on their way", { 0 }, 0, true, FAM_4,
	  { .vif = ALL, .sent = ALL, .left = { X - 2, X - 2 } } },
	{ "good, TTL 1 raised by a rule here", { 0 }, 0, true, FAM_4,
	  { .low = ALL, .vif = ALL, .sent = ALL, .left = ALL } },
	{ "TTL 1", { VERDICT_TTL }, X, true, FAM_4, { .low = ALL, .vif = { 0, 0 }, .left = { 0, 0 } } },
	{ "TTL 1, one in fifty", { VERDICT_TTL }, 2, true, FAM_4,
	  { .low = { 2, 2 }, .vif = ALL, .left = { X - 2, X - 2 } } },
	{ "TTL 1 and too large, a part each", { VERDICT_TTL, VERDICT_MTU }, 10, true, FAM_4,
	  { .low = { 10, 10 }, .large = { 40, 40 }, .vif = { 50, 50 }, .left = { 50, 50 } } },
	{ "too large", { VERDICT_MTU }, X, true, FAM_4, { .large = ALL, .left = { 0, 0 } } },
	{ "TTL set to 1 behind the sniffer", { VERDICT_TTL_CHANGED }, X, true, FAM_4,
	  { .vif = { 0, 0 }, .left = { 0, 0 } } },
	{ "no route to the group there", { VERDICT_ROUTE }, X, true, FAM_6, { .lacks_route = true } },
	{ "firewall", { VERDICT_FIREWALL }, X, true, FAM_4, { .vif = ALL, .filter = FILTER_DROPS } },
	{ "a chain that surely drops, and the packets go out", { 0 }, 0, true, FAM_4,
	  { .vif = ALL, .left = ALL, .filter = FILTER_DROPS } },
	{ "a queue that dropped as many", { VERDICT_QUEUE }, 90, true, FAM_4,
	  { .vif = ALL, .left = { 10, 10 }, .queue_drops = 95 } },
	{ "a queue that dropped others", { VERDICT_LOST_OUT }, 90, true, FAM_4,
	  { .vif = ALL, .left = { 10, 10 }, .queue_drops = 40 } },
	{ "a queue, and a chain that surely drops", { VERDICT_FIREWALL }, X, true, FAM_4,
	  { .vif = ALL, .queue_drops = 95, .filter = FILTER_DROPS } },
	{ "a rate limit alone", { VERDICT_LIMIT }, 90, true, FAM_4,
	  { .vif = ALL, .left = { 10, 10 }, .filter = FILTER_LIMITS } },
	{ "the driver did not send it", { VERDICT_DRIVER }, 90, true, FAM_4,
	  { .vif = ALL, .left = ALL, .unsent = 90 } },
	{ "another group as it leaves", { VERDICT_CHANGED }, X, true, FAM_4, { .vif = ALL, .is_regrouped = true } },
	{ "a filter that is not known", { VERDICT_LOST_OUT }, 90, true, FAM_4,
	  { .vif = ALL, .left = { 10, 10 }, .filter = FILTER_MAY_DROP } },
	{ "down", { VERDICT_OUTPUT }, X, true, FAM_4, { .is_down = true, .left = ALL } },
	{ "no carrier", { VERDICT_OUTPUT }, X, true, FAM_4, { .lacks_carrier = true, .left = ALL } },
	{ "IPv6 is off", { VERDICT_FAMILY }, X, true, FAM_6, { .lacks_family = true } },
	{ "nobody behind a bridge", { VERDICT_NOBODY }, X, true, FAM_4,
	  { .bridge = 9, .vif = ALL, .left = ALL, .is_unwanted = true } },
	{ "nobody behind a bridge, which has not begun to snoop", { 0 }, 0, true, FAM_4,
	  { .bridge = 9, .vif = ALL, .left = ALL, .is_unwanted = true, .most = X } },
	{ "a bridge that keeps them", { VERDICT_NOBODY }, X, true, FAM_4, { .bridge = 9, .vif = ALL, .left = ALL } },
	{ "somebody behind a bridge", { 0 }, 0, true, FAM_4,
	  { .bridge = 9, .port = 8, .port_got = X, .most = X, .vif = ALL, .left = ALL } },
	{ "a bridge that floods", { 0 }, 0, true, FAM_4, { .bridge = 9, .most = X, .vif = ALL, .left = ALL } },
	{ "a port of a bridge lacks some", { VERDICT_PORT }, 40, true, FAM_4,
	  { .bridge = 9, .port = 8, .port_got = X - 40, .most = X, .vif = ALL, .left = ALL } },
	{ "counted: nobody behind a bridge", { VERDICT_NOBODY }, X, false, FAM_4,
	  { .low.hi = X, .bridge = 9, .is_unwanted = true, .most = 9, .vif = ALL, .sent = ALL, .left = ALL } },
	{ "counted: nobody behind a bridge, and others hide it", { VERDICT_UNSURE }, X, false, FAM_4,
	  { .low.hi = X, .bridge = 9, .is_unwanted = true, .most = 9 * X, .vif = ALL, .sent = ALL, .left = ALL } },
	{ "counted: a port of a bridge lacks all", { VERDICT_PORT }, X, false, FAM_4,
	  { .low.hi = X, .bridge = 9, .port = 8, .most = X, .vif = ALL, .sent = ALL, .left = ALL } },
	{ "counted: of a bridge that floods no port sends so many", { VERDICT_NOBODY }, X / 2, false, FAM_4,
	  { .low.hi = X, .bridge = 9, .most = X / 2, .vif = ALL, .sent = ALL, .left = ALL } },
	{ "counted: good", { 0 }, 0, false, FAM_4, { .low.hi = X, .vif = ALL, .sent = ALL, .left = ALL } },
	{ "counted: TTL", { VERDICT_TTL }, X, false, FAM_4, { .low.hi = X } },
	{ "counted: MTU", { VERDICT_MTU }, X, false, FAM_4, { .low.hi = X, .large.hi = X } },
	{ "counted: failures to fragment of others", { VERDICT_UNSURE }, X, false, FAM_4,
	  { .low.hi = X, .large.hi = 10 * X } },
	{ "counted: firewall", { VERDICT_FIREWALL }, X, false, FAM_4, { .low.hi = X, .vif = ALL } },
	{ "counted: MTU behind the packet filter, IPv6", { VERDICT_MTU }, X, false, FAM_6,
	  { .low.hi = X, .vif = ALL, .large.hi = X } },
	{ "counted: not sent by the driver", { VERDICT_LOST_OUT }, X, false, FAM_4,
	  { .low.hi = X, .vif = ALL, .sent = ALL } },
	{ "counted: not sent by the IP stack, and what the host says itself hides a third", { VERDICT_FIREWALL },
	  X, false, FAM_4, { .low.hi = X, .vif = ALL, .sent = { X / 3, X } } },
	{ "counted: not sent by the driver, and a third of another output's by the IP stack", { VERDICT_LOST_OUT },
	  X, false, FAM_4, { .low.hi = X, .vif = ALL, .sent = { X - X / 3, X } } },
	{ "counted: others hide it", { VERDICT_UNSURE }, X, false, FAM_4,
	  { .low.hi = X, .vif = { 0, X }, .sent = { 0, X }, .left = { 0, X } } },
};

static void behind_it(void)
{
	for (unsigned i = 0; i < sizeof outs / sizeof *outs; i++) {
		struct evidence e = { .is_seen = outs[i].is_seen, .fam = outs[i].fam, .wire = X, .ip = X,
				      .has_entry = true, .is_here = true, .right = ALL, .has_vif = true };
		struct loss v[LOSSES] = { { 0 } };
		unsigned n = verdict_out(&e, &outs[i].o, v), want = 0;

		while (want < LOSSES && outs[i].want[want])
			want++;
		if (n != want || (n && v[0].verdict != outs[i].want[0]))
			printf("# %s\n", outs[i].name);
		CHECK_INT(n, want);
		CHECK_INT(v[0].n, outs[i].n);
		for (unsigned k = 0; k < want; k++)
			CHECK_INT(v[k].verdict, outs[i].want[k]);
	}
}

/* One packet is enough, and counters of any size are judged. */
static void limits(void)
{
	struct evidence e = { .right = { 1, 1 }, .is_here = true, .has_vif = true };
	struct evidence_out o = { .low.hi = 1 };
	struct loss v[LOSSES];

	CHECK_INT(verdict_out(&e, &o, v), 1);
	CHECK_INT(v[0].verdict, VERDICT_TTL);
	o.vif = o.sent = o.left = (struct span){ 1, 1 };
	CHECK_INT(verdict_out(&e, &o, v), 0);
	e = (struct evidence){ .is_seen = true, .wire = UINT64_MAX, .ip = UINT64_MAX, .is_here = true, .has_vif = true,
			       .right = { UINT64_MAX, UINT64_MAX } };
	o.vif = o.sent = o.left = e.right;
	CHECK_INT(verdict_in(&e, v), 0);
	CHECK_INT(verdict_out(&e, &o, v), 0);
	o.left = o.low = (struct span){ 0, 0 };
	CHECK_INT(verdict_out(&e, &o, v), 1);
}

/* Of all sources of an entry together some may lack on purpose, all of them not. */
static void many(void)
{
	struct evidence e = { .is_many = true, .right = ALL, .is_here = true, .has_vif = true };
	struct evidence_out o = { .low.hi = X, .vif = { 0, X - 30 }, .sent = { 0, X - 30 }, .left = { 0, X - 30 } };
	struct loss v[LOSSES];

	CHECK_INT(verdict_out(&e, &o, v), 1);
	CHECK_INT(v[0].verdict, VERDICT_UNSURE);
	o.vif = o.sent = o.left = (struct span){ 0, 0 };
	CHECK_INT(verdict_out(&e, &o, v), 1);
	CHECK_INT(v[0].verdict, VERDICT_TTL);
}

/* What was dropped before routing is not lost behind it, though entries counted some more afterwards. */
static void late(void)
{
	struct evidence e = { .is_seen = true, .wire = X, .ip = X, .right = { X / 2 + 20, X / 2 + 20 }, .late = 25,
			      .is_here = true, .has_entry = true, .has_vif = true };
	struct evidence_out o = { .vif = e.right, .sent = { X / 2, X }, .left = { X / 2, X / 2 } };
	struct loss v[LOSSES];

	CHECK_INT(verdict_in(&e, v), 1);
	CHECK_INT(v[0].verdict, VERDICT_LOST_IN);
	CHECK_INT(v[0].n, X / 2 - 20);
	CHECK_INT(verdict_out(&e, &o, v), 0);
	e.late = 0;
	CHECK_INT(verdict_out(&e, &o, v), 1);
	/* So late that all may have got to the entry: where the rest was lost is not known. */
	e.right = (struct span){ X, X };
	e.late = X / 2;
	CHECK_INT(verdict_in(&e, v), 0);
	CHECK_INT(verdict_out(&e, &o, v), 1);
	CHECK_INT(v[0].verdict, VERDICT_UNSURE);
	CHECK_INT(v[0].n, X / 2);
	e.is_fresh = true;
	CHECK_INT(verdict_out(&e, &o, v), 0);
}

/* Made anew while packets came: the first few were lost before it, and all that got to it went out. */
static void made_anew(void)
{
	struct evidence e = { .is_seen = true, .wire = 33, .ip = 33, .right = { 30, 30 }, .has_vif = true,
			      .has_entry = true, .is_here = true, .is_fresh = true };
	struct evidence_out o = { .vif = { 30, 30 }, .sent = { 30, 30 }, .left = { 30, 30 } };
	struct loss v[LOSSES];

	CHECK_INT(verdict_in(&e, v), 0);
	CHECK_INT(verdict_routed(&e), 30);
	CHECK_INT(verdict_out(&e, &o, v), 0);
	/* Of those that came while it was read nobody knows. */
	e.right = (struct span){ 35, 35 };
	e.late = 5;
	CHECK_INT(verdict_out(&e, &o, v), 0);
	/* What got to it is missed. */
	o.left = (struct span){ 20, 20 };
	CHECK_INT(verdict_out(&e, &o, v), 1);
	CHECK_INT(v[0].n, 10);
}

TEST_MAIN(TEST(before_the_entry) TEST(behind_it) TEST(limits) TEST(many) TEST(late) TEST(made_anew))
