/* SPDX-License-Identifier: ISC */
#include "applets/doctor/advise.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "applets/doctor/advise_behind.h"
#include "applets/doctor/advise_in.h"
#include "applets/doctor/advise_out.h"
#include "applets/doctor/advise_rule.h"
#include "applets/doctor/advise_storm.h"
#include "applets/doctor/advise_why.h"

static const char *const advise_what[VERDICTS] = {
	[VERDICT_FINE] = "fine", [VERDICT_NOTHING] = "nothing", [VERDICT_TTL] = "ttl",
	[VERDICT_TTL_CHANGED] = "ttl_changed", [VERDICT_ROUTE] = "route",
	[VERDICT_IPSEC] = "ipsec", [VERDICT_MTU] = "mtu", [VERDICT_RP_FILTER] = "rp_filter",
	[VERDICT_WRONG_IIF] = "wrong_iif", [VERDICT_NO_VIF] = "no_vif", [VERDICT_NO_RULE] = "no_rule",
	[VERDICT_NO_ANSWER] = "no_rule", [VERDICT_FIREWALL] = "firewall", [VERDICT_LIMIT] = "firewall",
	[VERDICT_QUEUE] = "queue", [VERDICT_DRIVER] = "driver", [VERDICT_TABLE] = "table",
	[VERDICT_OUTPUT] = "output", [VERDICT_NOBODY] = "nobody", [VERDICT_PORT] = "bridge_port",
	[VERDICT_PORT_IN] = "bridge_port", [VERDICT_KEPT] = "snooping", [VERDICT_SOURCE] = "source",
	[VERDICT_FAMILY] = "ipv6_off", [VERDICT_BROKEN] = "damaged", [VERDICT_INGRESS] = "ingress",
	[VERDICT_CHANGED] = "changed",
	[VERDICT_LOST_IN] = "lost", [VERDICT_LOST_OUT] = "lost", [VERDICT_UNSURE] = "unsure",
};

#define TOLD UINT64_MAX		/* instead of the number of a loss */

/* ---- one flow ---- */

/* A note that they leave with another source. */
static void advise_nat(struct advice *r, const struct evidence_out *o)
{
	char as[ADDR_STRLEN];

	if (!o->translated)
		return;
	r->f->what = "nat";
	finding_add(r->f, FINDING_NOTE, "what leaves of %s on %s has %s as its source: a rule of the packet filter "
		    "here changes it (NAT), and receivers that ask for %s get nothing", r->flow,
		    host_name(&r->d->host, o->ifindex), addr_str(&o->as, as), r->src);
	finding_fix(r->f, "nft -a list ruleset | grep -niE 'masquerade|snat|saddr set'");
}

/* Tells cause k of output i, for all that have it alike; true when it is one, and not told before. */
static bool advise_output(struct advice *r, struct loss (*v)[LOSSES], unsigned i, unsigned k)
{
	const struct evidence *e = &r->x->e;
	const struct loss l = v[i][k];
	bool is_shared = l.verdict == VERDICT_TTL || l.verdict == VERDICT_TTL_CHANGED || l.verdict == VERDICT_UNSURE;

	struct buf outs = { 0 };

	if (l.n == TOLD)
		return false;
	for (unsigned j = i; j < e->nouts && (j == i || is_shared); j++)
		for (unsigned m = 0; m < LOSSES && v[j][m].verdict; m++) {
			if (v[j][m].verdict != l.verdict || v[j][m].n != l.n ||
			    e->out[j].threshold != e->out[i].threshold)
				continue;
			buf_printf(&outs, "%s%s", outs.len ? ", " : "", host_name(&r->d->host, e->out[j].ifindex));
			v[j][m].n = TOLD;
		}
	r->f->what = advise_what[l.verdict];
	r->outs = buf_cstr(&outs);
	advise_out(r, &e->out[i], &l);
	buf_free(&outs);
	return l.verdict != VERDICT_UNSURE;
}

/* The outputs, each on its own; true when all of them get the packets. */
static bool advise_outputs(struct advice *r, struct advise_sum *a, bool is_whole)
{
	const struct evidence *e = &r->x->e;
	struct loss (*v)[LOSSES] = calloc(e->nouts, sizeof *v);
	struct buf good = { 0 };
	bool all = true, is_bad = false;
	uint32_t sent = 0;

	if (!v) {
		r->f->failed = true;
		return false;
	}
	for (unsigned i = 0; i < e->nouts; i++) {
		unsigned n = verdict_out(e, &e->out[i], v[i]);

		if (n < LOSSES)
			v[i][n].verdict = VERDICT_FINE;
		all &= !n;
		if (n)
			continue;
		sent |= (uint32_t)1 << i;
		buf_printf(&good, " %s%s", host_name(&r->d->host, e->out[i].ifindex),
			   e->out[i].is_fresh ? " (only since the watch began)" : "");
	}
	for (unsigned i = 0; i < e->nouts; i++)
		for (unsigned k = 0; k < LOSSES && v[i][k].verdict; k++)
			is_bad |= advise_output(r, v, i, k);
	free(v);
	a->bad += is_bad;
	a->unsure += !all && !is_bad;
	r->f->what = advise_what[VERDICT_FINE];
	if (good.len)
		finding_add(r->f, all && is_whole ? FINDING_GOOD : FINDING_NOTE, "%s: %s came in on %s (%llu packets) "
			    "and went out on%s", !is_whole ? "forwarded in part" : all ? "forwarded" :
			    "forwarded to some", r->flow, r->in_name, (ull)verdict_routed(e), buf_cstr(&good));
	buf_free(&good);
	advise_behind(r, sent);
	for (unsigned i = 0; i < e->nouts; i++)
		advise_nat(r, &e->out[i]);
	return all;
}

/* Packets that came before their entry are no loss of it, and none of what comes later: they are told. */
static void advise_fresh(struct advice *r)
{
	const struct evidence *e = &r->x->e;
	uint64_t came = verdict_routed(e);

	if (!e->is_fresh || !e->is_seen || !came || e->ip <= came)
		return;
	r->f->what = "fresh";
	finding_add(r->f, FINDING_NOTE, "%llu packets of %s did not get to its entry, which the router made, or made "
		    "anew, since the watch began: while it is asked the kernel keeps the first few; look again, and if "
		    "the sender pauses for longer than entries are kept, raise that (-c of smcrouted), or name its "
		    "source in the rule", (ull)(e->ip - came), r->flow);
}

/* What this host sends itself goes through the entries too. */
static void advise_own(struct advice *r, struct advise_sum *a)
{
	const struct evidence *e = &r->x->e;
	struct loss v[LOSSES];
	unsigned lost = 0;

	for (unsigned i = 0; i < e->nouts; i++)
		lost += verdict_out(e, &e->out[i], v) && v[0].verdict != VERDICT_UNSURE;
	if (!e->nouts || !e->right.hi)
		return;
	if (!lost) {
		a->fine += advise_outputs(r, a, true);
		return;
	}
	r->f->what = "own";
	finding_add(r->f, FINDING_NOTE, "this host sends %s itself, on %s, and %u of %u outputs do not get all of it: "
		    "its TTL is 1 unless the program asks for more (IP_MULTICAST_TTL)", r->flow, r->in_name, lost,
		    e->nouts);
	finding_fix(r->f, "ss -uanp");
}

/* What is no matter: what this host sends itself, and what comes in where only outputs are. */
static bool advise_is_left_out(struct advice *r, struct advise_sum *a)
{
	const struct evidence *e = &r->x->e;

	if (r->x->is_own && !(r->x->here && e->ip)) {
		advise_own(r, a);
		return true;
	}
	if (e->nouts && e->right.hi)
		return false;
	if (r->x->routed && !e->is_regrouped) {
		r->f->what = "changed";
		advise_in_changed(r, NULL);
		return true;
	}
	if (!r->in || r->x->is_any || !advise_rule_is_output(r, r->in))
		return false;
	a->stray++;
	r->f->what = "stray";
	finding_add(r->f, FINDING_NOTE, "%s comes in on %s too, which is only an output of the rules: it is not "
		    "forwarded, and need not be; if it is the sender that you mean, the rule is the wrong way round",
		    r->flow, r->in_name);
	advice_tcpdump(r, r->in_word);
	return true;
}

/* Its entry came when the watch was over. */
static bool advise_is_too_new(struct advice *r, struct advise_sum *a)
{
	if (!r->x->e.is_unresolved || !r->x->w->is_answered)
		return false;
	r->f->what = advise_what[VERDICT_UNSURE];
	finding_add(r->f, FINDING_UNSEEN, "whether %s is sent on: its entry was made only just; look again", r->flow);
	finding_fix(r->f, "smcroute-check doctor %s", r->group);
	a->unsure++;
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
	if (advise_is_left_out(&r, a) || advise_is_too_new(&r, a))
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
	if (!is_stopped && n && !x->e.nouts && !x->e.stays_here && x->here && x->here->ttl_max == 1) {
		r.f->what = advise_what[VERDICT_TTL];
		advise_out_ttl_too(&r);
	}
	if (is_stopped)
		return;
	advise_fresh(&r);
	if (x->e.nouts && verdict_routed(&x->e))
		a->fine += advise_outputs(&r, a, !n) && !n;
	advise_why_partly(&r);
	if (!x->e.nouts)
		advise_behind_bridged(&r);
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
