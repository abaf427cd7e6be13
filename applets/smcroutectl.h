/* SPDX-License-Identifier: ISC
 *
 * What the files of smcroutectl share: its settings, and one function a file.
 * Words are checked in smcroutectl.c, the daemon is found in smcroutectl_find.c,
 * spoken with in smcroutectl_talk.c, and shown in smcroutectl_print.c.
 */
#ifndef APPLETS_SMCROUTECTL_H
#define APPLETS_SMCROUTECTL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/wire.h"
#include "applets/control/command.h"

struct ctl {
	unsigned options;		/* OPTION() of each of -b -d -j -p -t that was given */
	int wait;			/* -w, seconds */
	const char *ident;		/* -i */
	const char *path;		/* -u, or NULL: look where daemons are */
	int width;			/* of a heading's line */
	bool styled;			/* headings for a terminal */
	bool deaf;			/* nobody reads our output any more */
};

/* Most words of a line, the options that are sent before them included. */
#define CTL_WORDS WIRE_MAX_WORDS

/* One command line. */
struct request {
	const struct command *cmd;	/* set by ctl_check() */
	int n;				/* words from words[1] on */
	const char *words[1 + CTL_WORDS];	/* words[0] is for the options that are sent */
	char why[512];			/* set by ctl_check() when it is refused: one line */
};

/* Checks the words against the command table and replaces shortened ones; false when they are no command. */
bool ctl_check(struct request *q);

/* Runs a command that needs no daemon; the exit status. */
int ctl_local(const struct request *q);

/* Returns a connection to the daemon, or minus the exit status when all is said. */
int ctl_connect(const struct ctl *c);

/* Sends a request over fd and shows the reply; the exit status.  With -b it is all those on standard input, and
 * the status of the first that failed. */
int ctl_talk(struct ctl *c, int fd, struct request *q);

/* Finds out how headings are to look on standard output. */
void ctl_print_setup(struct ctl *c);

/* Shows one record of a reply; line: of the batch, 0 = none. */
void ctl_print(const struct ctl *c, const struct wire_record *rec, uint32_t line);

/* One line on standard error: the line of a batch, 0 = none, and two pieces of text, of the second up to
 * max bytes. */
void ctl_complain(uint32_t line, const char *what, const char *text, int max);

/* Passes on what was shown so far; notes in c->deaf when nobody reads it.  0, or EXIT_SYSTEM. */
int ctl_flush(struct ctl *c);

#endif
