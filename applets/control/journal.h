/* SPDX-License-Identifier: ISC
 *
 * What clients asked for, in a file in memory that outlives the daemon: see lib/memfile.h.  Whoever is handed its
 * descriptor has all that was acknowledged, even when the daemon was killed.
 *
 * The file begins with one line, the head, in a page of its own: the version of the format, where the records begin,
 * and the router's counters.  Records are lines from there to the end of the file or the first NUL:
 *
 *	SUM set OWNER IIF SOURCE GROUP [OIF...]		what this owner asks for of a route, all of it
 *	SUM unset OWNER IIF SOURCE GROUP		nothing any more
 *	SUM join OWNER IIF SOURCE GROUP			the same two of a membership
 *	SUM leave OWNER IIF SOURCE GROUP
 *	SUM reload			the file was read: forget what owners without a name asked for
 *
 * SUM is over the line and all before it, so what is damaged or missing ends the use of the rest.  Of the configuration
 * there are only records of what somebody took back of it until it is read again.  Most changes add a record.  When
 * there are far more than what is in force needs, that is written anew behind them; one write of the head makes it the
 * beginning, so at each moment the file is whole.
 */
#ifndef APPLETS_CONTROL_JOURNAL_H
#define APPLETS_CONTROL_JOURNAL_H

#include "applets/control/journal_read.h"

/* Records on their way to the file. */
struct journal_out {
	struct buf lines;
	uint32_t sum;			/* of the last one */
	int64_t at;			/* where they go to in the file */
};

struct journal {
	struct router *router;
	int fd;				/* -1: nobody would be there to hold it */
	int64_t start;			/* of the records in force */
	int64_t whole;			/* bytes of them when they were written last as a whole */
	int64_t limit;			/* JOURNAL_LIMIT; less in tests */
	struct journal_out out;
	struct buf taken;		/* lines without their sums: what was taken back of the configuration */
	uint32_t lost, told;		/* of these the lines that there was no memory for; told by journal_flush() */
	struct router_counters counters;	/* as they are in the head */
	bool is_stale;			/* a write failed: all is to be written anew */
	bool is_less;			/* something was taken back since it was written as a whole */
};

void journal_init(struct journal *j, struct router *r);
void journal_free(struct journal *j);

/* Begins the file if there is none yet: from here on it is kept.  0, or -1 with errno, and then it is not. */
int journal_begin(struct journal *j);

/* The same in a file that is there already, whose content does not matter any more: it is the journal's when that
 * succeeds. */
int journal_begin_in(struct journal *j, int fd);

/* Writes what is in force as a whole: where another process may have written meanwhile.  0, or -1 with errno. */
int journal_rewrite(struct journal *j);

/* Notes a change of the rules: to be called with each event. */
void journal_event(struct journal *j, const struct event *ev);

/* Notes that the configuration was read again and has taken the place of what nobody's name stood behind. */
void journal_reloaded(struct journal *j);

/* Writes what was noted, to be called before it is acknowledged.  0, or -1 with errno: it would be lost. */
int journal_flush(struct journal *j);

/* True when it has grown to its limit; never for NULL. */
bool journal_is_full(const struct journal *j);

#endif
