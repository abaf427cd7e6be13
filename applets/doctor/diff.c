/* SPDX-License-Identifier: ISC */
#include "applets/doctor/diff.h"

#include "applets/doctor/remedy.h"

/* Counters that were reset or wrapped count from 0. */
static uint64_t diff_grown(uint64_t before, uint64_t after)
{
	return after >= before ? after - before : after;
}

static uint64_t diff_less(uint64_t a, uint64_t b)
{
	return a > b ? a - b : 0;
}

/* Makes the VIFs of the second sample count what they count more than in the first. */
static void diff_vifs(struct doctor *d)
{
	for (int i = 0; i < d->after.vifs.n; i++) {
		struct probe_vif *b = &d->after.vifs.v[i];
		const struct probe_vif *a = host_vif(&d->before.vifs, b->ifindex, b->table);

		b->st.in_packets = a ? diff_grown(a->st.in_packets, b->st.in_packets) : 0;
		b->st.out_packets = diff_grown(a ? a->st.out_packets : 0, b->st.out_packets);
	}
}

/* What an output should have had of all flows of the group. */
static uint64_t diff_wanted(const struct doctor *d, const struct probe_vif *v)
{
	uint64_t sum = 0;

	for (const struct sample_flow *w = d->flows; w < d->flows + d->nflows; w++)
		for (unsigned k = 0; w->has_entry && w->e.table == v->table && k < w->e.noifs; k++)
			if (w->e.oif[k] == v->ifindex)
				sum += w->d.right;
	return sum;
}

/* Finds the output that lacks most; sums up what all of them had. */
static void diff_outputs(struct doctor *d, struct sample_flow *w)
{
	w->d.outputs = w->e.noifs;
	for (unsigned i = 0; i < w->e.noifs; i++) {
		const struct probe_link *l = host_link(&d->host, w->e.oif[i]);
		const struct sample_others *o = sample_others(d, w->e.table, w->e.oif[i]);
		const struct probe_vif *v = host_vif(&d->after.vifs, w->e.oif[i], w->e.table);
		uint64_t others = diff_less(o->packets[1], o->packets[0]), lacking = 0;
		bool down = l && !(l->flags & LINK_UP);

		if (v)
			lacking = diff_less(diff_wanted(d, v), diff_less(v->st.out_packets, others));
		if (lacking > w->d.right)
			lacking = w->d.right;
		/* It is the others' that lack where this flow is seen to come with enough TTL and nothing was too
		 * large. */
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

struct diff_packet {
	struct probe_packet p;
	struct findings *f;
	bool maybe;			/* those that may drop it, with f */
	unsigned n;
};

static void diff_chain(void *ctx, const struct probe_chain *c)
{
	struct diff_packet *j = ctx;

	if (j->f && c->surely == j->maybe)
		return;
	if (j->f)
		remedy_chain(j->f, c, &j->p, 128);
	j->n++;
}

static void diff_judge_hooks(const struct doctor *d, const struct sample_flow *w, bool before, struct diff_packet *j)
{
	const struct nft *nft = d->host.nft;

	if (nft && before)
		probe_nft_judge(nft, HOOK_BEFORE, &j->p, diff_chain, j);
	for (unsigned i = 0; nft && !before && i < w->e.noifs; i++) {
		j->p.oif = w->e.oif[i];
		j->p.oif_name = host_name(&d->host, j->p.oif);
		probe_nft_judge(nft, HOOK_FORWARD, &j->p, diff_chain, j);
		probe_nft_judge(nft, HOOK_AFTER, &j->p, diff_chain, j);
	}
}

unsigned diff_judge(const struct doctor *d, const struct sample_flow *w, int iif, bool before, struct findings *f)
{
	const struct probe_link *in = host_link(&d->host, iif);
	struct diff_packet j = {
		.p = { .flow = { w->src, d->group }, .any_source = w->any_source,
		       .iif = in ? iif : 0, .iif_name = in ? in->name : NULL },
		.f = f,
	};

	diff_judge_hooks(d, w, before, &j);
	j.maybe = true;
	if (f && !j.n)
		diff_judge_hooks(d, w, before, &j);
	return j.n;
}

/* True when the packet filter can be read and lets a flow pass. */
static bool diff_filter_lets(const struct doctor *d, const struct sample_flow *w)
{
	return d->host.nft && probe_iptables(d->fam) != 1 && !diff_judge(d, w, w->e.iif, false, NULL);
}

/* Copies that VIFs counted and the host did not send: what is sent besides hides some, so the larger of two gaps. */
static uint64_t diff_unsent(const struct doctor *d)
{
	const struct probe_counters *a = &d->before.count, *b = &d->after.count;
	uint64_t sent = 0, forwarded, multicast;

	if (d->is_uncounted)
		return 0;
	for (int i = 0; i < d->after.vifs.n; i++)
		sent += d->after.vifs.v[i].st.out_packets;
	forwarded = diff_less(sent, diff_grown(a->forwarded, b->forwarded));
	multicast = diff_less(sent, diff_grown(a->mcast_out, b->mcast_out));
	return forwarded > multicast ? forwarded : multicast;
}

/* Packets that came in on an interface and were not routed from there: what may be of this group.  Drivers that count
 * no multicast count all packets. */
static uint64_t diff_unrouted(const struct doctor *d, const struct probe_link *l)
{
	const struct probe_links *before = &d->links_before;
	const struct host_vifs *vifs = &d->after.vifs;
	uint64_t in = 0, routed = 0;

	for (const struct probe_link *was = before->v; was < before->v + before->n; was++)
		if (was->ifindex == l->ifindex)
			in = l->multicast ? diff_grown(was->multicast, l->multicast) :
			     diff_grown(was->packets, l->packets);
	for (int i = 0; i < vifs->n; i++)
		if (vifs->v[i].ifindex == l->ifindex)
			routed += vifs->v[i].st.in_packets;
	return diff_less(in, routed);
}

/* The interface with most of those, when they are more than the chatter of neighbours. */
static void diff_guess_input(const struct doctor *d, struct sample_flow *w)
{
	const struct probe_links *links = &d->host.links;
	uint64_t chatter = d->seconds + 5;

	for (const struct probe_link *l = links->v; l < links->v + links->n; l++) {
		uint64_t in = l->flags & LINK_LOOPBACK ? 0 : diff_unrouted(d, l);

		if (in > chatter && in > w->d.arrived) {
			w->d.arrived = in;
			w->in = l->ifindex;
		}
	}
}

/* What the interface is like where it arrives: its VIF, its table, its reverse path filter. */
static void diff_input(const struct doctor *d, struct sample_flow *w)
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
	if (!w->any_source)
		w->d.rp_refuses = remedy_rp_refuses(h, l, &w->src, &r, why);
}

static void diff_flow(const struct doctor *d, struct sample_flow *w)
{
	if (!d->is_uncounted) {
		w->d.frag_fails = diff_grown(d->before.count.frag_fails, d->after.count.frag_fails);
		w->d.rp_filter = diff_grown(d->before.count.rp_filter, d->after.count.rp_filter);
	}
	if (w->has_entry) {
		w->d.unresolved = w->e.unresolved;
		w->d.right = diff_grown(w->right_before, w->e.st.packets) / sample_copies(&w->e);
		/* Too few does no harm: it is compared with what went out. */
		if (w->d.seen && w->d.right > w->d.arrived)
			w->d.right = w->d.arrived;
		w->d.wrong = diff_grown(w->wrong_before, w->e.st.wrong_if);
	}
	if (!w->in && w->d.right)
		w->in = w->e.iif;
	else if (!w->in)
		diff_guess_input(d, w);
	diff_input(d, w);
}

/* Flows without an entry of their own are forwarded by one for all sources, if there is one: they become part of
 * that. */
static void diff_merge(struct doctor *d)
{
	struct sample_flow *all = NULL, *w, *kept = d->flows;
	struct addr any;
	uint8_t len;

	addr_any(d->fam, &any, &len);
	for (w = d->flows; w < d->flows + d->nflows; w++)
		if (w->has_entry && addr_eq(&w->src, &any))
			all = w;
	if (!all)
		return;
	all->any_source = true;
	for (w = d->flows; w < d->flows + d->nflows; w++) {
		if (w->has_entry)
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
	for (w = d->flows; w < d->flows + d->nflows; w++)
		if (w->has_entry)
			*kept++ = *w;
	d->nflows = (unsigned)(kept - d->flows);
}

void diff_guess(struct doctor *d)
{
	addr_any(d->fam, &d->unknown.src, &(uint8_t){ 0 });
	diff_flow(d, &d->unknown);
}

void diff_flows(struct doctor *d)
{
	bool busy = false;

	diff_vifs(d);
	diff_merge(d);
	for (unsigned i = 0; i < d->nflows; i++) {
		diff_flow(d, &d->flows[i]);
		busy |= i && d->flows[i].d.right;
	}
	/* Only what is sent besides can be mistaken for this flow's. */
	for (unsigned i = 0; i < d->nothers; i++)
		busy |= d->others[i].packets[1] > d->others[i].packets[0];
	for (struct sample_flow *w = d->flows; w < d->flows + d->nflows; w++) {
		if (!w->has_entry)
			continue;
		diff_outputs(d, w);
		w->d.unsent = busy && diff_filter_lets(d, w) ? 0 : diff_unsent(d);
	}
}
