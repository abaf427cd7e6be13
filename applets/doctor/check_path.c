/* SPDX-License-Identifier: ISC
 *
 * Checks of the way that packets of the configured rules would take: the table
 * they are looked up in, the reverse path filter, the packet filter.
 */
#include "applets/doctor/host.h"

#include <stdio.h>
#include <string.h>

#include "applets/doctor/remedy.h"

/* Rules, and pairs of interfaces, that are looked at one by one; what is found for so many is
 * found for all. */
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
		cure_table(&h->found, k->fam, l->name, v->table);
	}
}

/* ---- reverse path filter ---- */

static void rp_one(struct host *h, const struct conf_rule *m, const struct probe_link *l)
{
	struct addr src = m->range.flow.source;
	struct probe_route r;
	char text[ADDR_STRLEN], why[RP_WHY];

	/* The address of the network itself may be a broadcast. */
	if (m->range.source_len < 127)
		src.b[15] |= 1;
	if (!cure_rp_refuses(h, l, &src, &r, why))
		return;
	finding_add(&h->found, FINDING_ERROR, "%s drops what comes from %s: rp_filter is %d there and %s",
		    l->name, prefix_str(&m->range.flow.source, m->range.source_len, text), l->rp_filter, why);
	cure_rp_filter(h, l, &m->range.flow.source, m->range.source_len, &r);
}

void check_rp_filter(struct host *h)
{
	const struct conf_rule *before = NULL;
	unsigned looked = 0;

	for (uint32_t i = 0; i < h->conf->nmroutes && looked < RULES; i++) {
		const struct conf_rule *m = &h->conf->mroutes[i];
		const struct probe_link *l;
		uint32_t next = 0;

		if (flow_range_fam(&m->range) != FAM_4 || flow_range_any_source(&m->range) || h->use[m->iif].disabled)
			continue;
		if (before && before->iif == m->iif && before->range.source_len == m->range.source_len && addr_eq(&before->range.flow.source, &m->range.flow.source))
			continue;
		before = m;
		looked++;
		while ((l = host_match(h, m->iif, &next)))
			if (l->rp_filter > 0)
				rp_one(h, m, l);
			else if (l->rp_filter < 0)
				finding_add(&h->found, FINDING_UNSEEN,
					    "the reverse path filter: this kernel does not tell");
	}
}

/* ---- packet filter ---- */

struct judge {
	struct probe_packet p;
	struct findings *f;
	uint8_t glen;
};

static void chain_drops(void *ctx, const struct probe_chain *c)
{
	const struct judge *j = ctx;
	bool after = c->hook == HOOK_AFTER;
	char text[ADDR_STRLEN];

	if (!c->surely) {
		finding_add(j->f, FINDING_NOTE, "chain %s of table %s (%s) may drop packets of the rules: not all "
			    "that it asks for can be judged from here", c->name, c->table, c->family);
		return;
	}
	finding_add(j->f, FINDING_ERROR, "chain %s of table %s (%s) drops %s %s %s", c->name, c->table,
		    c->family, prefix_str(&j->p.flow.group, j->glen, text), after ? "to" : "from",
		    after ? j->p.oif_name : j->p.iif_name);
	cure_chain(j->f, c, &j->p, j->glen);
}

static void firewall_one(struct host *h, const struct conf_rule *m, const struct probe_link *in,
			 const struct probe_link *out)
{
	struct judge j = {
		.p = {
			.flow = m->range.flow, .any_source = m->range.source_len != 128,
			.iif = in->ifindex, .oif = out->ifindex, .iif_name = in->name, .oif_name = out->name,
		},
		.f = &h->found, .glen = m->range.group_len,
	};

	for (enum probe_hook hook = HOOK_BEFORE; hook <= HOOK_AFTER; hook++)
		probe_nft_judge(h->nft, hook, &j.p, chain_drops, &j);
}

static void firewall_rule(struct host *h, const struct conf_rule *m, unsigned *pairs)
{
	const struct probe_link *in, *out;

	for (uint32_t a = 0; (in = host_match(h, m->iif, &a));)
		for (struct host_output b = { 0 }; (out = host_output(h, m, &b));)
			if (out != in && (*pairs)++ < PAIRS)
				firewall_one(h, m, in, out);
}

void check_firewall(struct host *h)
{
	unsigned pairs = 0;

	for (const struct host_fam *k = h->of; k < h->of + FAM_N; k++) {
		tristate old = k->wanted ? probe_iptables(k->fam) : 0;

		if (old == 1)
			finding_add(&h->found, FINDING_NOTE, "the older iptables has %s tables, whose rules only its own tool "
				    "shows: ip%stables-legacy -nvL FORWARD", k->name, cure_six[k->fam]);
		else if (old < 0)
			finding_add(&h->found, FINDING_UNSEEN, "whether the older iptables has %s rules: root sees it", k->name);
	}
	host_unseen_nft(h);
	for (uint32_t i = 0; h->nft && i < h->conf->nmroutes && i < RULES; i++) {
		const struct conf_rule *m = &h->conf->mroutes[i];

		if (!h->use[m->iif].disabled)
			firewall_rule(h, m, &pairs);
	}
}
