/* SPDX-License-Identifier: ISC
 *
 * The rules of the packet filter, read by nfnetlink and never written.
 */
#include "kernel/probe.h"

#include <errno.h>
#include <stdlib.h>

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>

#include "kernel/linux/nft_judge.h"
#include "kernel/linux/probe_ask.h"

static int probe_nft_dump(int what, probe_ask_fn *fn, struct nft *n)
{
	if (probe_ask_dump(NETLINK_NETFILTER, NFNL_SUBSYS_NFTABLES << 8 | what, NFPROTO_UNSPEC, sizeof(struct nfgenmsg),
			   fn, n) == 0)
		return 0;
	/* Without nfnetlink or nftables in this kernel (net/netfilter/nfnetlink.c). */
	return errno == EPROTONOSUPPORT || errno == EINVAL || errno == EOPNOTSUPP ? 0 : -1;
}

struct nft *probe_nft_open(void)
{
	struct nft *n = calloc(1, sizeof *n);
	int err;

	if (n && probe_nft_dump(NFT_MSG_GETCHAIN, nft_chain_add, n) == 0 &&
	    probe_nft_dump(NFT_MSG_GETRULE, nft_rule_add, n) == 0)
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

void probe_nft_judge(const struct nft *n, enum probe_hook hook, const struct probe_packet *p, probe_chain_fn *fn,
		     void *ctx)
{
	static const int hooks[] = { [HOOK_BEFORE] = NF_INET_PRE_ROUTING, [HOOK_FORWARD] = NF_INET_FORWARD,
				     [HOOK_AFTER] = NF_INET_POST_ROUTING };
	bool v4 = flow_fam(&p->flow) == FAM_4;
	struct probe_packet there = *p;

	/* A multicast packet that leaves has lost the interface it came from (ip_mc_output()). */
	if (hook == HOOK_AFTER) {
		there.iif = 0;
		there.iif_name = NULL;
	}
	for (uint32_t i = 0; i < n->n; i++) {
		const struct nft_chain *c = &n->chains[i];
		bool inet = c->family == NFPROTO_INET;
		unsigned bits;

		if (c->hook != hooks[hook] || (!inet && c->family != (v4 ? NFPROTO_IPV4 : NFPROTO_IPV6)))
			continue;
		bits = nft_judge(n, c, &there);
		if (bits & NFT_DROPS)
			fn(ctx, &(struct probe_chain){
				.hook = hook, .family = inet ? "inet" : v4 ? "ip" : "ip6",
				.table = c->table, .name = c->name, .surely = bits == NFT_DROPS,
			});
	}
}
