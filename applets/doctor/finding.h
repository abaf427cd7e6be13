/* SPDX-License-Identifier: ISC
 *
 * What -H and doctor have to say: a list of findings, each with its cause on one line and the commands that mend it, as
 * text or as JSON.  Texts may hold names from outside as they are: they are made safe for a terminal when they are
 * printed.  In a command such a word must be quoted for the shell (text_shell_word()) by whoever adds it.
 */
#ifndef APPLETS_DOCTOR_FINDING_H
#define APPLETS_DOCTOR_FINDING_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/buf.h"

/* Most severe first.  UNSEEN: what could not be looked at, with the reason. */
enum severity { FINDING_ERROR, FINDING_WARNING, FINDING_NOTE, FINDING_GOOD, FINDING_UNSEEN };

/* How findings are reported: FORM_NONE not at all, only the exit status counts. */
enum form { FORM_TEXT, FORM_JSON, FORM_NONE };

/* Commands that mend it; another way to the same end; how what was mended outlives the next start. */
enum finding_list { FINDING_FIX, FINDING_OR, FINDING_KEEP, FINDING_LISTS };

struct finding {
	enum severity severity;
	const char *what;	/* short name of the check or verdict; not owned */
	struct buf text;	/* ended by NUL */
	struct buf commands[FINDING_LISTS];	/* each ended by NUL */
};

/* All zero at the start. */
struct findings {
	const char *what;	/* of the findings to come; not owned */
	struct finding *v;	/* owned */
	uint32_t n, cap;
	struct finding *last;	/* gets the commands; NULL: it was left out */
	uint32_t count[FINDING_UNSEEN + 1];	/* of each severity */
	uint32_t dropped;	/* beyond FINDING_MAX of a kind */
	bool or;		/* the commands are another way */
	bool failed;		/* out of memory */
};

/* Of one kind that many are kept. */
#define FINDING_MAX 20

/* Appends a finding, named f->what.  One with the text of an earlier one is left out, or of a kind that there are
 * enough of, and so are the commands that follow. */
void finding_add(struct findings *f, enum severity severity, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* True when no finding of a kind will be kept any more. */
bool finding_is_full(const struct findings *f, const char *what);

/* Appends a command to the last finding: one that mends it, all in order. */
void finding_fix(struct findings *f, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* From here to the next finding the commands are another way to the same end. */
void finding_or(struct findings *f);

/* Appends how what the last finding's commands change is there after the next start as well: a command, or a place and
 * the line for it.  Of another way it is left out. */
void finding_keep(struct findings *f, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Appends the most severe first, else in the order they came, as text (an error with its commands is "error: TEXT\n",
 * "  fix: COMMAND\n", "  or: COMMAND\n", "  keep: LINE\n"), as a JSON array, or nothing. */
void findings_print(struct buf *out, const struct findings *f, enum form form);

/* Writes them to stdout with a tail, as JSON in an object that begins with the members of head.  False when that
 * failed. */
bool findings_write(const struct findings *f, enum form form, const char *head, const char *tail);

/* Appends those of another list, as finding_add() does, which is empty afterwards. */
void findings_move(struct findings *to, struct findings *from);

void findings_free(struct findings *f);

#endif
