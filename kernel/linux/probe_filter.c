/* SPDX-License-Identifier: ISC
 *
 * The packet filters of this host, read and never written, and the way of a packet through all of them: at each hook
 * what is there by priority, at an interface tc on its outer side (net/core/dev.c).
 */
#include "kernel/probe.h"

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include <linux/netfilter.h>

#include "kernel/linux/probe_nft.h"
#include "kernel/linux/probe_release.h"
#include "kernel/linux/probe_tc.h"
#include "kernel/linux/probe_xt.h"

#define NETDEV_EGRESS 1		/* NF_NETDEV_EGRESS of linux/netfilter.h since 5.16 */
#define BRIDGE_OUT 3		/* NF_BR_LOCAL_OUT of linux/netfilter_bridge.h */

/* A table or chain that the kernel asks at hooks. */
struct filter_base {
	int priority;
	const struct nft_chain *chain;	/* or else */
	struct xt_rules *table;
};

struct filters {
	struct nft nft;
	struct xt_rules tables[FAM_N][XT_TABLES];
	struct tc tc;
	int error[PROBE_FILTERS];
	struct filter_base *bases;	/* owned; by priority */
	uint32_t n;
	bool has_forward_iif;
};

static int filters_order(const void *a, const void *b)
{
	const struct filter_base *x = a, *y = b;

	return x->priority < y->priority ? -1 : x->priority > y->priority;
}

/* Puts in order what looks at packets. */
static bool filters_sort(struct filters *f)
{
	f->bases = calloc(f->nft.n + FAM_N * XT_TABLES + 1u, sizeof *f->bases);
	if (!f->bases)
		return false;
	for (const struct nft_chain *c = f->nft.chains; c < f->nft.chains + f->nft.n; c++)
		if (c->hook != -1)
			f->bases[f->n++] = (struct filter_base){ .priority = c->priority, .chain = c };
	for (enum fam fam = 0; fam < FAM_N; fam++)
		for (struct xt_rules *t = f->tables[fam]; t < f->tables[fam] + XT_TABLES; t++)
			if (t->hooks)
				f->bases[f->n++] = (struct filter_base){ .priority = xt_priority(t), .table = t };
	qsort(f->bases, f->n, sizeof *f->bases, filters_order);
	return true;
}

struct filters *probe_filters_open(void)
{
	struct filters *f = calloc(1, sizeof *f);
	bool is_full = false;

	if (!f)
		return NULL;
	f->has_forward_iif = probe_release_is_since(6, 17);
	f->error[PROBE_NFT] = probe_nft_read(&f->nft);
	f->error[PROBE_IPTABLES] = probe_xt_read(FAM_4, f->tables[FAM_4]);
	f->error[PROBE_IP6TABLES] = probe_xt_read(FAM_6, f->tables[FAM_6]);
	f->error[PROBE_TC] = probe_tc_read(&f->tc);
	for (unsigned i = 0; i < PROBE_FILTERS; i++)
		is_full |= f->error[i] == ENOMEM;
	if (!is_full && filters_sort(f))
		return f;
	probe_filters_close(f);
	errno = ENOMEM;
	return NULL;
}

void probe_filters_close(struct filters *f)
{
	if (!f)
		return;
	nft_free(&f->nft);
	tc_free(&f->tc);
	for (enum fam fam = 0; fam < FAM_N; fam++)
		for (unsigned i = 0; i < XT_TABLES; i++)
			buf_free(&f->tables[fam][i].rules);
	free(f->bases);
	free(f);
}

int probe_filters_error(const struct filters *f, enum probe_filter filter)
{
	return f->error[filter];
}

/* True when a chain of family netdev, or inet at ingress, is for an interface. */
static bool filters_is_for(const struct nft_chain *c, const char *name)
{
	for (size_t at = 0; name && at < c->devices.len; at += strlen(c->devices.p + at) + 1) {
		const char *device = c->devices.p + at;
		size_t len = strlen(device);

		/* A name that ends with a star is a beginning. */
		if (len && device[len - 1] == '*' ? !strncmp(device, name, len - 1) : !strcmp(device, name))
			return true;
	}
	return false;
}

/* The family in which a chain looks at packets at a hook, NULL when it does not. */
static const char *filters_family(const struct nft_chain *c, enum probe_hook hook, const struct filter_packet *f)
{
	static const int hooks[] = { [HOOK_BEFORE] = NF_INET_PRE_ROUTING, [HOOK_FORWARD] = NF_INET_FORWARD,
				     [HOOK_AFTER] = NF_INET_POST_ROUTING };
	bool is_in = hook == HOOK_PORT_INGRESS || hook == HOOK_INGRESS;
	bool is_out = hook == HOOK_EGRESS || hook == HOOK_PORT_EGRESS;

	if (hook == HOOK_PORT_IN || hook == HOOK_PORT_OUT)
		return c->family == NFPROTO_BRIDGE &&
		       (hook == HOOK_PORT_IN ? c->hook == NF_INET_PRE_ROUTING || c->hook == NF_INET_LOCAL_IN :
			c->hook == BRIDGE_OUT || c->hook == NF_INET_POST_ROUTING) ? "bridge" : NULL;
	if (is_in || is_out) {
		const char *name = is_in ? f->iif_name : f->oif_name;

		if (c->family == NFPROTO_NETDEV)
			return c->hook == (is_out ? NETDEV_EGRESS : NF_NETDEV_INGRESS) && filters_is_for(c, name) ?
			       "netdev" : NULL;
		return is_in && c->family == NFPROTO_INET && c->hook == NF_INET_INGRESS && filters_is_for(c, name) ?
		       "inet" : NULL;
	}
	if (c->hook != hooks[hook])
		return NULL;
	return c->family == NFPROTO_INET ? "inet" : c->family != (f->v4 ? NFPROTO_IPV4 : NFPROTO_IPV6) ? NULL :
	       f->v4 ? "ip" : "ip6";
}

/* The way of one packet. */
struct filters_way {
	const struct filters *all;
	struct filter_packet f;
	enum probe_hook hook, from;
	probe_chain_fn *fn;
	void *ctx;
};

/* Tells what a chain did, where it did not just let it pass. */
static void filters_tell(struct filters_way *w, struct probe_chain *c, const struct filter_fate *fate, int ttl)
{
	int now = filter_ttl(&w->f);

	c->hook = w->hook;
	c->rule_chain = fate->chain;
	c->rule = fate->rule;
	c->tc = fate->tc;
	if (fate->bits & FILTER_DROPPED)
		c->fate = fate->bits == FILTER_DROPPED ? FATE_DROPPED : fate->why == MAY_BY_CHANCE ? FATE_BY_CHANCE :
			  FATE_UNKNOWN;
	else if (w->f.is_changed)
		c->fate = FATE_CHANGED;
	else if (now >= 0 && ttl >= 0 && now < ttl)
		c->fate = FATE_LOWERED;
	else if (w->f.is_renamed)
		c->fate = FATE_RENAMED;
	else
		return;
	c->ttl = (uint8_t)(now < 0 ? 0 : now);
	c->has_flow = filter_flow(&w->f, &c->flow);
	if (w->hook >= w->from)
		w->fn(w->ctx, c);
}

static void filters_base(struct filters_way *w, const struct filter_base *b)
{
	static const unsigned hooks[] = { [HOOK_BEFORE] = NF_INET_PRE_ROUTING, [HOOK_FORWARD] = NF_INET_FORWARD,
					  [HOOK_AFTER] = NF_INET_POST_ROUTING };
	static const char *const chains[] = { [HOOK_BEFORE] = "PREROUTING", [HOOK_FORWARD] = "FORWARD",
					      [HOOK_AFTER] = "POSTROUTING" };
	struct probe_chain c = { .filter = PROBE_NFT };
	struct filter_fate fate;
	int ttl = filter_ttl(&w->f);

	w->f.is_renamed = w->f.is_changed = false;
	if (b->chain) {
		c.family = filters_family(b->chain, w->hook, &w->f);
		if (!c.family)
			return;
		c.table = b->chain->table;
		c.name = b->chain->name;
		c.is_owned = b->chain->is_owned;
		nft_judge(&w->all->nft, b->chain, &w->f, &fate);
	} else {
		if (w->hook < HOOK_BEFORE || w->hook > HOOK_AFTER || b->table->fam != (w->f.v4 ? FAM_4 : FAM_6) ||
		    !(b->table->hooks >> hooks[w->hook] & 1))
			return;
		c = (struct probe_chain){ .filter = w->f.v4 ? PROBE_IPTABLES : PROBE_IP6TABLES,
					  .family = w->f.v4 ? "ip" : "ip6", .table = b->table->name,
					  .name = chains[w->hook] };
		xt_judge(b->table, hooks[w->hook], &w->f, &fate);
	}
	filters_tell(w, &c, &fate, ttl);
}

static void filters_tc(struct filters_way *w, bool is_egress)
{
	struct probe_chain c = {
		.filter = PROBE_TC, .family = "tc", .table = is_egress ? w->f.oif_name : w->f.iif_name,
		.name = is_egress ? "egress" : "ingress",
	};
	int ttl = filter_ttl(&w->f);
	struct filter_fate fate;

	w->f.is_renamed = w->f.is_changed = false;
	if (tc_judge(&w->all->tc, (int)(is_egress ? w->f.oif : w->f.iif), is_egress, &w->f, &fate))
		filters_tell(w, &c, &fate, ttl);
}

void probe_filters_judge(const struct filters *f, enum probe_hook from, enum probe_hook to,
			 const struct probe_packet *p, probe_chain_fn *fn, void *ctx)
{
	struct filters_way w = { .all = f, .from = from, .fn = fn, .ctx = ctx };

	filter_begin(&w.f, p);
	w.f.has_forward_iif = f->has_forward_iif;
	for (w.hook = HOOK_PORT_INGRESS; w.hook <= to; w.hook++) {
		if ((w.hook < HOOK_INGRESS && !p->port_in) || (w.hook > HOOK_EGRESS && !p->port_out))
			continue;
		filter_at(&w.f, w.hook);
		if (w.hook == HOOK_PORT_INGRESS || w.hook == HOOK_INGRESS)
			filters_tc(&w, false);
		for (const struct filter_base *b = f->bases; b < f->bases + f->n; b++)
			filters_base(&w, b);
		if (w.hook == HOOK_EGRESS || w.hook == HOOK_PORT_EGRESS)
			filters_tc(&w, true);
	}
}
