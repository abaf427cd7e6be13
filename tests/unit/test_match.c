/* SPDX-License-Identifier: ISC
 *
 * What names, phyint lines and rules mean, and which groups stay on their link.
 */
#include "conf/field.h"
#include "conf/match.h"
#include "conf/read.h"

#include "tests/unit/test.h"

static struct ifname ifname(const char *s)
{
	return ifname_of(s, strlen(s));
}

static bool matches(const char *name, const char *interface)
{
	struct ifname n = ifname(name);

	return ifname_matches(&n, interface);
}

static bool within(const char *narrow, const char *wide)
{
	struct ifname n = ifname(narrow), w = ifname(wide);

	return ifname_within(&n, &w);
}

static void names_match(void)
{
	CHECK(matches("eth0", "eth0"));
	CHECK(!matches("eth0", "eth01") && !matches("eth01", "eth0"));
	CHECK(matches("eth+", "eth0") && matches("eth+", "eth") && matches("eth+", "eth+"));
	CHECK(!matches("eth+", "et") && !matches("eth+", "wlan0"));
	CHECK(matches("+", "lo"));
	CHECK(matches("abcdefghijklmno", "abcdefghijklmno") && !matches("abcdefghijklmno", "abcdefghijklmn"));
}

static void names_contain(void)
{
	CHECK(within("eth0", "eth0") && within("eth0", "eth+") && within("eth0", "+"));
	CHECK(within("eth1+", "eth+") && within("eth+", "eth+"));
	CHECK(!within("eth+", "eth1+") && !within("eth+", "eth0") && !within("eth+", "eth"));
	CHECK(!within("eth01", "eth0"));
}

/* The phyint lines of a text, and what they say of an interface, by both ways to ask. */
static struct phyint_match phyint(const char *text, const char *interface)
{
	struct conf *c = conf_new();
	struct diags d = { 0 };
	struct ifname name = ifname(interface);

	CHECK(conf_parse_text(c, &d, "test", text, strlen(text)) && !d.n);
	struct phyint_match m = match_phyint(c->phyints, c->nphyints, interface),
			    k = match_conf_phyint(c, &name);

	CHECK(m.is_disabled == k.is_disabled && m.has_mrdisc == k.has_mrdisc && m.ttl == k.ttl);
	CHECK(m.enable_line == k.enable_line && m.ttl_line == k.ttl_line);
	CHECK(m.refresh == k.refresh && m.refresh_line == k.refresh_line);
	conf_free(c);
	return m;
}

static void phyint_precedence(void)
{
	CHECK(!phyint("", "eth0").is_disabled);
	CHECK_INT(phyint("", "eth0").ttl, 1);
	CHECK(phyint("phyint eth+ disable\n", "eth0").is_disabled);
	CHECK(!phyint("phyint eth+ disable\n", "wlan0").is_disabled);
	CHECK(phyint("phyint + disable\n", "wlan0").is_disabled);
	/* Exact before wildcard, longer before shorter, in whatever order. */
	CHECK(!phyint("phyint eth0 enable\nphyint eth+ disable\n", "eth0").is_disabled);
	CHECK(!phyint("phyint eth+ disable\nphyint eth0 enable\n", "eth0").is_disabled);
	CHECK(!phyint("phyint eth+ disable\nphyint eth0+ enable\nphyint + disable\n", "eth0").is_disabled);
	CHECK(phyint("phyint eth0+ enable\nphyint eth0 disable\n", "eth0").is_disabled);
}

static void phyint_each_on_its_own(void)
{
	const char *text = "phyint eth0 ttl-threshold 3\nphyint eth+ disable ttl-threshold 9 mrdisc\n";
	struct phyint_match m = phyint(text, "eth0");

	CHECK(m.is_disabled && m.has_mrdisc);
	CHECK_INT(m.ttl, 3);
	m = phyint(text, "eth1");
	CHECK_INT(m.ttl, 9);
	CHECK_INT(phyint("phyint eth0 ttl-threshold 1\nphyint eth+ ttl-threshold 9\n", "eth0").ttl, 1);
	CHECK_INT(phyint(text, "eth0").refresh, 0);
	text = "phyint eth+ refresh\nphyint eth0 refresh 5\nphyint + refresh 7 disable\n";
	CHECK_INT(phyint(text, "eth0").refresh, 5);
	CHECK_INT(phyint(text, "eth1").refresh, 60);
	CHECK_INT(phyint(text, "lan1").refresh, 7);
}

static void wider_names(void)
{
	struct conf *c = conf_new();
	struct ifname longest = ifname("abcdefghijklmno"), eth1 = ifname("eth1"), wide;

	CHECK_INT(match_wider(c, &eth1), CONF_NONE);
	uint16_t all = conf_name(c, "+", 1), eth = conf_name(c, "eth+", 4);

	CHECK_INT(match_wider(c, &eth1), eth);
	wide = c->names[eth].ifname;
	CHECK_INT(match_wider(c, &wide), all);
	wide = c->names[all].ifname;
	CHECK_INT(match_wider(c, &wide), CONF_NONE);
	CHECK_INT(match_wider(c, &longest), all);
	conf_free(c);
}

static void rules(void)
{
	const char *range[] = { "10.0.0.0/24", "225.1.0.0/16" }, *packet[] = { "10.0.0.9", "225.1.2.3" };
	struct flow_range r, p;
	struct ifname from = ifname("eth+");

	CHECK(!field_range(range, 2, &r) && !field_range(packet, 2, &p));
	CHECK_INT(match_rule(&from, &r, "eth3", &p.flow), 0);
	CHECK_INT(match_rule(&from, &r, "wlan0", &p.flow), MISS_IIF);
	p.flow.source.b[14] = 1;
	CHECK_INT(match_rule(&from, &r, "eth3", &p.flow), MISS_SOURCE);
	p.flow.group.b[13] = 2;
	CHECK_INT(match_rule(&from, &r, "lo", &p.flow), MISS_IIF | MISS_GROUP | MISS_SOURCE);
}

static bool is_link_local(const char *prefix)
{
	struct flow_range r;

	CHECK(!field_range(&prefix, 1, &r));
	return match_link_local(&r.flow.group, r.group_len);
}

static void link_local(void)
{
	CHECK(is_link_local("224.0.0.1") && is_link_local("224.0.0.0/24") && is_link_local("224.0.0.255"));
	CHECK(!is_link_local("224.0.1.1") && !is_link_local("224.0.0.0/23") && !is_link_local("225.0.0.1"));
	CHECK(is_link_local("ff01::1") && is_link_local("ff02::/16") && is_link_local("ff32::1") &&
	      is_link_local("fff1::1"));
	CHECK(!is_link_local("ff05::2") && !is_link_local("ff02::/15") && !is_link_local("ff00::1"));
}

static bool stays_here(const char *text)
{
	struct addr a;

	CHECK_INT(addr_parse(text, strlen(text), &a), ADDR_OK);
	return match_stays_here(&a);
}

static void sources_that_stay(void)
{
	CHECK(stays_here("0.0.0.0") && stays_here("127.0.0.1") && stays_here("127.255.0.9"));
	CHECK(stays_here("::") && stays_here("::1") && stays_here("fe80::1") && stays_here("febf::1"));
	CHECK(!stays_here("10.0.0.1") && !stays_here("128.0.0.1") && !stays_here("::2"));
	CHECK(!stays_here("fec0::1") && !stays_here("fd00::1") && !stays_here("fe00::1"));
}

static bool range_stays(const char *source, const char *group)
{
	const char *words[] = { source, group };
	struct flow_range range;

	CHECK(!field_range(words, 2, &range));
	return match_range_stays(&range);
}

static void ranges_that_stay(void)
{
	CHECK(range_stays("127.0.0.1", "239.1.1.1") && range_stays("127.0.0.0/8", "239.1.1.1"));
	CHECK(range_stays("fe80::1", "ff05::1") && range_stays("fe80::/10", "ff05::1"));
	CHECK(range_stays("::1", "ff05::1"));
	CHECK(!range_stays("126.0.0.0/7", "239.1.1.1") && !range_stays("fe80::/9", "ff05::1"));
	CHECK(!range_stays("0.0.0.0/0", "239.1.1.1") && !range_stays("10.0.0.1", "239.1.1.1"));
	CHECK(!range_stays("::/0", "ff05::1") && !range_stays("::/64", "ff05::1"));
	CHECK(!range_stays("fd00::1", "ff05::1"));
}

TEST_MAIN(TEST(names_match) TEST(names_contain) TEST(phyint_precedence) TEST(phyint_each_on_its_own)
	  TEST(wider_names) TEST(rules) TEST(link_local) TEST(sources_that_stay) TEST(ranges_that_stay))
