/* SPDX-License-Identifier: ISC */
#include "kernel/linux/probe_nft.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>

#include "kernel/linux/nft_sets.h"
#include "kernel/linux/probe_ask.h"

#define NAME_MAX_LEN 256	/* NFT_NAME_MAXLEN, with the NUL */

static int probe_nft_dump(int what, probe_ask_fn *fn, struct nft *n)
{
	if (probe_ask_dump(NETLINK_NETFILTER, NFNL_SUBSYS_NFTABLES << 8 | what, NFPROTO_UNSPEC, sizeof(struct nfgenmsg),
			   fn, n) == 0)
		return 0;
	/* Without nfnetlink or nftables in this kernel (net/netfilter/nfnetlink.c). */
	return errno == EPROTONOSUPPORT || errno == EINVAL || errno == EOPNOTSUPP ? 0 : -1;
}

/* Reads the elements of a set; one that is gone meanwhile, or has too long a name, is as good as not known. */
static int probe_nft_elements(struct nft *n, struct nft_set *s)
{
	size_t table = strlen(s->table) + 1, name = strlen(s->name) + 1;
	struct rtnl_req req;

	if (table > NAME_MAX_LEN || name > NAME_MAX_LEN)
		return 0;
	rtnl_ask(&req, NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETSETELEM, NLM_F_DUMP, s->family, sizeof(struct nfgenmsg));
	rtnl_ask_attr(&req, NFTA_SET_ELEM_LIST_TABLE, s->table, table);
	rtnl_ask_attr(&req, NFTA_SET_ELEM_LIST_SET, s->name, name);
	s->is_read = probe_ask(NETLINK_NETFILTER, &req, nft_elements_add, n) == 0;
	return s->is_read || errno != ENOMEM ? 0 : -1;
}

static int probe_nft_sets(struct nft *n)
{
	if (probe_nft_dump(NFT_MSG_GETSET, nft_set_add, n) < 0)
		return -1;
	for (uint32_t i = 0; i < n->nsets; i++)
		if (probe_nft_elements(n, &n->sets[i]) < 0)
			return -1;
	return 0;
}

int probe_nft_read(struct nft *n)
{
	return probe_nft_dump(NFT_MSG_GETCHAIN, nft_chain_add, n) == 0 &&
	       probe_nft_dump(NFT_MSG_GETTABLE, nft_table_add, n) == 0 &&
	       probe_nft_dump(NFT_MSG_GETRULE, nft_rule_add, n) == 0 && probe_nft_sets(n) == 0 ? 0 : errno;
}
