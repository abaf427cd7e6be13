/* SPDX-License-Identifier: ISC */
#include "applets/doctor/advise_rule.h"

#include <stdio.h>
#include <string.h>

#include "conf/explain.h"
#include "conf/match.h"
#include "conf/print.h"

/* What keeps a rule from matching the flow on an interface: a sum of MISS_*.  A source that is not known may be any. */
static unsigned advise_rule_misses(const struct advice *r, const struct conf_rule *m, const char *iif)
{
	unsigned miss = match_rule(&r->d->host.conf->names[m->iif].ifname, &m->range, iif, &r->x->w->flow);

	return r->x->is_any ? miss & ~(unsigned)MISS_SOURCE : miss;
}

bool advise_rule_waits(const struct advice *r, const struct probe_link *l)
{
	const struct conf *c = r->d->host.conf;

	for (const struct conf_rule *m = c->mroutes; m < c->mroutes + c->nmroutes; m++)
		if (c->sets[m->oifs].n && !advise_rule_misses(r, m, l->name))
			return true;
	return false;
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
		for (unsigned k = 0; w->has_entry && !h->conf->nmroutes && k < w->e.noifs; k++)
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
		for (unsigned k = 0; w->has_entry && k < w->e.noifs; k++)
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

void advise_rule_start(struct advice *r)
{
	struct buf b = { 0 };

	if (r->d->file)
		buf_shell_word(&b, r->d->file);
	finding_fix(r->f, "smcrouted%s%s", r->d->file ? " -f " : "", buf_cstr(&b));
	buf_free(&b);
}

void advise_rule_add(struct advice *r, const char *src)
{
	const struct host_fam *k = r->k;
	struct advise_outputs o = { 0 };
	struct buf b = { 0 };

	if (!r->in)
		return;
	if (k->is_foreign) {
		r->f->what = "holder";
		finding_add(r->f, FINDING_NOTE, "process %d (%s) routes %s multicast here: its own configuration must "
			    "have the rule; or end it and start smcrouted", k->holder, k->comm, k->name);
		finding_fix(r->f, "ps -o pid,args -p %d", k->holder);
		return;
	}
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
		finding_fix(r->f, "smcroutectl add %s %s%s%s%s", r->in_word, src, *src ? " " : "", r->group,
			    buf_cstr(&b));
	buf_free(&b);
}

/* Appends "FILE:LINE (the line)". */
static void advise_rule_line(const struct advice *r, struct buf *b, const struct conf_rule *m)
{
	const struct conf *c = r->d->host.conf;

	buf_printf(b, "%s:%lu (", c->files[m->where.file], (unsigned long)m->where.line);
	print_rule(b, c, "mroute", 6, m);
	buf_chr(b, ')');
}

/* What a rule that stops the flow, or a line that disables its input, says: true when there is one. */
static bool advise_rule_wanted(struct advice *r, const struct explanation *x, struct buf *b)
{
	if (x->stop)
		advise_rule_line(r, b, x->stop);
	else if (x->in_disabled)
		buf_printf(b, "%s:%lu (phyint %s disable)", x->c->files[x->in_disabled->where.file],
			   (unsigned long)x->in_disabled->where.line, x->in_disabled->ifname.text);
	else
		return false;
	r->f->what = x->stop ? "stopped" : "disabled";
	finding_add(r->f, FINDING_NOTE, "%s: %s comes in on %s and is not forwarded, as %s says; if that is not "
		    "wanted, change that line and reload", x->stop ? "stopped by a rule" : "the input is "
		    "disabled", r->flow,
		    r->in_name, buf_cstr(b));
	return true;
}

bool advise_rule_none(struct advice *r, const struct loss *l)
{
	const struct conf *c = r->d->host.conf;
	struct explanation x;
	struct buf b = { 0 };
	bool is_cause = true;

	if (!explain_packet(&x, c, r->in_name, &r->x->w->flow)) {
		r->f->failed = true;
	} else if (advise_rule_wanted(r, &x, &b)) {
		is_cause = false;
	} else if (x.n) {
		r->f->what = "not_in_force";
		advise_rule_line(r, &b, x.rules[0].rule);
		finding_add(r->f, FINDING_ERROR, "the rule is not in force: %s of %s came in on %s and go nowhere, but "
			    "%s sends them on; the router was not told of it yet, or waits for its outputs",
			    advice_count(r, l), r->flow, r->in_name, buf_cstr(&b));
		finding_fix(r->f, "smcroutectl reload");
		finding_fix(r->f, "smcroutectl -d show pending");
	} else {
		if (x.nearest) {
			buf_str(&b, "; nearest is ");
			advise_rule_line(r, &b, x.nearest);
		}
		finding_add(r->f, FINDING_ERROR, "no rule: %s of %s came in on %s, and no rule says where to send "
			    "them%s", advice_count(r, l), r->flow, r->in_name, buf_cstr(&b));
		advise_rule_add(r, "");
	}
	explain_free(&x);
	buf_free(&b);
	return is_cause;
}
