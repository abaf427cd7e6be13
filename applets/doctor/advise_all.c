/* SPDX-License-Identifier: ISC */
#include "applets/doctor/advise_all.h"

#include "applets/doctor/advise_rule.h"
#include "conf/explain.h"

static bool advise_all_matches(struct doctor *d, const struct evidence_flow *x, const struct conf *c, bool *is_used)
{
	struct explanation at;
	bool any;

	if (!explain_packet(&at, c, host_name(&d->host, x->in), &x->w->flow))
		d->host.found.failed = true;
	any = at.n;
	for (uint32_t i = 0; is_used && i < at.n; i++)
		if (!at.rules[i].narrower)
			is_used[at.rules[i].rule - c->mroutes] = true;
	explain_free(&at);
	return any;
}

bool advise_all_concerns(struct doctor *d, const struct evidence_flow *x, bool *is_used)
{
	bool is_in_force = advise_all_matches(d, x, d->host.conf, is_used);

	return is_in_force || x->e.nouts || (d->running.answers && advise_all_matches(d, x, d->file_conf, NULL));
}

void advise_all_unasked(struct doctor *d, const struct evidence_flow *x)
{
	struct advice r;

	advice_begin(&r, d, x);
	r.f->what = "unasked";
	finding_add(r.f, FINDING_NOTE, "%s comes in on %s too: no rule is for it there, so it is not forwarded, and "
		    "need not be unless it is the one that you mean", r.flow, r.in_name);
}

void advise_all_idle(struct doctor *d, const bool *is_used)
{
	const struct conf *c = d->host.conf;
	struct watched none = { .is_star = true };
	struct evidence_flow x = { .w = &none, .is_any = true };
	struct advice r;

	for (uint32_t i = 0; i < c->nmroutes; i++) {
		struct buf b = { 0 };

		if (is_used[i] || flow_range_fam(&c->mroutes[i].range) != d->fam || !c->sets[c->mroutes[i].oifs].n)
			continue;
		none.flow = c->mroutes[i].range.flow;
		advice_begin(&r, d, &x);
		advise_rule_line(&r, &b, &c->mroutes[i]);
		r.f->what = "silent";
		finding_add(r.f, FINDING_NOTE, "no packet came for %s within %u s", buf_cstr(&b), d->seconds);
		buf_free(&b);
	}
}
