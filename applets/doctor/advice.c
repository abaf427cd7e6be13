/* SPDX-License-Identifier: ISC */
#include "applets/doctor/advice.h"

#include <stdio.h>

void advice_begin(struct advice *r, struct doctor *d, const struct evidence_flow *x)
{
	*r = (struct advice){
		.d = d, .f = &d->host.found, .x = x, .fam = d->fam, .k = &d->host.of[d->fam],
		.in = host_link(&d->host, x->in),
	};
	r->in_name = r->in ? r->in->name : "some interface";
	if (!x->is_any)
		addr_str(&x->w->flow.source, r->src);
	addr_str(&x->w->flow.group, r->group);
	snprintf(r->flow, sizeof r->flow, "(%s, %s)", r->src[0] ? r->src : "*", r->group);
	text_shell_word(r->in_word, sizeof r->in_word, r->in ? r->in_name : "any");
}

bool advice_is_foreign(const struct doctor *d)
{
	const struct host_fam *k = &d->host.of[d->fam];

	return k->taken == 1 && (k->is_foreign || (!k->holder && !d->running.answers && !d->running.silent));
}

void advice_tcpdump(const struct advice *r, const char *on)
{
	finding_fix(r->f, "tcpdump -c 3 -veni %s dst %s", on, r->group);
}

void advice_root(const struct advice *r)
{
	finding_fix(r->f, "sudo smcroute-check doctor %s", r->group);
}

const char *advice_count(struct advice *r, const struct loss *l)
{
	if (!l->of)
		snprintf(r->count, sizeof r->count, "packets");
	else if (l->n >= l->of)
		snprintf(r->count, sizeof r->count, "%s%llu packets", l->of > 1 ? "all " : "", (ull)l->of);
	else
		snprintf(r->count, sizeof r->count, "%llu of %llu packets", (ull)l->n, (ull)l->of);
	return r->count;
}

const char *advice_came(struct advice *r, const struct loss *l)
{
	snprintf(r->came, sizeof r->came, "%s of %s came in on %s", advice_count(r, l), r->flow, r->in_name);
	return r->came;
}
