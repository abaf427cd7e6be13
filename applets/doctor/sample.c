/* SPDX-License-Identifier: ISC
 *
 * The samples lie inside each other (host counters, VIFs, entries; entries, VIFs, host counters), so that what is in
 * transit never makes a counter look short.
 */
#include "applets/doctor/sample.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conf/read.h"
#include "lib/clock.h"
#include "lib/grow.h"

#define SLICE 4096		/* packets read in one go */

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

	if (addr_eq(&e->flow.group, &d->group))
		flows_entry(&d->flows, e, d->is_second);
	else
		sample_others(d, e);
}

/* ---- packets ---- */

static void sample_packet(void *ctx, const struct probe_sniffed *p)
{
	struct doctor *d = ctx;

	flows_packet(&d->flows, p);
}

/* Reads what is there; false when the sockets failed. */
static bool sample_drain(struct doctor *d, const struct probe_sniff *s)
{
	int n;

	while ((n = probe_sniff_drain(s, SLICE, sample_packet, d)) >= SLICE)
		;
	return n >= 0;
}

/* Waits, and looks at the packets that pass meanwhile. */
static void sample_watch(struct doctor *d, const struct probe_sniff *s)
{
	struct pollfd pfd[2] = { { .fd = s->fd[0], .events = POLLIN }, { .fd = s->fd[1], .events = POLLIN } };
	int64_t end = clock_ms() + (int64_t)d->seconds * 1000, left;

	while ((left = end - clock_ms()) > 0) {
		if (poll(pfd, 2, (int)left) <= 0)
			continue;
		if (!sample_drain(d, s))
			pfd[0].fd = pfd[1].fd = -1;	/* what was seen until now is true all the same */
		else if ((left = end - clock_ms()) > 0)
			poll(NULL, 0, left < 20 ? (int)left : 20);	/* many in one go */
	}
}

static int sample_first(struct doctor *d)
{
	d->is_uncounted = probe_counters(d->fam, &d->before.count) < 0;
	probe_members(d->fam, sample_member_add, d);
	if (d->nmembers)
		qsort(d->members, d->nmembers, sizeof *d->members, sample_member_order);
	if (probe_links(&d->links_before) < 0)
		return -1;
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
	return 0;
}

int sample_take(struct doctor *d)
{
	struct probe_sniff s;
	int result;

	d->sniffs = probe_sniff_open(&s, d->fam, &d->group) == 0;
	result = sample_first(d);
	if (d->sniffs && result == 0) {
		sample_drain(d, &s);
		flows_unsee(&d->flows);
		probe_sniff_lost(&s);
	}
	if (result == 0) {
		sample_watch(d, &s);
		result = sample_second(d);
	}
	if (d->sniffs) {
		sample_drain(d, &s);
		d->unread = probe_sniff_lost(&s);
	}
	probe_sniff_close(&s);
	return result;
}

int sample_look(struct doctor *d)
{
	bool is_given = d->file;
	char comm[32];
	int pid;

	if (!kernel_mroute_holder(d->fam, &pid, comm, sizeof comm) || strncmp(comm, "smcroute", 8))
		pid = 0;
	d->file_conf = conf_new();
	if (!d->file_conf || !running_find(&d->running, pid))
		return -1;
	if (!is_given && access(buf_cstr(&d->running.file), R_OK) == 0)
		d->file = buf_cstr(&d->running.file);
	if (d->file && !conf_parse_file(d->file_conf, &d->file_diags, d->file) && is_given)
		return -1;
	return host_probe(&d->host, d->running.answers ? d->running.conf : d->file_conf);
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
	free(d->members);
	d->members = NULL;
}
