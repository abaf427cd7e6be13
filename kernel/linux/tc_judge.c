/* SPDX-License-Identifier: ISC
 *
 * tcf_classify() of net/sched/cls_api.c asks one filter after the other by priority, what matches has actions, and
 * sch_handle_ingress() of net/core/dev.c does what the last one says.  Programs (bpf) are not read: either may be.
 */
#include "kernel/linux/tc_judge.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <linux/if.h>
#include <linux/if_ether.h>
#include <linux/if_link.h>
#include <linux/pkt_cls.h>
#include <linux/rtnetlink.h>
#include <linux/tc_act/tc_gact.h>
#include <linux/tc_act/tc_mirred.h>

#include "lib/grow.h"

#define TC_MAX (4u << 20)	/* bytes of all options */

static const char *tc_text(const struct rtnl_attr *in, unsigned type)
{
	struct rtnl_attr a;

	return rtnl_attr(in, type, &a) && a.len && !a.p[a.len - 1] ? (const char *)a.p : "";
}

bool tc_has_filters(const struct rtnl_msg *m, int *ifindex)
{
	struct rtnl_attr at;
	struct tcmsg t;

	if (!rtnl_body(m, RTM_NEWQDISC, &t, sizeof t, &at))
		return false;
	*ifindex = t.tcm_ifindex;
	return !strcmp(tc_text(&at, TCA_KIND), "clsact") || !strcmp(tc_text(&at, TCA_KIND), "ingress");
}

int tc_ifb_add(void *ctx, const struct rtnl_msg *m)
{
	struct tc *tc = ctx;
	struct rtnl_attr at, info;
	struct ifinfomsg ifi;

	if (rtnl_body(m, RTM_NEWLINK, &ifi, sizeof ifi, &at) && rtnl_attr(&at, IFLA_LINKINFO, &info) &&
	    !strcmp(tc_text(&info, IFLA_INFO_KIND), "ifb") && (ifi.ifi_flags & IFF_UP) && tc->nifbs < TC_IFBS)
		tc->ifbs[tc->nifbs++] = ifi.ifi_index;
	return 0;
}

int tc_filter_add(void *ctx, const struct rtnl_msg *m)
{
	struct tc *tc = ctx;
	struct rtnl_attr at, options;
	struct tc_filter *f;
	struct tcmsg t;

	if (!rtnl_body(m, RTM_NEWTFILTER, &t, sizeof t, &at) || !rtnl_attr(&at, TCA_OPTIONS, &options))
		return 0;
	tc->size += options.len + sizeof *f;
	errno = ENOMEM;
	f = tc->size > TC_MAX ? NULL : grow(tc->v, &tc->cap, tc->n + 1, sizeof *f);
	if (!f)
		return -1;
	tc->v = f;
	f += tc->n++;
	*f = (struct tc_filter){ .ifindex = tc->ifindex, .is_egress = tc->is_egress, .priority = t.tcm_info >> 16,
				 .handle = t.tcm_handle, .protocol = ntohs((uint16_t)t.tcm_info),
				 .chain = rtnl_u32(&at, TCA_CHAIN, 0) };
	/* tcf_fill_node(): the interface's own index, but for a block that is shared. */
	if ((uint32_t)t.tcm_ifindex == TCM_IFINDEX_MAGIC_BLOCK)
		f->block = t.tcm_block_index;
	strncpy(f->kind, tc_text(&at, TCA_KIND), sizeof f->kind - 1);
	buf_add(&f->options, options.p, options.len);
	return f->options.failed ? -1 : 0;
}

void tc_free(struct tc *tc)
{
	for (uint32_t i = 0; i < tc->n; i++)
		buf_free(&tc->v[i].options);
	free(tc->v);
	*tc = (struct tc){ 0 };
}

/* ---- what a filter matches ---- */

/* struct tc_u32_sel: words of the network header under masks. */
static enum match tc_asks_u32(const struct filter_packet *f, const struct rtnl_attr *options)
{
	struct tc_u32_sel sel;
	struct rtnl_attr at;
	enum match m = MATCH_YES;

	/* A table of buckets, or a filter with its own ways to go on, is none of the simple ones. */
	if (!rtnl_attr(options, TCA_U32_SEL, &at) || at.len < sizeof sel)
		return MATCH_NO;
	memcpy(&sel, at.p, sizeof sel);
	if (at.len - sizeof sel < sel.nkeys * sizeof(struct tc_u32_key) || !(sel.flags & TC_U32_TERMINAL) ||
	    rtnl_u32(options, TCA_U32_LINK, 0))
		return MATCH_MAY;
	for (unsigned i = 0; i < sel.nkeys; i++) {
		struct tc_u32_key key;
		int size = f->v4 ? 20 : 40;
		enum match one = MATCH_MAY;

		memcpy(&key, at.p + sizeof sel + i * sizeof key, sizeof key);
		if (!key.offmask && key.off >= 0 && key.off <= size - 4)
			one = filter_masked(f->ip + key.off, f->ip_known + key.off, &key.val, &key.mask, 4);
		m = filter_and(m, one);
	}
	return m;
}

/* An address or port of a flower under its mask. */
static enum match tc_asks_key(const struct rtnl_attr *options, unsigned key, unsigned mask, const uint8_t *v,
			      const uint8_t *known, size_t len)
{
	struct rtnl_attr want, bits;
	uint8_t all[16];

	if (!rtnl_attr(options, key, &want))
		return MATCH_YES;
	if (!rtnl_attr(options, mask, &bits))
		bits = (struct rtnl_attr){ memset(all, 0xff, sizeof all), len };
	return want.len == len && bits.len == len ? filter_masked(v, known, want.p, bits.p, len) : MATCH_MAY;
}

static enum match tc_asks_flower(const struct filter_packet *f, const struct rtnl_attr *options)
{
	/* What is looked at, or is no question about the packet: anything else may match. */
	static const uint8_t known[] = {
		TCA_FLOWER_ACT, TCA_FLOWER_KEY_ETH_TYPE, TCA_FLOWER_KEY_IP_PROTO, TCA_FLOWER_KEY_IPV4_SRC,
		TCA_FLOWER_KEY_IPV4_SRC_MASK, TCA_FLOWER_KEY_IPV4_DST, TCA_FLOWER_KEY_IPV4_DST_MASK,
		TCA_FLOWER_KEY_IPV6_SRC, TCA_FLOWER_KEY_IPV6_SRC_MASK, TCA_FLOWER_KEY_IPV6_DST,
		TCA_FLOWER_KEY_IPV6_DST_MASK, TCA_FLOWER_KEY_UDP_SRC, TCA_FLOWER_KEY_UDP_SRC_MASK,
		TCA_FLOWER_KEY_UDP_DST, TCA_FLOWER_KEY_UDP_DST_MASK, TCA_FLOWER_FLAGS, TCA_FLOWER_KEY_ETH_DST,
		TCA_FLOWER_KEY_ETH_DST_MASK, TCA_FLOWER_IN_HW_COUNT,
	};
	const uint8_t *ip = f->ip, *ip_known = f->ip_known;
	struct rtnl_attr a;
	enum match m = MATCH_YES;

	for (unsigned i = 1; i < 256; i++)
		if (!memchr(known, (int)i, sizeof known) && rtnl_attr(options, i, &a))
			m = MATCH_MAY;
	if (rtnl_u32(options, TCA_FLOWER_FLAGS, 0) & TCA_CLS_FLAGS_SKIP_SW)
		return MATCH_MAY;
	m = filter_and(m, tc_asks_key(options, TCA_FLOWER_KEY_ETH_TYPE, 0, f->ether + 12, f->ether_known + 12, 2));
	m = filter_and(m, tc_asks_key(options, TCA_FLOWER_KEY_ETH_DST, TCA_FLOWER_KEY_ETH_DST_MASK, f->ether,
				      f->ether_known, 6));
	m = filter_and(m, tc_asks_key(options, TCA_FLOWER_KEY_IP_PROTO, 0, &f->protocol, NULL, 1));
	if (f->v4) {
		m = filter_and(m, tc_asks_key(options, TCA_FLOWER_KEY_IPV4_SRC, TCA_FLOWER_KEY_IPV4_SRC_MASK, ip + 12,
					      ip_known + 12, 4));
		m = filter_and(m, tc_asks_key(options, TCA_FLOWER_KEY_IPV4_DST, TCA_FLOWER_KEY_IPV4_DST_MASK, ip + 16,
					      ip_known + 16, 4));
	} else {
		m = filter_and(m, tc_asks_key(options, TCA_FLOWER_KEY_IPV6_SRC, TCA_FLOWER_KEY_IPV6_SRC_MASK, ip + 8,
					      ip_known + 8, 16));
		m = filter_and(m, tc_asks_key(options, TCA_FLOWER_KEY_IPV6_DST, TCA_FLOWER_KEY_IPV6_DST_MASK, ip + 24,
					      ip_known + 24, 16));
	}
	m = filter_and(m, tc_asks_key(options, TCA_FLOWER_KEY_UDP_SRC, TCA_FLOWER_KEY_UDP_SRC_MASK, f->ports,
				      f->ports_known, 2));
	return filter_and(m, tc_asks_key(options, TCA_FLOWER_KEY_UDP_DST, TCA_FLOWER_KEY_UDP_DST_MASK, f->ports + 2,
					 f->ports_known + 2, 2));
}

/* ---- what its actions do ---- */

/* What the number of an action says: FILTER_* bits; 0: the next action, -1: the next filter, TC_GOTO and above: the
 * chain to go on with. */
#define TC_GOTO 0x1000
#define TC_CHAINS 0xfffff	/* numbers of chains that are followed */

static int tc_says(int action)
{
	uint32_t chain = (uint32_t)action & TC_ACT_EXT_VAL_MASK;

	if (action > 0 && TC_ACT_EXT_CMP(action, TC_ACT_GOTO_CHAIN))
		return chain <= TC_CHAINS ? TC_GOTO + (int)chain : FILTER_EITHER;
	switch (action) {
	case TC_ACT_OK:
		return FILTER_ACCEPTED;
	case TC_ACT_SHOT: case TC_ACT_STOLEN: case TC_ACT_QUEUED: case TC_ACT_TRAP:
		return FILTER_DROPPED;
	case TC_ACT_PIPE:
		return 0;
	case TC_ACT_UNSPEC:
		return -1;
	default:
		return FILTER_EITHER;
	}
}

/* Where a packet is led; to an ifb and back, or away. */
static int tc_led(const struct tc *tc, const struct tc_mirred *mirred)
{
	for (unsigned i = 0; i < tc->nifbs && mirred->eaction == TCA_EGRESS_REDIR; i++)
		if (tc->ifbs[i] == (int)mirred->ifindex)
			return FILTER_ACCEPTED;
	return FILTER_DROPPED;
}

/* What one action decides, as tc_says() has it. */
static int tc_act(const struct tc *tc, struct filter_packet *f, const struct rtnl_attr *action, unsigned *why)
{
	const char *kind = tc_text(action, TCA_ACT_KIND);
	struct rtnl_attr options, parms;
	struct tc_gact_p chance = { .ptype = PGACT_NONE };
	struct tc_mirred mirred;
	int what[3];		/* index, capab, action: what tc_gen of all kinds begins with */

	rtnl_attr(action, TCA_ACT_OPTIONS, &options);
	if (!strcmp(kind, "police")) {
		*why = MAY_BY_CHANCE;
		return FILTER_EITHER;
	}
	/* The second attribute has the parameters of each kind (TCA_GACT_PARMS, TCA_MIRRED_PARMS...). */
	if (!rtnl_attr(&options, 2, &parms) || parms.len < sizeof what)
		return FILTER_EITHER;
	memcpy(what, parms.p, sizeof what);
	if (!strcmp(kind, "mirred") && parms.len >= sizeof mirred) {
		memcpy(&mirred, parms.p, sizeof mirred);
		if (mirred.eaction == TCA_EGRESS_REDIR || mirred.eaction == TCA_INGRESS_REDIR)
			return tc_led(tc, &mirred);
	} else if (!strcmp(kind, "gact") && rtnl_value(&options, TCA_GACT_PROB, &chance, sizeof chance) &&
		   chance.ptype != PGACT_NONE && tc_says(chance.paction) != tc_says(what[2])) {
		*why = MAY_BY_CHANCE;
		return FILTER_EITHER;
	} else if (!strcmp(kind, "skbedit") || !strcmp(kind, "connmark") || !strcmp(kind, "ctinfo")) {
		f->mark.known = 0;
	} else if (!strcmp(kind, "pedit") || !strcmp(kind, "nat")) {
		memset(f->ip_known, 0, sizeof f->ip_known);
	} else if (!strcmp(kind, "bpf") || !strcmp(kind, "sample")) {
		return FILTER_EITHER;
	}
	return tc_says(what[2]);
}

static int tc_acts(const struct tc *tc, struct filter_packet *f, const struct rtnl_attr *options, unsigned type,
		   unsigned *why)
{
	struct rtnl_attr all, one;
	int bits = 0;

	rtnl_attr(options, type, &all);
	/* Numbered from 1 in their order (TCA_ACT_MAX_PRIO). */
	for (unsigned i = 1; !bits && i <= 32 && rtnl_attr(&all, i, &one); i++)
		bits = tc_act(tc, f, &one, why);
	return bits ? bits : FILTER_ACCEPTED;
}

/* A filter alone: what it decides when it matches, as tc_says() has it. */
static int tc_filter_judge(const struct tc *tc, const struct tc_filter *t, struct filter_packet *f, enum match *m,
			   unsigned *why)
{
	struct rtnl_attr options = { (const unsigned char *)t->options.p, t->options.len }, at;
	unsigned acts;

	*why = MAY_UNKNOWN;
	*m = MATCH_NO;
	if (t->protocol != ETH_P_ALL && t->protocol != (f->v4 ? ETH_P_IP : ETH_P_IPV6))
		return 0;
	*m = MATCH_YES;
	if (!strcmp(t->kind, "matchall")) {
		acts = TCA_MATCHALL_ACT;
		if (rtnl_u32(&options, TCA_MATCHALL_FLAGS, 0) & TCA_CLS_FLAGS_SKIP_SW)
			*m = MATCH_MAY;
	} else if (!strcmp(t->kind, "flower")) {
		acts = TCA_FLOWER_ACT;
		*m = tc_asks_flower(f, &options);
	} else if (!strcmp(t->kind, "u32")) {
		acts = TCA_U32_ACT;
		*m = tc_asks_u32(f, &options);
		if (rtnl_attr(&options, TCA_U32_POLICE, &at)) {
			*why = MAY_BY_CHANCE;
			return FILTER_EITHER;
		}
	} else {
		/* It may set a mark, too. */
		f->mark.known = 0;
		return FILTER_EITHER;
	}
	return *m == MATCH_NO ? 0 : tc_acts(tc, f, &options, acts, why);
}

/* A packet on its way through the filters at one end of an interface. */
struct tc_way {
	const struct tc *tc;
	int ifindex;
	bool is_egress, any;
	struct filter_packet *f;
	struct filter_fate *out;
};

/* One chain, and those that it leads to, at most so many one after the other. */
static void tc_chain(struct tc_way *w, uint32_t chain, unsigned deep)
{
	struct filter_fate *out = w->out;
	bool is_over = false;

	/* The kernel tells them by priority (tcf_chain_dump()). */
	for (const struct tc_filter *t = w->tc->v; t < w->tc->v + w->tc->n && !is_over; t++) {
		enum match m;
		unsigned why;
		int bits;

		if (t->ifindex != w->ifindex || t->is_egress != w->is_egress || t->chain != chain)
			continue;
		w->any = true;
		bits = tc_filter_judge(w->tc, t, w->f, &m, &why);
		if (m == MATCH_NO || bits < 0)
			continue;
		is_over = m == MATCH_YES;
		if (m == MATCH_MAY || bits == FILTER_EITHER)
			out->why |= why;
		if (bits >= TC_GOTO && deep) {
			tc_chain(w, (uint32_t)(bits - TC_GOTO), deep - 1);
			continue;
		}
		bits = bits < TC_GOTO ? bits : FILTER_EITHER;
		if (bits & FILTER_DROPPED) {
			out->chain = t->kind;
			out->rule = t->priority;
			out->tc = (struct probe_tc_place){ t->block, t->chain };
		}
		out->bits |= (unsigned)bits;
	}
	if (!is_over)
		out->bits |= FILTER_ACCEPTED;
}

bool tc_judge(const struct tc *tc, int ifindex, bool is_egress, struct filter_packet *f, struct filter_fate *out)
{
	struct tc_way w = { .tc = tc, .ifindex = ifindex, .is_egress = is_egress, .f = f, .out = out };

	*out = (struct filter_fate){ .bits = 0 };
	tc_chain(&w, 0, 8);
	return w.any;
}
