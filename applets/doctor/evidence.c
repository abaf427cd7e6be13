/* SPDX-License-Identifier: ISC
 *
 * Without rights only sums are known: of all copies that VIFs, interfaces and the host counted.  What is missing of a
 * sum may be this flow's or another one's, hence the bounds: at least what others cannot have lost, at most all of it.
 */
#include "applets/doctor/evidence.h"

#include <string.h>

#include "applets/doctor/evidence_bridge.h"
#include "applets/doctor/evidence_entry.h"
#include "applets/doctor/evidence_nat.h"
#include "applets/doctor/passage.h"
#include "applets/doctor/remedy.h"
#include "conf/match.h"

static uint64_t evidence_less(uint64_t a, uint64_t b)
{
	return a > b ? a - b : 0;
}

/* What is left of n packets of a flow, when some of a sum, itself among them, are missing. */
static struct span evidence_share(uint64_t n, uint64_t sum, uint64_t missing)
{
	uint64_t others = evidence_less(sum, n), most = missing < n ? missing : n;

	return (struct span){ .lo = n - most, .hi = n - evidence_less(most, evidence_less(others, missing - most)) };
}

/* What did not pass one station is not at the next. */
static void evidence_no_more(struct span *next, const struct span *before)
{
	next->lo = before->lo < next->lo ? before->lo : next->lo;
	next->hi = before->hi < next->hi ? before->hi : next->hi;
}

void evidence_begin(struct doctor *d)
{
	passage_begin(d);
	for (int i = 0; i < d->after.vifs.n; i++) {
		struct probe_vif *b = &d->after.vifs.v[i];
		const struct probe_vif *a = host_vif(&d->before.vifs, b->ifindex, b->table);

		b->st.in_packets = a ? sample_more(a->st.in_packets, b->st.in_packets) : 0;
		b->st.out_packets = sample_more(a ? a->st.out_packets : 0, b->st.out_packets);
		d->copies += b->st.out_packets;
	}
	for (const struct watched *w = d->flows.v; w < d->flows.v + d->flows.n; w++) {
		uint64_t right = evidence_entry_routed(d, w);

		d->nmoved += right > 0;
		for (unsigned i = 0; right && i < w->e.noifs; i++) {
			struct sample_load *o = sample_load(d, w->e.table, w->e.oif[i]);

			if (o)
				o->ours += right;
		}
	}
}

/* ---- the packet filter ---- */

static struct passage evidence_passage(const struct evidence_flow *x, const struct evidence_out *o)
{
	return (struct passage){ .w = x->w, .here = x->here, .is_any = x->is_any, .in = x->in,
				 .out = o ? o->ifindex : 0, .bridge = o ? o->bridge : 0, .port = o ? o->port : 0 };
}

enum filter evidence_filter(const struct doctor *d, const struct evidence_flow *x, const struct evidence_out *o,
			    enum probe_hook from, enum probe_hook to, probe_chain_fn *fn, void *ctx)
{
	struct passage a = evidence_passage(x, o);

	return passage_ask(d, &a, from, to, fn, ctx);
}

/* ---- outputs ---- */

/* Packets of a kind among those that came in here. */
static struct span evidence_kind(const struct sighting *s, bool is_low, uint32_t limit)
{
	struct span n = { 0, s->other };

	for (const struct shape *at = s->shapes; at < s->shapes + FLOWS_SHAPES && at->n; at++) {
		bool is = is_low ? at->ttl <= limit : at->is_whole && at->len > limit;

		n.lo += is ? at->n : 0;
		n.hi += is ? at->n : 0;
	}
	if (is_low ? s->ttl_min > limit : s->len_max <= limit)
		n.hi = n.lo;
	return n;
}

/* Kinds that count what they send as they do; hardware, and what hands over to a program, may do so later. */
static const char *const evidence_prompt[] = {
	"veth", "wireguard", "vxlan", "geneve", "gre", "gretap", "ip6gre", "ip6gretap", "ipip", "sit", "ip6tnl", NULL
};

/* What it had of the counters of this host. */
static void evidence_counted(struct doctor *d, const struct evidence_flow *x, struct evidence_out *o)
{
	const struct probe_counters *a = &d->before.count, *b = &d->after.count;
	const struct probe_vif *v = host_vif(&d->after.vifs, o->ifindex, x->entry->table);
	const struct probe_link *l = host_link(&d->host, o->ifindex);
	const struct sample_load *load = sample_load(d, x->entry->table, o->ifindex);
	uint64_t n = x->e.right.hi, sum, missing = 0, forwarded, multicast, sent;
	bool is_prompt;

	o->vif = o->sent = o->left = (struct span){ 0, n };
	if (v && load) {
		sum = load->ours + evidence_less(load->packets[1], load->packets[0]);
		o->vif = evidence_share(n, sum, evidence_less(sum, v->st.out_packets));
	} else {
		o->is_hidden = true;
	}
	if (!d->is_uncounted && v) {
		forwarded = evidence_less(d->copies, sample_more(a->forwarded, b->forwarded));
		multicast = evidence_less(d->copies, sample_more(a->mcast_out, b->mcast_out));
		missing = forwarded > multicast ? forwarded : multicast;
		o->sent = evidence_share(n, d->copies, missing);
	}
	evidence_no_more(&o->sent, &o->vif);
	o->left = o->sent;
	is_prompt = l && (remedy_is_among(l->kind, evidence_prompt) ||
			  (!sample_sent(d, l) && sample_unsent(d, l) + verdict_slack(&x->e, n) >= n));
	sent = is_prompt || (l && l->sent) ? sample_sent(d, l) : UINT64_MAX;
	/* What the others have not sent may wait, but for one that sends nothing at all. */
	if (sent < n)
		evidence_no_more(&o->left, &(struct span){ is_prompt ? 0 : sent, is_prompt || !sent ? sent : n });
}

static bool evidence_was_down(const struct doctor *d, const struct probe_link *l)
{
	const struct probe_link *was = sample_before(d, l);

	return !was || !(was->flags & LINK_UP) || !(was->flags & LINK_RUNNING);
}

/* Of n packets that were handed to a driver: what it surely did not send.  Most count late what they sent, but not what
 * they dropped: a tunnel whose program does not read, say. */
static uint64_t evidence_unsent(const struct doctor *d, const struct probe_link *l, uint64_t n)
{
	uint64_t lack = evidence_less(n, sample_sent(d, l)), dropped = sample_unsent(d, l);

	if (remedy_is_among(l->kind, evidence_prompt))
		return lack;
	return dropped + lack / 4 >= lack && dropped < lack ? dropped : dropped >= lack ? lack : 0;
}

static void evidence_out(struct doctor *d, struct evidence_flow *x, unsigned i)
{
	struct evidence_out *o = &x->e.out[i];
	const struct probe_link *l, *in = host_link(&d->host, x->in);
	uint64_t fails = sample_more(d->before.count.frag_fails, d->after.count.frag_fails);
	struct probe_route way;
	struct flow as;

	*o = (struct evidence_out){ .ifindex = x->entry->oif[i], .threshold = x->entry->ttl[i],
				    .filter = FILTER_UNSEEN };
	l = host_link(&d->host, o->ifindex);
	o->is_down = !l || !(l->flags & LINK_UP);
	o->lacks_carrier = l && !(l->flags & LINK_RUNNING);
	o->lacks_family = l && d->fam == FAM_6 && l->v6 == 0;
	o->queue_drops = l ? sample_queue_drops(d, l) : 0;
	evidence_counted(d, x, o);
	if (x->e.is_seen) {
		const struct sighting *s = flows_on(&d->flows, x->w, o->ifindex);

		o->left.lo = o->left.hi = s ? s->n[SNIFF_OUT] : 0;
		if (o->left.hi < x->e.ip)
			o->translated = evidence_translated(d, &(struct passage){ .w = x->w, .here = x->here,
						.is_any = x->is_any, .in = x->in, .out = o->ifindex }, &o->as);
		o->left.lo = o->left.hi += o->translated;
	}
	o->is_fresh = x->entry == &x->w->e && x->w->fresh >> i & 1;
	o->is_fresh = o->left.hi && (o->is_fresh || evidence_was_down(d, l));
	if (x->e.is_seen && l)
		o->unsent = evidence_unsent(d, l, o->left.hi);
	if (o->is_fresh)
		o->vif = o->sent = o->left = (struct span){ verdict_routed(&x->e), verdict_routed(&x->e) };
	if (!o->translated)
		evidence_bridge_out(d, x->w, x->e.is_seen, o);
	if (x->here && x->e.is_seen) {
		o->low = evidence_kind(x->here, true, o->threshold > 1 ? o->threshold : 1);
		o->large = evidence_kind(x->here, false, l ? l->mtu : UINT32_MAX);
	} else {
		o->low.hi = x->e.is_seen ? evidence_less(x->e.right.hi, o->vif.hi) : x->e.right.hi;
		/* Of IPv6 a route may have less than its interface: ip6_dst_mtu_maybe_forward(). */
		o->large.hi = l && in && (l->mtu < in->mtu || d->fam == FAM_6) && !d->is_uncounted ? fails : 0;
	}
	o->lacks_route = o->vif.hi < verdict_routed(&x->e) && o->left.hi < verdict_routed(&x->e) &&
			 probe_route_out(&x->w->flow.group, o->ifindex, &way) == 0 && way.none;
	if (o->left.lo < verdict_routed(&x->e)) {
		struct passage a = evidence_passage(x, o);

		o->filter = evidence_filter(d, x, o, HOOK_FORWARD, HOOK_EGRESS, NULL, NULL);
		o->is_regrouped = passage_changes(d, &a, HOOK_FORWARD, HOOK_EGRESS, &as) &&
				  !addr_eq(&as.group, &x->w->flow.group);
	}
	if (o->bridge && (o->port ? o->port_got : o->most) < verdict_routed(&x->e))
		o->ports = evidence_filter(d, x, o, HOOK_PORT_OUT, HOOK_PORT_EGRESS, NULL, NULL);
}

/* ---- where it comes in ---- */

/* The interface that it comes in on, of those where it was seen: where its entry waits for it, else where most of it
 * gets to the IP stack, else a routing one where it was on the wire, or whose port had it. */
static void evidence_input(const struct doctor *d, struct evidence_flow *x)
{
	const struct host_vifs *vifs = &d->host.of[d->fam].vifs;
	const struct sighting *s = NULL;
	uint64_t most = 0;

	while ((s = flows_next(&d->flows, x->w, s))) {
		const struct probe_link *l = host_link(&d->host, s->ifindex);
		int above = l ? evidence_bridge_above(d, l, s->vlan) : s->ifindex;
		int in = s->n[SNIFF_IP] ? s->ifindex : above;
		const struct sighting *up = above != s->ifindex ? flows_on(&d->flows, x->w, above) : NULL;
		uint64_t n = s->n[SNIFF_IP] ? s->n[SNIFF_IP] + ((uint64_t)1 << 32) : 0;

		/* What routes above it has them from here. */
		if (up && up->n[SNIFF_WIRE] && host_vif(vifs, above, 0) && !host_vif(vifs, s->ifindex, 0))
			continue;
		if (!n && s->n[SNIFF_WIRE] && (host_vif(vifs, in, 0) || (l && l->routing[d->fam] == 1)))
			n = s->n[SNIFF_WIRE];
		if (n && x->w->has_entry && !x->w->e.unresolved && x->w->e.iif == in)
			n += (uint64_t)1 << 48;
		if (n <= most)
			continue;
		most = n;
		x->in = in;
		x->here = s;
	}
}

/* What the interface is like where it arrives: its VIF, its table, its reverse path filter. */
static void evidence_here(const struct doctor *d, struct evidence_flow *x)
{
	const struct host *h = &d->host;
	const struct host_vifs *vifs = &h->of[d->fam].vifs;
	const struct probe_link *l = host_link(h, x->in);
	struct probe_lookup now = { .table = probe_default_table(d->fam) };
	struct evidence *e = &x->e;
	struct probe_route r;
	char why[RP_WHY];

	if (!l) {
		e->has_vif = !e->is_seen;	/* nobody knows better */
		return;
	}
	probe_table(d->fam, l->name, &now);
	if (now.table && host_vif(vifs, l->ifindex, now.table))
		e->has_vif = true;
	else
		e->has_other_table = host_vif(vifs, l->ifindex, 0);
	/* The kernel lists MIFs of the default table alone, but counts all on the interface. */
	if (d->fam == FAM_6 && !e->has_vif && l->routing[FAM_6] == 1) {
		e->has_other_table |= now.table == probe_default_table(FAM_6);
		e->has_vif = !e->has_other_table;
	}
	e->lacks_family = d->fam == FAM_6 && l->v6 == 0;
	e->is_lower = l->master || !e->has_vif;
	if (!x->is_any)
		e->rp_refuses = remedy_rp_refuses(h, l, &x->as.source, &r, why);
	e->has_marked_table = now.marked && now.marked != now.table;
	if (l->rp_filter <= 0)
		e->refused = 0;
}

/* What its entry counted. */
static void evidence_entry(const struct doctor *d, struct evidence_flow *x)
{
	const struct watched *w = x->w, *star = flows_star(&d->flows, &w->flow, x->in);
	struct evidence *e = &x->e;

	if (w->has_entry && w->e.unresolved) {
		e->is_unresolved = true;
	} else if (w->has_entry) {
		x->entry = &w->e;
		e->is_fresh = !w->had_entry || w->e.st.packets < w->packets_before;
		e->right.hi = e->right.lo = evidence_entry_routed(d, w);
		e->wrong = sample_more(w->had_entry ? w->wrong_before : 0, w->e.st.wrong_if);
	} else if (star) {
		x->entry = &star->e;
		e->is_fresh = !star->had_entry;
		e->right.hi = evidence_entry_routed(d, star);
	}
	e->has_entry = x->entry;
	e->is_here = x->entry && x->entry->iif == x->in;
	/* Of one for any source at most its own. */
	if (star && !w->has_entry && e->right.hi > e->ip)
		e->right.hi = e->ip;
}

/* What leaves by an output was routed: an entry that was made anew meanwhile, by a router that was started again say,
 * counts from 0. */
static void evidence_routed(const struct doctor *d, struct evidence_flow *x)
{
	struct evidence *e = &x->e;

	for (unsigned i = 0; x->entry && i < x->entry->noifs; i++) {
		const struct probe_link *l = host_link(&d->host, x->entry->oif[i]);
		const struct sighting *s = flows_on(&d->flows, x->w, x->entry->oif[i]);
		uint64_t n = s && s->n[SNIFF_OUT] < e->ip ? s->n[SNIFF_OUT] : s ? e->ip : 0;

		/* Out of a port its bridge passes frames as well. */
		if (!l || l->master || n <= e->right.hi)
			continue;
		e->is_fresh |= n > e->right.hi + verdict_slack(e, e->ip);
		e->right.lo = e->right.hi = n;
	}
}

static bool evidence_is_own(const struct doctor *d, const struct addr *src)
{
	const struct probe_links *l = &d->host.links;

	for (uint32_t i = 0; i < l->naddresses; i++)
		if (addr_eq(&l->addresses[i].addr, src))
			return true;
	return false;
}

/* What the router sees of it. */
static void evidence_as(const struct doctor *d, struct evidence_flow *x)
{
	const struct passage a = evidence_passage(x, NULL);
	const struct watched *v;

	x->e.is_changed = !x->is_any && evidence_changed(d, &a, &x->as);
	if (!x->e.is_changed)
		x->as = x->w->flow;
	v = x->e.is_changed ? flows_of(&d->flows, &x->as) : NULL;
	x->routed = v && evidence_entry_routed(d, v) ? v : NULL;
	x->e.is_regrouped = !addr_eq(&x->as.group, &x->w->flow.group);
}

void evidence_of(struct doctor *d, const struct watched *w, struct evidence_flow *x)
{
	struct evidence *e = &x->e;
	uint64_t made, seen;

	*x = (struct evidence_flow){ .w = w, .as = w->flow, .is_any = w->is_star };
	*e = (struct evidence){ .fam = d->fam, .unread = d->unread, .is_many = w->is_star };
	x->is_own = !w->is_star && evidence_is_own(d, &w->flow.source);
	e->refused = d->fam == FAM_4 ? sample_more(d->before.count.rp_filter, d->after.count.rp_filter) : 0;
	evidence_input(d, x);
	if (x->here) {
		e->wire = x->here->n[SNIFF_WIRE];
		e->ip = x->here->n[SNIFF_IP];
		e->broken = x->here->broken;
		e->late = x->here->late;
	}
	evidence_entry(d, x);
	if (d->sniffs && !e->wire && !e->ip && e->right.hi && !w->control) {
		made = evidence_made_here(d, w, e->right.hi);
		e->wire = e->ip = made ? made : x->is_own ? e->right.hi : 0;
		e->is_here = e->is_seen = e->wire;
		x->in = e->wire ? x->entry->iif : x->in;
	}
	/* What hardware forwards by itself no socket sees. */
	seen = e->ip + w->control + e->late + (x->here ? x->here->rest : 0);
	e->is_seen |= d->sniffs && e->right.lo <= 2 * seen + 8;
	if (!x->in && e->right.hi)
		x->in = w->e.iif;
	else if (!x->in && e->wrong)
		x->in = evidence_entry_guess(d, w, e->wrong);
	e->is_here |= !e->is_seen && e->right.hi;
	/* Reports of members go through entries, too, where this host is one (ip_mr_input()): with a TTL of 1. */
	e->is_many |= !e->is_seen && d->fam == FAM_4 && d->nmoved > 1 && x->in &&
		      sample_is_member(d, x->in, &w->flow.group);
	if (e->is_seen && !e->is_here)
		e->right = (struct span){ 0, 0 };
	else if (e->is_seen)
		evidence_routed(d, x);
	x->moved = e->wire || e->ip || (!e->is_seen && (e->right.hi || e->wrong || e->is_unresolved));
	x->moved &= !w->is_star || !d->sniffs;
	if (!x->moved)
		return;
	e->frag_fails = sample_more(d->before.count.frag_fails, d->after.count.frag_fails);
	e->ipsec = sample_more(d->before.count.ipsec, d->after.count.ipsec);
	if (e->is_seen && e->right.hi < e->wire)
		evidence_as(d, x);
	/* Groups are no sources either (ip_mc_validate_source(), ip6_rcv_core()). */
	e->stays_here = x->is_own || match_stays_here(&x->as.source) || addr_is_multicast(&x->as.source, 128);
	/* Of one that gets to its entry there is no question where it comes in. */
	if (!e->is_seen || !e->is_here || e->right.hi < e->ip || e->ip < e->wire)
		evidence_here(d, x);
	if (e->ip < e->wire)
		e->ingress = evidence_filter(d, x, NULL, HOOK_PORT_INGRESS, HOOK_INGRESS, NULL, NULL);
	if (e->ip < e->wire && x->here)
		evidence_bridge_in(d, x->w, x->here->ifindex, x->in, e);
	if (e->right.hi < e->ip)
		e->filter = evidence_filter(d, x, NULL, HOOK_BEFORE, HOOK_BEFORE, NULL, NULL);
	e->nouts = x->entry && e->is_here ? x->entry->noifs : 0;
	for (unsigned i = 0; i < e->nouts; i++)
		evidence_out(d, x, i);
}
