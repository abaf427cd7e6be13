/* SPDX-License-Identifier: ISC
 *
 * What -H and doctor have to say: a list of findings, each with its cause on one
 * line and the commands that mend it, as text or as JSON.
 */
#ifndef APPLETS_FINDING_H
#define APPLETS_FINDING_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/buf.h"

/* Most severe first.  UNSEEN: what could not be looked at, with the reason. */
enum severity { FINDING_ERROR, FINDING_WARNING, FINDING_NOTE, FINDING_UNSEEN, FINDING_GOOD };

/* How it is told: not at all, only the exit status counts. */
enum form { FORM_TEXT, FORM_JSON, FORM_NONE };

struct finding {
	enum severity severity;
	const char *what;	/* short name of the check or verdict; not owned */
	uint32_t rank;		/* order in which it was added */
	struct buf text;
	struct buf fix, or;	/* commands, each ended by NUL; `or`: other ways to the same end */
};

struct findings {
	struct finding *v;	/* owned */
	uint32_t n, cap;
	uint32_t dropped;	/* beyond FINDING_MAX of a kind */
	bool skip;		/* the last one was left out: so are its commands */
	bool failed;		/* out of memory */
};

/* Of one kind that many are kept. */
#define FINDING_MAX 20

/* Appends a finding.  One with the text of an earlier one is left out, or of a kind that there
 * are enough of, and so are the commands that follow. */
void finding_add(struct findings *f, enum severity severity, const char *what, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* Appends a command to the last finding: one that mends it, all in order; or another way. */
void finding_fix(struct findings *f, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void finding_or(struct findings *f, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* How many there are of a severity. */
uint32_t findings_count(const struct findings *f, enum severity severity);

/* Puts the most severe first, else in the order they came. */
void findings_sort(struct findings *f);

/* "error: TEXT\n  fix: COMMAND\n  or: COMMAND\n"... */
void findings_print(struct buf *out, const struct findings *f);

/* The same as a JSON array. */
void findings_json(struct buf *out, const struct findings *f);
void findings_free(struct findings *f);

/* Writes an interface name to buf[WORD_LEN] as a shell takes it, quoted where need be, and
 * returns buf. */
#define WORD_LEN 80
const char *shell_word(const char *name, char *buf);

#endif
