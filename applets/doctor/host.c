/* SPDX-License-Identifier: ISC */
#include "applets/doctor/host.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conf/match.h"
#include "lib/status.h"

static struct host_use *host_use_name(struct host *h, uint32_t name, struct where where, enum fam fam)
{
	struct host_use *use = &h->use[name];

	if (!use->where.line)
		use->where = where;
	use->fam[fam] = h->of[fam].is_wanted = true;
	return use;
}

/* Fills h->use: one pass over the configuration. */
static int host_read_conf(struct host *h, const struct conf *c)
{
	h->use = calloc(c->nnames + 1, sizeof *h->use);
	if (!h->use)
		return -1;
	for (const struct conf_rule *m = c->mroutes; m < c->mroutes + c->nmroutes; m++) {
		const struct conf_set *s = &c->sets[m->oifs];
		enum fam fam = flow_range_fam(&m->range);

		host_use_name(h, m->iif, m->where, fam)->in = true;
		for (uint32_t k = 0; k < s->n; k++)
			host_use_name(h, c->pool[s->off + k], m->where, fam);
	}
	for (const struct conf_rule *g = c->mgroups; g < c->mgroups + c->nmgroups; g++) {
		struct host_use *use = host_use_name(h, g->iif, g->where, flow_range_fam(&g->range));

		use->join = use->joins[flow_range_fam(&g->range)] = true;
	}
	for (uint32_t i = 0; i < c->nnames; i++)
		h->use[i].is_disabled = match_conf_phyint(c, &c->names[i].ifname).is_disabled;
	return 0;
}

static int host_read_links(struct host *h, const struct conf *c)
{
	if (!h->links.v && probe_links(&h->links) < 0)
		return -1;
	h->is_disabled = calloc(h->links.n + 1, sizeof *h->is_disabled);
	if (!h->is_disabled)
		return -1;
	for (uint32_t i = 0; i < h->links.n; i++)
		h->is_disabled[i] = match_phyint(c->phyints, c->nphyints, h->links.v[i].name).is_disabled;
	return 0;
}

/* A new network namespace has the IPv4 settings of the first one, a router's mark among them (devinet_init_net() of
 * net/ipv4/devinet.c): without a holder and with no interface that routes it says nothing. */
static void host_doubt(const struct host *h, struct host_fam *k)
{
	bool routes = k->vifs.n > 0 || k->holder;

	for (uint32_t i = 0; i < h->links.n; i++)
		routes |= h->links.v[i].routing[k->fam] == 1;
	if (k->taken == 1 && !routes)
		k->taken = geteuid() == 0 ? 0 : -1;
}

int host_probe(struct host *h, const struct conf *c)
{
	*h = (struct host){ .conf = c, .ctl = "smcroutectl", .links = h->links };
	if (host_read_conf(h, c) < 0 || host_read_links(h, c) < 0)
		return -1;
	if (!h->of[FAM_4].is_wanted && !h->of[FAM_6].is_wanted)
		h->of[FAM_4].is_wanted = h->of[FAM_6].is_wanted = true;
	for (enum fam fam = 0; fam < FAM_N; fam++) {
		struct host_fam *k = &h->of[fam];

		k->fam = fam;
		k->name = fam_str(fam);
		k->taken = h->links.taken[fam];
		k->vifs.n = probe_vifs(fam, k->vifs.v, HOST_VIFS);
		probe_support(fam, &k->support);
		/* Many programs have raw ICMPv6 sockets: only where somebody routes is it one of them. */
		if (!k->taken || !kernel_mroute_holder(fam, 0, &k->holder, k->comm, sizeof k->comm))
			k->holder = 0;
		else if (k->taken == 1 && !probe_is_smcrouted(k->holder, k->comm))
			k->is_foreign = true;
		host_doubt(h, k);
	}
	h->filters = probe_filters_open();
	return 0;
}

void host_free(struct host *h)
{
	probe_links_free(&h->links);
	probe_filters_close(h->filters);
	free(h->use);
	free(h->is_disabled);
	findings_free(&h->found);
	*h = (struct host){ 0 };
}

int host_failed(const char *what)
{
	fprintf(stderr, "smcroute-check: %s: %s\n", what, strerror(errno));
	return EXIT_SYSTEM;
}

const char *host_holder(const struct host_fam *k, char *text)
{
	if (k->holder)
		snprintf(text, HOLDER, "%sprocess %d (%s)", k->is_guess ? "probably " : "", k->holder, k->comm);
	else
		snprintf(text, HOLDER, "a process that %s", geteuid() == 0 ? "cannot be seen" : "root alone sees");
	return text;
}

const struct probe_link *host_link(const struct host *h, int ifindex)
{
	for (uint32_t i = 0; i < h->links.n; i++)
		if (h->links.v[i].ifindex == ifindex)
			return &h->links.v[i];
	return NULL;
}

const char *host_name(const struct host *h, int ifindex)
{
	const struct probe_link *l = host_link(h, ifindex);

	return l ? l->name : "?";
}

bool host_means(const struct host *h, uint32_t name, const struct probe_link *l)
{
	const struct ifname *ifname = &h->conf->names[name].ifname;
	bool is_plain = (l->flags & (LINK_MULTICAST | LINK_LOOPBACK)) == LINK_MULTICAST;

	return ifname_matches(ifname, l->name) && (is_plain || !ifname->is_wildcard);
}

bool host_uses(const struct host *h, const struct probe_link *l, enum fam fam)
{
	for (uint32_t i = 0; i < h->conf->nnames; i++)
		if (h->use[i].fam[fam] && host_means(h, i, l))
			return !h->is_disabled[l - h->links.v];
	return false;
}

const struct probe_link *host_match(const struct host *h, uint32_t name, uint32_t *i)
{
	for (; *i < h->links.n; ++*i)
		if (!h->is_disabled[*i] && host_means(h, name, &h->links.v[*i]))
			return &h->links.v[(*i)++];
	return NULL;
}

const struct probe_link *host_output(const struct host *h, const struct conf_rule *m, struct host_output *at)
{
	const struct conf_set *s = &h->conf->sets[m->oifs];

	for (; at->name < s->n; *at = (struct host_output){ .name = at->name + 1 }) {
		const struct probe_link *l = host_match(h, h->conf->pool[s->off + at->name], &at->link);

		if (l)
			return l;
	}
	return NULL;
}

const struct probe_vif *host_vif(const struct host_vifs *vifs, int ifindex, uint32_t table)
{
	for (int i = 0; i < vifs->n; i++)
		if (vifs->v[i].ifindex == ifindex && (!table || vifs->v[i].table == table))
			return &vifs->v[i];
	return NULL;
}

void host_unseen_filters(struct host *h)
{
	static const char *const kinds[PROBE_FILTERS] = {
		[PROBE_NFT] = "the rules of nftables", [PROBE_IPTABLES] = "the rules of the older iptables",
		[PROBE_IP6TABLES] = "the rules of the older ip6tables", [PROBE_TC] = "the filters of tc",
	};

	h->found.what = "firewall";
	if (h->filters && probe_filters_error(h->filters, PROBE_NFT) == EOPNOTSUPP) {
		finding_add(&h->found, FINDING_UNSEEN, "what packet filters do: their rules cannot be seen here");
		return;
	}
	for (unsigned i = 0; h->filters && i < PROBE_FILTERS; i++) {
		int err = probe_filters_error(h->filters, i);

		if (err)
			finding_add(&h->found, FINDING_UNSEEN, "%s: %s", kinds[i], err == EPERM || err == EACCES ?
				    "CAP_NET_ADMIN is needed to read them" : strerror(err));
	}
}
