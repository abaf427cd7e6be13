/* SPDX-License-Identifier: ISC
 *
 * From two samples to differences for each flow: which counters of VIFs and of
 * the host are its own, as far as that can be told, and on which interface it
 * arrives.
 */
#include "applets/doctor/doctor.h"

#include <string.h>

#include "applets/doctor/remedy.h"

/* Counters that were reset or wrapped count from 0. */
static uint64_t grown(uint64_t before, uint64_t after)
{
	return after >= before ? after - before : after;
}

static uint64_t less(uint64_t a, uint64_t b)
{
	return a > b ? a - b : 0;
}

/* Makes the VIFs of the second sample count what they count more than in the first. */
static void vifs_diff(struct doctor *d)
{
	for (int i = 0; i < d->after.vifs.n; i++) {
		struct probe_vif *b = &d->after.vifs.v[i];
		const struct probe_vif *a = host_vif(&d->before.vifs, b->ifindex, b->table);

		b->st.in_packets = a ? grown(a->st.in_packets, b->st.in_packets) : 0;
		b->st.out_packets = grown(a ? a->st.out_packets : 0, b->st.out_packets);
	}
}

struct others *doctor_others(struct doctor *d, uint32_t table, int oif)
{
	struct others *o = d->others;

	while (o < d->others + d->nothers && (o->table != table || o->oif != oif))
		o++;
	return o;
}

unsigned doctor_copies(const struct probe_mfc *e)
{
	unsigned n = 1;

	for (unsigned i = 0; flow_fam(&e->flow) == FAM_4 && i < e->noifs; i++)
		n += probe_member(e->oif[i], &e->flow.group) == 1;
	return n;
}

/* ---- outputs ---- */

/* What an output should have had of all flows of the group. */
static uint64_t group_wanted(const struct doctor *d, const struct probe_vif *v)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < d->nflows; i++) {
		const struct seen *w = &d->flows[i];

		for (unsigned k = 0; w->entry && w->e.table == v->table && k < w->e.noifs; k++)
			if (w->e.oif[k] == v->ifindex)
				sum += w->d.right;
	}
	return sum;
}

/* Finds the output that lacks most; sums up what all of them had. */
static void outputs(struct doctor *d, struct seen *w)
{
	w->d.outputs = w->e.noifs;
	for (unsigned i = 0; i < w->e.noifs; i++) {
		const struct probe_link *l = host_link(&d->host, w->e.oif[i]);
		const struct others *o = doctor_others(d, w->e.table, w->e.oif[i]);
		const struct probe_vif *v = host_vif(&d->after.vifs, w->e.oif[i], w->e.table);
		uint64_t others = less(o->packets[1], o->packets[0]), lacking = 0;
		bool down = l && !(l->flags & LINK_UP);

		if (v)
			lacking = less(group_wanted(d, v), less(v->st.out_packets, others));
		if (lacking > w->d.right)
			lacking = w->d.right;
		/* It is the others' that lack where this flow is seen to come with enough TTL and
		 * nothing was too large. */
		if ((d->nflows > 1 || others) && w->d.seen && w->d.ttl > w->e.ttl[i] && !w->d.frag_fails && !down)
			lacking = 0;
		w->d.out += w->d.right - lacking;
		if (i && lacking <= w->d.lacking)
			continue;
		w->worst = w->e.oif[i];
		w->d.lacking = lacking;
		w->d.threshold = w->e.ttl[i];
		w->d.output_down = down;
	}
}

/* ---- packet filter ---- */

struct judge {
	struct probe_packet p;
	struct findings *f;
	bool maybe;			/* those that may drop it, with f */
	unsigned n;
};

static void chain(void *ctx, const struct probe_chain *c)
{
	struct judge *j = ctx;

	if (j->f && c->surely == j->maybe)
		return;
	if (j->f)
		cure_chain(j->f, c, &j->p, 128);
	j->n++;
}

static void judge(const struct doctor *d, const struct seen *w, bool before, struct judge *j)
{
	const struct nft *nft = d->host.nft;

	if (!nft)
		return;
	if (before) {
		probe_nft_judge(nft, HOOK_BEFORE, &j->p, chain, j);
		return;
	}
	for (unsigned i = 0; i < w->e.noifs; i++) {
		j->p.oif = w->e.oif[i];
		j->p.oif_name = host_name(&d->host, j->p.oif);
		probe_nft_judge(nft, HOOK_FORWARD, &j->p, chain, j);
		probe_nft_judge(nft, HOOK_AFTER, &j->p, chain, j);
	}
}

unsigned doctor_judge(const struct doctor *d, const struct seen *w, int iif, bool before,
		      struct findings *f)
{
	const struct probe_link *in = host_link(&d->host, iif);
	struct judge j = { .p = { .flow = { w->src, d->grp }, .any_source = w->any }, .f = f };

	if (in) {
		j.p.iif = iif;
		j.p.iif_name = in->name;
	}
	judge(d, w, before, &j);
	j.maybe = true;
	if (f && !j.n)
		judge(d, w, before, &j);
	return j.n;
}

/* True when the packet filter can be read and lets a flow pass. */
static bool filter_lets(const struct doctor *d, const struct seen *w)
{
	return d->host.nft && probe_iptables(d->fam) != 1 && !doctor_judge(d, w, w->e.iif, false, NULL);
}

/* Copies that VIFs counted and the host did not send: what is sent besides hides some, so the
 * larger of two gaps. */
static uint64_t unsent(const struct doctor *d)
{
	uint64_t sent = 0, forwarded, multicast;

	if (d->uncounted)
		return 0;
	for (int i = 0; i < d->after.vifs.n; i++)
		sent += d->after.vifs.v[i].st.out_packets;
	forwarded = less(sent, grown(d->before.count.forwarded, d->after.count.forwarded));
	multicast = less(sent, grown(d->before.count.mcast_out, d->after.count.mcast_out));
	return forwarded > multicast ? forwarded : multicast;
}

/* ---- where it arrives ---- */

/* Packets that came in on an interface and were not routed from there: what may be of this
 * group.  Drivers that count no multicast count all packets. */
static uint64_t unrouted(const struct doctor *d, const struct probe_link *l)
{
	uint64_t in = 0, routed = 0;

	for (uint32_t i = 0; i < d->links_before.n; i++) {
		const struct probe_link *was = &d->links_before.v[i];

		if (was->ifindex == l->ifindex)
			in = l->multicast ? grown(was->multicast, l->multicast) : grown(was->packets, l->packets);
	}
	for (int i = 0; i < d->after.vifs.n; i++) {
		const struct probe_vif *v = &d->after.vifs.v[i];

		if (v->ifindex == l->ifindex)
			routed += v->st.in_packets;
	}
	return less(in, routed);
}

/* The interface with most of those, when they are more than the chatter of neighbours. */
static void guess(const struct doctor *d, struct seen *w)
{
	uint64_t chatter = d->seconds + 5;

	for (uint32_t i = 0; i < d->host.links.n; i++) {
		const struct probe_link *l = &d->host.links.v[i];
		uint64_t in = l->flags & LINK_LOOPBACK ? 0 : unrouted(d, l);

		if (in > chatter && in > w->d.arrived) {
			w->d.arrived = in;
			w->in = l->ifindex;
		}
	}
}

/* What "here" is like: its VIF, its table, its reverse path filter. */
static void here(const struct doctor *d, struct seen *w)
{
	const struct host *h = &d->host;
	const struct host_vifs *vifs = &h->of[d->fam].vifs;
	const struct probe_link *l = host_link(h, w->in);
	uint32_t table = probe_default_table(d->fam);
	struct probe_route r;
	char why[RP_WHY];

	if (!l)
		return;
	probe_table(d->fam, l->name, &table);
	if (table && host_vif(vifs, l->ifindex, table))
		w->d.vif = true;
	else
		w->d.other_table = host_vif(vifs, l->ifindex, 0);
	/* The kernel lists MIFs of the default table alone, but counts all on the interface. */
	if (d->fam == FAM_6 && !w->d.vif && l->routing[FAM_6] == 1) {
		w->d.other_table = table == probe_default_table(FAM_6);
		w->d.vif = !w->d.other_table;
	}
	if (!w->any)
		w->d.rp_refuses = cure_rp_refuses(h, l, &w->src, &r, why);
}

static void counters(const struct doctor *d, struct seen *w)
{
	if (!d->uncounted) {
		w->d.frag_fails = grown(d->before.count.frag_fails, d->after.count.frag_fails);
		w->d.rp_filter = grown(d->before.count.rp_filter, d->after.count.rp_filter);
	}
}

static void flow_diff(const struct doctor *d, struct seen *w)
{
	counters(d, w);
	if (w->entry) {
		w->d.unresolved = w->e.unresolved;
		w->d.right = grown(w->right_before, w->e.st.packets) / doctor_copies(&w->e);
		/* Too few does no harm: it is compared with what went out. */
		if (w->d.seen && w->d.right > w->d.arrived)
			w->d.right = w->d.arrived;
		w->d.wrong = grown(w->wrong_before, w->e.st.wrong_if);
	}
	if (!w->in && w->d.right)
		w->in = w->e.iif;
	else if (!w->in)
		guess(d, w);
	here(d, w);
}

/* Flows without an entry of their own are forwarded by one for all sources, if there is one:
 * they are told as that. */
static void adopt(struct doctor *d)
{
	struct seen *all = NULL;
	struct addr any;
	unsigned n = 0;
	uint8_t len;

	addr_any(d->fam, &any, &len);
	for (unsigned i = 0; i < d->nflows; i++)
		if (d->flows[i].entry && addr_eq(&d->flows[i].src, &any))
			all = &d->flows[i];
	if (!all)
		return;
	all->any = true;
	for (unsigned i = 0; i < d->nflows; i++) {
		struct seen *w = &d->flows[i];

		if (w->entry)
			continue;
		if (!all->in)
			all->in = w->in;
		if (w->d.ttl > all->d.ttl)
			all->d.ttl = w->d.ttl;
		if (w->len > all->len)
			all->len = w->len;
		all->d.arrived += w->d.arrived;
		all->d.seen |= w->d.seen;
	}
	for (unsigned i = 0; i < d->nflows; i++)
		if (d->flows[i].entry)
			d->flows[n++] = d->flows[i];
	d->nflows = n;
}

void doctor_guess(struct doctor *d)
{
	addr_any(d->fam, &d->unknown.src, &(uint8_t){ 0 });
	flow_diff(d, &d->unknown);
}

void doctor_diff(struct doctor *d)
{
	bool busy = false;

	vifs_diff(d);
	adopt(d);
	for (unsigned i = 0; i < d->nflows; i++) {
		flow_diff(d, &d->flows[i]);
		if (i && d->flows[i].d.right)
			busy = true;
	}
	/* Only what is sent besides can be mistaken for this flow's. */
	for (unsigned i = 0; i < d->nothers; i++)
		if (d->others[i].packets[1] > d->others[i].packets[0])
			busy = true;
	for (unsigned i = 0; i < d->nflows; i++) {
		struct seen *w = &d->flows[i];

		if (!w->entry)
			continue;
		outputs(d, w);
		w->d.unsent = busy && filter_lets(d, w) ? 0 : unsent(d);
	}
}
