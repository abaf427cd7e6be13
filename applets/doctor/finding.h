/* SPDX-License-Identifier: ISC
 *
 * What -H and doctor have to say: a list of findings, each with its cause on one
 * line and the commands that mend it, as text or as JSON.
 */
#ifndef APPLETS_DOCTOR_FINDING_H
#define APPLETS_DOCTOR_FINDING_H

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
	struct buf text;	/* ended by NUL */
	struct buf commands[2];	/* that mend it, each ended by NUL; other ways to the same end */
};

struct findings {
	const char *what;	/* of the findings to come; not owned */
	struct finding *v;	/* owned */
	uint32_t n, cap;
	struct finding *last;	/* gets the commands; NULL: it was left out */
	uint32_t count[FINDING_GOOD + 1];	/* of each severity */
	uint32_t dropped;	/* beyond FINDING_MAX of a kind */
	bool or;		/* the commands are another way */
	bool failed;		/* out of memory */
};

/* Of one kind that many are kept. */
#define FINDING_MAX 20

/* Appends a finding, named f->what.  One with the text of an earlier one is left out, or of a
 * kind that there are enough of, and so are the commands that follow. */
void finding_add(struct findings *f, enum severity severity, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Appends a command to the last finding: one that mends it, all in order. */
void finding_fix(struct findings *f, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* From here to the next finding the commands are another way to the same end. */
static inline void finding_or(struct findings *f)
{
	f->or = true;
}

/* The most severe first, else in the order they came: "error: TEXT\n  fix: COMMAND\n  or:
 * COMMAND\n"..., or a JSON array, or nothing. */
void findings_print(struct buf *out, const struct findings *f, enum form form);

/* Prints them to stdout with a tail, as JSON in an object that begins with the members of head.
 * False when that failed. */
bool findings_tell(const struct findings *f, enum form form, const char *head, const char *tail);

void findings_free(struct findings *f);

/* Writes an interface name to buf[WORD_LEN] as a shell takes it, quoted where need be, and
 * returns buf. */
#define WORD_LEN 80
const char *shell_word(const char *name, char *buf);

/* True when a text is not empty and all of it letters and digits of ASCII, or among others. */
bool word_plain(const char *s, const char *others);

#endif
