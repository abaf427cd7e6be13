/* SPDX-License-Identifier: ISC
 *
 * From samples to words: what the doctor says of a flow, and the commands, on a host made up.
 */
#include "applets/doctor/advise.h"

#include <stdlib.h>

#include "applets/doctor/diff.h"
#include "conf/read.h"
#include "tests/fake/kernel.h"
#include "tests/fake/probe.h"
#include "tests/unit/test.h"

static struct doctor *d;
static struct conf *conf;

/* Watches 225.1.2.3 for no time beside a configuration. */
static void begin(const char *text)
{
	struct diags diags = { 0 };

	d = calloc(1, sizeof *d);
	conf = conf_new();
	conf_parse_text(conf, &diags, "x.conf", text, strlen(text));
	diags_free(&diags);
	addr_parse("225.1.2.3", 9, &d->group);
	CHECK_INT(sample_take(d, conf), 0);
	diff_flows(d);
}

static const char *end(void)
{
	static struct buf out;

	buf_free(&out);
	findings_print(&out, &d->host.found, FORM_TEXT);
	sample_free(d);
	conf_free(conf);
	free(d);
	return buf_cstr(&out);
}

/* One entry from eth0 to eth1, whose packets grow by 20. */
static void start(const char *in, const char *out)
{
	struct probe_mfc *e = &fake_probe.mfc[0];

	fake_reset();
	fake_probe_reset();
	fake_probe_link(2, in);
	fake_probe_link(3, out);
	*e = (struct probe_mfc){ .table = 1, .iif = 2, .noifs = 1, .ttl = { 1 }, .oif = { 3 } };
	addr_parse("10.1.0.9", 8, &e->flow.source);
	addr_parse("225.1.2.3", 9, &e->flow.group);
	fake_probe.nmfc = 1;
	fake_probe.grows = 20;
	fake_probe.nvifs[FAM_4] = 2;
	fake_probe.vifs[FAM_4][0] = (struct probe_vif){ .table = 1, .vif = 0, .ifindex = 2 };
	fake_probe.vifs[FAM_4][1] = (struct probe_vif){ .table = 1, .vif = 1, .ifindex = 3 };
}

static void ttl(void)
{
	start("e'0", "e\033[31m");
	begin("");
	CHECK_INT(d->nflows, 1);
	CHECK_INT(advise_flow(d, &d->flows[0]), VERDICT_TTL);
	CHECK_STR(end(), "error: TTL too small: 20 packets of (10.1.0.9, 225.1.2.3) came in on e'0, e\\x1b[31m sends "
		  "only those above 1; raise it at the sender (IP_MULTICAST_TTL, ping -t), or here with care: it is "
		  "what ends loops\n"
		  "  fix: nft 'add table ip smcroute; add chain ip smcroute ttl { type filter hook prerouting priority "
		  "-150; }; add rule ip smcroute ttl ip daddr 225.1.2.3 ip ttl set 16'\n"
		  "  or: iptables -t mangle -A PREROUTING -i 'e'\\''0' -d 225.1.2.3 -j TTL --ttl-set 16\n");
}

static void output_down(void)
{
	start("eth0", "a b");
	fake_probe.links[1].flags = LINK_MULTICAST;
	begin("");
	CHECK_INT(advise_flow(d, &d->flows[0]), VERDICT_OUTPUT);
	CHECK_STR(end(), "error: an output takes none: 20 packets of (10.1.0.9, 225.1.2.3) came in on eth0, a b sent "
		  "none of them: it is down\n  fix: ip link set dev 'a b' up\n");
}

/* No output: those of the rules that match, and only those that are not disabled; then the file to start with. */
static void no_rule(void)
{
	start("eth0", "eth 1");
	fake_probe_link(4, "lan0");
	fake_probe_link(5, "lan1");
	fake_probe.mfc[0].noifs = 0;
	fake_probe.taken[FAM_4] = 1;
	begin("phyint lan+ disable\nphyint lan1 enable\nmroute from wan0 group 225.1.0.0/16 to lan+\n"
	      "mroute from wan0 group 226.1.0.0/16 to eth+\n"
	      "mroute from wan0 source 10.9.0.0/16 group 225.1.2.3 to eth+\n");
	CHECK_INT(advise_flow(d, &d->flows[0]), VERDICT_NO_RULE);
	CHECK_STR(end(), "error: no rule: (10.1.0.9, 225.1.2.3) arrives on eth0 and its entry has no output\n"
		  "  fix: smcroutectl add eth0 225.1.2.3 lan1\n");
	fake_probe.taken[FAM_4] = 0;
	begin("");
	d->file = "it's a.conf";
	CHECK_INT(advise_flow(d, &d->flows[0]), VERDICT_NO_RULE);
	CHECK_STR(end(), "error: no rule: (10.1.0.9, 225.1.2.3) arrives on eth0 and its entry has no output\n"
		  "  fix: smcrouted -f 'it'\\''s a.conf'\n  fix: smcroutectl add eth0 225.1.2.3 'eth 1'\n");
}

/* Nothing moves: where a rule waits for the group, by whatever name. */
static void nothing(void)
{
	start("eth0", "eth1");
	fake_probe.nmfc = 0;
	fake_probe.member = 1;
	begin("mroute from eth+ group 225.1.2.3 to lan0\n");
	d->unknown.any_source = true;
	CHECK_INT(advise_flow(d, &d->unknown), VERDICT_NOTHING);
	CHECK_STR(end(), "error: nothing arrives: no packet of (*, 225.1.2.3) on eth0 within 0 s; look at the sender, "
		  "its TTL, and the switches between\n  or: ip link set dev eth0 promisc on\n"
		  "error: nothing arrives: no packet of (*, 225.1.2.3) on eth1 within 0 s; look at the sender, its "
		  "TTL, and the switches between\n  or: ip link set dev eth1 promisc on\n");
}

TEST_MAIN(TEST(ttl) TEST(output_down) TEST(no_rule) TEST(nothing))
