/* SPDX-License-Identifier: ISC
 *
 * The rule that a flow lacks, as the command that adds it: which interfaces it
 * should go out of, and whom to tell.
 */
#include "applets/doctor.h"

#include <string.h>

/* ---- which outputs a rule should have ---- */

static void out_add(struct report *r, const struct look_link *l)
{
	if (!l || l == r->in || r->nout == KERNEL_VIFS)
		return;
	for (unsigned i = 0; i < r->nout; i++)
		if (r->out[i] == l->ifindex)
			return;
	r->out[r->nout++] = l->ifindex;
}

bool report_covers(const struct report *r, const struct mroute *m)
{
	return addr_fam(&m->group) == r->d->fam && addr_covers(&m->group, m->glen, &r->d->grp) &&
	       (!r->w || r->w->any || addr_covers(&m->source, m->slen, &r->w->src));
}

static void outs_of_rules(struct report *r)
{
	const struct host *h = &r->d->host;
	const struct look_link *l;

	for (uint32_t i = 0; i < h->conf->nmroutes; i++) {
		const struct mroute *m = &h->conf->mroutes[i];
		const struct conf_set *s = &h->conf->sets[m->oifs];

		for (uint32_t k = 0; report_covers(r, m) && k < s->n; k++)
			for (uint32_t at = 0; (l = host_match(h, &h->conf->names[h->conf->pool[s->off + k]], &at));)
				out_add(r, l);
	}
}

/* Of the rules, else of entries of the group, else all that route, else all that could. */
static void outs_choose(struct report *r)
{
	const struct doctor *d = r->d;
	const struct host *h = &d->host;

	outs_of_rules(r);
	for (unsigned i = 0; !r->nout && i < d->nflows; i++)
		for (unsigned k = 0; d->flows[i].entry && k < d->flows[i].e.noifs; k++)
			out_add(r, host_link(h, d->flows[i].e.oif[k]));
	r->guessed = !r->nout;
	for (int i = 0; r->guessed && i < h->nvifs[d->fam]; i++)
		out_add(r, host_link(h, h->vifs[d->fam][i].ifindex));
	for (uint32_t i = 0; !r->nout && i < h->links.n; i++) {
		const struct look_link *l = &h->links.v[i];

		if ((l->flags & LINK_UP) && (l->flags & LINK_MULTICAST) && !(l->flags & LINK_LOOPBACK) && !l->master)
			out_add(r, l);
	}
}

static void fix_start(struct report *r)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._/-";
	const char *file = r->d->file;
	const char *quote = file && file[strspn(file, plain)] ? "'" : "";

	if (!file)
		finding_fix(r->f, "smcrouted");
	else if (!*quote || !strchr(file, '\''))
		finding_fix(r->f, "smcrouted -f %s%s%s", quote, file, quote);
}

void report_fix_rule(struct report *r, bool with_source)
{
	const struct host *h = &r->d->host;
	char word[WORD_LEN];
	struct buf b = { 0 };

	if (!r->in)
		return;
	if (h->links.taken[r->d->fam] == 1 && h->holder[r->d->fam] && !host_ours(h, r->d->fam)) {
		finding_add(r->f, FINDING_NOTE, "holder", "process %d (%s) routes %s multicast here, so the rule must be "
			    "told to that", h->holder[r->d->fam], h->comm[r->d->fam], fam_str(r->d->fam));
		return;
	}
	if (h->links.taken[r->d->fam] == 0) {
		fix_start(r);
		for (uint32_t i = 0; i < h->conf->nmroutes; i++) {
			const struct mroute *m = &h->conf->mroutes[i];

			if (host_means(&h->conf->names[m->iif], r->in) && report_covers(r, m))
				return;		/* it is in the file */
		}
	}
	outs_choose(r);
	for (unsigned i = 0; i < r->nout; i++)
		buf_printf(&b, " %s", shell_word(host_name(h, r->out[i]), word));
	if (r->nout)
		finding_fix(r->f, "smcroutectl add %s%s%s %s%s", shell_word(r->in->name, word),
			    with_source && r->src[0] ? " " : "", with_source ? r->src : "", r->grp, buf_cstr(&b));
	buf_free(&b);
}
