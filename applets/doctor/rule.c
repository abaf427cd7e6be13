/* SPDX-License-Identifier: ISC
 *
 * The rule that a flow lacks, as the command that adds it: which interfaces it
 * should go out of, and whom to tell.
 */
#include "applets/doctor/doctor.h"

#include <string.h>

/* ---- which outputs a rule should have ---- */

static void out_add(struct report *r, const struct probe_link *l)
{
	if (!l || l == r->in || r->nout == KERNEL_VIFS)
		return;
	for (unsigned i = 0; i < r->nout; i++)
		if (r->out[i] == l)
			return;
	r->out[r->nout++] = l;
}

static bool covers(const struct report *r, const struct conf_rule *m)
{
	return addr_covers(&m->range.flow.group, m->range.group_len, &r->d->grp) &&
	       (r->w->any || addr_covers(&m->range.flow.source, m->range.source_len, &r->w->src));
}

bool report_rule_on(const struct report *r, const struct probe_link *l)
{
	const struct host *h = &r->d->host;

	for (uint32_t i = 0; i < h->conf->nmroutes; i++) {
		const struct conf_rule *m = &h->conf->mroutes[i];

		if (host_means(h, m->iif, l) && covers(r, m))
			return true;
	}
	return false;
}

/* Of the rules, else of entries of the group, else all that route, else all that could. */
static void outs_choose(struct report *r)
{
	const struct doctor *d = r->d;
	const struct host *h = &d->host;
	const struct host_vifs *vifs = &r->k->vifs;
	const struct probe_link *l;

	for (uint32_t i = 0; i < h->conf->nmroutes; i++) {
		const struct conf_rule *m = &h->conf->mroutes[i];

		for (struct host_output at = { 0 }; covers(r, m) && (l = host_output(h, m, &at));)
			out_add(r, l);
	}
	for (unsigned i = 0; !r->nout && i < d->nflows; i++) {
		const struct seen *w = &d->flows[i];

		for (unsigned k = 0; w->entry && k < w->e.noifs; k++)
			out_add(r, host_link(h, w->e.oif[k]));
	}
	if (r->nout)
		return;
	for (int i = 0; i < vifs->n; i++)
		out_add(r, host_link(h, vifs->v[i].ifindex));
	for (uint32_t i = 0; !r->nout && i < h->links.n; i++) {
		l = &h->links.v[i];
		if ((l->flags & (LINK_UP | LINK_MULTICAST | LINK_LOOPBACK)) == (LINK_UP | LINK_MULTICAST) && !l->master)
			out_add(r, l);
	}
}

static void fix_start(struct report *r)
{
	const char *file = r->d->file, *quote = "";

	if (!file) {
		finding_fix(r->f, "smcrouted");
		return;
	}
	if (!word_plain(file, "._/-"))
		quote = "'";
	if (!*quote || !strchr(file, '\''))
		finding_fix(r->f, "smcrouted -f %s%s%s", quote, file, quote);
}

void report_fix_rule(struct report *r, const char *src)
{
	const struct host_fam *k = r->k;
	char word[WORD_LEN];
	struct buf b = { 0 };

	if (!r->in)
		return;
	if (k->foreign) {
		r->f->what = "holder";
		finding_add(r->f, FINDING_NOTE, "process %d (%s) routes %s multicast here, so the rule must be told to "
			    "that", k->holder, k->comm, k->name);
		return;
	}
	if (k->taken == 0) {
		fix_start(r);
		if (report_rule_on(r, r->in))
			return;		/* it is in the file */
	}
	outs_choose(r);
	for (unsigned i = 0; i < r->nout; i++)
		buf_printf(&b, " %s", shell_word(r->out[i]->name, word));
	if (r->nout)
		finding_fix(r->f, "smcroutectl add %s %s%s%s%s", r->in_word, src, *src ? " " : "",
			    r->grp, buf_cstr(&b));
	buf_free(&b);
}
