/* SPDX-License-Identifier: ISC
 *
 * See rule.h.
 */
#include "applets/doctor/rule.h"

#include "conf/match.h"

/* What keeps a rule from matching the flow on an interface: a sum of MISS_*.  A source that is not known may be any. */
static unsigned rule_misses(const struct report *r, const struct conf_rule *m, const char *iif)
{
	struct flow flow = { r->w->src, r->d->group };
	unsigned miss = match_rule(&r->d->host.conf->names[m->iif].ifname, &m->range, iif, &flow);

	return r->w->any_source ? miss & ~(unsigned)MISS_SOURCE : miss;
}

bool rule_waits_on(const struct report *r, const struct probe_link *l)
{
	const struct conf *c = r->d->host.conf;

	for (const struct conf_rule *m = c->mroutes; m < c->mroutes + c->nmroutes; m++)
		if (!rule_misses(r, m, l->name))
			return true;
	return false;
}

struct rule_outputs {
	unsigned n;
	const struct probe_link *v[KERNEL_VIFS];
};

static void rule_output_add(const struct report *r, struct rule_outputs *o, const struct probe_link *l)
{
	if (!l || l == r->in || o->n == KERNEL_VIFS)
		return;
	for (unsigned i = 0; i < o->n; i++)
		if (o->v[i] == l)
			return;
	o->v[o->n++] = l;
}

/* Of the rules, else of entries of the group, else all that route, else all that could. */
static void rule_outputs_choose(const struct report *r, struct rule_outputs *o)
{
	const struct doctor *d = r->d;
	const struct host *h = &d->host;
	const struct probe_link *l;

	for (uint32_t i = 0; i < h->conf->nmroutes; i++) {
		const struct conf_rule *m = &h->conf->mroutes[i];

		if (!(rule_misses(r, m, "") & (MISS_SOURCE | MISS_GROUP)))
			for (struct host_output at = { 0 }; (l = host_output(h, m, &at));)
				rule_output_add(r, o, l);
	}
	for (const struct sample_flow *w = d->flows; !o->n && w < d->flows + d->nflows; w++)
		for (unsigned k = 0; w->has_entry && k < w->e.noifs; k++)
			rule_output_add(r, o, host_link(h, w->e.oif[k]));
	if (o->n)
		return;
	for (int i = 0; i < r->k->vifs.n; i++)
		rule_output_add(r, o, host_link(h, r->k->vifs.v[i].ifindex));
	for (uint32_t i = 0; !o->n && i < h->links.n; i++) {
		l = &h->links.v[i];
		if ((l->flags & (LINK_UP | LINK_MULTICAST | LINK_LOOPBACK)) == (LINK_UP | LINK_MULTICAST) && !l->master)
			rule_output_add(r, o, l);
	}
}

void rule_fix(struct report *r, const char *src)
{
	const struct host_fam *k = r->k;
	struct rule_outputs o = { 0 };
	struct buf b = { 0 };

	if (!r->in)
		return;
	if (k->is_foreign) {
		r->f->what = "holder";
		finding_add(r->f, FINDING_NOTE, "process %d (%s) routes %s multicast here, so the rule must be told to that",
			    k->holder, k->comm, k->name);
		return;
	}
	if (k->taken == 0) {
		if (r->d->file)
			buf_shell_word(&b, r->d->file);
		finding_fix(r->f, "smcrouted%s%s", r->d->file ? " -f " : "", buf_cstr(&b));
		buf_free(&b);
		if (rule_waits_on(r, r->in))
			return;		/* it is in the file */
	}
	rule_outputs_choose(r, &o);
	for (unsigned i = 0; i < o.n; i++) {
		buf_chr(&b, ' ');
		buf_shell_word(&b, o.v[i]->name);
	}
	if (o.n)
		finding_fix(r->f, "smcroutectl add %s %s%s%s%s", r->in_word, src, *src ? " " : "", r->group, buf_cstr(&b));
	buf_free(&b);
}
