/* SPDX-License-Identifier: ISC
 *
 * One look at this host, and `smcroute-check -H`, which goes through the table of
 * checks and prints what they found.
 */
#include "applets/doctor/host.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conf/match.h"
#include "lib/status.h"

static struct host_use *use_name(struct host *h, uint32_t name, struct where where, enum fam fam)
{
	struct host_use *use = &h->use[name];

	if (!use->where.line)
		use->where = where;
	use->fam[fam] = h->of[fam].wanted = true;
	return use;
}

/* Fills h->use: one pass over the configuration. */
static int use_read(struct host *h, const struct conf *c)
{
	h->use = calloc(c->nnames + 1, sizeof *h->use);
	if (!h->use)
		return -1;
	for (uint32_t i = 0; i < c->nmroutes; i++) {
		const struct conf_rule *m = &c->mroutes[i];
		const struct conf_set *s = &c->sets[m->oifs];
		enum fam fam = flow_range_fam(&m->range);

		use_name(h, m->iif, m->where, fam)->in = true;
		for (uint32_t k = 0; k < s->n; k++)
			use_name(h, c->pool[s->off + k], m->where, fam);
	}
	for (uint32_t i = 0; i < c->nmgroups; i++) {
		const struct conf_rule *g = &c->mgroups[i];

		use_name(h, g->iif, g->where, flow_range_fam(&g->range))->join = true;
	}
	for (uint32_t i = 0; i < c->nnames; i++)
		h->use[i].disabled = match_conf_phyint(c, &c->names[i].ifname).is_disabled;
	return 0;
}

int host_look(struct host *h, const struct conf *c)
{
	*h = (struct host){ .conf = c };
	if (use_read(h, c) < 0 || probe_links(&h->links) < 0)
		return -1;
	if (!h->of[FAM_4].wanted && !h->of[FAM_6].wanted)
		h->of[FAM_4].wanted = h->of[FAM_6].wanted = true;
	for (enum fam fam = 0; fam < FAM_N; fam++) {
		struct host_fam *k = &h->of[fam];

		k->fam = fam;
		k->name = fam_str(fam);
		k->taken = h->links.taken[fam];
		k->vifs.n = probe_vifs(fam, k->vifs.v, HOST_VIFS);
		probe_support(fam, &k->support);
		/* Many programs have raw ICMPv6 sockets: only where somebody routes is it one of them. */
		if (!k->taken || !kernel_mroute_holder(fam, &k->holder, k->comm, sizeof k->comm))
			k->holder = 0;
		else if (k->taken == 1 && strncmp(k->comm, "smcroute", 8))
			k->foreign = true;
	}
	h->nft = probe_nft_open();
	h->nft_errno = h->nft ? 0 : errno;
	return 0;
}

void host_free(struct host *h)
{
	probe_links_free(&h->links);
	probe_nft_close(h->nft);
	free(h->use);
	findings_free(&h->found);
	*h = (struct host){ 0 };
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
	return ifname_matches(&h->conf->names[name].ifname, l->name);
}

const struct probe_link *host_match(const struct host *h, uint32_t name, uint32_t *i)
{
	while (*i < h->links.n) {
		const struct probe_link *l = &h->links.v[(*i)++];

		if (host_means(h, name, l))
			return l;
	}
	return NULL;
}

const struct probe_link *host_output(const struct host *h, const struct conf_rule *m,
				    struct host_output *at)
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
	for (int i = 0; i < vifs->n; i++) {
		const struct probe_vif *v = &vifs->v[i];

		if (v->ifindex == ifindex && (!table || v->table == table))
			return v;
	}
	return NULL;
}

void host_unseen_nft(struct host *h)
{
	h->found.what = "firewall";
	if (!h->nft)
		finding_add(&h->found, FINDING_UNSEEN, "the rules of nftables: %s", h->nft_errno == EPERM ?
			    "CAP_NET_ADMIN is needed to read them" : strerror(h->nft_errno));
}

/* ---- smcroute-check -H ---- */

static const struct check {
	const char *what;
	void (*family)(struct host *h, const struct host_fam *k);	/* is called for both */
	void (*host)(struct host *h);
} checks[] = {
	{ "kernel", .family = check_kernel },
	{ "rights", .host = check_rights },
	{ "holder", .family = check_holder },
	{ "interface", .host = check_interfaces },
	{ "vifs", .family = check_vifs },
	{ "table", .family = check_tables },
	{ "rp_filter", .host = check_rp_filter },
	{ "firewall", .host = check_firewall },
	{ "allmulti", .family = check_allmulti },
	{ "snooping", .host = check_bridges },
	{ "memberships", .host = check_memberships },
};

static void check_all(struct host *h)
{
	for (const struct check *c = checks; c < checks + sizeof checks / sizeof *checks; c++) {
		h->found.what = c->what;
		for (enum fam fam = 0; c->family && fam < FAM_N; fam++)
			c->family(h, &h->of[fam]);
		if (c->host)
			c->host(h);
	}
}

static int print(const struct host *h, enum form form)
{
	const struct findings *f = &h->found;
	uint32_t bad = f->count[FINDING_ERROR] + f->count[FINDING_WARNING];
	char more[40], tail[160];

	more[0] = tail[0] = '\0';
	if (f->dropped)
		snprintf(more, sizeof more, "and %u more of these kinds\n", f->dropped);
	if (form == FORM_JSON)
		snprintf(tail, sizeof tail, ",\"errors\":%u,\"warnings\":%u,\"more\":%u}\n",
			 f->count[FINDING_ERROR], f->count[FINDING_WARNING], f->dropped);
	else if (form == FORM_TEXT)
		snprintf(tail, sizeof tail, "%s%s%s", more, bad ? "" : "good: nothing was found that stands in the way",
			 bad ? "" : h->of[FAM_4].taken || h->of[FAM_6].taken ? "\n" :
			 "; no multicast router runs here now\n");
	return !findings_tell(f, form, "", tail) ? EXIT_SYSTEM : bad ? 1 : 0;
}

int host_failed(const char *what)
{
	fprintf(stderr, "smcroute-check: %s: %s\n", what, strerror(errno));
	return EXIT_SYSTEM;
}

/* Reads the files into one configuration; how many errors there were. */
static uint32_t read_files(struct conf *c, char **files, int n, bool standard)
{
	struct diags d = { 0 };
	uint32_t errors;

	for (int i = 0; i < n; i++)
		if (!standard || access(files[i], F_OK) == 0)
			conf_parse_file(c, &d, files[i]);
	errors = d.errors;
	diags_free(&d);
	return errors;
}

int host_main(char **files, int n, bool standard, enum form form)
{
	struct conf *c = conf_new();
	struct host *h = malloc(sizeof *h);
	uint32_t errors;
	int status = EXIT_SYSTEM;

	if (!c || !h) {
		host_failed("-H");
		goto out;
	}
	errors = read_files(c, files, n, standard);
	if (host_look(h, c) < 0) {
		host_failed("cannot look at this host");
	} else {
		h->found.what = "config";
		if (errors)
			finding_add(&h->found, FINDING_ERROR, "errors in the configuration: %u; "
				    "those lines are left out here, smcroute-check without -H shows them", errors);
		check_all(h);
		status = print(h, form);
		if (errors && status == 1)
			status = EXIT_CONFIG;
	}
	host_free(h);
out:
	conf_free(c);
	free(h);
	return status;
}
