/* SPDX-License-Identifier: ISC
 *
 * The samples lie inside each other (host counters, VIFs, entries; entries, VIFs, host counters), so that what is in
 * transit never makes a counter look short.
 */
#include "applets/doctor/sample.h"

#include <poll.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/fd.h"

#define SLICE 1024		/* packets read in one go */
#define OTHERS_LOOKED 256	/* entries of other groups that are looked at in detail */

unsigned sample_copies(const struct probe_mfc *e)
{
	unsigned n = 1;

	for (unsigned i = 0; flow_fam(&e->flow) == FAM_4 && i < e->noifs; i++)
		n += probe_member(e->oif[i], &e->flow.group) == 1;
	return n;
}

struct sample_others *sample_others(struct doctor *d, uint32_t table, int oif)
{
	struct sample_others *o = d->others;

	while (o < d->others + d->nothers && (o->table != table || o->oif != oif))
		o++;
	return o;
}

static void sample_others_add(struct doctor *d, const struct probe_mfc *e)
{
	unsigned copies = d->looked++ < OTHERS_LOOKED ? sample_copies(e) : 1;

	for (unsigned i = 0; i < e->noifs; i++) {
		struct sample_others *o = sample_others(d, e->table, e->oif[i]);

		if (o == d->others + d->nothers) {
			if (d->nothers == HOST_VIFS)
				return;
			d->nothers++;
			o->table = e->table;
			o->oif = e->oif[i];
		}
		o->packets[d->is_second] += e->st.packets / copies;
	}
}

/* The flow of a source; a new one when there is room, else NULL. */
static struct sample_flow *sample_flow(struct doctor *d, const struct addr *src)
{
	struct sample_flow *w = d->flows;

	for (; w < d->flows + d->nflows; w++)
		if (addr_eq(&w->src, src))
			return w;
	if (d->nflows == SAMPLE_FLOWS) {
		d->has_more = true;
		return NULL;
	}
	w->src = *src;
	d->nflows++;
	return w;
}

static void sample_entry(void *ctx, const struct probe_mfc *e)
{
	struct doctor *d = ctx;
	struct sample_flow *w;

	if (!addr_eq(&e->flow.group, &d->group)) {
		sample_others_add(d, e);
		return;
	}
	w = sample_flow(d, &e->flow.source);
	/* Of entries in two tables the busier one. */
	if (!w || (w->has_entry && w->e.st.packets > e->st.packets))
		return;
	if (!d->is_second) {
		w->right_before = e->st.packets;
		w->wrong_before = e->st.wrong_if;
	}
	w->has_entry = true;
	w->e = *e;
}

static void sample_packet(void *ctx, const struct probe_sniffed *p)
{
	struct doctor *d = ctx;
	struct sample_flow *w = sample_flow(d, &p->src);

	if (!w)
		return;
	/* Where the entry waits for it, or else where it was seen first. */
	if (!w->in || (w->has_entry && w->e.iif == p->ifindex))
		w->in = p->ifindex;
	w->d.seen = true;
	w->d.arrived++;
	if (p->ttl > w->d.ttl)
		w->d.ttl = p->ttl;
	if (p->len > w->len)
		w->len = p->len;
}

/* Waits, and looks at the packets that arrive meanwhile. */
static void sample_watch(struct doctor *d, int fd)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	int64_t end = clock_ms() + (int64_t)d->seconds * 1000, left;

	while ((left = end - clock_ms()) > 0)
		if (poll(&pfd, 1, (int)left) > 0 && probe_sniff_drain(fd, SLICE, sample_packet, d) < 0)
			pfd.fd = -1;	/* what it saw until now is true all the same */
}

int sample_take(struct doctor *d, const struct conf *c)
{
	int fd = probe_sniff_open(&d->group);

	d->sniffs = fd >= 0;
	d->is_uncounted = probe_counters(d->fam, &d->before.count) < 0;
	d->before.vifs.n = probe_vifs(d->fam, d->before.vifs.v, HOST_VIFS);
	if (probe_mfc(d->fam, sample_entry, d) < 0 || probe_links(&d->links_before) < 0)
		return fd_fail(fd);
	sample_watch(d, fd);
	if (fd >= 0)
		close(fd);
	d->is_second = true;
	for (unsigned i = 0; i < d->nflows; i++)
		d->flows[i].has_entry = false;
	if (probe_mfc(d->fam, sample_entry, d) < 0)
		return -1;
	d->after.vifs.n = probe_vifs(d->fam, d->after.vifs.v, HOST_VIFS);
	d->is_uncounted |= probe_counters(d->fam, &d->after.count) < 0;
	return host_probe(&d->host, c);
}

void sample_free(struct doctor *d)
{
	host_free(&d->host);
	probe_links_free(&d->links_before);
}
