/* SPDX-License-Identifier: ISC
 *
 * Replies on standard output and standard error.  All text of the daemon comes through here, and to a terminal through
 * lib/text.
 */
#ifndef APPLETS_CTL_PRINT_H
#define APPLETS_CTL_PRINT_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/wire.h"

struct ctl_printer {
	bool has_headings;
	bool is_terminal;		/* rows are wrapped at width */
	bool is_dumb;			/* one that obeys no control sequences */
	bool is_styled;			/* headings are for a terminal */
	int width, height;		/* of the terminal, or of a heading's line */
	struct buf *records;		/* not NULL: tables are not printed, their records are appended here */
	int last_column;		/* where the last column of the present table begins; 0 = there is no table */
	bool is_deaf;			/* nobody reads our output any more */
	int status;			/* and 0, as its reader left, or EXIT_SYSTEM, as it could not be written */
};

/* Finds out how headings are to look on standard output: not at all, plain, or as the terminal can. */
struct ctl_printer ctl_print_setup(bool has_headings, bool is_plain);

/* Looks again how large the terminal is. */
void ctl_print_measure(struct ctl_printer *p);

/* Begins again at the top left of the terminal, over what is there, and shows the first p->height - 1 lines of text, as
 * many columns of each as there are.  The first one is a title, the second one headings.  What is below goes. */
void ctl_print_screen(const struct ctl_printer *p, const char *text, size_t n);

/* Shows one record of a reply.  line: of the batch, 0 = none. */
void ctl_print_record(struct ctl_printer *p, const struct wire_record *rec, uint32_t line);

/* Writes one line to standard error: the line of a batch, 0 = none, and two pieces of text, the second of len bytes at
 * most. */
void ctl_print_error(uint32_t line, const char *what, const char *text, int len);

/* Passes on what was shown so far.  Notes in is_deaf when nobody reads it.  0, or EXIT_SYSTEM. */
int ctl_print_flush(struct ctl_printer *p);

#endif
