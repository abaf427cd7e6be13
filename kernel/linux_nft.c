/* SPDX-License-Identifier: ISC
 *
 * The rules of the packet filter, read and never written: nftables by
 * nfnetlink, and whether the older iptables has any.
 */
#include "kernel/kernel.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>

#include "kernel/nft.h"
#include "kernel/nlask.h"

static void chain_one(void *ctx, const struct rtnl_msg *m)
{
	nft_chain_add(ctx, m);
}

static void rule_one(void *ctx, const struct rtnl_msg *m)
{
	nft_rule_add(ctx, m);
}

static int dump(int what, nlask_fn *fn, struct nft *n)
{
	struct nfgenmsg body = { .nfgen_family = NFPROTO_UNSPEC, .version = NFNETLINK_V0 };
	unsigned char req[RTNL_REQUEST_MAX];
	size_t len = rtnl_ask(req, (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | what), NLM_F_DUMP, NLASK_SEQ,
			      &body, sizeof body, 0, NULL, 0);

	if (nlask(NETLINK_NETFILTER, req, len, false, fn, n) == 0)
		return 0;
	/* Without nfnetlink or nftables in this kernel (net/netfilter/nfnetlink.c). */
	return errno == EPROTONOSUPPORT || errno == EINVAL || errno == EOPNOTSUPP ? 0 : -1;
}

struct nft *kernel_nft_open(void)
{
	struct nft *n = calloc(1, sizeof *n);
	int err;

	if (!n)
		return NULL;
	if (dump(NFT_MSG_GETCHAIN, chain_one, n) == 0 && dump(NFT_MSG_GETRULE, rule_one, n) == 0) {
		if (!n->failed)
			return n;
		errno = ENOMEM;
	}
	err = errno;
	kernel_nft_close(n);
	errno = err;
	return NULL;
}

void kernel_nft_close(struct nft *n)
{
	if (n)
		nft_free(n);
	free(n);
}

void kernel_nft_judge(const struct nft *n, enum look_hook hook, const struct look_packet *p,
		      look_chain_fn *fn, void *ctx)
{
	static const int number[] = {
		[HOOK_BEFORE] = NF_INET_PRE_ROUTING,
		[HOOK_FORWARD] = NF_INET_FORWARD,
		[HOOK_AFTER] = NF_INET_POST_ROUTING,
	};
	uint8_t family = addr_fam(&p->grp) == FAM_4 ? NFPROTO_IPV4 : NFPROTO_IPV6;
	struct look_packet there = *p;

	/* A multicast packet that leaves has lost the interface it came from (ip_mc_output()). */
	if (hook == HOOK_AFTER) {
		there.iif = 0;
		there.iif_name = NULL;
	}
	for (uint32_t i = 0; i < n->nchains; i++) {
		const struct nft_chain *c = &n->chains[i];
		struct look_chain out = {
			.hook = hook,
			.family = c->family == NFPROTO_INET ? "inet" : family == NFPROTO_IPV4 ? "ip" : "ip6",
			.table = n->bytes + c->table,
			.name = n->bytes + c->name,
		};
		unsigned bits;

		if (c->hook != number[hook] || (c->family != NFPROTO_INET && c->family != family))
			continue;
		bits = nft_judge(n, c, &there);
		out.surely = bits == NFT_DROPS;
		if (bits & NFT_DROPS)
			fn(ctx, &out);
	}
}

seen_t kernel_look_iptables(enum fam fam)
{
	int fd = open(fam == FAM_4 ? "/proc/net/ip_tables_names" : "/proc/net/ip6_tables_names",
		      O_RDONLY | O_CLOEXEC);
	ssize_t n;
	char c;

	if (fd < 0)
		return errno == ENOENT && access("/proc/net/dev", F_OK) == 0 ? 0 : -1;
	n = read(fd, &c, 1);
	close(fd);
	return n < 0 ? -1 : n > 0;
}
