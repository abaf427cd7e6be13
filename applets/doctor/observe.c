/* SPDX-License-Identifier: ISC
 *
 * No two counters are read at the same moment, and a busy host may let many packets pass between two readings.  So the
 * times of counting lie inside each other, the way that packets take: what an earlier station counts, a later one had
 * to count as well, if it came there.  The first to begin and the last to end are interfaces, then host counters, VIFs,
 * entries, with nothing else read between; and of the packets themselves outputs, the IP stack, the wire.  Where these
 * are not to be seen, a moment is waited for in which none passes.
 */
#include "applets/doctor/observe.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>

#include "conf/match.h"
#include "lib/clock.h"

#define SLICE 4096		/* packets read in one go */
#define TURN_MS 250		/* between two looks at what was seen so far */
#define GATHER_MS 60		/* packets come together that long, so that many are read at once */
#define TURNS 20		/* of reading a sample until no packet comes meanwhile */
#define FEW 1000		/* entries, of more it takes long */
#define CROWD 1000		/* so many and they come together no longer than GATHER_MS / 6 */

/* ---- packets ---- */

static void observe_packet(void *ctx, const struct probe_sniffed *p)
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
static bool observe_drain(struct doctor *d, unsigned counts, unsigned *read)
{
	int n;

	d->counts = counts;
	do {
		n = probe_sniff_drain(&d->sockets, SLICE, observe_packet, d);
		*read += n > 0 ? (unsigned)n : 0;
	} while (n >= SLICE);
	return n >= 0;
}

/* ---- the time between ---- */

static volatile sig_atomic_t observe_is_over;

static void observe_end_now(int sig)
{
	(void)sig;
	observe_is_over = 1;
}

/* The first of these ends the watch, and what was seen is told; a second one ends the program. */
static void observe_catch(void)
{
	struct sigaction act = { .sa_handler = observe_end_now, .sa_flags = (int)SA_RESETHAND };

	observe_is_over = 0;
	sigaction(SIGINT, &act, NULL);
	sigaction(SIGTERM, &act, NULL);
}

/* On a terminal: what was seen so far, over and over on one line. */
static void observe_progress(struct doctor *const *d, unsigned n, unsigned left)
{
	uint64_t packets = 0;
	unsigned sources = 0;
	bool sniffs = false;

	for (unsigned i = 0; i < n; i++) {
		const struct flows *f = &d[i]->flows;

		sniffs |= d[i]->sniffs;
		for (uint32_t k = 0; k < f->n; k++)
			sources += f->v[k].first != FLOWS_NONE;
		for (uint32_t k = 0; k < f->nsightings; k++)
			packets += f->sightings[k].n[SNIFF_IP];
	}
	if (sniffs)
		fprintf(stderr, "\rwatching, %u s to go (Ctrl-C ends it): %llu packets, %u source%s \033[K",
			left, (unsigned long long)packets, sources, sources == 1 ? "" : "s");
	else
		fprintf(stderr, "\rwatching counters, %u s to go (Ctrl-C ends it) \033[K", left);
}

/* Waits, and looks at the packets that pass meanwhile. */
static void observe_packets(struct doctor *const *d, unsigned n)
{
	struct pollfd pfd[2 * FAM_N];
	int64_t start = clock_ms(), end = start + (int64_t)d[0]->seconds * 1000, left;
	bool shows = d[0]->shows_progress;
	unsigned read;
	int gather;

	for (unsigned i = 0; i < 2 * n; i++)
		pfd[i] = (struct pollfd){ .fd = d[i / 2]->sockets.fd[i % 2], .events = POLLIN };
	observe_catch();
	while (!observe_is_over && (left = end - clock_ms()) > 0) {
		if (shows)
			observe_progress(d, n, (unsigned)((left + 999) / 1000));
		if (poll(pfd, 2 * n, left < TURN_MS ? (int)left : TURN_MS) <= 0)
			continue;
		read = 0;
		for (unsigned i = 0; i < n; i++)
			if (!observe_drain(d[i], COUNTS_ALL, &read))
				pfd[2 * i].fd = pfd[2 * i + 1].fd = -1;	/* what it saw until now is true */
		gather = read < CROWD ? GATHER_MS : GATHER_MS / 6;
		if (!observe_is_over && (left = end - clock_ms()) > 0)
			poll(NULL, 0, left < gather ? (int)left : gather);
	}
	if (shows)
		fputs("\r\033[K", stderr);
	for (unsigned i = 0; i < n && observe_is_over; i++) {
		d[i]->seconds = (unsigned)((clock_ms() - start) / 1000) + 1;
		d[i]->is_short = clock_ms() - start < SAMPLE_LEAST;
	}
}

/* Reads the entries of a sample behind the packets until then, which count in the second one: again while packets came
 * meanwhile, so that both are of the same moment also where this process has to wait for the processor; but not for
 * ever, nor where that takes long. */
static int observe_entries(struct doctor *d, bool is_second)
{
	struct pollfd pfd[2] = { { .fd = d->sockets.fd[0], .events = POLLIN },
				 { .fd = d->sockets.fd[1], .events = POLLIN } };

	for (unsigned turn = 0;; turn++) {
		d->is_second = false;
		observe_drain(d, is_second ? COUNTS_ALL : 0, &(unsigned){ 0 });
		if (is_second)
			observe_drain(d, COUNTS_OUT, &(unsigned){ 0 });
		if (sample_entries(d, is_second) < 0)
			return -1;
		if (turn == TURNS || d->flows.n > FEW || poll(pfd, 2, 0) <= 0)
			return 0;
	}
}

/* Grows with each packet that this host routes or sends to a group. */
static uint64_t observe_sum(enum fam fam)
{
	struct probe_counters c = { .forwarded = 0 };
	struct host_vifs vifs;
	uint64_t sum;

	probe_counters(fam, &c);
	sum = c.forwarded + c.mcast_out;
	vifs.n = probe_vifs(fam, vifs.v, HOST_VIFS);
	for (int i = 0; i < vifs.n; i++)
		sum += vifs.v[i].st.in_packets + vifs.v[i].st.out_packets;
	return sum;
}

/* Reads what this host, VIFs and entries have counted.  Without the packets, what one of them lacks of another one's is
 * all that is known: again while any were counted meanwhile, so that all are of the same moment. */
static int observe_counters(struct doctor *d, bool is_second)
{
	for (unsigned turn = 0;; turn++) {
		uint64_t sum = observe_sum(d->fam);

		if (!is_second)
			sample_counters(d, is_second);
		if (sample_entries(d, is_second) < 0)
			return -1;
		if (is_second)
			sample_counters(d, is_second);
		if (turn == TURNS || d->flows.n > FEW || observe_sum(d->fam) == sum)
			return 0;
	}
}

/* Opens the sockets and takes the first sample. */
static int observe_begin(struct doctor *d)
{
	d->sniffs = probe_sniff_open(&d->sockets, d->fam, d->is_all ? NULL : &d->group) == 0;
	if (d->sniffs)
		d->filters_before = probe_filters_open();
	if (sample_first(d) < 0)
		return -1;
	if (!d->sniffs)
		return observe_counters(d, false);
	sample_counters(d, false);
	if (observe_entries(d, false) < 0)
		return -1;
	/* From the first reading on what leaves counts, and then what gets to the IP stack, which is read after it;
	 * from the second one on what arrives. */
	observe_drain(d, 0, &(unsigned){ 0 });
	observe_drain(d, COUNTS_OUT | COUNTS_IP, &(unsigned){ 0 });
	probe_sniff_lost(&d->sockets);
	return 0;
}

static int observe_end(struct doctor *d)
{
	if (!d->sniffs)
		return observe_counters(d, true) < 0 ? -1 : sample_second(d);
	/* The other way round; entries afterwards have counted what was seen, and perhaps more: the kernel may be busy
	 * (RTNL) when they are to be read. */
	if (observe_entries(d, true) < 0)
		return -1;
	d->unread = probe_sniff_lost(&d->sockets);
	observe_drain(d, 0, &(unsigned){ 0 });
	sample_counters(d, true);
	return sample_second(d);
}

/* Nothing of this one is watched. */
static int observe_leave(struct doctor *d)
{
	probe_sniff_close(&d->sockets);
	d->sniffs = false;
	return 0;
}

int observe_take(struct doctor *const *d, unsigned n)
{
	unsigned unseen = 0;
	int result = 0;

	for (unsigned i = 0; i < n; i++)
		d[i]->sockets = (struct probe_sniff){ { -1, -1 } };
	for (unsigned i = 0; i < n && result == 0; i++) {
		result = observe_begin(d[i]);
		d[i]->is_unseen = result < 0 && errno == EOPNOTSUPP;
		unseen += d[i]->is_unseen;
		/* Of two families the other one is looked at all the same. */
		if (d[i]->is_unseen && unseen < n)
			result = observe_leave(d[i]);
	}
	if (result == 0)
		observe_packets(d, n);
	for (unsigned i = 0; i < n; i++) {
		if (result == 0 && !d[i]->is_unseen)
			result = observe_end(d[i]);
		probe_sniff_close(&d[i]->sockets);
	}
	return result;
}

