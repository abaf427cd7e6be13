/* SPDX-License-Identifier: ISC
 *
 * What rules of nftables would do with a packet, on rules made by hand; rules cut
 * short, and chains that jump in a circle.
 */
#include "kernel/linux/nft_judge.h"

#include <arpa/inet.h>
#include <sys/socket.h>

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nf_tables_compat.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/xt_conntrack.h>

#include "tests/unit/nlmsg.h"
#include "tests/unit/test.h"

static struct nft filter;
static struct probe_packet packet;

static void be(uint16_t type, uint32_t v)
{
	attr_u32(type, htonl(v));
}

static void head(uint16_t what)
{
	struct nfgenmsg g = { .nfgen_family = NFPROTO_IPV4 };

	start((uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | what), &g, sizeof g);
}

static void chain(const char *name, int hook, int policy)
{
	size_t at;

	head(NFT_MSG_NEWCHAIN);
	attr(NFTA_CHAIN_TABLE, "t", 2);
	attr(NFTA_CHAIN_NAME, name, strlen(name) + 1);
	if (hook >= 0) {
		at = nest(NFTA_CHAIN_HOOK);
		be(NFTA_HOOK_HOOKNUM, (uint32_t)hook);
		nest_end(at);
		be(NFTA_CHAIN_POLICY, (uint32_t)policy);
	}
	WHOLE(m);
	CHECK_INT(nft_chain_add(&filter, &m), 0);
	END;
}

/* ---- a rule: rule(), expressions, rule_end() ---- */

static size_t list, elem, data;

static void rule(const char *in)
{
	head(NFT_MSG_NEWRULE);
	attr(NFTA_RULE_TABLE, "t", 2);
	attr(NFTA_RULE_CHAIN, in, strlen(in) + 1);
	attr(NFTA_RULE_HANDLE, "\0\0\0\0\0\0\1\2", 8);
	list = nest(NFTA_RULE_EXPRESSIONS);
}

static void expr(const char *name)
{
	elem = nest(NFTA_LIST_ELEM);
	attr(NFTA_EXPR_NAME, name, strlen(name) + 1);
	data = nest(NFTA_EXPR_DATA);
}

static void expr_end(void)
{
	nest_end(data);
	nest_end(elem);
}

static void rule_end(void)
{
	nest_end(list);
	WHOLE(m);
	CHECK_INT(nft_rule_add(&filter, &m), 0);
	END;
}

static void meta(uint32_t key)
{
	expr("meta");
	be(NFTA_META_DREG, NFT_REG_1);
	be(NFTA_META_KEY, key);
	expr_end();
}

static void payload(uint32_t offset, uint32_t bytes)
{
	expr("payload");
	be(NFTA_PAYLOAD_DREG, NFT_REG_1);
	be(NFTA_PAYLOAD_BASE, NFT_PAYLOAD_NETWORK_HEADER);
	be(NFTA_PAYLOAD_OFFSET, offset);
	be(NFTA_PAYLOAD_LEN, bytes);
	expr_end();
}

static void cmp(uint32_t op, const void *p, size_t size)
{
	size_t at;

	expr("cmp");
	be(NFTA_CMP_SREG, NFT_REG_1);
	be(NFTA_CMP_OP, op);
	at = nest(NFTA_CMP_DATA);
	attr(NFTA_DATA_VALUE, p, size);
	nest_end(at);
	expr_end();
}

static void verdict(int code, const char *to)
{
	size_t at, ver;

	expr("immediate");
	be(NFTA_IMMEDIATE_DREG, NFT_REG_VERDICT);
	at = nest(NFTA_IMMEDIATE_DATA);
	ver = nest(NFTA_DATA_VERDICT);
	be(NFTA_VERDICT_CODE, (uint32_t)code);
	if (to)
		attr(NFTA_VERDICT_CHAIN, to, strlen(to) + 1);
	nest_end(ver);
	nest_end(at);
	expr_end();
}

static void begin(int policy)
{
	nft_free(&filter);
	packet = (struct probe_packet){ .iif = 3, .oif = 4, .iif_name = "a1", .oif_name = "a2" };
	addr_parse("10.1.0.9", 8, &packet.flow.source);
	addr_parse("225.1.2.3", 9, &packet.flow.group);
	chain("f", NF_INET_FORWARD, policy);
}

static struct filter_packet seen;
static struct filter_fate fate;

/* Leads the packet through the first chain, at a hook. */
static unsigned judge_at(enum probe_hook hook)
{
	filter_begin(&seen, &packet);
	for (enum probe_hook h = HOOK_INGRESS; h <= hook; h++)
		filter_at(&seen, h);
	nft_judge(&filter, &filter.chains[0], &seen, &fate);
	return fate.bits;
}

static unsigned judge(void)
{
	return judge_at(HOOK_FORWARD);
}

static void policy(void)
{
	begin(NF_ACCEPT);
	CHECK_INT(judge(), FILTER_ACCEPTED);
	begin(NF_DROP);
	CHECK_INT(judge(), FILTER_DROPPED);
	nft_free(&filter);
}

static void addresses(void)
{
	begin(NF_DROP);
	rule("f");
	payload(16, 4);
	cmp(NFT_CMP_EQ, "\341\1\2\3", 4);
	payload(12, 3);
	cmp(NFT_CMP_EQ, "\12\1\0", 3);
	verdict(NF_ACCEPT, NULL);
	rule_end();
	CHECK_INT(judge(), FILTER_ACCEPTED);
	packet.any_source = true;
	CHECK_INT(judge(), FILTER_EITHER);
	addr_parse("225.1.2.4", 9, &packet.flow.group);
	CHECK_INT(judge(), FILTER_DROPPED);

	/* A field that is not known here. */
	begin(NF_DROP);
	rule("f");
	payload(8, 1);
	cmp(NFT_CMP_EQ, "\1", 1);
	verdict(NF_ACCEPT, NULL);
	rule_end();
	CHECK_INT(judge(), FILTER_EITHER);
	nft_free(&filter);
}

static void interfaces(void)
{
	static const struct { uint32_t op; const char *name; size_t len; unsigned want; } rows[] = {
		{ NFT_CMP_EQ, "a1", 3, FILTER_ACCEPTED }, { NFT_CMP_EQ, "a", 1, FILTER_ACCEPTED },
		{ NFT_CMP_EQ, "a11", 4, FILTER_DROPPED }, { NFT_CMP_NEQ, "a1", 3, FILTER_DROPPED },
		{ NFT_CMP_GTE, "a0", 2, FILTER_ACCEPTED }, { NFT_CMP_LT, "a0", 2, FILTER_DROPPED }, { 77, "a1", 3, 3 },
	};

	for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
		begin(NF_DROP);
		rule("f");
		meta(NFT_META_IIFNAME);
		cmp(rows[i].op, rows[i].name, rows[i].len);
		verdict(NF_ACCEPT, NULL);
		rule_end();
		CHECK_INT(judge(), rows[i].want);
		packet.iif_name = NULL;
		CHECK_INT(judge(), FILTER_EITHER);
	}
	nft_free(&filter);
}

static void jumps(void)
{
	begin(NF_DROP);
	chain("sub", -1, 0);
	rule("f");
	verdict(NFT_JUMP, "sub");
	rule_end();
	rule("f");
	verdict(NF_ACCEPT, NULL);
	rule_end();
	CHECK_INT(judge(), FILTER_ACCEPTED);
	rule("sub");
	verdict(NFT_RETURN, NULL);
	rule_end();
	rule("sub");
	verdict(NF_DROP, NULL);
	rule_end();
	CHECK_INT(judge(), FILTER_ACCEPTED);

	/* goto does not come back: the policy counts. */
	begin(NF_DROP);
	chain("sub", -1, 0);
	rule("f");
	verdict(NFT_GOTO, "sub");
	rule_end();
	rule("f");
	verdict(NF_ACCEPT, NULL);
	rule_end();
	CHECK_INT(judge(), FILTER_DROPPED);

	/* The kernel refuses circles; here they end. */
	begin(NF_ACCEPT);
	for (int i = 0; i < 3; i++) {
		rule("f");
		verdict(NFT_JUMP, "f");
		rule_end();
	}
	CHECK_INT(judge(), FILTER_EITHER);
	begin(NF_ACCEPT);
	rule("f");
	verdict(NFT_JUMP, "nowhere");
	rule_end();
	CHECK_INT(judge(), FILTER_EITHER);
	nft_free(&filter);
}

/* iptables: -m conntrack --ctstate, which a flow to a group never is in but NEW. */
static void conntrack(void)
{
	static const struct { uint16_t states, invert; unsigned want; } rows[] = {
		{ 2 | 4, 0, FILTER_DROPPED }, { 8, 0, FILTER_ACCEPTED }, { 2, XT_CONNTRACK_STATE, FILTER_ACCEPTED },
		{ 8 | 2, XT_CONNTRACK_STATE, FILTER_DROPPED },
	};

	for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct xt_conntrack_mtinfo3 ct = {
			.match_flags = XT_CONNTRACK_STATE, .invert_flags = rows[i].invert, .state_mask = rows[i].states,
		};

		begin(NF_DROP);
		rule("f");
		expr("match");
		attr(NFTA_MATCH_NAME, "conntrack", 10);
		be(NFTA_MATCH_REV, 3);
		attr(NFTA_MATCH_INFO, &ct, sizeof ct);
		expr_end();
		verdict(NF_ACCEPT, NULL);
		rule_end();
		CHECK_INT(judge(), rows[i].want);
	}
	nft_free(&filter);
}

static void unknown(void)
{
	begin(NF_ACCEPT);
	rule("f");
	expr("something");
	expr_end();
	verdict(NF_DROP, NULL);
	rule_end();
	CHECK_INT(judge(), FILTER_EITHER);
	rule("f");
	expr("reject");
	expr_end();
	rule_end();
	CHECK_INT(judge(), FILTER_DROPPED);
	/* A map of verdicts. */
	begin(NF_ACCEPT);
	rule("f");
	expr("lookup");
	be(NFTA_LOOKUP_DREG, NFT_REG_VERDICT);
	expr_end();
	rule_end();
	CHECK_INT(judge(), FILTER_EITHER);
	nft_free(&filter);
}

static void limited(void)
{
	expr("limit");
	expr_end();
}

/* The mark of a packet, or of its connection, from or to a register. */
static void mark(bool is_ct, bool is_set)
{
	expr(is_ct ? "ct" : "meta");
	if (is_ct) {
		be(is_set ? NFTA_CT_SREG : NFTA_CT_DREG, NFT_REG_1);
		be(NFTA_CT_KEY, NFT_CT_MARK);
	} else {
		be(is_set ? NFTA_META_SREG : NFTA_META_DREG, NFT_REG_1);
		be(NFTA_META_KEY, NFT_META_MARK);
	}
	expr_end();
}

static void immediate(const void *p, size_t size)
{
	size_t at;

	expr("immediate");
	be(NFTA_IMMEDIATE_DREG, NFT_REG_1);
	at = nest(NFTA_IMMEDIATE_DATA);
	attr(NFTA_DATA_VALUE, p, size);
	nest_end(at);
	expr_end();
}

/* What a rule that may match sets is not known behind it. */
static void marks(void)
{
	static const uint32_t two = 2, five = 5;	/* in the order of the machine */

	for (unsigned i = 0; i < 4; i++) {
		bool is_ct = i < 2;

		begin(NF_ACCEPT);
		rule("f");
		if (i % 2)
			limited();
		immediate(&five, 4);
		mark(is_ct, true);
		rule_end();
		rule("f");
		mark(is_ct, false);
		cmp(NFT_CMP_EQ, &five, 4);
		verdict(NF_DROP, NULL);
		rule_end();
		CHECK_INT(judge(), i % 2 ? FILTER_EITHER : FILTER_DROPPED);
		CHECK_INT(fate.rule, 0x102);
		CHECK_STR(fate.chain, "f");
	}
	/* Bits that the mark does not have are known all the same: 5 or 0, never 2. */
	rule("f");
	mark(false, false);
	cmp(NFT_CMP_EQ, &two, 4);
	verdict(NF_DROP, NULL);
	rule_end();
	CHECK_INT(seen.mark.known, ~5u);
	/* What packets before it left in its connection is not known. */
	begin(NF_ACCEPT);
	rule("f");
	mark(true, false);
	cmp(NFT_CMP_EQ, &five, 4);
	verdict(NF_DROP, NULL);
	rule_end();
	CHECK_INT(judge(), FILTER_EITHER);
	nft_free(&filter);
}

/* What an expression that is not understood loads is no value of an earlier one. */
static void stale(void)
{
	begin(NF_ACCEPT);
	rule("f");
	payload(16, 4);
	expr("exthdr");
	expr_end();
	cmp(NFT_CMP_EQ, "\1\0\0\0", 4);
	verdict(NF_DROP, NULL);
	rule_end();
	CHECK_INT(judge(), FILTER_EITHER);
	CHECK_INT(fate.why, MAY_UNKNOWN);
	nft_free(&filter);
}

/* Registers and lengths out of all bounds, and each cut of a rule. */
static void hostile(void)
{
	static const uint32_t regs[] = { 0, 5, 7, 8, 23, 24, 1000, UINT32_MAX };

	for (unsigned i = 0; i < sizeof regs / sizeof *regs; i++) {
		begin(NF_DROP);
		rule("f");
		expr("payload");
		be(NFTA_PAYLOAD_DREG, regs[i]);
		be(NFTA_PAYLOAD_BASE, NFT_PAYLOAD_NETWORK_HEADER);
		be(NFTA_PAYLOAD_OFFSET, 12);
		be(NFTA_PAYLOAD_LEN, i ? 8 : UINT32_MAX);
		expr_end();
		expr("bitwise");
		be(NFTA_BITWISE_SREG, regs[i]);
		be(NFTA_BITWISE_DREG, regs[i]);
		be(NFTA_BITWISE_LEN, regs[i]);
		expr_end();
		cmp(NFT_CMP_EQ, "\12\1\0\11\341\1\2\3", 8);
		verdict(NF_ACCEPT, NULL);
		rule_end();
		judge();
	}
	begin(NF_DROP);
	rule("f");
	meta(NFT_META_IIFNAME);
	cmp(NFT_CMP_EQ, "a1", 3);
	verdict(NFT_JUMP, "f");
	nest_end(list);
	CUTS(nft_rule_add(&filter, &m) + nft_chain_add(&filter, &m));
	judge();
	nft_free(&filter);
}

TEST_MAIN(TEST(policy) TEST(addresses) TEST(interfaces) TEST(jumps) TEST(conntrack) TEST(unknown) TEST(marks)
	  TEST(stale) TEST(hostile))
