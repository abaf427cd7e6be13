/* SPDX-License-Identifier: ISC
 *
 * See check_path.h.
 */
#include "applets/doctor/check_path.h"

#include "applets/doctor/remedy.h"

/* Rules, and pairs of interfaces, that are looked at one by one; what is found for so many is found for all. */
#define RULES 1000
#define PAIRS 4000

void check_tables(struct host *h, const struct host_fam *k)
{
	if (k->taken == 1 && k->vifs.n < 0)
		finding_add(&h->found, FINDING_UNSEEN, "the %s VIFs: this kernel does not list them", k->name);
	for (int i = 0; i < k->vifs.n; i++) {
		const struct probe_vif *v = &k->vifs.v[i];
		const struct probe_link *l = host_link(h, v->ifindex);
		uint32_t table;

		if (!l || probe_table(k->fam, l->name, &table) < 0 || table == v->table)
			continue;
		/* Two routers, one in each table, and this one gets the packets. */
		if (host_vif(&k->vifs, v->ifindex, table))
			continue;
		finding_add(&h->found, FINDING_ERROR, "%s routes in table %u, and no rule leads its %s packets there",
			    l->name, v->table, k->name);
		remedy_table(&h->found, k->fam, l->name, v->table);
	}
}

/* ---- reverse path filter ---- */

static void check_rp_link(struct host *h, const struct flow_range *range, const struct probe_link *l)
{
	struct addr src = range->flow.source;
	struct probe_route r;
	char text[ADDR_STRLEN], why[RP_WHY];

	if (l->rp_filter < 0) {
		finding_add(&h->found, FINDING_UNSEEN, "the reverse path filter: this kernel does not tell");
		return;
	}
	/* The address of the network itself may be a broadcast. */
	if (range->source_len < 127)
		src.b[15] |= 1;
	if (!remedy_rp_refuses(h, l, &src, &r, why))
		return;
	finding_add(&h->found, FINDING_ERROR, "%s drops what comes from %s: rp_filter is %d there and %s", l->name,
		    prefix_str(&range->flow.source, range->source_len, text), l->rp_filter, why);
	remedy_rp_filter(h, l, &range->flow.source, range->source_len, &r);
}

void check_rp_filter(struct host *h)
{
	const struct conf *c = h->conf;
	const struct conf_rule *before = NULL;
	unsigned looked = 0;

	for (const struct conf_rule *m = c->mroutes; m < c->mroutes + c->nmroutes && looked < RULES; m++) {
		const struct probe_link *l;

		if (flow_range_fam(&m->range) != FAM_4 || flow_range_any_source(&m->range))
			continue;
		if (before && before->iif == m->iif && before->range.source_len == m->range.source_len &&
		    addr_eq(&before->range.flow.source, &m->range.flow.source))
			continue;
		before = m;
		looked++;
		for (uint32_t next = 0; (l = host_match(h, m->iif, &next));)
			check_rp_link(h, &m->range, l);
	}
}

/* ---- packet filter ---- */

struct check_packet {
	struct probe_packet p;
	struct findings *f;
	uint8_t group_len;
};

static void check_chain(void *ctx, const struct probe_chain *c)
{
	const struct check_packet *j = ctx;
	bool after = c->hook == HOOK_AFTER;
	char text[ADDR_STRLEN];

	if (!c->surely) {
		finding_add(j->f, FINDING_NOTE, "chain %s of table %s (%s) may drop packets of the rules: not all that "
			    "it asks for can be judged from here", c->name, c->table, c->family);
		return;
	}
	finding_add(j->f, FINDING_ERROR, "chain %s of table %s (%s) drops %s %s %s", c->name, c->table, c->family,
		    prefix_str(&j->p.flow.group, j->group_len, text), after ? "to" : "from",
		    after ? j->p.oif_name : j->p.iif_name);
	remedy_chain(j->f, c, &j->p, j->group_len);
}

static void check_pair(struct host *h, const struct flow_range *range, const struct probe_link *in,
		       const struct probe_link *out)
{
	struct check_packet j = {
		.p = {
			.flow = range->flow, .any_source = range->source_len != 128,
			.iif = in->ifindex, .oif = out->ifindex, .iif_name = in->name, .oif_name = out->name,
		},
		.f = &h->found, .group_len = range->group_len,
	};

	for (enum probe_hook hook = HOOK_BEFORE; hook <= HOOK_AFTER; hook++)
		probe_nft_judge(h->nft, hook, &j.p, check_chain, &j);
}

static void check_iptables(struct host *h, const struct host_fam *k)
{
	tristate old = k->is_wanted ? probe_iptables(k->fam) : 0;

	if (old == 1)
		finding_add(&h->found, FINDING_NOTE, "the older iptables has %s tables, whose rules only its own tool "
			    "shows: ip%stables-legacy -nvL FORWARD", k->name, remedy_six[k->fam]);
	else if (old < 0)
		finding_add(&h->found, FINDING_UNSEEN, "whether the older iptables has %s rules: root sees it",
			    k->name);
}

void check_firewall(struct host *h)
{
	const struct probe_link *in, *out;
	unsigned pairs = 0;

	check_iptables(h, &h->of[FAM_4]);
	check_iptables(h, &h->of[FAM_6]);
	host_unseen_nft(h);
	for (uint32_t i = 0; h->nft && i < h->conf->nmroutes && i < RULES; i++) {
		const struct conf_rule *m = &h->conf->mroutes[i];

		for (uint32_t a = 0; (in = host_match(h, m->iif, &a));)
			for (struct host_output b = { 0 }; (out = host_output(h, m, &b));)
				if (out != in && pairs++ < PAIRS)
					check_pair(h, &m->range, in, out);
	}
}
