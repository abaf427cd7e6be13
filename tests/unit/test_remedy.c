/* SPDX-License-Identifier: ISC
 *
 * Commands to be pasted, for interfaces whose names a shell, a terminal or nft would take for something else.
 */
#include "applets/doctor/remedy.h"

#include "tests/fake/probe.h"
#include "tests/unit/test.h"

/* The commands of the last finding: those that mend it, or other ways. */
static const char *last(const struct findings *f, bool or)
{
	return f->last && f->last->commands[or].len ? f->last->commands[or].p : "";
}

static const char evil[] = "e\033[31m", quote[] = "it's", blank[] = "a b";

static void link_and_table(void)
{
	static const struct probe_lookup nowhere, first = { .table = PROBE_REFUSED }, some = { .table = 7, .pref = 10 };
	struct findings f = { .what = "w" };

	finding_add(&f, FINDING_ERROR, "1");
	remedy_link(&f, "eth0.10", "up");
	CHECK_STR(last(&f, false), "ip link set dev eth0.10 up");
	finding_add(&f, FINDING_ERROR, "2");
	remedy_link(&f, blank, "up");
	CHECK_STR(last(&f, false), "ip link set dev 'a b' up");
	finding_add(&f, FINDING_ERROR, "3");
	remedy_link(&f, quote, "up");
	CHECK_STR(last(&f, false), "ip link set dev 'it'\\''s' up");
	finding_add(&f, FINDING_ERROR, "4");
	remedy_table(&f, FAM_6, evil, &nowhere, 100);
	CHECK_STR(last(&f, false), "ip -6 mrule add iif \"$(printf 'e\\033[31m')\" lookup 100");
	finding_add(&f, FINDING_ERROR, "5");
	remedy_table(&f, FAM_4, "$(reboot)", &nowhere, 100);
	CHECK_STR(last(&f, false), "ip mrule add iif '$(reboot)' lookup 100");
	finding_add(&f, FINDING_ERROR, "6");
	remedy_table(&f, FAM_4, "eth0", &some, 100);
	CHECK_STR(last(&f, false), "ip mrule add iif eth0 pref 9 lookup 100");
	finding_add(&f, FINDING_ERROR, "7");
	remedy_table(&f, FAM_4, "eth0", &first, 100);
	CHECK_STR(last(&f, false), "ip mrule del pref 0");
	findings_free(&f);
}

static void rp_filter(void)
{
	struct probe_link l = { .name = "a.b c", .rp_filter = 1, .rp_own = 1, .address = { true, true } };
	struct probe_route none = { .none = true }, elsewhere = { .n = 1 };
	struct host h = { .found.what = "w" };
	struct addr src;

	addr_parse("10.1.0.9", 8, &src);
	finding_add(&h.found, FINDING_ERROR, "1");
	remedy_rp_filter(&h, &l, &src, 128, &elsewhere);
	CHECK_STR(last(&h.found, false), "sysctl -w 'net/ipv4/conf/a.b c/rp_filter'=2");
	CHECK_STR(last(&h.found, true), "ip route replace 10.1.0.9 dev 'a.b c'");
	finding_add(&h.found, FINDING_ERROR, "2");
	strcpy(l.name, "eth0");
	remedy_rp_filter(&h, &l, &src, 120, &none);
	CHECK_STR(last(&h.found, false), "ip route replace 10.1.0.9/24 dev eth0");
	CHECK_STR(last(&h.found, true), "sysctl -w net.ipv4.conf.eth0.rp_filter=0");
	findings_free(&h.found);
}

static void chains(void)
{
	struct probe_chain nft = { .hook = HOOK_FORWARD, .family = "inet", .table = "t", .name = "c" };
	struct probe_chain old = { .hook = HOOK_AFTER, .family = "ip", .table = "mangle", .name = "POSTROUTING" };
	struct probe_packet p = { .iif_name = "eth0", .oif_name = blank };
	struct findings f = { .what = "w" };

	addr_parse("225.1.2.3", 9, &p.flow.group);
	finding_add(&f, FINDING_ERROR, "1");
	remedy_chain(&f, &nft, &p, 128);
	CHECK_STR(last(&f, false), "nft 'insert rule inet t c iifname \"eth0\" ip daddr 225.1.2.3 accept'");
	finding_add(&f, FINDING_ERROR, "2");
	remedy_chain(&f, &old, &p, 112);
	CHECK_STR(last(&f, false), "iptables -t mangle -I POSTROUTING -o 'a b' -d 225.1.2.3/16 -j ACCEPT");
	/* What nft cannot take is left out, a chain with such a name gets no command. */
	for (unsigned i = 0; i < 4; i++) {
		p.iif_name = (const char *const[]){ evil, quote, "e\"x", "e\x9b" }[i];
		finding_add(&f, FINDING_ERROR, "name %u", i);
		remedy_chain(&f, &nft, &p, 128);
		CHECK_STR(last(&f, false), "nft 'insert rule inet t c ip daddr 225.1.2.3 accept'");
	}
	/* Of IPv6 the kernel may not tell where it came in, and what tc and the older iptables have is theirs. */
	p.iif_name = "eth0";
	addr_parse("ff2e::1", 7, &p.flow.group);
	addr_parse("fd00::1", 7, &p.flow.source);
	finding_add(&f, FINDING_ERROR, "6");
	p.oif_name = "eth1";
	remedy_chain(&f, &nft, &p, 128);
	CHECK_STR(last(&f, false), "nft 'insert rule inet t c oifname \"eth1\" ip6 daddr ff2e::1 accept'");
	nft.is_owned = true;
	finding_add(&f, FINDING_ERROR, "owned");
	remedy_chain(&f, &nft, &p, 128);
	CHECK_STR(last(&f, false), "nft -a list chain inet t c");
	finding_add(&f, FINDING_ERROR, "firewalld");
	nft.table = "firewalld";
	remedy_chain(&f, &nft, &p, 128);
	CHECK_STR(remedy_maker(&nft), "firewalld");
	CHECK_STR(last(&f, false), "firewall-cmd --permanent --new-policy multicast");
	nft = (struct probe_chain){ .hook = HOOK_FORWARD, .filter = PROBE_IP6TABLES, .family = "ip6", .table = "raw",
				    .name = "FORWARD" };
	finding_add(&f, FINDING_ERROR, "old");
	remedy_chain(&f, &nft, &p, 128);
	CHECK_STR(last(&f, false), "ip6tables-legacy -t raw -I FORWARD -o eth1 -d ff2e::1 -j ACCEPT");
	nft = (struct probe_chain){ .hook = HOOK_INGRESS, .filter = PROBE_TC, .family = "tc", .table = "e'0",
				    .name = "ingress", .rule = 7 };
	finding_add(&f, FINDING_ERROR, "tc");
	remedy_chain(&f, &nft, &p, 128);
	CHECK_STR(last(&f, false), "tc filter del dev 'e'\\''0' ingress pref 7");
	nft.tc.chain = 5;
	finding_add(&f, FINDING_ERROR, "tc, a chain");
	remedy_chain(&f, &nft, &p, 128);
	CHECK_STR(last(&f, false), "tc filter del dev 'e'\\''0' ingress chain 5 pref 7");
	nft.tc.block = 9;
	finding_add(&f, FINDING_ERROR, "tc, a block");
	remedy_chain(&f, &nft, &p, 128);
	CHECK_STR(last(&f, false), "tc filter del block 9 chain 5 pref 7");
	nft = (struct probe_chain){ .family = "inet", .table = "t" };
	nft.name = "c'; reboot; '";
	finding_add(&f, FINDING_ERROR, "3");
	remedy_chain(&f, &nft, &p, 128);
	CHECK_STR(last(&f, false), "nft -a list ruleset");
	findings_free(&f);
}

static void plain(void)
{
	CHECK(remedy_is_plain("eth0-10", "_-"));
	CHECK(!remedy_is_plain("eth0.10", "_-"));
	CHECK(!remedy_is_plain("\xc3\xa9", "_-"));
	CHECK(!remedy_is_plain("", "_-"));
}

TEST_MAIN(TEST(link_and_table) TEST(rp_filter) TEST(chains) TEST(plain))
