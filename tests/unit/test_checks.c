/* SPDX-License-Identifier: ISC
 *
 * The checks of -H on a host made up: what a phyint line disables is left out, by whatever name, and names are quoted.
 */
#include "applets/doctor/checks.h"

#include <stdlib.h>

#include "applets/doctor/check_bridge.h"
#include "applets/doctor/check_net.h"
#include "conf/read.h"
#include "tests/fake/kernel.h"
#include "tests/fake/probe.h"
#include "tests/unit/test.h"

static struct host host;
static struct conf *conf;

/* Looks at the host beside a configuration. */
static void begin(const char *text)
{
	struct diags d = { 0 };

	conf = conf_new();
	conf_parse_text(conf, &d, "x.conf", text, strlen(text));
	CHECK_INT(d.errors, 0);
	diags_free(&d);
	CHECK_INT(host_probe(&host, conf), 0);
	host.found.what = "w";
}

/* All findings and commands, as they are printed. */
static const char *end(void)
{
	static struct buf out;

	buf_free(&out);
	findings_print(&out, &host.found, FORM_TEXT);
	host_free(&host);
	conf_free(conf);
	return buf_cstr(&out);
}

static const char rule[] = "mroute from eth+ source 10.1.0.9 group 225.1.2.3 to lan+\n";

static void start(void)
{
	fake_reset();
	fake_probe_reset();
	fake_probe_link(2, "eth0");
	fake_probe_link(3, "eth1");
	fake_probe_link(4, "lan0");
	for (unsigned i = 0; i < 2; i++)
		fake_probe.links[i].rp_filter = fake_probe.links[i].rp_own = 1;
	fake_probe.route.none = true;
}

static void with(const char *phyints, const char *want)
{
	char text[200];

	snprintf(text, sizeof text, "%s%s", phyints, rule);
	begin(text);
	check_rp_filter(&host);
	CHECK_STR(end(), want);
}

#define DROPS(name) \
	"error: " name " drops what comes from 10.1.0.9: rp_filter is 1 there and there is no route back\n" \
	"  fix: ip route replace 10.1.0.9 dev " name "\n  or: sysctl -w net.ipv4.conf." name ".rp_filter=0\n" \
	"  keep: in /etc/network/interfaces, or its like, below iface " name ": up ip route replace 10.1.0.9 dev " \
	name "\n"

/* Which phyint line holds for an interface is conf/match.h's to say: exact before wildcard, long before short. */
static void disabled(void)
{
	start();
	with("", DROPS("eth0") DROPS("eth1"));
	with("phyint eth+ disable\n", "");
	with("phyint eth+ ttl-threshold 9\n", DROPS("eth0") DROPS("eth1"));
	with("phyint eth1 disable\n", DROPS("eth0"));
	with("phyint eth1 enable\nphyint eth+ disable\n", DROPS("eth1"));
	with("phyint eth0 ttl-threshold 5\nphyint et+ enable\nphyint eth+ disable\n", "");
	with("phyint eth+ enable\nphyint et+ disable\nphyint eth0 disable\n", DROPS("eth1"));
}

static void disabled_output(void)
{
	start();
	fake_probe.nchains = 1;
	fake_probe.chains[0] = (struct probe_chain){ .hook = HOOK_AFTER, .family = "ip", .table = "filter",
						     .name = "out" };
	begin("mroute from eth0 group 225.1.2.3 to lan+\n");
	check_firewall(&host);
	CHECK_STR(end(), "error: chain out of table filter (ip) drops 225.1.2.3 to lan0\n"
			 "  fix: nft 'insert rule ip filter out oifname \"lan0\" ip daddr 225.1.2.3 accept'\n");
	begin("phyint la+ disable\nmroute from eth0 group 225.1.2.3 to lan+\n");
	check_firewall(&host);
	CHECK_STR(end(), "");
}

/* A router runs and has no VIFs: what is disabled is not asked for. */
static void vifs(void)
{
	start();
	fake_probe.taken[FAM_4] = 1;
	fake_set_holder(7, "smcrouted");
	begin("phyint eth+ disable\nmroute from eth0 group 225.1.2.3 to eth1 lan0\n");
	check_vifs(&host, &host.of[FAM_4]);
	CHECK_STR(end(), "error: lan0 is in the configuration and has no IPv4 VIF (for the router "
			 "alone to change): the router that runs here does not know of it\n"
			 "  fix: smcroutectl reload\n");
	fake_set_holder(7, "p\033im");
	begin("mroute from eth0 group 225.1.2.3 to lan0\n");
	checks_run(&host);
	CHECK_STR(end(), "error: process 7 (p\\x1bim) holds the IPv4 multicast routing socket, so smcrouted cannot "
			 "have it; end it, or give smcrouted a table of its own (-t)\n  fix: kill 7\n");
}

/* The mark of a router, copied from another network namespace: nobody routes here. */
static void copied_mark(void)
{
	start();
	fake_probe.taken[FAM_4] = 1;
	begin("mroute from eth0 group 225.1.2.3 to lan0\n");
	CHECK(host.of[FAM_4].taken != 1);
	host.found.what = "vifs";
	check_vifs(&host, &host.of[FAM_4]);
	CHECK_STR(end(), "");
}

static void interfaces(void)
{
	start();
	fake_probe.links[0].flags = LINK_MULTICAST;
	begin("phyint lan9 disable\nmroute from eth0 group 225.1.2.3 to lan9 nowhere none+\n");
	check_interfaces(&host);
	CHECK_STR(end(), "error: eth0 (x.conf:2) is down\n  fix: ip link set dev eth0 up\n"
			 "warning: there is no interface nowhere (x.conf:2): its rules wait for it\n"
			 "  fix: ip -br link\n"
			 "warning: no interface matches none+ (x.conf:2): its rules wait\n"
			 "  fix: ip -br link\n");
}

static void names(void)
{
	start();
	fake_probe_link(5, "a'b")->flags = LINK_MULTICAST;
	begin("mroute from a'b group 225.1.2.3 to lan0\n");
	check_interfaces(&host);
	CHECK_STR(end(), "error: a'b (x.conf:1) is down\n  fix: ip link set dev 'a'\\''b' up\n");
}

/* With ipv6.disable=1 there is one thing to say: what turns it on for an interface is not there. */
static void no_family(void)
{
	start();
	fake_probe.links[0].v6 = fake_probe.links[2].v6 = 0;
	fake_probe.support[FAM_6] = (struct probe_support){ .off = true, .raw = -1, .tables = -1, .pim = -1 };
	begin("mroute from eth0 source 2001:db8::1 group ff2e::42 to lan0\n");
	checks_run(&host);
	CHECK_STR(end(), "error: IPv6 is off in this kernel, as by ipv6.disable=1 in /proc/cmdline: it needs another "
			 "start\n");
}

static void memberships(void)
{
	start();
	fake_probe.sysctl = 0;
	begin("mgroup from eth0 group 225.1.2.3\n");
	checks_run(&host);
	CHECK_STR(end(), "error: net.ipv4.igmp_max_memberships is 0: no group can be joined\n"
			 "  fix: sysctl -w net.ipv4.igmp_max_memberships=20\n");
}

/* A bridge that snoops; what is said of it beside a configuration. */
static const char *bridged(tristate querier, const char *text)
{
	struct probe_link *l;

	start();
	l = fake_probe_link(5, "br0");
	strcpy(l->kind, "bridge");
	l->bridge = (struct probe_bridge){ .snoops = 1, .querier = { querier, querier } };
	begin(text);
	for (enum fam fam = 0; fam < FAM_N; fam++)
		check_bridges(&host, &host.of[fam]);
	return end();
}

#define QUIET(severity) severity ": br0 snoops and nobody on it asks for IPv4 members: it passes groups to all ports " \
	"then, but switches behind it may forget who wants a group\n" \
	"  fix: ip link set dev br0 type bridge mcast_querier 1\n" \
	"  or: ip link set dev br0 type bridge mcast_snooping 0\n" \
	"  keep: in /etc/network/interfaces, or its like, below iface br0: up ip link set dev br0 type bridge " \
	"mcast_querier 1\n"

static void bridges(void)
{
	static const char in[] = "mroute from br0 group 225.1.2.3 to eth0\n";
	static const char out[] = "mroute from eth0 group 225.1.2.3 to br0\n";
	char text[200];

	CHECK_STR(bridged(0, in), QUIET("warning"));
	CHECK_STR(bridged(0, out), QUIET("note"));
	snprintf(text, sizeof text, "%sphyint br0 mrdisc\n", out);
	CHECK_STR(bridged(0, text), "");
	snprintf(text, sizeof text, "%sphyint br0 refresh\n", in);
	CHECK_STR(bridged(0, text), "");
	CHECK_STR(bridged(1, out), "");
	CHECK_STR(bridged(-1, in), "");
	CHECK_STR(bridged(1, in), "warning: br0 snoops, and hands a group to this host only when it is a member of it: "
		  "rules from br0 get no IPv4 packet without mgroup lines for their groups, or phyint br0 mrdisc\n"
		  "  fix: ip link set dev br0 type bridge mcast_router 2\n"
		  "  keep: in /etc/network/interfaces, or its like, below iface br0: up ip link set dev br0 type "
		  "bridge mcast_router 2\n");
	snprintf(text, sizeof text, "%smgroup from br0 group 225.1.2.3\n", in);
	CHECK_STR(bridged(1, text), "");
	snprintf(text, sizeof text, "%sphyint br0 mrdisc\n", in);
	CHECK_STR(bridged(1, text), "");
	fake_probe.heeds_allmulti = true;
	begin(in);
	check_bridges(&host, &host.of[FAM_4]);
	CHECK_STR(end(), "");
}

/* All of them over a host that has nothing wrong. */
static void all(void)
{
	start();
	CHECK_INT(checks_main(NULL, 0, true, FORM_NONE), 0);
}

TEST_MAIN(TEST(disabled) TEST(disabled_output) TEST(vifs) TEST(copied_mark)
	  TEST(interfaces) TEST(names) TEST(no_family) TEST(memberships) TEST(bridges) TEST(all))
