/* SPDX-License-Identifier: ISC
 *
 * With CAP_NET_RAW it is known that nothing arrives.  Without it only that nothing got to an entry: what surely keeps
 * packets from that is told, and what else came in is told as what it is, packets of whatever group.
 */
#include "applets/doctor/advise_none.h"

#include <stdio.h>

#include "applets/doctor/advise_bridge.h"
#include "applets/doctor/advise_link.h"
#include "applets/doctor/advise_rule.h"
#include "applets/doctor/evidence_entry.h"
#include "applets/doctor/passage.h"
#include "conf/match.h"

static bool advise_none_link(struct advice *r, const struct probe_link *l)
{
	char why[ADVISE_WHY];

	if (!*advise_link_trouble(r, l, why))
		return false;
	r->f->what = "nothing";
	finding_add(r->f, FINDING_ERROR, "nothing arrives: %s on %s, which %s", r->flow, l->name, why);
	advise_link_mend(r, l);
	return true;
}

/* No packet arrives there, as far as is seen. */
static bool advise_none_silent(struct advice *r, const struct probe_link *l)
{
	bool member = sample_is_member(r->d, l->ifindex, &r->x->w->flow.group);

	if (advise_none_link(r, l) || (l->master && advise_bridge_waits(r, l)))
		return true;
	r->f->what = "nothing";
	finding_add(r->f, FINDING_ERROR, "nothing arrives: no packet of %s on %s within %u s; %s%s%s", r->flow, l->name,
		    r->d->seconds, ADVISE_LOOK, member ? "" :
		    "; this host is no member there, and a switch that snoops passes a group only to members",
		    !member && match_is_ssm(&r->x->w->flow.group, 128) ?
		    ", who must name its source (mgroup from IFNAME source ADDR group ADDR)" : "");
	if (!member && r->k->taken == 1 && !advice_is_foreign(r->d))
		advise_rule_join(r, l->name);
	finding_or(r->f);
	remedy_link(r->f, l->name, "promisc on");
	return true;
}

bool advise_none_obstacle(struct advice *r, const struct probe_link *l)
{
	struct doctor *d = r->d;
	struct probe_lookup now = { .table = probe_default_table(r->fam) };
	char where[REMEDY_WHERE];
	const struct probe_vif *v;

	if (advise_none_link(r, l) || (l->master && advise_bridge_waits(r, l)) || advise_bridge_keeps(r, l))
		return true;
	if (r->fam == FAM_6 && l->v6 == 0) {
		r->f->what = "ipv6_off";
		finding_add(r->f, FINDING_ERROR, "IPv6 is off on %s, where a rule waits for %s", l->name, r->flow);
		remedy_v6(r->f, l);
		return true;
	}
	probe_table(r->fam, l->name, &now);
	v = host_vif(&r->k->vifs, l->ifindex, 0);
	if (!v && r->fam == FAM_6 && l->routing[FAM_6] == 1 && now.table == probe_default_table(FAM_6))
		v = host_vif(&d->host.of[FAM_4].vifs, l->ifindex, 0);
	else if (v && now.table && host_vif(&r->k->vifs, l->ifindex, now.table))
		v = NULL;
	if (v && v->table == now.table)
		v = NULL;
	if (!v)
		return false;
	r->f->what = "table";
	finding_add(r->f, FINDING_ERROR, "looked up in another table: packets that come in on %s are %s, the routes "
		    "are in table %u", l->name, remedy_where(now.table, where), v->table);
	remedy_table(r->f, r->fam, l->name, &now, v->table);
	return true;
}

/* Each interface where the group should arrive, and what there is to say of it: a function that returns true when it
 * has said something. */
typedef bool advise_none_fn(struct advice *r, const struct probe_link *l);

static unsigned advise_none_each(struct advice *r, advise_none_fn *fn)
{
	const struct doctor *d = r->d;
	const struct probe_links *links = &d->host.links;
	unsigned n = 0;

	for (const struct probe_link *l = links->v; l < links->v + links->n; l++) {
		/* Without rules that tell, each interface that routes is one where it may arrive. */
		bool is_expected = d->host.conf->nmroutes ? advise_rule_waits(r, l) :
				   fn == advise_none_obstacle && l->routing[d->fam] == 1;

		for (uint32_t i = 0; i < d->flows.n; i++) {
			const struct watched *w = &d->flows.v[i];

			is_expected |= w->has_entry && !w->e.unresolved && w->e.noifs && w->e.iif == l->ifindex;
		}
		n += is_expected && fn(r, l);
	}
	return n;
}

/* Without rights: packets came in, and nobody knows of which group.  With is_beside some of it was routed. */
static bool advise_none_hidden(struct advice *r, bool is_beside)
{
	const struct probe_links *links = &r->d->host.links;
	const struct probe_counters *a = &r->d->before.count, *b = &r->d->after.count;
	/* A rule that nobody here may read may have made another group of it. */
	bool any = false, is_all = !is_beside && passage_is_hidden(r->d);

	r->f->what = "unsure";
	for (const struct probe_link *l = links->v; l < links->v + links->n; l++) {
		uint64_t in = l->flags & LINK_LOOPBACK ? 0 : evidence_entry_unrouted(r->d, l, is_all);

		/* A sender may be as slow as the chatter of neighbours: only of none at all it is known. */
		if (in <= (is_beside ? 4 * EVIDENCE_CHATTER(r->d) : 0))
			continue;
		/* MIFs of other tables are not listed, so that nothing seems to be routed there. */
		if (is_beside && (!advise_rule_waits(r, l) || !host_vif(&r->d->after.vifs, l->ifindex, 0)))
			continue;
		any = true;
		finding_add(r->f, FINDING_UNSEEN, "whether %s%s arrives on %s: %llu packets to groups came in there "
			    "that were not routed as it%s; root sees what they are", is_beside ? "more of " : "",
			    r->flow, l->name, (ull)in, in > EVIDENCE_CHATTER(r->d) ? "" :
			    ", as few as neighbours say by themselves");
		advice_root(r);
	}
	r->f->what = "rp_filter";
	if (!r->d->is_uncounted && b->rp_filter > a->rp_filter) {
		finding_add(r->f, FINDING_NOTE, "the reverse path filter of this host refused %llu packets meanwhile, "
			    "of whatever source: there is no route back to it by the interface where they came in; "
			    "root sees whether it sends %s", (ull)(b->rp_filter - a->rp_filter), r->flow);
		advice_root(r);
		finding_fix(r->f, "grep . /proc/sys/net/ipv4/conf/*/rp_filter");
	}
	return any;
}

bool advise_none_router(struct advice *r)
{
	if (r->k->taken != 0)
		return false;
	r->f->what = "no_router";
	finding_add(r->f, FINDING_ERROR, "no multicast router runs here, so nothing of %s is forwarded", r->flow);
	advise_rule_start(r);
	return true;
}

/* An advice on all sources of a group. */
static void advise_none_begin(struct advice *r, struct doctor *d, struct watched *none, struct evidence_flow *x)
{
	*none = (struct watched){ .flow.group = d->group };
	*x = (struct evidence_flow){ .w = none, .is_any = true };
	addr_any(d->fam, &none->flow.source, &(uint8_t){ 0 });
	advice_begin(r, d, x);
}

/* The watch was too short to say that nothing comes. */
static bool advise_none_short(struct advice *r)
{
	r->f->what = "unsure";
	finding_add(r->f, FINDING_UNSEEN, "whether %s arrives: doctor was ended before it had watched a second; let "
		    "it watch longer", r->flow);
	finding_fix(r->f, "smcroute-check doctor %s", r->group);
	return true;
}

void advise_none_beside(struct doctor *d)
{
	struct evidence_flow x;
	struct watched none;
	struct advice r;

	advise_none_begin(&r, d, &none, &x);
	if (!d->sniffs)
		advise_none_hidden(&r, true);
}

void advise_none(struct doctor *d, struct advise_sum *a)
{
	struct evidence_flow x;
	struct watched none;
	struct advice r;
	bool has_none, is_open;

	advise_none_begin(&r, d, &none, &x);
	has_none = advise_none_router(&r);
	is_open = (!d->sniffs || d->is_short) && !has_none;
	if (is_open && !advise_none_each(&r, advise_none_obstacle) &&
	    (d->is_short ? advise_none_short(&r) : advise_none_hidden(&r, false))) {
		a->unsure++;
		return;
	}
	a->bad++;
	if ((!d->sniffs || is_open) && r.f->count[FINDING_ERROR])
		return;
	if (advise_none_each(&r, advise_none_silent))
		return;
	r.f->what = "nothing";
	finding_add(r.f, FINDING_ERROR, "nothing arrives: no packet of %s within %u s, and no rule tells where it "
		    "should; %s", r.flow, d->seconds, ADVISE_LOOK);
	advice_tcpdump(&r, "any");
}
