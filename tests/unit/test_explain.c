/* SPDX-License-Identifier: ISC
 *
 * What explain finds; its text is compared in tests/conf/explain.
 */
#include "conf/explain.h"
#include "conf/field.h"
#include "conf/read.h"

#include "tests/unit/test.h"

/* Explains a packet by the rules in a text; explain_done() afterwards. */
static struct explanation explain(const char *text, const char *iif, const char *source, const char *group)
{
	const char *words[] = { source, group };
	struct conf *c = conf_new();
	struct flow_range packet;
	struct explanation x;
	struct diags d = { 0 };

	CHECK(conf_parse_text(c, &d, "test", text, strlen(text)) && !d.n);
	CHECK(!field_range(words, 2, &packet));
	CHECK(explain_packet(&x, c, iif, &packet.flow));
	return x;
}

static void explain_done(struct explanation *x)
{
	struct conf *owned = NULL;

	memcpy(&owned, &x->conf, sizeof owned);
	explain_free(x);
	conf_free(owned);
}

static bool comes_out(const char *text, const char *iif)
{
	struct explanation x = explain(text, iif, "10.0.0.1", "225.1.2.3");
	bool yes = x.comes_out;

	explain_done(&x);
	return yes;
}

static void rules_add_up(void)
{
	struct explanation x = explain("mroute from a group 225.0.0.0/8 to b c\nmroute from b group 225.1.2.3 to a\n"
				       "mroute from a source 10.0.0.0/8 group 225.1.2.3 to c d\n",
				       "a", "10.0.0.1", "225.1.2.3");

	CHECK_INT(x.nrules, 2);
	CHECK_INT(x.noutputs, 3);
	CHECK(x.rules[0] == x.conf->mroutes && x.rules[1] == x.conf->mroutes + 2);
	CHECK(x.comes_out && !x.misses);
	explain_done(&x);
}

static void nearest_rule(void)
{
	struct explanation x = explain("mroute from b group 225.1.2.3 to c\nmroute from a group 225.1.2.4 to c\n"
				       "mroute from a source 10.0.0.2 group 225.1.2.3 to c\n",
				       "a", "10.0.0.1", "225.1.2.3");

	CHECK_INT(x.nrules, 0);
	CHECK(x.nearest == x.conf->mroutes + 2);
	CHECK_INT(x.misses, MISS_SOURCE);
	CHECK(!x.comes_out);
	explain_done(&x);
	x = explain("mroute from a group ff05::1 to c\n", "a", "10.0.0.1", "225.1.2.3");
	CHECK(!x.nearest);
	explain_done(&x);
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
	struct explanation x = explain("mroute from a group 224.0.0.251 to b\n", "a", "10.0.0.1", "224.0.0.251");

	CHECK(x.is_link_local && x.nrules == 1 && !x.comes_out);
	explain_done(&x);
}

TEST_MAIN(TEST(rules_add_up) TEST(nearest_rule) TEST(what_is_disabled) TEST(link_local))
