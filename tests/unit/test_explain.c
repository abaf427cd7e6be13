/* SPDX-License-Identifier: ISC
 *
 * What explain finds; more of its text is compared in tests/conf/explain.
 */
#include "conf/explain.h"
#include "conf/field.h"
#include "conf/read.h"

#include "tests/unit/test.h"

/* Explains a packet by the rules in a text; the answer stays until the next call. */
static const char *explain(const char *text, const char *iif, const char *source, const char *group, bool *comes_out)
{
	static struct buf out;
	const char *words[] = { source, group };
	struct conf *c = conf_new();
	struct explanation x;
	struct flow_range packet;
	struct diags d = { 0 };

	buf_free(&out);
	CHECK(conf_parse_text(c, &d, "test", text, strlen(text)) && !d.n);
	CHECK(!field_range(words, 2, &packet));
	CHECK(explain_packet(&x, c, iif, &packet.flow));
	explain_text(&out, &x);
	*comes_out = x.reason == EXPLAIN_FORWARDED;
	explain_free(&x);
	conf_free(c);
	return buf_cstr(&out);
}

static bool comes_out(const char *text, const char *iif)
{
	bool yes;

	explain(text, iif, "10.0.0.1", "225.1.2.3", &yes);
	return yes;
}

static void narrowest_rule(void)
{
	bool yes;

	CHECK_STR(explain("mroute from a group 225.0.0.0/8 to b c\nmroute from b group 225.1.2.3 to a\n"
			  "mroute from a source 10.0.0.0/8 group 225.1.2.3 to c d\n",
			  "a", "10.0.0.1", "225.1.2.3", &yes),
		  "test:1: mroute  from a group 225.0.0.0/8 to b c\n  set aside: test:3 is narrower\n"
		  "test:3: mroute  from a source 10.0.0.0/8 group 225.1.2.3 to c d\n"
		  "outputs: c\n         d\n");
	CHECK(yes);
}

/* Where none of two is inside the other their outputs add up, and a stop among them stops. */
static void side_by_side(void)
{
	static const char text[] = "mroute from a source 10.0.0.1 group 225.0.0.0/8 to b\n"
				   "mroute from a+ group 225.1.2.3 to c\nmroute from a group 225.2.2.2\n";
	bool yes;

	CHECK_STR(explain(text, "a", "10.0.0.1", "225.1.2.3", &yes),
		  "test:1: mroute  from a source 10.0.0.1 group 225.0.0.0/8 to b\n"
		  "test:2: mroute  from a+ group 225.1.2.3 to c\noutputs: b\n         c\n");
	CHECK(yes);
	CHECK_STR(explain(text, "a", "10.0.0.1", "225.2.2.2", &yes),
		  "test:1: mroute  from a source 10.0.0.1 group 225.0.0.0/8 to b\n"
		  "test:3: mroute  from a group 225.2.2.2\noutputs: none, the packets are stopped by test:3\n");
	CHECK(!yes);
}

static void nearest_rule(void)
{
	bool yes;

	CHECK_STR(explain("mroute from b group 225.1.2.3 to c\nmroute from a group 225.1.2.4 to c\n"
			  "mroute from a source 10.0.0.2 group 225.1.2.3 to c\n",
			  "a", "10.0.0.1", "225.1.2.3", &yes),
		  "no rule matches: the packets go nowhere\n"
		  "nearest: test:3: mroute  from a source 10.0.0.2 group 225.1.2.3 to c\n"
		  "  its source is 10.0.0.2, not 10.0.0.1\n");
	CHECK(!yes);
	CHECK_STR(explain("mroute from a group ff05::1 to c\n", "a", "10.0.0.1", "225.1.2.3", &yes),
		  "no rule matches: the packets go nowhere\n");
}

static void what_is_disabled(void)
{
	CHECK(comes_out("mroute from a group 225.1.2.3 to eth1\n", "a"));
	CHECK(!comes_out("mroute from a group 225.1.2.3 to eth1\nphyint eth1 disable\n", "a"));
	CHECK(!comes_out("mroute from a group 225.1.2.3 to eth1\nphyint eth+ disable\n", "a"));
	CHECK(!comes_out("mroute from a group 225.1.2.3 to eth+\nphyint eth+ disable\n", "a"));
	CHECK(comes_out("mroute from a group 225.1.2.3 to eth1 eth2\nphyint eth+ disable\nphyint eth2 enable\n", "a"));
	CHECK(comes_out("mroute from a group 225.1.2.3 to eth+\nphyint eth+ disable\nphyint eth2 enable\n", "a"));
	/* A wildcard never means the inbound interface. */
	CHECK(!comes_out("mroute from eth2 group 225.1.2.3 to eth+\nphyint eth+ disable\nphyint eth2 enable\n",
			 "eth2"));
	CHECK(!comes_out("mroute from eth1 group 225.1.2.3 to b\nphyint eth+ disable\n", "eth1"));
	CHECK(!comes_out("mroute from a group 225.1.2.3\n", "a"));
}

static void link_local(void)
{
	bool yes;

	CHECK_STR(explain("mroute from a group 224.0.0.251 to b\n", "a", "10.0.0.1", "224.0.0.251", &yes),
		  "test:1: mroute  from a group 224.0.0.251 to b\noutputs: b\n"
		  "note: this group stays on its link, no router forwards it\n");
	CHECK(!yes);
}

TEST_MAIN(TEST(narrowest_rule) TEST(side_by_side) TEST(nearest_rule) TEST(what_is_disabled) TEST(link_local))
