/* SPDX-License-Identifier: ISC
 *
 * Tables of the older iptables: written here in the order and the widths of this machine, each cut of them, and what a
 * kernel handed out (tests/data/fuzz_probe), which is of a little-endian machine of 64 bits.
 */
#include "kernel/linux/xt_judge.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/if_packet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/xt_connmark.h>
#include <linux/netfilter/xt_conntrack.h>
#include <linux/netfilter/xt_limit.h>
#include <linux/netfilter/xt_mark.h>
#include <linux/netfilter/xt_pkttype.h>
#include <linux/netfilter/xt_tcpudp.h>
#include <linux/netfilter_ipv4/ip_tables.h>
#include <linux/netfilter_ipv6/ip6_tables.h>

#include "kernel/linux/xt_match.h"
#include "kernel/linux/xt_target.h"
#include "tests/unit/test.h"

static struct xt_rules rules;
static struct filter_packet seen;
static struct filter_fate fate;
static bool is_old;			/* a kernel that names no inbound interface where IPv6 is forwarded */

static const char *const groups[] = { "225.1.2.3", "ff2e::123" };

/* Begins a rule: the head of either family, of which only what group, and where from and to, are told.  Returns its
 * offset in the table. */
static uint32_t rule_begin(const char *group, bool has_names)
{
	size_t at = rules.rules.len;
	struct ipt_entry v4 = { .nfcache = 0 };
	struct ip6t_entry v6 = { .nfcache = 0 };

	if (group && rules.fam == FAM_4) {
		CHECK_INT(inet_pton(AF_INET, group, &v4.ip.dst), 1);
		memset(&v4.ip.dmsk, 255, sizeof v4.ip.dmsk);
	} else if (group) {
		CHECK_INT(inet_pton(AF_INET6, group, &v6.ipv6.dst), 1);
		memset(&v6.ipv6.dmsk, 255, sizeof v6.ipv6.dmsk);
	}
	if (has_names) {
		strcpy(v4.ip.iniface, "a1");
		strcpy(v4.ip.outiface, "a2");
		memset(v4.ip.iniface_mask, 255, 3);
		memset(v4.ip.outiface_mask, 255, 3);
		memcpy(v6.ipv6.iniface, v4.ip.iniface, IFNAMSIZ);
		memcpy(v6.ipv6.outiface, v4.ip.outiface, IFNAMSIZ);
		memcpy(v6.ipv6.iniface_mask, v4.ip.iniface_mask, IFNAMSIZ);
		memcpy(v6.ipv6.outiface_mask, v4.ip.outiface_mask, IFNAMSIZ);
	}
	buf_add(&rules.rules, rules.fam == FAM_4 ? (const void *)&v4 : &v6, rules.fam == FAM_4 ? sizeof v4 : sizeof v6);
	return (uint32_t)at;
}

/* Adds a match, or a target, whose struct is laid out alike; returns its offset. */
static size_t rule_part(const char *name, uint8_t revision, const void *info, size_t len)
{
	static const char zeros[16];
	size_t at = rules.rules.len, align = _Alignof(struct _xt_align);
	size_t size = (sizeof(struct xt_entry_match) + len + align - 1) / align * align;
	struct xt_entry_match head = { .u.user = { .match_size = (uint16_t)size, .revision = revision } };

	strcpy(head.u.user.name, name);
	buf_add(&rules.rules, &head, sizeof head);
	buf_add(&rules.rules, info, len);
	buf_add(&rules.rules, zeros, size - sizeof head - len);
	return at;
}

/* Ends the rule that began at an offset with its target; its head has both lengths. */
static void rule_end(uint32_t at, const char *target, uint8_t revision, const void *info, size_t len)
{
	uint16_t offsets[2];
	size_t where = rules.fam == FAM_4 ? offsetof(struct ipt_entry, target_offset) :
					    offsetof(struct ip6t_entry, target_offset);

	offsets[0] = (uint16_t)(rule_part(target, revision, info, len) - at);
	offsets[1] = (uint16_t)(rules.rules.len - at);
	memcpy(rules.rules.p + at + where, offsets, sizeof offsets);
}

/* Ends it with a verdict, or the offset to jump to. */
static void rule_decides(uint32_t at, int verdict)
{
	rule_end(at, XT_STANDARD_TARGET, 0, &verdict, sizeof verdict);
}

/* Policy DROP; the other group is accepted, port 5000 goes to a chain that drops what is new, of the rest a limit
 * accepts some. */
static void build(enum fam fam, const char *other)
{
	struct xt_pkttype_info kind = { .pkttype = PACKET_MULTICAST };
	struct xt_conntrack_mtinfo3 track = {
		.match_flags = XT_CONNTRACK_STATE, .state_mask = XT_CONNTRACK_STATE_BIT(IP_CT_NEW),
	};
	struct xt_udp udp = { .spts = { 0, 65535 }, .dpts = { 5000, 5000 } };
	struct xt_rateinfo rate = { .avg = 2000, .burst = 5 };
	char name[XT_NAME] = "sub";
	uint32_t at, sub;

	rules = (struct xt_rules){ .fam = fam, .hooks = 1 << NF_INET_FORWARD, .name = "filter" };
	rule_end(rule_begin(NULL, false), XT_ERROR_TARGET, 0, name, sizeof name);
	sub = at = rule_begin(NULL, false);
	rule_part("pkttype", 0, &kind, sizeof kind);
	rule_part("conntrack", 3, &track, sizeof track);
	rule_decides(at, -NF_DROP - 1);
	rule_decides(rule_begin(NULL, false), XT_RETURN);
	rules.entry[NF_INET_FORWARD] = at = rule_begin(other, false);
	rule_decides(at, -NF_ACCEPT - 1);
	at = rule_begin(NULL, true);
	rule_part("udp", 0, &udp, sizeof udp);
	rule_decides(at, (int)sub);
	at = rule_begin(NULL, false);
	rule_part("limit", 0, &rate, sizeof rate);
	rule_decides(at, -NF_ACCEPT - 1);
	rules.policy[NF_INET_FORWARD] = at = rule_begin(NULL, false);
	rule_decides(at, -NF_DROP - 1);
	CHECK(!rules.rules.failed);
}

/* Reads a table; its head are the places where its chains begin and end. */
static bool load(const char *path, enum fam fam)
{
	static char data[65536];
	int fd = open(path, O_RDONLY);
	ssize_t n = read(fd, data, sizeof data);
	size_t head = sizeof rules.entry + sizeof rules.policy;

	close(fd);
	CHECK(n > (ssize_t)head);
	rules = (struct xt_rules){ .fam = fam, .hooks = 31, .name = "filter" };
	memcpy(rules.entry, data, sizeof rules.entry);
	memcpy(rules.policy, data + sizeof rules.entry, sizeof rules.policy);
	buf_add(&rules.rules, data + head, (size_t)n - head);
	return !rules.rules.failed;
}

static unsigned judge(unsigned hook, const char *group, uint16_t port, uint8_t ttl)
{
	struct probe_packet p = {
		.has_ports = true, .protocol = 17, .is_frame = 1, .ttl = ttl, .iif = 3, .oif = 4,
		.iif_name = "a1", .oif_name = "a2", .ports = { 0, 99, (uint8_t)(port >> 8), (uint8_t)port },
	};

	addr_parse(rules.fam == FAM_4 ? "10.1.0.9" : "fd00::9", rules.fam == FAM_4 ? 8 : 7, &p.flow.source);
	addr_parse(group, strlen(group), &p.flow.group);
	filter_begin(&seen, &p);
	seen.has_forward_iif = !is_old;
	filter_at(&seen, HOOK_BEFORE);
	if (hook == NF_INET_FORWARD)
		filter_at(&seen, HOOK_FORWARD);
	xt_judge(&rules, hook, &seen, &fate);
	return fate.bits;
}

static void judge_forwarded(const char *other)
{
	const char *group = groups[rules.fam];

	CHECK_INT(judge(NF_INET_FORWARD, other, 5000, 16), FILTER_ACCEPTED);
	CHECK_INT(judge(NF_INET_FORWARD, group, 5000, 16), FILTER_DROPPED);
	CHECK_STR(fate.chain, "sub");
	CHECK_INT(fate.rule, 1);
	CHECK_INT(judge(NF_INET_FORWARD, group, 22, 16), FILTER_EITHER);
	CHECK_INT(fate.why, MAY_BY_CHANCE);
	CHECK(!fate.chain);
	is_old = true;
	CHECK_INT(judge(NF_INET_FORWARD, group, 5000, 16), rules.fam == FAM_4 ? FILTER_DROPPED : FILTER_EITHER);
	is_old = false;
}

static void judge_mangled(void)
{
	CHECK_INT(xt_priority(&rules), -150);
	CHECK_INT(judge(NF_INET_PRE_ROUTING, groups[FAM_4], 5000, 16), FILTER_ACCEPTED);
	CHECK_INT(filter_ttl(&seen), 1);
	CHECK_INT(seen.mark.v, 5);
}

/* What is left of a table that ends early cannot be judged, and nothing behind it is read.  Frees the table. */
static void judge_cuts(void)
{
	struct xt_rules whole = rules;

	for (size_t n = 0; n < whole.rules.len; n += 4) {
		rules.rules = (struct buf){ 0 };
		buf_add(&rules.rules, whole.rules.p, n);
		for (unsigned hook = 0; hook < 5; hook++)
			judge(hook, groups[rules.fam], 5000, 16);
		buf_free(&rules.rules);
	}
	rules = whole;
	rules.entry[NF_INET_FORWARD] = UINT32_MAX;
	CHECK_INT(judge(NF_INET_FORWARD, groups[rules.fam], 5000, 16), FILTER_EITHER);
	buf_free(&rules.rules);
}

static void filter(void)
{
	static const char *const others[] = { "225.9.9.9", "ff2e::999" };

	for (enum fam fam = 0; fam < FAM_N; fam++) {
		build(fam, others[fam]);
		judge_forwarded(others[fam]);
		buf_free(&rules.rules);
	}
}

static void mangle(void)
{
	static const uint8_t ttl[] = { 0, 1 };		/* struct ipt_TTL_info: to be set, to 1 */
	struct xt_mark_tginfo2 mark = { .mark = 5, .mask = UINT32_MAX };

	rules = (struct xt_rules){ .fam = FAM_4, .hooks = 31, .name = "mangle" };
	rule_end(rule_begin(NULL, false), "TTL", 0, ttl, sizeof ttl);
	rule_end(rule_begin(NULL, false), "MARK", 2, &mark, sizeof mark);
	rules.policy[NF_INET_PRE_ROUTING] = rule_begin(NULL, false);
	rule_decides(rules.policy[NF_INET_PRE_ROUTING], -NF_ACCEPT - 1);
	judge_mangled();
	buf_free(&rules.rules);
}

/* What a kernel handed out: more matches than are written here, and nothing of it laid out by us. */
static void kernels_own(void)
{
	static const char *const files[] = { "tests/data/fuzz_probe/xt4-filter", "tests/data/fuzz_probe/xt6-filter" };
	static const char *const others[] = { "225.9.9.9", "ff2e::999" };

	if (sizeof(long) != 8 || htons(1) == 1) {
		test_skipped = "the tables are of a little-endian machine of 64 bits";
		return;
	}
	for (enum fam fam = 0; fam < FAM_N; fam++) {
		CHECK(load(files[fam], fam));
		judge_forwarded(others[fam]);
		judge_cuts();
	}
	CHECK(load("tests/data/fuzz_probe/xt4-mangle", FAM_4));
	strcpy(rules.name, "mangle");
	judge_mangled();
	buf_free(&rules.rules);
}

static void connmark(uint8_t revision, uint8_t mode, uint32_t mark, uint32_t mask, uint8_t shift)
{
	struct xt_connmark_tginfo1 one = { .ctmark = mark, .ctmask = mask, .nfmask = mask, .mode = mode };
	struct xt_connmark_tginfo2 two = {
		.ctmark = mark, .ctmask = mask, .nfmask = mask, .mode = mode, .shift_bits = shift,
	};
	const void *info = revision == 1 ? (void *)&one : (void *)&two;

	CHECK_INT(xt_target(&seen, "CONNMARK", revision, info, revision == 1 ? sizeof one : sizeof two, MATCH_YES), 0);
	CHECK_INT(xt_target(&seen, "CONNMARK", revision, info, 3, MATCH_YES), 0);
}

/* The mark of a connection: set, saved, and given to the packet. */
static void connmarks(void)
{
	struct xt_connmark_mtinfo1 m = { .mark = 5, .mask = 0xff };
	unsigned why;

	for (uint8_t revision = 1; revision < 3; revision++) {
		rules = (struct xt_rules){ .fam = FAM_4 };
		judge(NF_INET_PRE_ROUTING, "225.1.2.3", 5000, 16);
		CHECK_INT(xt_match(&seen, "connmark", 1, &m, sizeof m, &why), MATCH_MAY);
		connmark(revision, XT_CONNMARK_SET, 5, 0xff, 0);
		CHECK_INT(xt_match(&seen, "connmark", 1, &m, sizeof m, &why), MATCH_YES);
		connmark(revision, XT_CONNMARK_RESTORE, 0, 0xf, 0);
		CHECK_INT(seen.mark.v, 5);
		CHECK_INT(seen.mark.known, UINT32_MAX);
		connmark(revision, XT_CONNMARK_SAVE, 0, UINT32_MAX, 0);
		CHECK_INT(seen.connmark.v, 5);
		CHECK_INT(seen.connmark.known, UINT32_MAX);
		connmark(revision, XT_CONNMARK_RESTORE, 0, UINT32_MAX, revision == 2);
		CHECK_INT(seen.mark.known, revision == 2 ? 0 : UINT32_MAX);
	}
}

static void cuts(void)
{
	build(FAM_4, "225.9.9.9");
	judge_cuts();
}

TEST_MAIN(TEST(filter) TEST(mangle) TEST(kernels_own) TEST(connmarks) TEST(cuts))
