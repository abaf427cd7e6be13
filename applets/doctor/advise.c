/* SPDX-License-Identifier: ISC */
#include "applets/doctor/advise.h"

#include <stdio.h>
#include <string.h>

#include "applets/doctor/advise_behind.h"
#include "applets/doctor/advise_in.h"
#include "applets/doctor/advise_out.h"
#include "applets/doctor/advise_rule.h"
#include "applets/doctor/advise_storm.h"
#include "applets/doctor/advise_why.h"

static const char *const advise_what[VERDICTS] = {
	[VERDICT_FINE] = "fine", [VERDICT_NOTHING] = "nothing", [VERDICT_TTL] = "ttl",
	[VERDICT_TTL_CHANGED] = "ttl_changed", [VERDICT_MTU] = "mtu", [VERDICT_RP_FILTER] = "rp_filter",
	[VERDICT_WRONG_IIF] = "wrong_iif", [VERDICT_NO_VIF] = "no_vif", [VERDICT_NO_RULE] = "no_rule",
	[VERDICT_NO_ANSWER] = "no_rule", [VERDICT_FIREWALL] = "firewall", [VERDICT_LIMIT] = "firewall",
	[VERDICT_TABLE] = "table",
	[VERDICT_OUTPUT] = "output", [VERDICT_NOBODY] = "nobody", [VERDICT_PORT] = "bridge_port",
	[VERDICT_PORT_IN] = "bridge_port", [VERDICT_KEPT] = "snooping", [VERDICT_SOURCE] = "source",
	[VERDICT_FAMILY] = "ipv6_off", [VERDICT_BROKEN] = "damaged", [VERDICT_INGRESS] = "ingress",
	[VERDICT_LOST_IN] = "lost", [VERDICT_LOST_OUT] = "lost", [VERDICT_UNSURE] = "unsure",
};

/* ---- one flow ---- */

/* The outputs, each on its own; true when all of them get the packets. */
static bool advise_outputs(struct advice *r, struct advise_sum *a, bool is_whole)
{
	const struct evidence *e = &r->x->e;
	struct buf good = { 0 };
	bool all = true, is_bad = false;
	uint32_t sent = 0;

	for (unsigned i = 0; i < e->nouts; i++) {
		struct loss v[LOSSES];
		unsigned n = verdict_out(e, &e->out[i], v);

		for (unsigned k = 0; k < n; k++) {
			r->f->what = advise_what[v[k].verdict];
			advise_out(r, &e->out[i], &v[k]);
			is_bad |= v[k].verdict != VERDICT_UNSURE;
		}
		all &= !n;
		if (n)
			continue;
		sent |= (uint32_t)1 << i;
		buf_printf(&good, " %s", host_name(&r->d->host, e->out[i].ifindex));
	}
	a->bad += is_bad;
	a->unsure += !all && !is_bad;
	r->f->what = advise_what[VERDICT_FINE];
	if (good.len)
		finding_add(r->f, all && is_whole ? FINDING_GOOD : FINDING_NOTE, "%s: %s came in on %s (%llu packets) "
			    "and went out on%s", !is_whole ? "forwarded in part" : all ? "forwarded" :
			    "forwarded to some", r->flow, r->in_name, (ull)verdict_routed(e), buf_cstr(&good));
	buf_free(&good);
	advise_behind(r, sent);
	return all;
}

/* What is no matter: what this host sends itself, and what comes in where only outputs are. */
static bool advise_is_left_out(struct advice *r, struct advise_sum *a)
{
	const struct evidence *e = &r->x->e;

	if (r->x->is_own && !e->ip)
		return true;
	if (e->nouts && e->right.hi)
		return false;
	if (!r->in || r->x->is_any || !advise_rule_is_output(r, r->in))
		return false;
	a->stray++;
	r->f->what = "stray";
	finding_add(r->f, FINDING_NOTE, "%s comes in on %s too, which is only an output of the rules: it is not "
		    "forwarded, and need not be; if it is the sender that you mean, the rule is the wrong way round",
		    r->flow, r->in_name);
	return true;
}

void advise_flow(struct doctor *d, const struct evidence_flow *x, struct advise_sum *a)
{
	struct loss v[LOSSES];
	struct advice r;
	unsigned n = verdict_in(&x->e, v);
	bool is_stopped = false;
	enum why why;

	advice_begin(&r, d, x);
	if (advise_is_left_out(&r, a))
		return;
	a->bad += advise_storm(&r);
	for (unsigned i = 0; i < n && !is_stopped; i++) {
		r.f->what = advise_what[v[i].verdict];
		is_stopped = !advise_in(&r, &v[i]);
	}
	if (!is_stopped && x->e.is_here && verdict_routed(&x->e) && !x->e.nouts) {
		v[0].verdict = x->e.stays_here ? VERDICT_SOURCE : VERDICT_NO_RULE;
		v[0].n = v[0].of = verdict_routed(&x->e);
		r.f->what = advise_what[v[0].verdict];
		why = x->e.stays_here ? WHY_CAUSE : advise_why(&r, v);
		if (x->e.stays_here)
			advise_in(&r, v);
		else if (why == WHY_NOTHING)
			advise_rule_none(&r, v);
		is_stopped = why == WHY_WANTED;
		n++;
	}
	a->stopped += is_stopped;
	if (is_stopped)
		return;
	if (x->e.nouts && verdict_routed(&x->e))
		a->fine += advise_outputs(&r, a, !n) && !n;
	advise_why_partly(&r);
	a->bad += n > 0;
}

void advise_link_local(struct doctor *d)
{
	char text[ADDR_STRLEN];

	d->host.found.what = "local";
	finding_add(&d->host.found, FINDING_ERROR, "never forwarded: %s is of link-local scope, which no router "
		    "forwards; a reflector or proxy for its protocol is the tool (for mDNS: avahi-daemon with "
		    "enable-reflector=yes)", addr_str(&d->group, text));
}
