/* SPDX-License-Identifier: ISC
 *
 * Tables of the older iptables, as a kernel handed them out (tests/data/fuzz_probe), and each cut of them.
 */
#include "kernel/linux/xt_judge.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/netfilter.h>
#include <linux/netfilter/xt_connmark.h>

#include "kernel/linux/xt_match.h"
#include "kernel/linux/xt_target.h"
#include "tests/unit/test.h"

static struct xt_rules rules;
static struct filter_packet seen;
static struct filter_fate fate;
static bool is_old;			/* a kernel that names no inbound interface where IPv6 is forwarded */

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

/* Policy DROP; another group is accepted, port 5000 goes to a chain that drops what is new, of the rest a limit accepts
 * some. */
static void filter(void)
{
	static const char *const files[] = { "tests/data/fuzz_probe/xt4-filter", "tests/data/fuzz_probe/xt6-filter" };
	static const char *const groups[] = { "225.1.2.3", "ff2e::123" };
	static const char *const others[] = { "225.9.9.9", "ff2e::999" };

	/* The files are of a 64-bit system, where the matches have other sizes. */
	for (enum fam fam = 0; sizeof(long) == 8 && fam < FAM_N; fam++) {
		CHECK(load(files[fam], fam));
		CHECK_INT(judge(NF_INET_FORWARD, others[fam], 5000, 16), FILTER_ACCEPTED);
		CHECK_INT(judge(NF_INET_FORWARD, groups[fam], 5000, 16), FILTER_DROPPED);
		CHECK_STR(fate.chain, "sub");
		CHECK_INT(fate.rule, 1);
		CHECK_INT(judge(NF_INET_FORWARD, groups[fam], 22, 16), FILTER_EITHER);
		CHECK_INT(fate.why, MAY_BY_CHANCE);
		CHECK(!fate.chain);
		is_old = true;
		CHECK_INT(judge(NF_INET_FORWARD, groups[fam], 5000, 16), fam == FAM_4 ? FILTER_DROPPED : FILTER_EITHER);
		is_old = false;
		buf_free(&rules.rules);
	}
}

static void mangle(void)
{
	CHECK(load("tests/data/fuzz_probe/xt4-mangle", FAM_4));
	strcpy(rules.name, "mangle");
	CHECK_INT(xt_priority(&rules), -150);
	CHECK_INT(judge(NF_INET_PRE_ROUTING, "225.1.2.3", 5000, 16), FILTER_ACCEPTED);
	CHECK_INT(filter_ttl(&seen), 1);
	CHECK_INT(seen.mark.v, 5);
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

/* What is left of a table that ends early cannot be judged, and nothing behind it is read. */
static void cuts(void)
{
	struct xt_rules whole;

	CHECK(load("tests/data/fuzz_probe/xt4-filter", FAM_4));
	whole = rules;
	for (size_t n = 0; n < whole.rules.len; n += 4) {
		rules.rules = (struct buf){ 0 };
		buf_add(&rules.rules, whole.rules.p, n);
		for (unsigned hook = 0; hook < 5; hook++)
			judge(hook, "225.1.2.3", 5000, 16);
		buf_free(&rules.rules);
	}
	rules = whole;
	rules.entry[NF_INET_FORWARD] = UINT32_MAX;
	CHECK_INT(judge(NF_INET_FORWARD, "225.1.2.3", 5000, 16), FILTER_EITHER);
	buf_free(&whole.rules);
}

TEST_MAIN(TEST(filter) TEST(mangle) TEST(connmarks) TEST(cuts))
