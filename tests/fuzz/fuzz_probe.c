/* SPDX-License-Identifier: ISC
 *
 * Any bytes as answers to what only looks: nothing is read outside them.  The
 * rules of nftables that they make are also asked about a packet.
 */
#include <stdlib.h>
#include <string.h>

#include "kernel/linux/nft_judge.h"
#include "kernel/linux/nft_sets.h"
#include "kernel/linux/probe_bridge.h"
#include "kernel/linux/probe_rtnl.h"
#include "kernel/linux/tc_judge.h"
#include "kernel/linux/xt_judge.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void member(void *ctx, const struct probe_mdb *e)
{
	(void)ctx;
	if (!e->is_router && flow_fam(&e->flow) == FAM_4 && e->flow.group.w[0])
		abort();
}

static void message(const struct rtnl_msg *m, struct nft *n, struct tc *tc)
{
	struct probe_link l;
	struct probe_mfc e;
	struct probe_route way = { 0 };
	struct probe_vif v[2];
	struct probe_link one = { .ifindex = 1 };
	struct probe_links all = { .v = &one, .n = 1 };

	if (probe_rtnl_link(m, &l) && (!memchr(l.name, 0, sizeof l.name) || !memchr(l.kind, 0, sizeof l.kind)))
		abort();
	if (probe_rtnl_mfc(m, &e) && e.noifs > KERNEL_VIFS)
		abort();
	probe_rtnl_route(&way, m);
	if (way.n > sizeof way.oif / sizeof *way.oif)
		abort();
	probe_rtnl_addr(&all, m);
	probe_rtnl_netconf(&all, m);
	probe_rtnl_qdisc(&all, m);
	free(all.addresses);
	if (probe_rtnl_vifs(m, v, 2) > 2)
		abort();
	probe_bridge_mdb(m, member, NULL);
	nft_chain_add(n, m);
	nft_rule_add(n, m);
	nft_set_add(n, m);
	nft_elements_add(n, m);
	for (uint32_t i = 0; i < n->nsets; i++)
		n->sets[i].is_read = true;
	tc_filter_add(tc, m);
}

/* The bytes as a table of iptables: where its chains begin and end, its rules. */
static void table(const uint8_t *data, size_t size, enum fam fam, struct filter_packet *f)
{
	struct xt_rules t = { .fam = fam, .hooks = 31 };
	struct filter_fate fate;
	size_t head = sizeof t.entry + sizeof t.policy;

	if (size < head)
		return;
	memcpy(t.entry, data, sizeof t.entry);
	memcpy(t.policy, data + sizeof t.entry, sizeof t.policy);
	buf_add(&t.rules, (const char *)data + head, size - head);
	for (unsigned hook = 0; hook < 5; hook++) {
		xt_judge(&t, hook, f, &fate);
		if (fate.bits > FILTER_EITHER || (fate.chain && !memchr(fate.chain, 0, XT_NAME)))
			abort();
	}
	buf_free(&t.rules);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct probe_packet p = { .iif = 2, .oif = 3, .iif_name = "a1", .oif_name = "a2", .is_frame = 1, .ttl = 16 };
	struct filter_packet f;
	struct filter_fate fate;
	struct nft n = { 0 };
	struct tc tc = { 0 };
	struct rtnl_msg m;

	addr_parse("10.1.0.9", 8, &p.flow.source);
	addr_parse("225.1.2.3", 9, &p.flow.group);
	filter_begin(&f, &p);
	for (enum probe_hook hook = HOOK_INGRESS; hook <= HOOK_FORWARD; hook++)
		filter_at(&f, hook);
	table(data, size, FAM_4, &f);
	table(data, size, FAM_6, &f);
	while (rtnl_next(&data, &size, &m))
		message(&m, &n, &tc);
	for (uint32_t i = 0; i < n.n; i++) {
		nft_judge(&n, &n.chains[i], &f, &fate);
		if (fate.bits > FILTER_EITHER)
			abort();
	}
	for (uint32_t i = 0; i < tc.n; i++) {
		tc_judge(&tc, tc.v[i].ifindex, tc.v[i].is_egress, &f, &fate);
		if (fate.bits > FILTER_EITHER)
			abort();
	}
	nft_free(&n);
	tc_free(&tc);
	return 0;
}
