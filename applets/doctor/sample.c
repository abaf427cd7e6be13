/* SPDX-License-Identifier: ISC
 *
 * No two counters are read at the same moment, and a busy host may let many packets pass between two readings.  So the
 * times of counting lie inside each other, the way that packets take: what an earlier station counts, a later one had
 * to count as well, if it came there.  The first to begin and the last to end are interfaces, then host counters, VIFs,
 * entries, with nothing else read between; and of the packets themselves outputs, the IP stack, the wire.
 */
#include "applets/doctor/sample.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conf/match.h"
#include "conf/read.h"
#include "lib/clock.h"
#include "lib/grow.h"

#define SLICE 4096		/* packets read in one go */
#define TURN_MS 250		/* between two looks at what was seen so far */
#define GATHER_MS 60		/* packets come together that long, so that many are read at once */
#define CROWD 1000		/* so many and they come together no longer than GATHER_MS / 6 */

/* ---- memberships ---- */

static int sample_member_order(const void *a, const void *b)
{
	const struct sample_member *x = a, *y = b;

	return x->ifindex != y->ifindex ? (x->ifindex < y->ifindex ? -1 : 1) :
	       memcmp(&x->group, &y->group, sizeof x->group);
}

static void sample_member_add(void *ctx, int ifindex, const struct addr *grp)
{
	struct doctor *d = ctx;
	struct sample_member *v = grow(d->members, &d->cmembers, d->nmembers + 1, sizeof *v);

	if (!v)
		return;
	d->members = v;
	v[d->nmembers++] = (struct sample_member){ ifindex, *grp };
}

bool sample_is_member(const struct doctor *d, int ifindex, const struct addr *group)
{
	struct sample_member want = { ifindex, *group };

	return d->nmembers && bsearch(&want, d->members, d->nmembers, sizeof want, sample_member_order);
}

unsigned sample_copies(const struct doctor *d, const struct probe_mfc *e)
{
	unsigned n = 1;

	for (unsigned i = 0; flow_fam(&e->flow) == FAM_4 && i < e->noifs; i++)
		n += sample_is_member(d, e->oif[i], &e->flow.group);
	return n;
}

/* An interface as it was in the first sample; NULL when it was not there. */
static const struct probe_link *sample_before(const struct doctor *d, const struct probe_link *l)
{
	const struct probe_links *before = &d->links_before;

	for (const struct probe_link *was = before->v; was < before->v + before->n; was++)
		if (was->ifindex == l->ifindex)
			return was;
	return NULL;
}

uint64_t sample_more(uint64_t before, uint64_t after)
{
	return after >= before ? after - before : after;
}

uint64_t sample_sent(const struct doctor *d, const struct probe_link *l)
{
	const struct probe_link *was = sample_before(d, l);

	return sample_more(was ? was->sent : 0, l->sent);
}

uint64_t sample_queue_drops(const struct doctor *d, const struct probe_link *l)
{
	const struct probe_link *was = sample_before(d, l);

	return sample_more(was && !strcmp(was->queue, l->queue) ? was->queue_drops : 0, l->queue_drops);
}

uint64_t sample_filter_drops(const struct doctor *d, const struct probe_link *l)
{
	const struct probe_link *was = sample_before(d, l);

	return sample_more(was ? was->filter_drops : 0, l->filter_drops);
}

/* ---- entries ---- */

struct sample_load *sample_load(struct doctor *d, uint32_t table, int oif)
{
	struct sample_load *o = d->loads, *end = d->loads + d->nloads;

	while (o < end && (o->table != table || o->oif != oif))
		o++;
	if (o < end)
		return o;
	if (d->nloads == HOST_VIFS)
		return NULL;
	d->nloads++;
	*o = (struct sample_load){ .table = table, .oif = oif };
	return o;
}

static void sample_others(struct doctor *d, const struct probe_mfc *e)
{
	unsigned copies = sample_copies(d, e);

	for (unsigned i = 0; i < e->noifs; i++) {
		struct sample_load *o = sample_load(d, e->table, e->oif[i]);

		if (o)
			o->packets[d->is_second] += e->st.packets / copies;
	}
}

static void sample_entry(void *ctx, const struct probe_mfc *e)
{
	struct doctor *d = ctx;

	if (d->is_all || addr_eq(&e->flow.group, &d->group))
		flows_entry(&d->flows, e, d->is_second);
	else
		sample_others(d, e);
}

/* ---- members behind bridges ---- */

static void sample_mdb_add(void *ctx, const struct probe_mdb *e)
{
	struct doctor *d = ctx;
	struct sample_mdb *m = d->is_second ? &d->after.mdb : &d->before.mdb;
	struct probe_mdb *v;

	if (!e->is_router && (flow_fam(&e->flow) != d->fam || (!d->is_all && !addr_eq(&e->flow.group, &d->group))))
		return;
	v = grow(m->v, &m->cap, m->n + 1, sizeof *v);
	m->is_unseen |= !v;
	if (!v)
		return;
	m->v = v;
	v[m->n++] = *e;
}

static int sample_mdb_order(const struct flow *a, const struct flow *b)
{
	int order = memcmp(&a->group, &b->group, sizeof a->group);

	return order ? order : memcmp(&a->source, &b->source, sizeof a->source);
}

static int sample_mdb_compare(const void *a, const void *b)
{
	return sample_mdb_order(&((const struct probe_mdb *)a)->flow, &((const struct probe_mdb *)b)->flow);
}

uint32_t sample_mdb_find(const struct sample_mdb *m, const struct flow *flow)
{
	uint32_t lo = 0, hi = m->n;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (sample_mdb_order(&m->v[mid].flow, flow) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static void sample_mdb(struct doctor *d, struct sample_mdb *m)
{
	if (probe_mdb(sample_mdb_add, d) < 0)
		m->is_unseen = true;
	if (m->n)
		qsort(m->v, m->n, sizeof *m->v, sample_mdb_compare);
}

/* ---- packets ---- */

static void sample_packet(void *ctx, const struct probe_sniffed *p)
{
	struct doctor *d = ctx;

	if (d->is_second)
		flows_late(&d->flows, p);
	if (!(d->counts >> p->station & 1))
		return;
	/* Of all groups those that are routed at all. */
	if (!d->is_all || !match_link_local(&p->flow.group, 128))
		flows_packet(&d->flows, p);
}

enum { COUNTS_OUT = 1 << SNIFF_OUT, COUNTS_IP = 1 << SNIFF_IP, COUNTS_ALL = (1 << SNIFF_STATIONS) - 1 };

/* Reads what is there, and counts what is of these stations; false when the sockets failed. */
static bool sample_drain(struct doctor *d, unsigned counts, unsigned *read)
{
	int n;

	d->counts = counts;
	do {
		n = probe_sniff_drain(&d->sockets, SLICE, sample_packet, d);
		*read += n > 0 ? (unsigned)n : 0;
	} while (n >= SLICE);
	return n >= 0;
}

/* ---- the time between ---- */

static volatile sig_atomic_t sample_is_over;

static void sample_end_now(int sig)
{
	(void)sig;
	sample_is_over = 1;
}

/* The first of these ends the watch, and what was seen is told; a second one ends the program. */
static void sample_catch(void)
{
	struct sigaction act = { .sa_handler = sample_end_now, .sa_flags = (int)SA_RESETHAND };

	sample_is_over = 0;
	sigaction(SIGINT, &act, NULL);
	sigaction(SIGTERM, &act, NULL);
}

/* On a terminal: what was seen so far, over and over on one line. */
static void sample_progress(struct doctor *const *d, unsigned n, unsigned left)
{
	uint64_t packets = 0;
	unsigned sources = 0;

	for (unsigned i = 0; i < n; i++) {
		const struct flows *f = &d[i]->flows;

		sources += f->n;
		for (uint32_t k = 0; k < f->nsightings; k++)
			packets += f->sightings[k].n[SNIFF_IP];
	}
	if (d[0]->sniffs)
		fprintf(stderr, "\rwatching, %u s to go (Ctrl-C ends it): %llu packets, %u source%s \033[K",
			left, (unsigned long long)packets, sources, sources == 1 ? "" : "s");
	else
		fprintf(stderr, "\rwatching counters, %u s to go (Ctrl-C ends it) \033[K", left);
}

/* Waits, and looks at the packets that pass meanwhile. */
static void sample_watch(struct doctor *const *d, unsigned n)
{
	struct pollfd pfd[2 * FAM_N];
	int64_t start = clock_ms(), end = start + (int64_t)d[0]->seconds * 1000, left;
	bool shows = d[0]->shows_progress;
	unsigned read;
	int gather;

	for (unsigned i = 0; i < 2 * n; i++)
		pfd[i] = (struct pollfd){ .fd = d[i / 2]->sockets.fd[i % 2], .events = POLLIN };
	sample_catch();
	while (!sample_is_over && (left = end - clock_ms()) > 0) {
		if (shows)
			sample_progress(d, n, (unsigned)((left + 999) / 1000));
		if (poll(pfd, 2 * n, left < TURN_MS ? (int)left : TURN_MS) <= 0)
			continue;
		read = 0;
		for (unsigned i = 0; i < n; i++)
			if (!sample_drain(d[i], COUNTS_ALL, &read))
				pfd[2 * i].fd = pfd[2 * i + 1].fd = -1;	/* what it saw until now is true */
		gather = read < CROWD ? GATHER_MS : GATHER_MS / 6;
		if (!sample_is_over && (left = end - clock_ms()) > 0)
			poll(NULL, 0, left < gather ? (int)left : gather);
	}
	if (shows)
		fputs("\r\033[K", stderr);
	for (unsigned i = 0; i < n && sample_is_over; i++)
		d[i]->seconds = (unsigned)((clock_ms() - start) / 1000) + 1;
}

static int sample_first(struct doctor *d)
{
	probe_members(d->fam, sample_member_add, d);
	if (d->nmembers)
		qsort(d->members, d->nmembers, sizeof *d->members, sample_member_order);
	sample_mdb(d, &d->before.mdb);
	if (probe_links(&d->links_before) < 0)
		return -1;
	d->is_uncounted = probe_counters(d->fam, &d->before.count) < 0;
	d->before.vifs.n = probe_vifs(d->fam, d->before.vifs.v, HOST_VIFS);
	return probe_mfc(d->fam, sample_entry, d);
}

static int sample_second(struct doctor *d)
{
	d->is_second = true;
	if (probe_mfc(d->fam, sample_entry, d) < 0)
		return -1;
	d->after.vifs.n = probe_vifs(d->fam, d->after.vifs.v, HOST_VIFS);
	d->is_uncounted |= probe_counters(d->fam, &d->after.count) < 0;
	if (probe_links(&d->host.links) < 0)
		return -1;
	sample_mdb(d, &d->after.mdb);
	return 0;
}

/* Opens the sockets and takes the first sample. */
static int sample_begin(struct doctor *d)
{
	d->sniffs = probe_sniff_open(&d->sockets, d->fam, d->is_all ? NULL : &d->group) == 0;
	if (sample_first(d) < 0)
		return -1;
	if (d->sniffs) {
		/* From the first reading on what leaves counts, and then what gets to the IP stack, which is read after
		 * it; from the second one on what arrives. */
		sample_drain(d, 0, &(unsigned){ 0 });
		sample_drain(d, COUNTS_OUT | COUNTS_IP, &(unsigned){ 0 });
		probe_sniff_lost(&d->sockets);
	}
	return 0;
}

static int sample_end(struct doctor *d)
{
	int result;

	/* The other way round; entries afterwards have counted what was seen, and perhaps more: the kernel may be busy
	 * (RTNL) when they are to be read. */
	if (d->sniffs) {
		sample_drain(d, COUNTS_ALL, &(unsigned){ 0 });
		sample_drain(d, COUNTS_OUT, &(unsigned){ 0 });
		d->unread = probe_sniff_lost(&d->sockets);
	}
	result = sample_second(d);
	if (d->sniffs)
		sample_drain(d, 0, &(unsigned){ 0 });
	return result;
}

int sample_take(struct doctor *const *d, unsigned n)
{
	int result = 0;

	for (unsigned i = 0; i < n; i++)
		d[i]->sockets = (struct probe_sniff){ { -1, -1 } };
	for (unsigned i = 0; i < n && result == 0; i++)
		result = sample_begin(d[i]);
	if (result == 0)
		sample_watch(d, n);
	for (unsigned i = 0; i < n; i++) {
		if (result == 0)
			result = sample_end(d[i]);
		probe_sniff_close(&d[i]->sockets);
	}
	return result;
}

int sample_look(struct doctor *d)
{
	bool is_given = d->file;
	char comm[32];
	int pid;

	if (!kernel_mroute_holder(d->fam, 0, &pid, comm, sizeof comm) || strncmp(comm, "smcroute", 8))
		pid = 0;
	d->file_conf = conf_new();
	if (!d->file_conf || !running_find(&d->running, pid))
		return -1;
	if (!is_given && access(buf_cstr(&d->running.file), R_OK) == 0)
		d->file = buf_cstr(&d->running.file);
	if (d->file && !conf_parse_file(d->file_conf, &d->file_diags, d->file) && is_given)
		return -1;
	if (host_probe(&d->host, d->running.answers ? d->running.conf : d->file_conf) < 0)
		return -1;
	running_holders(&d->running, &d->host);
	return 0;
}

void sample_free(struct doctor *d)
{
	host_free(&d->host);
	probe_links_free(&d->links_before);
	flows_free(&d->flows);
	running_free(&d->running);
	diags_free(&d->file_diags);
	conf_free(d->file_conf);
	d->file_conf = NULL;
	free(d->before.mdb.v);
	free(d->after.mdb.v);
	free(d->members);
	d->members = NULL;
	free(d->memo);
	d->memo = NULL;
}
