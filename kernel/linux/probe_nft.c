/* SPDX-License-Identifier: ISC
 *
 * The rules of the packet filter, read by nfnetlink and never written.
 */
#include "kernel/probe.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>

#include "kernel/linux/nft_judge.h"
#include "kernel/linux/nft_sets.h"
#include "kernel/linux/probe_ask.h"

#define NAME_MAX_LEN 256	/* NFT_NAME_MAXLEN, with the NUL */
#define NETDEV_EGRESS 1		/* NF_NETDEV_EGRESS of linux/netfilter.h since 5.16 */

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

struct nft *probe_nft_open(void)
{
	struct nft *n = calloc(1, sizeof *n);
	int err;

	if (n && probe_nft_dump(NFT_MSG_GETCHAIN, nft_chain_add, n) == 0 &&
	    probe_nft_dump(NFT_MSG_GETTABLE, nft_table_add, n) == 0 &&
	    probe_nft_dump(NFT_MSG_GETRULE, nft_rule_add, n) == 0 && probe_nft_sets(n) == 0)
		return n;
	err = errno;
	probe_nft_close(n);
	errno = err;
	return NULL;
}

void probe_nft_close(struct nft *n)
{
	if (n)
		nft_free(n);
	free(n);
}

/* True when a chain of family netdev, or inet at ingress, is for an interface. */
static bool probe_nft_is_for(const struct nft_chain *c, const char *name)
{
	for (size_t at = 0; name && at < c->devices.len; at += strlen(c->devices.p + at) + 1)
		if (!strcmp(c->devices.p + at, name))
			return true;
	return false;
}

/* The family that a chain is looked at for at a hook, NULL when it is not. */
static const char *probe_nft_family(const struct nft_chain *c, enum probe_hook hook, const struct probe_packet *p)
{
	static const int hooks[] = { [HOOK_INGRESS] = NF_INET_INGRESS, [HOOK_BEFORE] = NF_INET_PRE_ROUTING,
				     [HOOK_FORWARD] = NF_INET_FORWARD, [HOOK_AFTER] = NF_INET_POST_ROUTING,
				     [HOOK_EGRESS] = -2 };
	bool v4 = flow_fam(&p->flow) == FAM_4, is_out = hook == HOOK_EGRESS;

	if (c->family == NFPROTO_NETDEV)
		return (is_out || hook == HOOK_INGRESS) && c->hook == (is_out ? NETDEV_EGRESS : NF_NETDEV_INGRESS) &&
		       probe_nft_is_for(c, is_out ? p->oif_name : p->iif_name) ? "netdev" : NULL;
	if (c->hook != hooks[hook] || (hook == HOOK_INGRESS && !probe_nft_is_for(c, p->iif_name)))
		return NULL;
	return c->family == NFPROTO_INET ? "inet" : c->family != (v4 ? NFPROTO_IPV4 : NFPROTO_IPV6) ? NULL :
	       v4 ? "ip" : "ip6";
}

void probe_nft_judge(const struct nft *n, enum probe_hook hook, const struct probe_packet *p, probe_chain_fn *fn,
		     void *ctx)
{
	struct probe_packet there = *p;

	/* A multicast packet that leaves has lost the interface it came from (ip_mc_output()). */
	if (hook == HOOK_AFTER || hook == HOOK_EGRESS) {
		there.iif = 0;
		there.iif_name = NULL;
	}
	for (uint32_t i = 0; i < n->n; i++) {
		const struct nft_chain *c = &n->chains[i];
		const char *family = probe_nft_family(c, hook, p);
		unsigned bits = family ? nft_judge(n, c, &there) : 0;

		if (bits & NFT_DROPS)
			fn(ctx, &(struct probe_chain){
				.hook = hook, .family = family, .table = c->table, .name = c->name,
				.surely = bits == NFT_DROPS,
			});
	}
}
