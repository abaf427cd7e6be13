/* SPDX-License-Identifier: ISC
 *
 * What is in a set of nftables: single keys, intervals, what is left for the rest; elements cut short.
 */
#include "kernel/linux/nft_sets.h"

#include <arpa/inet.h>
#include <sys/socket.h>

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#include "tests/unit/nlmsg.h"
#include "tests/unit/test.h"

static struct nft nft;

static void set(uint32_t flags)
{
	struct nfgenmsg g = { .nfgen_family = NFPROTO_INET };

	nft_free(&nft);
	start(NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWSET, &g, sizeof g);
	attr(NFTA_SET_TABLE, "t", 2);
	attr(NFTA_SET_NAME, "s", 2);
	attr_u32(NFTA_SET_FLAGS, htonl(flags));
	WHOLE(m);
	CHECK_INT(nft_set_add(&nft, &m), 0);
	END;
}

/* Adds elements of one byte each; a flag on those that end an interval. */
static void elements(const char *keys, const char *ends, uint32_t flag)
{
	struct nfgenmsg g = { .nfgen_family = NFPROTO_INET };
	size_t list, elem, key;

	start(NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWSETELEM, &g, sizeof g);
	attr(NFTA_SET_ELEM_LIST_TABLE, "t", 2);
	attr(NFTA_SET_ELEM_LIST_SET, "s", 2);
	list = nest(NFTA_SET_ELEM_LIST_ELEMENTS);
	for (; *keys; keys++) {
		elem = nest(NFTA_LIST_ELEM);
		if (*keys != '*') {
			key = nest(NFTA_SET_ELEM_KEY);
			attr(NFTA_DATA_VALUE, keys, 1);
			nest_end(key);
		}
		if (strchr(ends, *keys))
			attr_u32(NFTA_SET_ELEM_FLAGS, htonl(flag));
		nest_end(elem);
	}
	nest_end(list);
	WHOLE(whole);
	CHECK_INT(nft_elements_add(&nft, &whole), 0);
	CUTS(nft_elements_add(&nft, &m));
	END;
}

static int look(char key)
{
	struct filter_value a;
	struct rtnl_attr e;

	filter_value(&a, &key, NULL, 1);
	return nft_set_look(nft_set_find(&nft, NFPROTO_INET, "t", "s"), &a, &e) == MATCH_YES;
}

static void single(void)
{
	set(0);
	CHECK_INT(nft_set_key(&nft.sets[0]), 0);
	CHECK_INT(look('a'), 0);
	elements("adg", "", 0);
	CHECK_INT(nft_set_key(&nft.sets[0]), 1);
	CHECK_INT(look('a'), 1);
	CHECK_INT(look('b'), 0);
	CHECK_INT(look('g'), 1);
	CHECK(!nft_set_find(&nft, NFPROTO_INET, "t", "x") && !nft_set_find(&nft, NFPROTO_IPV4, "t", "s"));
	nft_free(&nft);
}

/* d to f, and m to the end; in whatever order they come. */
static void intervals(void)
{
	static const char want[] = "defmnz";

	for (unsigned i = 0; i < 2; i++) {
		set(NFT_SET_INTERVAL);
		elements(i ? "gmd" : "mgd", "g", NFT_SET_ELEM_INTERVAL_END);
		for (char c = 'a'; c <= 'z'; c++)
			CHECK_INT(look(c), strchr(want, c) || c > 'm');
	}
	nft_free(&nft);
}

static void rest(void)
{
	set(0);
	elements("a*", "*", 2);
	CHECK_INT(look('a'), 1);
	CHECK_INT(look('b'), 1);
	nft_free(&nft);
}

TEST_MAIN(TEST(single) TEST(intervals) TEST(rest))
