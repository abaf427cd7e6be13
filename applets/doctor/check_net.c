/* SPDX-License-Identifier: ISC */
#include "applets/doctor/check_net.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "applets/doctor/remedy.h"
#include "conf/match.h"

/* Rules, and pairs of interfaces, that are looked at one by one; what is found for so many is found for all. */
#define RULES 1000
#define PAIRS 4000

/* A name of the configuration, while it is being looked at. */
struct check_name {
	const struct host_use *use;
	const char *file;
	char at[PATH_MAX + 64];		/* "NAME (FILE:LINE)", where it is used first */
};

/* Ports of a VRF are interfaces for IP; those of others hand their frames over. */
static void check_port(struct host *h, const struct check_name *n, const struct probe_link *l)
{
	const struct probe_link *master = host_link(h, l->master);
	struct buf file = { 0 };

	if (!master || !strcmp(master->kind, "vrf"))
		return;
	h->found.what = "port";
	if (!n->use->in && !n->use->join) {
		finding_add(&h->found, FINDING_NOTE, "%s is a port of %s: what is sent there leaves by this port "
			    "alone; name %s for receivers behind its other ports", n->at, master->name, master->name);
		return;
	}
	finding_add(&h->found, FINDING_ERROR, "%s is a port of %s: frames arrive on %s, name that", n->at,
		    master->name, master->name);
	/* Only where both names are no more than words to sed. */
	if (!remedy_is_plain(l->name, "_-") || !remedy_is_plain(master->name, "_-."))
		return;
	buf_shell_word(&file, n->file);
	finding_fix(&h->found, "sed -i 's/\\b%s\\b/%s/g' %s", l->name, master->name, buf_cstr(&file));
	finding_fix(&h->found, "%s reload", h->ctl);
	buf_free(&file);
}

static bool check_has_link_local(const struct host *h, const struct probe_link *l)
{
	for (const struct probe_address *a = h->links.addresses; a < h->links.addresses + h->links.naddresses; a++)
		if (a->ifindex == l->ifindex && addr_fam(&a->addr) == FAM_6 && match_stays_here(&a->addr))
			return true;
	return false;
}

static void check_address(struct host *h, const struct check_name *n, const struct probe_link *l)
{
	h->found.what = "address";
	if (h->links.needs_v4 && n->use->fam[FAM_4] && !l->address[FAM_4]) {
		finding_add(&h->found, FINDING_ERROR, "%s has no IPv4 address, and without one it routes no IPv4 "
			    "here", n->at);
		return;
	}
	if (!n->use->join || !(l->flags & LINK_UP))
		return;
	if (n->use->joins[FAM_4] && !l->address[FAM_4])
		finding_add(&h->found, FINDING_NOTE, "%s has no IPv4 address: routing does not need one, but "
			    "memberships are reported from 0.0.0.0, which some switches ignore; ip addr add mends "
			    "that", n->at);
	/* MLD is sent from a link-local address, or from :: which switches drop (RFC 3810, section 5.2.13). */
	if (n->use->joins[FAM_6] && l->v6 != 0 && !check_has_link_local(h, l)) {
		finding_add(&h->found, FINDING_WARNING, "%s has no link-local IPv6 address, so its memberships are "
			    "reported from ::, and switches ignore that", n->at);
		finding_fix(&h->found, "ip addr add fe80::%x/64 dev %s", (unsigned)l->ifindex,
			    text_shell_word((char[REMEDY_WORD]){ 0 }, REMEDY_WORD, l->name));
	}
}

/* IPv6 is wanted there and off; where the whole kernel has none the check of the kernel says so. */
static void check_v6(struct host *h, const struct check_name *n, const struct probe_link *l)
{
	h->found.what = "ipv6_off";
	if (!n->use->fam[FAM_6] || l->v6 != 0 || h->of[FAM_6].support.off)
		return;
	finding_add(&h->found, FINDING_ERROR, "IPv6 is off on %s: %s", n->at, l->mtu < REMEDY_V6_MTU ?
		    "its MTU is less than the 1280 that IPv6 needs" : kernel_word(WORD_V6_OFF, FAM_6));
	remedy_v6(&h->found, l);
}

static void check_link(struct host *h, const struct check_name *n, const struct probe_link *l)
{
	if (!(l->flags & LINK_UP)) {
		finding_add(&h->found, FINDING_ERROR, "%s is down", n->at);
		remedy_link(&h->found, l->name, "up");
	} else if (!(l->flags & LINK_RUNNING)) {
		finding_add(&h->found, FINDING_WARNING, "%s has no carrier: look at its cable, or the other end",
			    n->at);
		finding_fix(&h->found, "%s %s", kernel_word(WORD_LINK_SHOW, FAM_4),
			    text_shell_word((char[REMEDY_WORD]){ 0 }, REMEDY_WORD, l->name));
	}
	check_port(h, n, l);
	check_v6(h, n, l);
	check_address(h, n, l);
}

void check_interfaces(struct host *h)
{
	const struct conf *c = h->conf;
	struct check_name n;

	for (uint32_t i = 0; i < c->nnames; i++) {
		const struct ifname *name = &c->names[i].ifname;
		uint32_t k = 0;

		n.use = &h->use[i];
		if (!n.use->where.line || n.use->is_disabled)
			continue;
		n.file = n.use->where.file < c->nfiles ? c->files[n.use->where.file] : "?";
		snprintf(n.at, sizeof n.at, "%s (%s:%u)", name->text, n.file, n.use->where.line);
		h->found.what = "interface";
		while (k < h->links.n && !host_means(h, i, &h->links.v[k]))
			k++;
		if (k == h->links.n) {
			finding_add(&h->found, FINDING_WARNING, name->is_wildcard ?
				    "no interface matches %s: its rules wait" :
				    "there is no interface %s: its rules wait for it", n.at);
			finding_fix(&h->found, "%s", kernel_word(WORD_LINKS, FAM_4));
		} else if (!name->is_wildcard) {	/* which takes what is of use; only a name asks for this one */
			check_link(h, &n, &h->links.v[k]);
		}
	}
}

/* What the configuration wants against what the router has. */
void check_vifs(struct host *h, const struct host_fam *k)
{
	const struct probe_link *l, *end = h->links.v + h->links.n;
	unsigned wanted = 0;

	if (!h->conf->nmroutes)
		return;
	for (l = h->links.v; l < end; l++)
		wanted += host_uses(h, l, k->fam);
	if (wanted > KERNEL_VIFS) {
		finding_add(&h->found, FINDING_ERROR, "the configuration means %u interfaces of this host for %s, and "
			    "a kernel table has room for %u: %u wait; name fewer%s", wanted, k->name, KERNEL_VIFS,
			    wanted - KERNEL_VIFS, kernel_has_tables() ?
			    ", or run a second smcrouted with another table (-t)" : "");
		return;
	}
	for (l = h->links.v; k->taken == 1 && !k->is_foreign && l < end; l++) {
		if (l->routing[k->fam] != 0 || !host_uses(h, l, k->fam) ||
		    (h->links.needs_v4 && !l->address[k->fam]))
			continue;
		finding_add(&h->found, FINDING_ERROR, "%s is in the configuration and has no %s VIF (for the router "
			    "alone to change): the router that runs here does not know of it", l->name,
			    k->name);
		finding_fix(&h->found, "%s reload", h->ctl);
	}
}

void check_allmulti(struct host *h, const struct host_fam *k)
{
	for (int i = 0; i < k->vifs.n; i++) {
		const struct probe_link *l = host_link(h, k->vifs.v[i].ifindex);

		if (!l || l->allmulti == 1 || !(l->flags & LINK_MULTICAST))
			continue;
		if (l->allmulti < 0) {
			finding_add(&h->found, FINDING_UNSEEN, "whether interfaces take in all multicast frames: this "
				    "kernel does not tell (IFLA_ALLMULTI, 6.0)");
			continue;
		}
		finding_add(&h->found, FINDING_WARNING, "%s routes and does not take in all multicast frames", l->name);
		remedy_link(&h->found, l->name, "promisc on");
	}
}

/* True when packets come in there that are to be routed, or when nothing tells. */
static bool check_is_input(const struct host *h, const struct probe_link *l)
{
	for (uint32_t i = 0; i < h->conf->nnames; i++)
		if (h->use[i].in && host_means(h, i, l))
			return true;
	return !h->conf->nmroutes;
}

/* MIFs of other tables are not listed, but all are counted on the interface; the same router has IPv4 there. */
static void check_table6(struct host *h)
{
	const struct host_fam *k = &h->of[FAM_6];

	for (const struct probe_link *l = h->links.v; l < h->links.v + h->links.n; l++) {
		const struct probe_vif *v4 = host_vif(&h->of[FAM_4].vifs, l->ifindex, 0);
		struct probe_lookup now;

		if (l->routing[FAM_6] != 1 || host_vif(&k->vifs, l->ifindex, 0) || !check_is_input(h, l) ||
		    probe_table(FAM_6, l->name, &now) < 0 || now.table != probe_default_table(FAM_6))
			continue;
		finding_add(&h->found, FINDING_ERROR, "%s routes in a table of its own, and no rule leads its IPv6 "
			    "packets there", l->name);
		if (v4)
			remedy_table(&h->found, FAM_6, l->name, &now, v4->table);
		else
			finding_fix(&h->found, "ip -6 mrule show");
	}
}

void check_tables(struct host *h, const struct host_fam *k)
{
	if (k->fam == FAM_6)
		check_table6(h);
	if (k->taken == 1 && k->vifs.n < 0)
		finding_add(&h->found, FINDING_UNSEEN, "the %s VIFs: this kernel does not list them", k->name);
	for (int i = 0; i < k->vifs.n; i++) {
		const struct probe_vif *v = &k->vifs.v[i];
		const struct probe_link *l = host_link(h, v->ifindex);
		struct probe_lookup now;

		/* Two routers may have it, each in its table, and only one of them gets the packets. */
		if (!l || !check_is_input(h, l) || probe_table(k->fam, l->name, &now) < 0 ||
		    host_vif(&k->vifs, v->ifindex, now.table))
			continue;
		finding_add(&h->found, FINDING_ERROR, "%s routes in table %u, and no rule leads its %s packets there",
			    l->name, v->table, k->name);
		remedy_table(&h->found, k->fam, l->name, &now, v->table);
	}
}

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

struct check_packet {
	struct probe_packet p;
	struct findings *f;
	uint8_t group_len;
};

static void check_chain(void *ctx, const struct probe_chain *c)
{
	const struct check_packet *j = ctx;
	bool after = c->hook >= HOOK_AFTER;
	char text[ADDR_STRLEN];

	if (c->fate >= FATE_LOWERED)
		return;
	if (c->fate != FATE_DROPPED) {
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
		.p = { .flow = range->flow, .any_source = range->source_len != 128, .iif = in->ifindex,
		       .is_frame = -1, .routes_back = -1, .oif = out->ifindex, .iif_name = in->name,
		       .oif_name = out->name },
		.f = &h->found, .group_len = range->group_len,
	};

	probe_filters_judge(h->filters, HOOK_INGRESS, HOOK_EGRESS, &j.p, check_chain, &j);
}

void check_firewall(struct host *h)
{
	const struct probe_link *in, *out;
	unsigned pairs = 0;

	host_unseen_filters(h);
	for (uint32_t i = 0; h->filters && i < h->conf->nmroutes && i < RULES; i++) {
		const struct conf_rule *m = &h->conf->mroutes[i];

		for (uint32_t a = 0; (in = host_match(h, m->iif, &a));)
			for (struct host_output b = { 0 }; (out = host_output(h, m, &b));)
				if (out != in && pairs++ < PAIRS)
					check_pair(h, &m->range, in, out);
	}
}
