/* SPDX-License-Identifier: ISC
 *
 * The verdicts, by the table of signatures: which counters move by how much when
 * 20 packets come in.
 */
#include "applets/doctor/verdict.h"

#include "tests/unit/test.h"


#define X 20

static const struct row {
	const char *name;
	enum verdict want;
	struct flow_diff d;
} rows[] = {
	{ "good", VERDICT_FINE,
	  { .outputs = 1, .right = X, .out = X, .arrived = X, .seen = true, .ttl = 16, .threshold = 1, .vif = true } },
	{ "good, unseen", VERDICT_FINE, { .outputs = 2, .right = X, .out = 2 * X } },
	{ "good, with stray ones on another interface", VERDICT_FINE,
	  { .outputs = 1, .right = X, .wrong = X, .out = X, .vif = true } },
	{ "good, samples a little apart", VERDICT_FINE,
	  { .outputs = 1, .right = X, .lacking = 3, .out = X - 3, .unsent = 2, .vif = true } },
	{ "good, strict filter on other traffic", VERDICT_FINE,
	  { .outputs = 1, .right = X, .out = X, .rp_filter = 5 * X, .frag_fails = X } },
	{ "TTL 1", VERDICT_TTL, { .outputs = 1, .right = X, .lacking = X, .threshold = 1 } },
	{ "TTL 1, seen", VERDICT_TTL,
	  { .outputs = 1, .right = X, .lacking = X, .threshold = 1, .ttl = 1, .seen = true, .arrived = X,
	    .vif = true } },
	{ "TTL below a threshold, one output of two", VERDICT_TTL,
	  { .outputs = 2, .right = X, .lacking = X, .out = X, .threshold = 32, .ttl = 16, .seen = true,
	    .arrived = X, .vif = true } },
	{ "an output that is down", VERDICT_OUTPUT,
	  { .outputs = 2, .right = X, .lacking = X, .out = X, .threshold = 1, .ttl = 16, .seen = true,
	    .arrived = X, .vif = true } },
	{ "an output that is down, unseen", VERDICT_OUTPUT,
	  { .outputs = 2, .right = X, .lacking = X, .out = X, .threshold = 1, .output_down = true } },
	{ "MTU with DF", VERDICT_MTU, { .outputs = 1, .right = X, .lacking = X, .frag_fails = X, .threshold = 1 } },
	{ "MTU with DF, one output of two", VERDICT_MTU,
	  { .outputs = 2, .right = X, .lacking = X, .out = X, .frag_fails = X, .ttl = 9, .seen = true,
	    .threshold = 1 } },
	{ "MTU, IPv6: behind the packet filter", VERDICT_MTU,
	  { .outputs = 1, .right = X, .out = X, .unsent = X, .frag_fails = X } },
	{ "firewall", VERDICT_FIREWALL, { .outputs = 1, .right = X, .out = X, .unsent = X } },
	{ "firewall, on one output of two", VERDICT_FIREWALL, { .outputs = 2, .right = X, .out = 2 * X, .unsent = X } },
	{ "firewall before routing", VERDICT_FIREWALL,
	  { .outputs = 1, .arrived = X, .seen = true, .ttl = 16, .vif = true } },
	{ "rp_filter", VERDICT_RP_FILTER, { .rp_filter = X, .arrived = X, .vif = true } },
	{ "rp_filter, seen", VERDICT_RP_FILTER,
	  { .rp_filter = X, .arrived = X, .seen = true, .ttl = 16, .rp_refuses = true, .vif = true } },
	{ "rp_filter, device counters unseen", VERDICT_RP_FILTER, { .rp_filter = X } },
	{ "rp_filter of other traffic, this one at a closed door", VERDICT_NO_VIF,
	  { .rp_filter = X, .arrived = X, .seen = true, .ttl = 16 } },
	{ "wrong iif with a VIF", VERDICT_WRONG_IIF, { .outputs = 1, .wrong = X, .vif = true } },
	{ "wrong iif with a VIF, seen", VERDICT_WRONG_IIF,
	  { .outputs = 1, .wrong = X, .vif = true, .arrived = X, .seen = true, .ttl = 16 } },
	{ "wrong iif, no VIF there, IPv6", VERDICT_NO_VIF, { .outputs = 1, .wrong = X, .arrived = X, .seen = true } },
	{ "wrong iif, no VIF there, IPv4", VERDICT_NO_VIF, { .outputs = 1, .arrived = X, .seen = true, .ttl = 16 } },
	{ "no VIF there, unseen", VERDICT_NO_VIF, { .arrived = X } },
	{ "no rule: blocked", VERDICT_NO_RULE, { .right = X, .vif = true } },
	{ "no rule: unresolved", VERDICT_NO_RULE, { .unresolved = true, .arrived = X, .seen = true, .vif = true } },
	{ "table without mrule", VERDICT_TABLE, { .outputs = 1, .arrived = X, .seen = true, .other_table = true } },
	{ "table without mrule, unseen", VERDICT_TABLE, { .arrived = X, .other_table = true } },
	{ "table without mrule, IPv6: the stray entry counts", VERDICT_TABLE, { .wrong = X, .other_table = true } },
	{ "nothing at all", VERDICT_NOTHING, { .seen = false } },
	{ "nothing, with an entry", VERDICT_NOTHING, { .outputs = 2, .vif = true } },
	{ "other packets on an interface that routes, unseen", VERDICT_NOTHING, { .arrived = X, .vif = true } },
	{ "one packet is enough", VERDICT_FINE, { .outputs = 1, .right = 1, .out = 1 } },
	{ "one packet with TTL 1", VERDICT_TTL, { .outputs = 1, .right = 1, .lacking = 1, .threshold = 1 } },
};

static void signatures(void)
{
	for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
		enum verdict got = verdict_of(&rows[i].d);

		if (got != rows[i].want)
			printf("# %s\n", rows[i].name);
		CHECK_INT(got, rows[i].want);
	}
}

/* Counters of any size are judged. */
static void limits(void)
{
	struct flow_diff d = { .outputs = 1, .right = UINT64_MAX, .out = UINT64_MAX };

	CHECK_INT(verdict_of(&d), VERDICT_FINE);
	d.lacking = UINT64_MAX;
	CHECK_INT(verdict_of(&d), VERDICT_TTL);
	d.lacking = UINT64_MAX / 2 - 1;
	CHECK_INT(verdict_of(&d), VERDICT_FINE);
	d.lacking = UINT64_MAX / 2 + 1;
	CHECK_INT(verdict_of(&d), VERDICT_TTL);
}

TEST_MAIN(TEST(signatures) TEST(limits))
