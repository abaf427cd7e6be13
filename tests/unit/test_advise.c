/* SPDX-License-Identifier: ISC
 *
 * From samples to words: what the doctor says of a flow, and the commands, on a host made up.
 */
#include "applets/doctor/advise_none.h"
#include "applets/doctor/observe.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>

#include "conf/read.h"
#include "tests/fake/kernel.h"
#include "tests/fake/probe.h"
#include "tests/unit/test.h"

static struct doctor *d;
static struct advise_sum advice;

/* Watches 225.1.2.3 for no time beside a configuration, and judges all flows. */
static void begin(const char *text)
{
	d = calloc(1, sizeof *d);
	d->file_conf = conf_new();
	conf_parse_text(d->file_conf, &d->file_diags, "x.conf", text, strlen(text));
	addr_parse("225.1.2.3", 9, &d->group);
	advice = (struct advise_sum){ 0 };
	fake_probe.drains = fake_probe.mfc_reads = fake_probe.readings = 0;
	signal(SIGINT, SIG_DFL);
	CHECK_INT(observe_take(&d, 1), 0);
	CHECK_INT(host_probe(&d->host, d->file_conf), 0);
	d->host.of[FAM_4].holder = 1;		/* a router of ours */
	evidence_begin(d);
}

static void judge(void)
{
	bool moved = false;

	for (uint32_t i = 0; i < d->flows.n; i++) {
		struct evidence_flow x;

		evidence_of(d, &d->flows.v[i], &x);
		moved |= x.moved;
		if (x.moved)
			advise_flow(d, &x, &advice);
	}
	if (!moved)
		advise_none(d, &advice);
}

static const char *end(void)
{
	static struct buf out;

	buf_free(&out);
	findings_print(&out, &d->host.found, FORM_TEXT);
	sample_free(d);
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

/* A packet of that flow, or of another source: n times, at a station of an interface. */
static void see(enum probe_station station, int ifindex, const char *source, unsigned n)
{
	while (n--) {
		struct probe_sniffed *p = &fake_probe.sniffed[fake_probe.nsniffed++];

		*p = (struct probe_sniffed){ .station = station, .ifindex = ifindex, .ttl = 16, .len = 100 };
		addr_parse(source, strlen(source), &p->flow.source);
		addr_parse("225.1.2.3", 9, &p->flow.group);
	}
}

#define TTL_TEXT(more) \
	"error: TTL too small: all 20 packets of (10.1.0.9, 225.1.2.3) came in on e'0, and to leave by e\\x1b[31m it " \
	"must be above 1; raise it at the sender (IP_MULTICAST_TTL, ping -t)" more "\n"

/* A TTL of 1 alone is raised, and none where what leaves comes in again. */
static void ttl(void)
{
	start("e'0", "e\033[31m");
	begin("");
	CHECK_INT(d->flows.n, 1);
	judge();
	CHECK_INT(advice.bad, 1);
	CHECK_STR(end(), TTL_TEXT(", or have this host raise it as they come in")
		  "  fix: nft 'add table ip smcroute; add chain ip smcroute raise { type filter hook prerouting "
		  "priority -150; }; add rule ip smcroute raise ip daddr 225.1.2.3 ip ttl 1 ip ttl set 16'\n"
		  "  or: iptables -t mangle -A PREROUTING -i 'e'\\''0' -d 225.1.2.3 -m ttl --ttl-eq 1 -j TTL "
		  "--ttl-set 16\n  keep: nft list table ip smcroute >>/etc/nftables.conf\n");
	begin("mroute from e+ group 225.1.2.3 to e'0\n");
	judge();
	CHECK_STR(end(), TTL_TEXT(", not here: what leaves there comes in again, and nothing else would ever end it")
		  "  fix: tcpdump -c 3 -veni 'e'\\''0' dst 225.1.2.3\n");
}

/* However many packets pass between any two readings of a sample, the first or the second one: what flows is said to
 * flow, by its packets and by counters alone. */
static void busy(void)
{
	for (unsigned i = 0; i < 8; i++) {
		start("eth0", "eth1");
		fake_probe.grows = 0;
		fake_probe.passes[0] = i & 1 ? 500 : 0;
		fake_probe.passes[1] = 1000;
		fake_probe.passes[2] = i & 2 ? 500 : 0;
		if (i & 4)
			see(SNIFF_IP, 2, "10.1.0.9", 1);
		begin("");
		judge();
		CHECK_INT(advice.fine, 1);
		CHECK(strncmp(end(), "good: forwarded: ", 17) == 0);
	}
}

/* A packet filter drops what is for one of two outputs, and only counters are seen.  The program waits once while it
 * reads them, wherever: what passes meanwhile is in those of the host and not in others, or the other way round, and no
 * reason to look elsewhere. */
static void waits_once(void)
{
	for (unsigned at = 0; at < 24; at++) {
		struct probe_mfc *e = &fake_probe.mfc[0];

		start("eth0", "eth1");
		fake_probe.grows = 0;
		fake_probe_link(4, "eth2");
		strcpy(fake_probe.links[1].kind, "veth");
		strcpy(fake_probe.links[2].kind, "veth");
		fake_probe.nvifs[FAM_4] = 3;
		fake_probe.vifs[FAM_4][2] = (struct probe_vif){ .table = 1, .vif = 2, .ifindex = 4 };
		e->oif[e->noifs++] = 4;
		e->ttl[1] = 1;
		fake_probe.is_filtered = true;
		fake_probe.passes[1] = 100;
		fake_probe.slow_at = at;
		fake_probe.slow = 80;
		begin("");
		judge();
		CHECK_INT(advice.bad, 1);
		CHECK(strstr(end(), "dropped by") != NULL);
	}
}

/* The kernel has the entries waited for: what came meanwhile was seen, too, so that the packets are what counts. */
static void late(void)
{
	struct evidence_flow x;

	start("eth0", "eth1");
	fake_probe.grows = 10;
	see(SNIFF_WIRE, 2, "10.1.0.9", 10);
	see(SNIFF_IP, 2, "10.1.0.9", 10);
	see(SNIFF_OUT, 3, "10.1.0.9", 10);
	fake_probe.busy = 500;
	begin("");
	evidence_of(d, &d->flows.v[0], &x);
	CHECK_INT(x.e.ip, 10);
	CHECK_INT(x.e.right.hi, 510);
	CHECK(x.e.is_seen);
	judge();
	CHECK(strncmp(end(), "good: forwarded: ", 17) == 0);
}

/* What this host sends itself, or gives other addresses, is judged by what it was seen to send, however long the
 * entries are waited for; and where it was not, by its entry. */
static void made_here(void)
{
	for (unsigned i = 0; i < 4; i++) {
		start("eth0", "eth1");
		fake_probe.grows = 0;
		fake_probe.is_own = i & 1;
		see(SNIFF_OUT, 2, "10.1.0.9", i & 1 ? 10 : 0);
		see(SNIFF_OUT, 3, "10.1.0.9", i & 2 ? 10 : 4);
		fake_probe.busy = i & 2 ? 500 : 0;
		fake_probe.grows = i & 2 ? 0 : 10;
		begin("");
		judge();
		CHECK_INT(advice.fine, i & 2 ? 1 : 0);
		CHECK_INT(advice.unsure, 0);
		CHECK_INT(advice.bad, i ? 0 : 1);
		end();
	}
}

/* What members report to the group has entries too (ip_mr_input()), and is no data: it is left out. */
static void reports(void)
{
	start("eth0", "eth1");
	see(SNIFF_IP, 2, "10.1.0.9", 20);
	for (unsigned i = 0; i < fake_probe.nsniffed; i++)
		fake_probe.sniffed[i].is_control = true;
	begin("");
	for (uint32_t i = 0; i < d->flows.n; i++) {
		struct evidence_flow x;

		evidence_of(d, &d->flows.v[i], &x);
		CHECK(!x.moved);
	}
	end();
}

/* Only counters are seen, and the output has sent 100 of 1000: a tunnel may have the rest wait for its program, and
 * what sends at once has lost it. */
static void waits(void)
{
	static const struct {
		const char *kind;
		unsigned unsure, bad;
	} kinds[] = { { "tun", 1, 0 }, { "", 1, 0 }, { "veth", 0, 1 } };

	for (unsigned i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		start("eth0", "eth1");
		fake_probe.grows = 0;
		fake_probe.passes[1] = 1000;
		strcpy(fake_probe.links[1].kind, kinds[i].kind);
		fake_probe.links[1].sent = UINT64_MAX - 899;
		begin("");
		judge();
		CHECK_INT(advice.unsure, kinds[i].unsure);
		CHECK_INT(advice.bad, kinds[i].bad);
		end();
	}
}

/* Of two families the one whose entries can be seen is watched, whichever it is; of none nothing is. */
static void unseen(void)
{
	for (unsigned i = 0; i < 4; i++) {
		struct doctor one[FAM_N] = { { .fam = FAM_4, .is_all = true }, { .fam = FAM_6, .is_all = true } };
		struct doctor *both[FAM_N] = { &one[0], &one[1] };

		start("eth0", "eth1");
		fake_probe.is_unseen[FAM_4] = i & 1;
		fake_probe.is_unseen[FAM_6] = i & 2;
		CHECK_INT(observe_take(both, FAM_N), i == 3 ? -1 : 0);
		CHECK(i != 3 || errno == EOPNOTSUPP);
		for (unsigned k = 0; k < FAM_N; k++) {
			CHECK(i == 3 || one[k].is_unseen == (i >> k & 1));
			CHECK(i == 3 || one[k].is_unseen || one[k].host.links.n == 2);
			sample_free(&one[k]);
		}
	}
}

static void output_down(void)
{
	start("eth0", "a b");
	fake_probe.links[1].flags = LINK_MULTICAST;
	begin("");
	judge();
	CHECK_STR(end(), "error: an output takes none: all 20 packets of (10.1.0.9, 225.1.2.3) came in on eth0, and a "
		  "b is down\n  fix: ip link set dev 'a b' up\n");
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
	judge();
	CHECK_STR(end(), "error: no rule: all 20 packets of (10.1.0.9, 225.1.2.3) came in on eth0, and no rule says "
		  "where to send them; nearest is x.conf:3 (mroute from wan0 group 225.1.0.0/16 to lan+)\n"
		  "  fix: smcroutectl add eth0 10.1.0.9 225.1.2.3 lan1\n");
	fake_probe.taken[FAM_4] = 0;
	begin("");
	d->file = "it's a.conf";
	judge();
	CHECK_STR(end(), "error: no rule: all 20 packets of (10.1.0.9, 225.1.2.3) came in on eth0, and no rule says "
		  "where to send them\n"
		  "  fix: smcrouted -f 'it'\\''s a.conf'\n  fix: smcroutectl add eth0 225.1.2.3 'eth 1'\n");
}

/* A rule without outputs is a stop: that is no error, and nothing undoes it. */
static void stopped(void)
{
	start("eth0", "eth1");
	fake_probe.mfc[0].noifs = 0;
	fake_probe.taken[FAM_4] = 1;
	begin("mroute from eth0 group 225.0.0.0/8 to eth1\nmroute from eth0 source 10.1.0.9 group 225.1.2.3\n");
	judge();
	CHECK_INT(advice.stopped, 1);
	CHECK_INT(advice.bad, 0);
	CHECK_STR(end(), "note: stopped by a rule: (10.1.0.9, 225.1.2.3) comes in on eth0 and is not forwarded, as "
		  "x.conf:2 (mroute from eth0 source 10.1.0.9 group 225.1.2.3) says; if that is not wanted, change "
		  "that line and reload\n");
}

/* Nothing moves: where a rule waits for the group, by whatever name. */
static void nothing(void)
{
	start("eth0", "eth1");
	fake_probe.nmfc = 0;
	fake_probe.taken[FAM_4] = 1;
	fake_probe.is_member = true;
	begin("mroute from eth+ group 225.1.2.3 to lan0\n");
	judge();
	CHECK_STR(end(), "error: nothing arrives: no packet of (*, 225.1.2.3) on eth0 within 0 s; look at the sender, "
		  "its TTL, and the switches between\n  or: ip link set dev eth0 promisc on\n"
		  "error: nothing arrives: no packet of (*, 225.1.2.3) on eth1 within 0 s; look at the sender, its "
		  "TTL, and the switches between\n  or: ip link set dev eth1 promisc on\n");
}

#define BEHIND(name) \
	"not seen: what becomes of 225.1.2.3 behind " name ": a switch there that snoops passes the group only to " \
	"ports where somebody joined; its list of members tells\n"

/* One output of two gets nothing: it is judged alone, and the chain is only told where it surely drops. */
static void each_output(void)
{
	start("eth0", "eth1");
	fake_probe_link(4, "eth2");
	fake_probe.mfc[0].noifs = 2;
	fake_probe.mfc[0].oif[1] = 4;
	fake_probe.mfc[0].ttl[1] = 1;
	fake_probe.grows = 5;
	fake_probe.taken[FAM_4] = 1;
	see(SNIFF_WIRE, 2, "10.1.0.9", 5);
	see(SNIFF_IP, 2, "10.1.0.9", 5);
	see(SNIFF_OUT, 3, "10.1.0.9", 5);
	fake_probe.chains[0] = (struct probe_chain){ .hook = HOOK_FORWARD, .family = "inet", .table = "t",
						     .name = "c" };
	fake_probe.nchains = 1;
	begin("");
	judge();
	CHECK_STR(end(), "error: dropped by the packet filter: all 5 packets of (10.1.0.9, 225.1.2.3) came in on eth0, "
		  "were routed to eth2 and not sent: chain c of table inet t (nftables) drops them by its policy (for "
		  "good: the command as a line at the end of /etc/nftables.conf)\n"
		  "  fix: nft 'insert rule inet t c iifname \"eth0\" ip daddr 225.1.2.3 accept'\n"
		  "note: forwarded to some: (10.1.0.9, 225.1.2.3) came in on eth0 (5 packets) and went out on eth1\n"
		  BEHIND("eth1"));
	fake_probe.chains[0].fate = FATE_UNKNOWN;
	begin("");
	judge();
	CHECK(strstr(end(), "error: lost on the way out: all 5 packets of (10.1.0.9, 225.1.2.3) came in on eth0, were "
			    "routed to eth2 and not sent: chain c of table inet t (nftables) may drop them by its "
			    "policy\n  fix: nft -a list chain inet t c\n"));
	/* A chain that may drop is not told where nothing is missing. */
	fake_probe.mfc[0].noifs = 1;
	begin("");
	judge();
	CHECK_STR(end(), "good: forwarded: (10.1.0.9, 225.1.2.3) came in on eth0 (5 packets) and went out on eth1\n"
		  BEHIND("eth1"));
}

/* What this host sends, and who sends where only outputs are, is not judged. */
static void left_out(void)
{
	start("eth0", "eth1");
	fake_probe.grows = 0;
	fake_probe.nmfc = 0;
	fake_probe.taken[FAM_4] = 1;
	see(SNIFF_OUT, 3, "10.1.0.1", 5);
	see(SNIFF_WIRE, 3, "10.2.0.7", 5);
	see(SNIFF_IP, 3, "10.2.0.7", 5);
	begin("mroute from eth0 group 225.1.2.3 to eth1\n");
	judge();
	CHECK_INT(advice.stray, 1);
	CHECK_INT(advice.bad + advice.fine + advice.unsure + advice.stopped, 0);
	end();
}

/* A bridge that snoops, with two ports, in the place of eth1; the entry of its database, or none. */
static void bridged(int port)
{
	struct probe_link *l;

	start("eth0", "br0");
	l = &fake_probe.links[1];
	strcpy(l->kind, "bridge");
	l->bridge = (struct probe_bridge){ .snoops = 1, .querier = { 1, 1 } };
	for (int i = 4; i < 6; i++) {
		l = fake_probe_link(i, i == 4 ? "p'1" : "p2");
		l->master = 3;
		l->port.state = PORT_FORWARDING;
	}
	fake_probe.nmdb = port != 0;
	fake_probe.mdb[0] = (struct probe_mdb){ .bridge = 3, .port = port, .flow.group = fake_probe.mfc[0].flow.group };
	addr_any(FAM_4, &fake_probe.mdb[0].flow.source, &(uint8_t){ 0 });
	fake_probe.grows = 4;
	fake_probe.taken[FAM_4] = 1;
	see(SNIFF_WIRE, 2, "10.1.0.9", 4);
	see(SNIFF_IP, 2, "10.1.0.9", 4);
	see(SNIFF_OUT, 3, "10.1.0.9", 4);
}

/* Nobody joined behind the bridge, somebody did behind a port that passes on nothing, and behind one that does. */
static void bridge(void)
{
	bridged(0);
	begin("");
	judge();
	CHECK_INT(advice.bad, 1);
	CHECK(strstr(end(), ": nobody joined it there, and no router is known; a receiver must join the group (bridge "
			    "-d mdb show dev br0 lists who did), or the bridge be told to pass it on all the same, "
			    "until it is made anew\n  fix: bridge mdb add dev br0 port 'p'\\''1' grp 225.1.2.3 "
			    "permanent\n  fix: bridge mdb add dev br0 port p2 grp 225.1.2.3 permanent\n"
			    "  or: ip link set dev br0 type bridge mcast_snooping 0\n"));
	bridged(5);
	fake_probe.links[3].port.state = PORT_LEARNING;
	begin("");
	judge();
	CHECK_STR(end(), "error: a port of the bridge does not get them: all 4 packets of (10.1.0.9, "
		  "225.1.2.3) were sent to "
		  "br0 and did not leave by p2, a port of br0 behind which somebody wants them; it is in state "
		  "learning\n  fix: bridge link set dev p2 state 3\n");
	bridged(5);
	see(SNIFF_OUT, 5, "10.1.0.9", 4);
	begin("");
	judge();
	CHECK_STR(end(), "good: forwarded: (10.1.0.9, 225.1.2.3) came in on eth0 (4 packets) and went out on br0\n");
}

/* A bridge that snoops is the input, and hands nothing up: kernels before 6.16 heed no allmulti there. */
static void kept(void)
{
	bridged(0);
	fake_probe.grows = 0;
	fake_probe.mfc[0].iif = 3;
	fake_probe.mfc[0].oif[0] = 2;
	fake_probe.nsniffed = 0;
	see(SNIFF_WIRE, 4, "10.1.0.9", 6);
	begin("mroute from br0 group 225.1.2.3 to eth0\n");
	judge();
	CHECK_STR(end(), "error: the bridge keeps them from this host: all 6 packets of (10.1.0.9, 225.1.2.3) came in "
		  "on p'1, a port of br0, which snoops and hands a group to this host only when it is a member of it; "
		  "join it, or have the bridge hand over all groups\n"
		  "  fix: smcroutectl join br0 225.1.2.3\n  or: ip link set dev br0 type bridge mcast_router 2\n");
	fake_probe.nsniffed = 0;
	begin("mroute from br0 group 225.1.2.3 to eth0\n");
	judge();
	CHECK_STR(end(), "error: the bridge keeps them from this host: a rule waits for (*, 225.1.2.3) on br0, and "
		  "br0, which snoops, hands a group to this host only when it is a member of it; join it, or have the "
		  "bridge hand over all groups\n"
		  "  fix: smcroutectl join br0 225.1.2.3\n  or: ip link set dev br0 type bridge mcast_router 2\n");
}

TEST_MAIN(TEST(ttl) TEST(busy) TEST(waits_once) TEST(late) TEST(made_here) TEST(reports) TEST(waits) TEST(unseen)
	  TEST(output_down) TEST(no_rule) TEST(stopped) TEST(nothing) TEST(each_output) TEST(left_out) TEST(bridge)
	  TEST(kept))
