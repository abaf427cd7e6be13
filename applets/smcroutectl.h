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
#include "router/command.h"

struct ctl {
	bool batch, detail, json;	/* -b, -d, -j */
	bool plain, bare;		/* -p, -t */
	const char *ident;		/* -i */
	const char *path;		/* -u, or NULL: look where daemons are */
	int wait;			/* -w, seconds */
	bool styled;			/* headings for a terminal */
	int width;			/* of a heading's line */
	bool deaf;			/* nobody reads our output any more */
};

/* Most words of a line, the options that are sent before them included. */
#define CTL_WORDS WIRE_MAX_WORDS

/* Checks n words against the command table and replaces shortened ones.  0 with *cmd set, or
 * EXIT_USAGE with one line in why[len]. */
int ctl_check(int n, const char **words, const struct command **cmd, char *why, size_t len);

/* Runs a command that needs no daemon. */
int ctl_local(const struct command *cmd, int n, const char *const *words);

/* Returns a connection to the daemon, or minus the exit status when all is said. */
int ctl_connect(const struct ctl *c);

/* Sends one command over fd and shows the reply; the exit status.  words[-1] is free for the options. */
int ctl_single(struct ctl *c, int fd, const struct command *cmd, int n, const char **words);

/* Runs the commands on standard input over fd; the exit status of the first that failed. */
int ctl_batch(struct ctl *c, int fd);

/* Finds out how headings are to look on standard output. */
void ctl_print_setup(struct ctl *c);

/* Shows one record of a reply; line: of the batch, 0 = none. */
void ctl_print(struct ctl *c, const struct wire_record *rec, uint32_t line);

/* One line on standard error, with the program's name and the line of a batch, 0 = none. */
void ctl_complain(uint32_t line, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Passes on what was shown so far; notes in c->deaf when nobody reads it.  0, or EXIT_SYSTEM. */
int ctl_flush(struct ctl *c);

#endif
