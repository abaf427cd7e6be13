/* SPDX-License-Identifier: ISC */
#include "applets/doctor/doctor.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "applets/doctor/advise_all.h"
#include "applets/doctor/advise_none.h"
#include "applets/doctor/observe.h"
#include "conf/match.h"
#include "lib/number.h"
#include "lib/status.h"
#include "lib/text.h"

#define DOCTOR_SECONDS 5
#define DOCTOR_SECONDS_MAX 3600
enum { DOCTOR_CAUSE = 1, DOCTOR_UNSURE };	/* exit status */

/* The doctors of a call: one for a group, or one a family. */
struct doctor_call {
	struct doctor *d[FAM_N];
	unsigned n;
	unsigned seconds;
	const char *file;
};

static int doctor_usage(const char *word, const char *text)
{
	struct buf b = { 0 };

	buf_escape(&b, word, strlen(word), TEXT_KEEP_NONE);
	fprintf(stderr, "smcroute-check doctor: %s%s\nusage: smcroute-check doctor [GROUP] [SECONDS] [FILE]\n",
		buf_cstr(&b), text);
	buf_free(&b);
	return EXIT_USAGE;
}

static bool doctor_is_number(const char *word)
{
	return *word && !word[strspn(word, "0123456789")];
}

static struct doctor *doctor_new(struct doctor_call *c, enum fam fam)
{
	struct doctor *d = calloc(1, sizeof *d);

	if (!d)
		return NULL;
	d->fam = fam;
	d->is_all = true;
	c->d[c->n++] = d;
	return d;
}

/* Reads the words, each of which may be left out; 0 or the exit status. */
static int doctor_words(struct doctor_call *c, char **words, int n)
{
	int at = 0;
	int64_t seconds = DOCTOR_SECONDS;
	struct doctor *d;
	struct addr group;

	if (n > 3)
		return doctor_usage(words[3], ": one word too many");
	if (at < n && addr_parse(words[at], strlen(words[at]), &group) == ADDR_OK) {
		if (!addr_is_multicast(&group, 128))
			return doctor_usage(words[at], " is no address of a multicast group");
		d = doctor_new(c, addr_fam(&group));
		if (!d)
			return host_failed("doctor");
		d->group = group;
		d->is_all = false;
		at++;
	} else if (!doctor_new(c, FAM_4) || !doctor_new(c, FAM_6)) {
		return host_failed("doctor");
	}
	if (at < n && (doctor_is_number(words[at]) || n - at > 1))
		seconds = number_parse(words[at++], DOCTOR_SECONDS_MAX);
	if (seconds < 1)
		return doctor_usage(words[at - 1], at == 1 && !doctor_is_number(words[0]) ?
				    " is neither a group nor a number of seconds from 1 to 3600" :
				    " is no number of seconds from 1 to 3600");
	c->seconds = (unsigned)seconds;
	if (at < n)
		c->file = words[at++];
	if (at < n)
		return doctor_usage(words[at], ": one word too many");
	/* It is read when all has been seen; what cannot be read is said at once. */
	if (c->file && strcmp(c->file, "-") && access(c->file, R_OK) < 0)
		return doctor_usage(c->file, c->n > 1 ? " is no group, and no file that can be read" :
				    " cannot be read");
	return 0;
}

static void doctor_unseen(struct doctor *d)
{
	struct findings *f = &d->host.found;

	f->what = "ttl";
	if (!d->sniffs)
		finding_add(f, FINDING_UNSEEN, "the packets themselves, their TTL, where they arrive, and whether "
			    "they leave with other addresses: %s", kernel_word(WORD_SNIFF, d->fam));
	f->what = "counters";
	if (d->is_uncounted)
		finding_add(f, FINDING_UNSEEN, "the counters of this host: %s",
			    kernel_word(WORD_COUNTERS, d->fam));
	f->what = "vifs";
	if (d->after.vifs.n < 0)
		finding_add(f, FINDING_UNSEEN, "the counters of the VIFs: this kernel does not list them");
	host_unseen_filters(&d->host);
	for (const struct probe_link *l = d->host.links.v; l < d->host.links.v + d->host.links.n; l++)
		if (l->has_program && (host_uses(&d->host, l, d->fam) || l->master))
			finding_add(f, FINDING_UNSEEN, "what the program (XDP) on %s does with packets, before anybody "
				    "else sees them", l->name);
	f->what = "old";
	if (d->running.old)
		finding_add(f, FINDING_UNSEEN, "the rules in force: process %d is a smcrouted of SMCRoute 2.x, which "
			    "does not tell them all; those of the file are taken for them", d->running.old);
	f->what = "flows";
	if (d->unread)
		finding_add(f, FINDING_UNSEEN, "%llu packets that came quicker than they could be read",
			    (unsigned long long)d->unread);
	if (d->flows.left_out)
		finding_add(f, FINDING_UNSEEN, "%llu packets and entries of more than the %d sources that are looked "
			    "at", (unsigned long long)d->flows.left_out, FLOWS_MAX);
}

static void doctor_more(struct doctor *d, unsigned idle)
{
	struct findings *f = &d->host.found;

	f->what = "idle";
	if (idle)
		finding_add(f, FINDING_NOTE, "%u more source%s an entry and sent nothing meanwhile", idle,
			    idle == 1 ? " has" : "s have");
	f->what = "flows";
	if (f->dropped)
		finding_add(f, FINDING_NOTE, "there are %u more findings of the kinds told here", f->dropped);
	doctor_unseen(d);
}

/* True when a flow is sent on, or a rule is for it where it comes in, or its entry waits for it elsewhere. */
static bool doctor_is_asked(struct doctor *d, const struct evidence_flow *x)
{
	return (x->entry && x->entry->noifs) || (x->in && advise_all_concerns(d, x, NULL));
}

/* No end without a word, and no error without one: where no cause could be put into words, nothing is known. */
static void doctor_speak(struct doctor *d, struct advise_sum *a)
{
	struct findings *f = &d->host.found;

	/* Of all groups one family may have nothing to be said. */
	if (f->n || d->is_all ? !a->bad || f->count[FINDING_ERROR] : false)
		return;
	a->bad = 0;
	a->unsure++;
	f->what = "unsure";
	finding_add(f, FINDING_UNSEEN, "what becomes of the packets: what was seen within %u s does not fit together, "
		    "as this host was changed or busy meanwhile", d->seconds);
	finding_fix(f, "smcroute-check doctor %s", d->is_all ? "30" : addr_str(&d->group, (char[ADDR_STRLEN]){ "" }));
}

/* Judges all flows of the group that moved; the exit status. */
static int doctor_report(struct doctor *d)
{
	struct advise_sum a = { 0 };
	unsigned idle = 0, unasked = 0;

	evidence_begin(d);
	for (const struct watched *w = d->flows.v; w < d->flows.v + d->flows.n; w++) {
		struct evidence_flow x;

		evidence_of(d, w, &x);
		if (x.moved && doctor_is_asked(d, &x))
			advise_flow(d, &x, &a);
		else
			unasked += x.moved;
		idle += !x.moved && w->has_entry && !w->is_star;
	}
	/* What no rule is for is an error only where that is all there is. */
	for (const struct watched *w = d->flows.v; unasked && w < d->flows.v + d->flows.n; w++) {
		struct evidence_flow x;

		evidence_of(d, w, &x);
		if (!x.moved || doctor_is_asked(d, &x))
			continue;
		if ((a.fine || a.unsure) && !x.is_own)
			advise_all_unasked(d, &x);
		else
			advise_flow(d, &x, &a);
	}
	if (!a.fine && !a.bad && !a.unsure && !a.stopped)
		advise_none(d, &a);
	else
		advise_none_beside(d);
	doctor_speak(d, &a);
	doctor_more(d, a.fine + a.bad ? idle : 0);
	return a.bad || (a.stopped && !a.fine && !a.unsure) ? DOCTOR_CAUSE :
	       a.unsure || d->flows.left_out ? DOCTOR_UNSURE : 0;
}

/* The same of all groups, as far as a rule is for them; each rule that no packet came for is named. */
static int doctor_report_all(struct doctor *d)
{
	const struct conf *c = d->host.conf;
	bool *is_used = calloc(c->nmroutes + 1u, sizeof *is_used);
	struct advise_sum a = { 0 };

	if (!is_used)
		return host_failed("doctor");
	evidence_begin(d);
	for (const struct watched *w = d->flows.v; w < d->flows.v + d->flows.n; w++) {
		struct evidence_flow x;

		evidence_of(d, w, &x);
		if (x.moved && advise_all_concerns(d, &x, is_used))
			advise_flow(d, &x, &a);
	}
	a.bad += advise_all_idle(d, is_used);
	free(is_used);
	doctor_speak(d, &a);
	doctor_more(d, 0);
	return a.bad ? DOCTOR_CAUSE : a.unsure || d->flows.left_out || !a.fine ? DOCTOR_UNSURE : 0;
}

/* What each of the doctors found, the worst of it; nothing seen in one family is no matter when the other flows. */
static int doctor_status(const int *status, unsigned n)
{
	if (n == 1)
		return status[0];
	for (int worst = 0; worst < 2; worst++)
		for (unsigned i = 0; i < n; i++)
			if (worst ? status[i] == 0 : status[i] != 0 && status[i] != DOCTOR_UNSURE)
				return status[i];
	return DOCTOR_UNSURE;
}

static int doctor_failed(void)
{
	return host_failed(errno != EOPNOTSUPP ? "cannot look at this host" :
			   "its entries cannot be seen here, so no cause can be told; show routes and show interfaces "
			   "of smcroutectl have what the daemon knows, smcroute-check -H looks at the host");
}

/* One family of two. */
static int doctor_is_unseen(struct doctor *d)
{
	struct findings *f = &d->host.found;

	f->what = "vifs";
	finding_add(f, FINDING_UNSEEN, "%s: its entries cannot be seen here; show routes of smcroutectl has what the "
		    "daemon knows", fam_str(d->fam));
	return DOCTOR_UNSURE;
}

/* False when all groups are looked at, and no rule is there of any: what cannot be seen is not all to be said then.  A
 * family that cannot be seen has no rules read. */
static bool doctor_has_rules(const struct doctor_call *c)
{
	for (unsigned i = 0; i < c->n; i++)
		if (!c->d[i]->is_all || (c->d[i]->host.conf && c->d[i]->host.conf->nmroutes))
			return true;
	return false;
}

/* Watches and reports; the exit status. */
static int doctor_run(struct doctor_call *c, enum form form)
{
	struct findings *f = &c->d[0]->host.found;
	char group[ADDR_STRLEN], head[ADDR_STRLEN + 40];
	int status[FAM_N] = { DOCTOR_CAUSE };

	for (unsigned i = 0; i < c->n; i++) {
		c->d[i]->seconds = c->seconds;
		c->d[i]->file = c->file;
		c->d[i]->shows_progress = form == FORM_TEXT && isatty(STDERR_FILENO);
	}
	if (!c->d[0]->is_all && match_link_local(&c->d[0]->group, 128)) {
		advise_link_local(c->d[0]);
	} else if (observe_take(c->d, c->n) < 0) {
		return doctor_failed();
	} else {
		for (unsigned i = 0; i < c->n; i++) {
			if (c->d[i]->is_unseen) {
				status[i] = doctor_is_unseen(c->d[i]);
				continue;
			}
			if (sample_look(c->d[i]) < 0)
				return doctor_failed();
			status[i] = c->d[i]->is_all ? doctor_report_all(c->d[i]) : doctor_report(c->d[i]);
		}
	}
	for (unsigned i = 1; i < c->n; i++)
		findings_move(f, &c->d[i]->host.found);
	f->what = "rules";
	if (!f->n || !doctor_has_rules(c))
		finding_add(f, FINDING_UNSEEN, "any packets: neither a router here nor a file has a rule; name a "
			    "group, or the file");
	if (c->d[0]->is_all)
		snprintf(head, sizeof head, "\"group\":null,\"seconds\":%u,", c->d[0]->seconds);
	else
		snprintf(head, sizeof head, "\"group\":\"%s\",\"seconds\":%u,", addr_str(&c->d[0]->group, group),
			 c->d[0]->seconds);
	if (!findings_write(f, form, head, form == FORM_JSON ? "}\n" : ""))
		return EXIT_SYSTEM;
	return doctor_status(status, c->n);
}

int doctor_main(char **words, int n, enum form form)
{
	struct doctor_call c = { .n = 0 };
	int status = doctor_words(&c, words, n);

	if (!status && c.n)
		status = doctor_run(&c, form);
	for (unsigned i = 0; i < c.n; i++) {
		sample_free(c.d[i]);
		free(c.d[i]);
	}
	return status;
}
