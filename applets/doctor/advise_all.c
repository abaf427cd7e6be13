/* SPDX-License-Identifier: ISC */
#include "applets/doctor/advise_all.h"

#include <stdio.h>

#include "applets/doctor/advise_none.h"
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
	/* Another program, whose entries they are, has rules of its own. */
	bool is_theirs = (x->e.has_entry || x->e.is_unresolved) && advice_is_foreign(d);
	bool is_in_force = advise_all_matches(d, x, d->host.conf, is_used) && !is_theirs;

	return is_in_force || x->e.nouts || (d->running.answers && advise_all_matches(d, x, d->file_conf, NULL));
}

void advise_all_unasked(struct doctor *d, const struct evidence_flow *x)
{
	struct advice r;

	advice_begin(&r, d, x);
	r.f->what = "unasked";
	finding_add(r.f, FINDING_NOTE, "%s comes in on %s too: no rule is for it there, so it is not forwarded, and "
		    "need not be unless it is the one that you mean", r.flow, r.in_name);
	advice_tcpdump(&r, r.in_word);
}

/* A rule that nothing came for, and where to look; true when it is known why. */
static bool advise_all_silent(struct advice *r, const struct conf_rule *m)
{
	const struct ifname *from = &r->d->host.conf->names[m->iif].ifname;
	const struct probe_links *links = &r->d->host.links;
	const struct probe_link *l = links->v, *end = links->v + links->n;
	bool is_wide = m->range.group_len < 128;
	char group[ADDR_STRLEN], word[REMEDY_WORD];
	struct buf b = { 0 };

	prefix_str(&m->range.flow.group, m->range.group_len, group);
	snprintf(r->flow, sizeof r->flow, "(*, %s)", group);
	/* Of a wildcard's interfaces one may be idle, as long as there are others. */
	while (l < end && (from->is_wildcard || !ifname_matches(from, l->name)))
		l++;
	if (l < end && advise_none_obstacle(r, l))
		return true;
	advise_rule_line(r, &b, m);
	r->f->what = "silent";
	finding_add(r->f, FINDING_NOTE, "no packet %s for %s within %u s; %s", r->d->sniffs ? "came" : "was routed",
		    buf_cstr(&b), r->d->seconds, l < end || from->is_wildcard ? ADVISE_LOOK :
		    "that interface is not there");
	buf_free(&b);
	if (l < end || from->is_wildcard)
		finding_fix(r->f, "tcpdump -c 3 -ni %s dst %s%s",
			    text_shell_word(word, sizeof word, l < end ? l->name : "any"), is_wide ? "net " : "",
			    group);
	else
		finding_fix(r->f, "%s", kernel_word(WORD_LINKS, FAM_4));
	if (!is_wide)
		finding_fix(r->f, "smcroute-check doctor %s", group);
	return false;
}

unsigned advise_all_idle(struct doctor *d, const bool *is_used)
{
	const struct conf *c = d->host.conf;
	struct watched none = { .is_star = true };
	struct evidence_flow x = { .w = &none, .is_any = true };
	struct advice r;
	unsigned known = 0;

	for (uint32_t i = 0; i < c->nmroutes; i++) {
		if (is_used[i] || flow_range_fam(&c->mroutes[i].range) != d->fam || !c->sets[c->mroutes[i].oifs].n)
			continue;
		none.flow = c->mroutes[i].range.flow;
		advice_begin(&r, d, &x);
		/* Once, of all of them. */
		snprintf(r.flow, sizeof r.flow, "%s groups", fam_str(d->fam));
		known += (!known && advise_none_router(&r)) || advise_all_silent(&r, &c->mroutes[i]);
	}
	return known;
}
