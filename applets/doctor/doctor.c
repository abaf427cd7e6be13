/* SPDX-License-Identifier: ISC
 *
 * Watching: two samples of the counters, and between them the packets of the
 * group as they arrive where we may see them.  The samples lie inside each other
 * (host counters, VIFs, entries; entries, VIFs, host counters), so that what is
 * in transit never makes a counter look short.
 */
#include "applets/doctor/doctor.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conf/match.h"
#include "lib/clock.h"
#include "lib/status.h"

#define STANDARD SYSCONFDIR "/smcroute.conf"
#define SLICE 1024		/* packets read in one go */
#define OTHERS_LOOKED 256	/* entries of other groups that are looked at in detail */

/* The flow of a source; a new one when there is room, else NULL. */
static struct seen *flow_get(struct doctor *d, const struct addr *src)
{
	struct seen *w = d->flows;

	for (; w < d->flows + d->nflows; w++)
		if (addr_eq(&w->src, src))
			return w;
	if (d->nflows == DOCTOR_FLOWS) {
		d->more = true;
		return NULL;
	}
	w->src = *src;
	d->nflows++;
	return w;
}

static void others_add(struct doctor *d, const struct probe_mfc *e)
{
	unsigned copies = d->looked++ < OTHERS_LOOKED ? doctor_copies(e) : 1;

	for (unsigned i = 0; i < e->noifs; i++) {
		struct others *o = doctor_others(d, e->table, e->oif[i]);

		if (o == d->others + d->nothers) {
			if (d->nothers == HOST_VIFS)
				return;
			d->nothers++;
			o->table = e->table;
			o->oif = e->oif[i];
		}
		o->packets[d->second] += e->st.packets / copies;
	}
}

static void entry(void *ctx, const struct probe_mfc *e)
{
	struct doctor *d = ctx;
	struct seen *w;

	if (!addr_eq(&e->flow.group, &d->grp)) {
		others_add(d, e);
		return;
	}
	w = flow_get(d, &e->flow.source);
	/* Of entries in two tables the busier one. */
	if (!w || (w->entry && w->e.st.packets > e->st.packets))
		return;
	if (!d->second) {
		w->right_before = e->st.packets;
		w->wrong_before = e->st.wrong_if;
	}
	w->entry = true;
	w->e = *e;
}

static int sample_take(struct doctor *d, struct sample *s)
{
	for (int i = 0; i < 3; i++)
		switch (d->second ? 2 - i : i) {
		case 0:
			if (probe_counters(d->fam, &s->count) < 0)
				d->uncounted = true;
			break;
		case 1:
			s->vifs.n = probe_vifs(d->fam, s->vifs.v, HOST_VIFS);
			break;
		default:
			if (probe_mfc(d->fam, entry, d) < 0)
				return -1;
		}
	return 0;
}

static void packet(void *ctx, const struct probe_sniffed *p)
{
	struct doctor *d = ctx;
	struct seen *w = flow_get(d, &p->src);

	if (!w)
		return;
	/* Where the entry waits for it, or else where it was seen first. */
	if (!w->in || (w->entry && w->e.iif == p->ifindex))
		w->in = p->ifindex;
	w->d.seen = true;
	w->d.arrived++;
	if (p->ttl > w->d.ttl)
		w->d.ttl = p->ttl;
	if (p->len > w->len)
		w->len = p->len;
}

/* Waits, and looks at the packets that arrive meanwhile. */
static void watch(struct doctor *d, int fd)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	int64_t end = clock_ms() + (int64_t)d->seconds * 1000, left;

	while ((left = end - clock_ms()) > 0)
		if (poll(&pfd, 1, (int)left) > 0 && probe_sniff_drain(fd, SLICE, packet, d) < 0)
			pfd.fd = -1;	/* what it saw until now is true all the same */
}

static int look(struct doctor *d, const struct conf *c)
{
	int fd = probe_sniff_open(&d->grp), r;

	d->sniffs = fd >= 0;
	r = sample_take(d, &d->before);
	if (!r)
		r = probe_links(&d->links_before);
	if (!r)
		watch(d, fd);
	probe_sniff_close(fd);
	if (r)
		return r;
	d->second = true;
	for (unsigned i = 0; i < d->nflows; i++)
		d->flows[i].entry = false;
	r = sample_take(d, &d->after);
	return r ? r : host_look(&d->host, c);
}

/* ---- words ---- */

static int usage(const char *word, const char *text)
{
	fprintf(stderr, "smcroute-check doctor: %s%s\n"
			"usage: smcroute-check doctor GROUP [SECONDS] [FILE]\n", word, text);
	return EXIT_USAGE;
}

static int words_read(struct doctor *d, char **words, int n)
{
	bool digits = n > 1 && !words[1][strspn(words[1], "0123456789")];

	if (n < 1 || n > 3)
		return usage(n < 1 ? "" : words[3], n < 1 ? "which group?" : ": one word too many");
	if (addr_parse(words[0], strlen(words[0]), &d->grp) != ADDR_OK || !addr_is_multicast(&d->grp, 128))
		return usage(words[0], " is no address of a multicast group");
	d->fam = addr_fam(&d->grp);
	d->seconds = DOCTOR_SECONDS;
	if (n > 2)
		d->file = words[2];
	if (n == 2 && !digits) {
		d->file = words[1];
	} else if (n > 1) {
		d->seconds = (unsigned)strtoul(words[1], NULL, 10);
		if (!digits || strlen(words[1]) > 4 || !d->seconds || d->seconds > DOCTOR_SECONDS_MAX)
			return usage(words[1], " is no number of seconds from 1 to 3600");
	}
	return 0;
}

/* ---- output ---- */

static void unseen(struct doctor *d)
{
	struct findings *f = &d->host.found;

	f->what = "ttl";
	if (!d->sniffs)
		finding_add(f, FINDING_UNSEEN, "the packets themselves, their TTL and where they arrive: CAP_NET_RAW is "
			    "needed");
	f->what = "counters";
	if (d->uncounted)
		finding_add(f, FINDING_UNSEEN, "the counters of this host: /proc/net is masked");
	f->what = "vifs";
	if (d->after.vifs.n < 0)
		finding_add(f, FINDING_UNSEEN, "the counters of the VIFs: this kernel does not list them");
	host_unseen_nft(&d->host);
	f->what = "flows";
	if (d->more)
		finding_add(f, FINDING_NOTE, "there are more sources than the %d told here", DOCTOR_FLOWS);
}

static bool print(const struct doctor *d, enum form form)
{
	char text[ADDR_STRLEN], head[ADDR_STRLEN + 40];

	snprintf(head, sizeof head, "\"group\":\"%s\",\"seconds\":%u,", addr_str(&d->grp, text), d->seconds);
	return findings_tell(&d->host.found, form, head, form == FORM_JSON ? "}\n" : "");
}

/* Judges all flows that moved; true when each of them is forwarded. */
static bool report(struct doctor *d)
{
	bool fine = true, any = false;

	doctor_diff(d);
	for (unsigned i = 0; i < d->nflows; i++) {
		const struct seen *w = &d->flows[i];

		if (!w->d.right && !w->d.wrong && !w->d.seen && !w->d.unresolved)
			continue;
		any = true;
		if (doctor_report(d, w) != VERDICT_FINE)
			fine = false;
	}
	if (!any) {
		fine = false;
		d->unknown.any = true;
		if (!d->sniffs)
			doctor_guess(d);
		doctor_report(d, &d->unknown);
	}
	unseen(d);
	return fine;
}

int doctor_main(char **words, int n, enum form form)
{
	struct doctor *d = calloc(1, sizeof *d);
	struct conf *c = conf_new();
	struct diags diags = { 0 };
	int status = EXIT_SYSTEM;
	bool fine = false;

	if (!d || !c) {
		fputs("smcroute-check: out of memory\n", stderr);
		goto out;
	}
	status = words_read(d, words, n);
	if (status)
		goto out;
	if (match_link_local(&d->grp, 128)) {
		doctor_report_local(d);
	} else {
		if (!d->file && access(STANDARD, R_OK) == 0)
			d->file = STANDARD;
		if (d->file && !conf_parse_file(c, &diags, d->file) && d->file == words[n - 1]) {
			status = usage(d->file, " cannot be read");
			goto out;
		}
		if (look(d, c) < 0) {
			status = host_failed("cannot look at this host");
			goto out;
		}
		fine = report(d);
	}
	status = !print(d, form) ? EXIT_SYSTEM : fine ? 0 : 1;
out:
	if (d) {
		host_free(&d->host);
		probe_links_free(&d->links_before);
	}
	free(d);
	diags_free(&diags);
	conf_free(c);
	return status;
}
