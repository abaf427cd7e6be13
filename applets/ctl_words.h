/* SPDX-License-Identifier: ISC
 *
 * The words of one command line of smcroutectl: which command they mean, by the table that the daemon uses too, and the
 * commands that need no daemon.
 */
#ifndef APPLETS_CTL_WORDS_H
#define APPLETS_CTL_WORDS_H

#include <stdbool.h>

#include "applets/control/command.h"
#include "lib/wire.h"

/* Most words of a line, the options that are sent before them included. */
#define CTL_WORDS_MAX WIRE_MAX_WORDS

struct ctl_words {
	const struct command *cmd;	/* set by ctl_words_check() */
	int n;				/* words, from v[1] on */
	const char *v[1 + CTL_WORDS_MAX];	/* not owned; v[0] is for the options that are sent */
	const char *owner;		/* of -o beside these words; NULL = none */
	const char *batch_owner;	/* of -o before a batch: where a command takes one and has none of its own */
	char why[512];			/* one line: why ctl_words_check() refused them */
};

/* Appends a word.  False when there are too many. */
bool ctl_words_add(struct ctl_words *w, const char *word);

/* Takes the words of a line, which blanks part and a '#' ends; s is cut up and must stay.  -o OWNER may stand anywhere
 * among them, as on the command line.  NULL, or what is wrong. */
const char *ctl_words_split(struct ctl_words *w, char *s);

/* Checks the words, of which there must be one, replaces shortened ones, and makes w->owner that of the command.
 * False when they are no command. */
bool ctl_words_check(struct ctl_words *w);

/* Runs a command that is_local: the exit status. */
int ctl_words_run_local(struct ctl_words *w);

/* True when a word that another program got is a command of the client, which has been said then. */
bool ctl_words_refuse_command(const char *word);

#endif
