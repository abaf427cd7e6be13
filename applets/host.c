/* SPDX-License-Identifier: ISC
 *
 * One look at this host, and `smcroute-check -H`, which goes through the table of
 * checks and prints what they found.
 */
#include "applets/host.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/status.h"

static void use_name(struct host_use *use, struct where where, enum fam fam)
{
	if (!use->where.line)
		use->where = where;
	use->fam[fam] = true;
}

/* Fills h->use: one pass over the configuration. */
static int use_read(struct host *h, const struct conf *c)
{
	h->use = calloc(c->nnames + 1, sizeof *h->use);
	if (!h->use)
		return -1;
	for (uint32_t i = 0; i < c->nmroutes; i++) {
		const struct mroute *m = &c->mroutes[i];
		const struct conf_set *s = &c->sets[m->oifs];
		enum fam fam = addr_fam(&m->group);

		use_name(&h->use[m->iif], m->where, fam);
		h->use[m->iif].in = true;
		for (uint32_t k = 0; k < s->n; k++)
			use_name(&h->use[c->pool[s->off + k]], m->where, fam);
	}
	for (uint32_t i = 0; i < c->nmgroups; i++) {
		use_name(&h->use[c->mgroups[i].iif], c->mgroups[i].where, addr_fam(&c->mgroups[i].group));
		h->use[c->mgroups[i].iif].join = true;
	}
	for (uint32_t i = 0; i < c->nphyints; i++)
		h->use[c->phyints[i].name].disabled = c->phyints[i].enable == 0;
	return 0;
}

int host_look(struct host *h, const struct conf *c)
{
	*h = (struct host){ .conf = c };
	if (use_read(h, c) < 0 || kernel_look_links(&h->links) < 0)
		return -1;
	for (enum fam fam = 0; fam < FAM_N; fam++) {
		h->nvifs[fam] = kernel_look_vifs(fam, h->vifs[fam], HOST_VIFS);
		kernel_look_support(fam, &h->support[fam]);
		/* Many programs have raw ICMPv6 sockets: only where somebody routes is it one of them. */
		if (h->links.taken[fam] && !kernel_mroute_holder(fam, &h->holder[fam], h->comm[fam],
								 sizeof h->comm[fam]))
			h->holder[fam] = 0;
	}
	h->nft = kernel_nft_open();
	h->nft_errno = h->nft ? 0 : errno;
	return 0;
}

void host_free(struct host *h)
{
	kernel_look_links_free(&h->links);
	kernel_nft_close(h->nft);
	free(h->use);
	findings_free(&h->found);
	*h = (struct host){ 0 };
}

const struct look_link *host_link(const struct host *h, int ifindex)
{
	for (uint32_t i = 0; i < h->links.n; i++)
		if (h->links.v[i].ifindex == ifindex)
			return &h->links.v[i];
	return NULL;
}

const struct look_link *host_named(const struct host *h, const char *name)
{
	for (uint32_t i = 0; i < h->links.n; i++)
		if (!strcmp(h->links.v[i].name, name))
			return &h->links.v[i];
	return NULL;
}

const char *host_name(const struct host *h, int ifindex)
{
	const struct look_link *l = host_link(h, ifindex);

	return l ? l->name : "?";
}

bool host_means(const struct conf_name *n, const struct look_link *l)
{
	return n->wild ? !strncmp(l->name, n->name, n->len) : !strcmp(l->name, n->name);
}

const struct look_link *host_match(const struct host *h, const struct conf_name *n, uint32_t *i)
{
	while (*i < h->links.n) {
		const struct look_link *l = &h->links.v[(*i)++];

		if (host_means(n, l))
			return l;
	}
	return NULL;
}

const struct look_vif *host_vif(const struct host *h, enum fam fam, int ifindex, uint32_t table)
{
	for (int i = 0; i < h->nvifs[fam]; i++) {
		const struct look_vif *v = &h->vifs[fam][i];

		if (v->ifindex == ifindex && (!table || v->table == table))
			return v;
	}
	return NULL;
}

bool host_wants(const struct host *h, enum fam fam)
{
	bool any = false;

	for (uint32_t i = 0; i < h->conf->nnames; i++) {
		any |= h->use[i].fam[FAM_4] || h->use[i].fam[FAM_6];
		if (h->use[i].fam[fam])
			return true;
	}
	return !any;
}

bool host_ours(const struct host *h, enum fam fam)
{
	return h->holder[fam] && !strncmp(h->comm[fam], "smcroute", 8);
}

/* ---- smcroute-check -H ---- */

static void (*const checks[])(struct host *h) = {
	check_kernel, check_rights, check_holder, check_interfaces, check_vifs, check_tables,
	check_rp_filter, check_firewall, check_allmulti, check_bridges, check_memberships,
};

static int print(struct host *h, enum form form)
{
	struct findings *f = &h->found;
	uint32_t bad = findings_count(f, FINDING_ERROR) + findings_count(f, FINDING_WARNING);
	struct buf out = { 0 };
	bool ok;

	findings_sort(f);
	if (form == FORM_JSON) {
		buf_str(&out, "{\"findings\":");
		findings_json(&out, f);
		buf_printf(&out, ",\"errors\":%lu,\"warnings\":%lu,\"more\":%lu}\n",
			   (unsigned long)findings_count(f, FINDING_ERROR),
			   (unsigned long)findings_count(f, FINDING_WARNING), (unsigned long)f->dropped);
	} else if (form == FORM_TEXT) {
		findings_print(&out, f);
		if (f->dropped)
			buf_printf(&out, "and %lu more of these kinds\n", (unsigned long)f->dropped);
		if (!bad)
			buf_printf(&out, "good: nothing was found that stands in the way%s\n",
				   h->links.taken[FAM_4] || h->links.taken[FAM_6] ? "" :
				   "; no multicast router runs here now");
	}
	ok = !f->failed && !out.failed && fwrite(out.p ? out.p : "", 1, out.len, stdout) == out.len &&
	     !fflush(stdout);
	buf_free(&out);
	return !ok ? EXIT_SYSTEM : bad ? 1 : 0;
}

static int failed(const char *what)
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
		failed("-H");
		goto out;
	}
	errors = read_files(c, files, n, standard);
	if (host_look(h, c) < 0) {
		failed("cannot look at this host");
	} else {
		if (errors)
			finding_add(&h->found, FINDING_ERROR, "config", "errors in the configuration: %lu; "
				    "those lines are left out here, smcroute-check without -H shows them",
				    (unsigned long)errors);
		for (unsigned i = 0; i < sizeof checks / sizeof *checks; i++)
			checks[i](h);
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
