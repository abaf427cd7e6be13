/* SPDX-License-Identifier: ISC */
#include "applets/doctor/advise_rule.h"

#include <stdio.h>
#include <string.h>

#include "conf/explain.h"
#include "conf/match.h"
#include "conf/print.h"

#define SOURCES 4		/* memberships proposed at once */

/* What keeps a rule from matching the flow on an interface: a sum of MISS_*.  A source that is not known may be any. */
static unsigned advise_rule_misses(const struct advice *r, const struct conf_rule *m, const char *iif)
{
	unsigned miss = match_rule(&r->d->host.conf->names[m->iif].ifname, &m->range, iif, &r->x->w->flow);

	return r->x->is_any ? miss & ~(unsigned)MISS_SOURCE : miss;
}

const struct conf_rule *advise_rule_of(const struct advice *r, const struct probe_link *l)
{
	const struct conf *c = r->d->host.conf;

	for (const struct conf_rule *m = c->mroutes; m < c->mroutes + c->nmroutes; m++)
		if (c->sets[m->oifs].n && !advise_rule_misses(r, m, l->name))
			return m;
	return NULL;
}

bool advise_rule_waits(const struct advice *r, const struct probe_link *l)
{
	return advise_rule_of(r, l);
}

/* True for an entry of the group. */
static bool advise_rule_is_of_group(const struct advice *r, const struct watched *w)
{
	return w->has_entry && addr_eq(&w->flow.group, &r->x->w->flow.group);
}

bool advise_rule_is_output(const struct advice *r, const struct probe_link *l)
{
	const struct host *h = &r->d->host;
	const struct probe_link *out;
	bool is = false;

	for (const struct conf_rule *m = h->conf->mroutes; m < h->conf->mroutes + h->conf->nmroutes; m++) {
		unsigned misses = advise_rule_misses(r, m, l->name);

		if (misses & (MISS_GROUP | MISS_SOURCE))
			continue;
		if (!(misses & MISS_IIF))
			return false;
		for (struct host_output at = { 0 }; (out = host_output(h, m, &at));)
			is |= out == l;
	}
	/* Without a file: those of entries. */
	for (const struct watched *w = r->d->flows.v; w < r->d->flows.v + r->d->flows.n; w++)
		for (unsigned k = 0; advise_rule_is_of_group(r, w) && !h->conf->nmroutes && k < w->e.noifs; k++)
			is |= w->e.oif[k] == l->ifindex;
	return is;
}

struct advise_outputs {
	unsigned n;
	const struct probe_link *v[KERNEL_VIFS];
};

static void advise_rule_output(const struct advice *r, struct advise_outputs *o, const struct probe_link *l)
{
	if (!l || l == r->in || o->n == KERNEL_VIFS)
		return;
	for (unsigned i = 0; i < o->n; i++)
		if (o->v[i] == l)
			return;
	o->v[o->n++] = l;
}

/* Of the rules, else of entries of the group, else all that route, else all that could. */
static void advise_rule_outputs(const struct advice *r, struct advise_outputs *o)
{
	const struct doctor *d = r->d;
	const struct host *h = &d->host;
	const struct probe_link *l;

	for (uint32_t i = 0; i < h->conf->nmroutes; i++) {
		const struct conf_rule *m = &h->conf->mroutes[i];

		if (!(advise_rule_misses(r, m, "") & (MISS_SOURCE | MISS_GROUP)))
			for (struct host_output at = { 0 }; (l = host_output(h, m, &at));)
				advise_rule_output(r, o, l);
	}
	for (const struct watched *w = d->flows.v; !o->n && w < d->flows.v + d->flows.n; w++)
		for (unsigned k = 0; advise_rule_is_of_group(r, w) && k < w->e.noifs; k++)
			advise_rule_output(r, o, host_link(h, w->e.oif[k]));
	if (o->n)
		return;
	for (int i = 0; i < r->k->vifs.n; i++)
		advise_rule_output(r, o, host_link(h, r->k->vifs.v[i].ifindex));
	for (uint32_t i = 0; !o->n && i < h->links.n; i++) {
		l = &h->links.v[i];
		if ((l->flags & (LINK_UP | LINK_MULTICAST | LINK_LOOPBACK)) == (LINK_UP | LINK_MULTICAST) && !l->master)
			advise_rule_output(r, o, l);
	}
}

/* Appends the command that writes a line to the file, so that it outlives the next reload. */
static void advise_rule_write(struct advice *r, const char *line)
{
	const char *file = sample_is_its_file(r->d) ? r->d->file : buf_cstr(&r->d->running.file);
	struct buf b = { 0 };

	if (!file || file[0] != '/')
		return;
	buf_shell_word(&b, line);
	buf_str(&b, " >>");
	buf_shell_word(&b, file);
	finding_fix(r->f, "echo %s", buf_cstr(&b));
	buf_free(&b);
}

static void advise_rule_keep(struct advice *r, const char *src, const struct advise_outputs *o)
{
	struct buf b = { 0 };

	buf_printf(&b, "mroute from %s %s%s%sgroup %s to", r->in_name, *src ? "source " : "", src, *src ? " " : "",
		   r->group);
	for (unsigned i = 0; i < o->n; i++)
		buf_printf(&b, " %s", o->v[i]->name);
	advise_rule_write(r, buf_cstr(&b));
	buf_free(&b);
}

/* The first rule or membership from *i on that names one source for the group; *i is behind it afterwards. */
static const struct conf_rule *advise_rule_named(const struct advice *r, const struct conf_rule *v, uint32_t n,
						 uint32_t *i)
{
	while (*i < n) {
		const struct conf_rule *m = &v[(*i)++];

		if (!flow_range_any_source(&m->range) &&
		    addr_covers(&m->range.flow.group, m->range.group_len, &r->x->w->flow.group))
			return m;
	}
	return NULL;
}

bool advise_rule_by_source(const struct advice *r)
{
	const struct conf *c = r->d->host.conf;
	uint32_t i = 0, k = 0;

	return match_is_ssm(&r->x->w->flow.group, 128) || advise_rule_named(r, c->mroutes, c->nmroutes, &i) ||
	       advise_rule_named(r, c->mgroups, c->nmgroups, &k);
}

/* Appends the commands that join a group, for a source or with "" for any. */
static void advise_rule_member(struct advice *r, const char *iif, const char *src)
{
	struct buf b = { 0 };

	buf_shell_word(&b, iif);
	finding_fix(r->f, "%s join %s %s%s%s", running_ctl(&r->d->running), buf_cstr(&b), src, *src ? " " : "",
		    r->group);
	buf_free(&b);
	buf_printf(&b, "mgroup from %s %s%s%sgroup %s", iif, *src ? "source " : "", src, *src ? " " : "", r->group);
	advise_rule_write(r, buf_cstr(&b));
	buf_free(&b);
}

void advise_rule_join(struct advice *r, const char *iif)
{
	const struct conf *c = r->d->host.conf;
	const struct conf_rule *m;
	char src[ADDR_STRLEN];
	unsigned n = 0;
	uint32_t i = 0;

	if (!advise_rule_by_source(r)) {
		advise_rule_member(r, iif, "");
		return;
	}
	/* The sources that rules name; a switch wants each of them asked for. */
	while (n < SOURCES && (m = advise_rule_named(r, c->mroutes, c->nmroutes, &i)))
		if (m->range.source_len == 128 && ifname_matches(&c->names[m->iif].ifname, iif) && ++n)
			advise_rule_member(r, iif, addr_str(&m->range.flow.source, src));
	if (!n && *r->src)
		advise_rule_member(r, iif, r->src);
}

void advise_rule_start(struct advice *r)
{
	struct buf b = { 0 };

	if (r->d->file)
		buf_shell_word(&b, r->d->file);
	finding_fix(r->f, "smcrouted%s%s%s", r->d->running.is_crowded ? " -i " RUNNING_OWN : "",
		    r->d->file ? " -f " : "", buf_cstr(&b));
	buf_free(&b);
}

void advise_rule_add(struct advice *r, const char *src)
{
	const struct host_fam *k = r->k;
	struct advise_outputs o = { 0 };
	struct buf b = { 0 };

	if (!r->in)
		return;
	if (!*src && advise_rule_by_source(r))
		src = r->src;
	if (k->taken == 0) {
		advise_rule_start(r);
		if (advise_rule_waits(r, r->in))
			return;		/* it is in the file */
	}
	advise_rule_outputs(r, &o);
	for (unsigned i = 0; i < o.n; i++) {
		buf_chr(&b, ' ');
		buf_shell_word(&b, o.v[i]->name);
	}
	if (o.n)
		finding_fix(r->f, "%s add %s %s%s%s%s", running_ctl(&r->d->running), r->in_word, src, *src ? " " : "",
			    r->group, buf_cstr(&b));
	buf_free(&b);
	if (o.n)
		advise_rule_keep(r, src, &o);
}

void advise_rule_line(const struct advice *r, struct buf *b, const struct conf_rule *m)
{
	const struct conf *c = r->d->host.conf, *file = r->d->file_conf;
	const struct conf_rule *written = file->mroutes, *end = written + file->nmroutes;

	/* What is in force stands in the file, too, or somebody added it. */
	if (m >= file->mroutes && m < end)
		c = file;
	while (written < end && (!flow_range_eq(&written->range, &m->range) ||
				 strcmp(file->names[written->iif].ifname.text, c->names[m->iif].ifname.text)))
		written++;
	if (written < end)
		buf_printf(b, "%s:%lu ", file->files[written->where.file], (unsigned long)written->where.line);
	else
		buf_str(b, "the rule of smcroutectl ");
	buf_chr(b, '(');
	print_rule(b, c, "mroute", 6, m);
	buf_chr(b, ')');
}

void advise_rule_none(struct advice *r, const struct loss *l)
{
	struct explanation x;
	struct buf b = { 0 };

	if (!explain_packet(&x, r->d->host.conf, r->in_name, &r->x->w->flow))
		r->f->failed = true;
	if (x.nearest) {
		buf_str(&b, "; nearest is ");
		advise_rule_line(r, &b, x.nearest);
	}
	finding_add(r->f, FINDING_ERROR, "no rule: %s, and no rule says where to send them%s",
		    advice_came(r, l), buf_cstr(&b));
	advise_rule_add(r, "");
	explain_free(&x);
	buf_free(&b);
}
