/* SPDX-License-Identifier: ISC */
#include "applets/doctor/doctor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "applets/doctor/advise_none.h"
#include "conf/match.h"
#include "lib/number.h"
#include "lib/status.h"
#include "lib/text.h"

#define DOCTOR_SECONDS 5
#define DOCTOR_SECONDS_MAX 3600
enum { DOCTOR_CAUSE = 1, DOCTOR_UNSURE };	/* exit status */

static int doctor_usage(const char *word, const char *text)
{
	struct buf b = { 0 };

	buf_escape(&b, word, strlen(word), TEXT_KEEP_NONE);
	fprintf(stderr, "smcroute-check doctor: %s%s\nusage: smcroute-check doctor GROUP [SECONDS] [FILE]\n",
		buf_cstr(&b), text);
	buf_free(&b);
	return EXIT_USAGE;
}

static int doctor_words(struct doctor *d, char **words, int n)
{
	bool digits = n > 1 && !words[1][strspn(words[1], "0123456789")];
	int64_t seconds = DOCTOR_SECONDS;

	if (n < 1 || n > 3)
		return doctor_usage(n < 1 ? "" : words[3], n < 1 ? "which group?" : ": one word too many");
	if (addr_parse(words[0], strlen(words[0]), &d->group) != ADDR_OK || !addr_is_multicast(&d->group, 128))
		return doctor_usage(words[0], " is no address of a multicast group");
	d->fam = addr_fam(&d->group);
	if (n > 2 || (n == 2 && !digits))
		d->file = words[n - 1];
	if (n > 2 || digits)
		seconds = number_parse(words[1], DOCTOR_SECONDS_MAX);
	if (seconds < 1)
		return doctor_usage(words[1], " is no number of seconds from 1 to 3600");
	d->seconds = (unsigned)seconds;
	return 0;
}

static void doctor_unseen(struct doctor *d)
{
	struct findings *f = &d->host.found;

	f->what = "ttl";
	if (!d->sniffs)
		finding_add(f, FINDING_UNSEEN, "the packets themselves, their TTL and where they arrive: CAP_NET_RAW "
			    "is needed");
	f->what = "counters";
	if (d->is_uncounted)
		finding_add(f, FINDING_UNSEEN, "the counters of this host: /proc/net is masked");
	f->what = "vifs";
	if (d->after.vifs.n < 0)
		finding_add(f, FINDING_UNSEEN, "the counters of the VIFs: this kernel does not list them");
	host_unseen_nft(&d->host);
	f->what = "flows";
	if (d->unread)
		finding_add(f, FINDING_UNSEEN, "%llu packets that came quicker than they could be read",
			    (unsigned long long)d->unread);
	if (d->flows.left_out)
		finding_add(f, FINDING_UNSEEN, "%llu packets and entries of more than the %d sources that are looked "
			    "at", (unsigned long long)d->flows.left_out, FLOWS_MAX);
}

/* Judges all flows that moved; the exit status. */
static int doctor_report(struct doctor *d)
{
	struct advise_sum a = { 0 };
	unsigned idle = 0;

	evidence_begin(d);
	for (const struct watched *w = d->flows.v; w < d->flows.v + d->flows.n; w++) {
		struct evidence_flow x;

		evidence_of(d, w, &x);
		if (x.moved)
			advise_flow(d, &x, &a);
		else
			idle += w->has_entry && !w->is_star;
	}
	if (!a.fine && !a.bad && !a.unsure && !a.stopped)
		advise_none(d, &a);
	d->host.found.what = "idle";
	if (idle && a.fine + a.bad)
		finding_add(&d->host.found, FINDING_NOTE, "%u more sources have an entry and sent nothing meanwhile",
			    idle);
	d->host.found.what = "flows";
	if (d->host.found.dropped)
		finding_add(&d->host.found, FINDING_NOTE, "there are %u more findings of the kinds told here",
			    d->host.found.dropped);
	doctor_unseen(d);
	return a.bad || (a.stopped && !a.fine && !a.unsure) ? DOCTOR_CAUSE :
	       a.unsure || d->flows.left_out ? DOCTOR_UNSURE : 0;
}

/* Watches and reports; the exit status. */
static int doctor_run(struct doctor *d, enum form form)
{
	int status = DOCTOR_CAUSE;
	char text[ADDR_STRLEN], head[ADDR_STRLEN + 40];

	/* It is read again when all has been seen; what cannot be read is said at once. */
	if (d->file && strcmp(d->file, "-") && access(d->file, R_OK) < 0)
		return doctor_usage(d->file, " cannot be read");
	if (match_link_local(&d->group, 128)) {
		advise_link_local(d);
	} else {
		if (sample_take(d) < 0 || sample_look(d) < 0)
			return host_failed("cannot look at this host");
		status = doctor_report(d);
	}
	snprintf(head, sizeof head, "\"group\":\"%s\",\"seconds\":%u,", addr_str(&d->group, text), d->seconds);
	if (!findings_write(&d->host.found, form, head, form == FORM_JSON ? "}\n" : ""))
		return EXIT_SYSTEM;
	return status;
}

int doctor_main(char **words, int n, enum form form)
{
	struct doctor *d = calloc(1, sizeof *d);
	int status;

	if (!d) {
		fputs("smcroute-check: out of memory\n", stderr);
		return EXIT_SYSTEM;
	}
	status = doctor_words(d, words, n);
	if (!status)
		status = doctor_run(d, form);
	sample_free(d);
	free(d);
	return status;
}
