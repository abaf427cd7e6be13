/* SPDX-License-Identifier: ISC
 *
 * Which words are slips.  What is said of them is in tests/conf/warn-slip.ok and err-slip.ok.
 */
#include "conf/slip.h"

#include "tests/unit/alone.h"
#include "tests/unit/test.h"

static void names(void)
{
	static const char *const good[] = {
		"eth0", "eth+", "+", "br-lan", "eth1.42", "wg_0", "eth0:1", "eth0:web", "a", "_", "0eth", "12a",
		"x.y-z", "enp0s31f6", "fro", "tow", "anyx", "\xc3\xbc", "vlan10", "docker0", "ppp0", "eth0.1:2", "to1",
	};
	static const char *const bad[] = {
		"eth0,", ",eth0", "eth0;", "\"eth0\"", "'eth0", "eth0'", "eth0@if2", "@", "eth*", "*", "$X",
		"%x", "10.0.0.1", "10.0.0.0/8", "225.1.1.1", "fe80::1", "::", "any", "ANY", "From", "to",
		"mroute", "kernel", "refresh", "threshold", "ttl-threshold", "7", "1234", "eth+0", "a+b+",
		"eth0.", "-a", "--", "(a)", "a|b", "a&b", "!a", "a=b", "`a`", "~", "a\\b", "and", "none", "dev",
		"eth0:eth1",
	};

	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		struct word w = alone(good[i]);

		if (slip_name(&w))
			test_failed++, printf("# %s: %s\n", good[i], slip_name(&w));
	}
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct word w = alone(bad[i]);

		if (!slip_name(&w))
			test_failed++, printf("# %s is a slip\n", bad[i]);
	}
}

static const char *meant(const char *s)
{
	struct word w = alone(s);

	return slip_name(&w);
}

static void written_as_meant(void)
{
	CHECK_STR(meant("eth0,eth1"), "write eth0 eth1");
	CHECK_STR(meant("\"eth0\",\"eth1\""), "write eth0 eth1");
	CHECK_STR(meant("{eth0,eth1}"), "write eth0 eth1");
	CHECK_STR(meant("eth0@if3,"), "write eth0");
	CHECK_STR(meant("eth*"), "write eth+");
	CHECK_STR(meant("eth0;;"), "write eth0");
	CHECK_STR(meant("a+,b"), "write a+ b");
	CHECK(!strstr(meant("->"), "write"));
	CHECK(!strstr(meant("a[0-3]"), "write a"));
	/* Longer than what is written. */
	CHECK(!strstr(meant("a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q,r,s,t,u,v,w,x,y,z,a,b,c,d,e,f,g,h,i,j"), "write"));
}

static void addresses(void)
{
	static const char *const says[][2] = {
		{ "\"225.1.1.0/24\",", "write 225.1.1.0/24" }, { "225.1.1.1;", "write 225.1.1.1" },
		{ "udp://@225.1.1.1:5004", "write 225.1.1.1" }, { "225.1.1.1:5004", "write 225.1.1.1" },
		{ "ff05::1%eth0", "write ff05::1" }, { "[ff05::1]", "write ff05::1" },
		{ "225.001.02.3", "write 225.1.2.3" }, { "225.1.0.0/16,", "write 225.1.0.0/16" },
		{ "225.1.*.*", "write 225.1.0.0/16" }, { "225.1.1.x", "write 225.1.1.0/24" },
		{ "225.1.1.1-225.1.1.9", "write a prefix" }, { "225.1.1.1,225.1.1.2", "write a prefix" },
		{ "any", "224.0.0.0/4" }, { "*", "224.0.0.0/4" },
	};
	static const char *const nothing[] = {
		"225.1.1", "225.1.1.1", "225.1.1.1/99", "x", "%", "@", "://", ".", "0.", "*.*.*.*", "225.*.1.1", "...*",
		"225.1.1.1.1.*", "some-name", "00000000000000000000000000000000000000000000000000",
	};

	for (size_t i = 0; i < sizeof says / sizeof *says; i++) {
		struct word w = alone(says[i][0]);
		const char *why = slip_address(&w, true);

		if (!why || !strstr(why, says[i][1]))
			test_failed++, printf("# %s: %s\n", says[i][0], why ? why : "nothing");
	}
	for (size_t i = 0; i < sizeof nothing / sizeof *nothing; i++) {
		struct word w = alone(nothing[i]);

		CHECK(!slip_address(&w, true));
	}
	struct word w = alone("any");

	CHECK(strstr(slip_address(&w, false), "leave"));
}

static void directives(void)
{
	static const char *const odd[] = {
		"smcroute", "/sbin/smcroutectl", "add", "join", "to", "mrdisc", ";", "//", "$"
	};

	for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
		struct word w = alone(odd[i]);

		CHECK(slip_directive(&w) != NULL);
	}
	struct word w = alone("mruote");

	CHECK(!slip_directive(&w));
}

TEST_MAIN(TEST(names) TEST(written_as_meant) TEST(addresses) TEST(directives))
