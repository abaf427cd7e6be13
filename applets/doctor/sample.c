/* SPDX-License-Identifier: ISC */
#include "applets/doctor/sample.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conf/match.h"
#include "conf/read.h"
#include "lib/grow.h"

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

const struct probe_link *sample_before(const struct doctor *d, const struct probe_link *l)
{
	const struct probe_links *before = &d->links_before;

	for (const struct probe_link *was = before->v; was < before->v + before->n; was++)
		if (l && was->ifindex == l->ifindex)
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

uint64_t sample_unsent(const struct doctor *d, const struct probe_link *l)
{
	const struct probe_link *was = sample_before(d, l);

	return sample_more(was ? was->unsent : 0, l->unsent);
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

/* ---- both samples ---- */

int sample_first(struct doctor *d)
{
	probe_members(d->fam, sample_member_add, d);
	if (d->nmembers)
		qsort(d->members, d->nmembers, sizeof *d->members, sample_member_order);
	sample_mdb(d, &d->before.mdb);
	return probe_links(&d->links_before);
}

void sample_counters(struct doctor *d, bool is_second)
{
	struct sample *s = is_second ? &d->after : &d->before;

	if (is_second)
		s->vifs.n = probe_vifs(d->fam, s->vifs.v, HOST_VIFS);
	d->is_uncounted |= probe_counters(d->fam, &s->count) < 0;
	if (!is_second)
		s->vifs.n = probe_vifs(d->fam, s->vifs.v, HOST_VIFS);
}

int sample_entries(struct doctor *d, bool is_second)
{
	d->is_second = is_second;
	flows_forget(&d->flows, is_second);
	for (unsigned i = 0; i < d->nloads; i++)
		d->loads[i].packets[is_second] = 0;
	return probe_mfc(d->fam, sample_entry, d);
}

int sample_second(struct doctor *d)
{
	if (probe_links(&d->host.links) < 0)
		return -1;
	sample_mdb(d, &d->after.mdb);
	return 0;
}

static void sample_answer(void *ctx, const struct probe_mfc *e)
{
	flows_answer(&((struct doctor *)ctx)->flows, e);
}

/* The router was asked for its rules since: what the kernel asked before that it has answered, if it ever will. */
static void sample_answers(struct doctor *d)
{
	bool waits = false;

	for (const struct watched *w = d->flows.v; w < d->flows.v + d->flows.n; w++)
		waits |= w->has_entry && w->e.unresolved;
	if (waits)
		probe_mfc(d->fam, sample_answer, d);
}

int sample_look(struct doctor *d)
{
	bool is_given = d->file;
	char comm[32];
	int pid;

	if (!kernel_mroute_holder(d->fam, 0, &pid, comm, sizeof comm) || !probe_is_smcrouted(pid, comm))
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
	sample_answers(d);
	return 0;
}

bool sample_is_its_file(struct doctor *d)
{
	struct stat ours, its;

	return !d->running.answers || !d->file || stat(d->file, &ours) < 0 ||
	       stat(buf_cstr(&d->running.file), &its) < 0 ||
	       (ours.st_ino == its.st_ino && ours.st_dev == its.st_dev);
}

void sample_free(struct doctor *d)
{
	host_free(&d->host);
	probe_filters_close(d->filters_before);
	probe_links_free(&d->links_before);
	flows_free(&d->flows);
	running_free(&d->running);
	diags_free(&d->file_diags);
	conf_free(d->file_conf);
	free(d->before.mdb.v);
	free(d->after.mdb.v);
	free(d->members);
	free(d->memo);
}
