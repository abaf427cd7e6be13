/* SPDX-License-Identifier: ISC
 *
 * The commands of the control socket: one const table that the daemon, the client, `help` and the shell's completion
 * read.  A new command is a row here and a function of the type of `run`.
 */
#ifndef APPLETS_CONTROL_COMMAND_H
#define APPLETS_CONTROL_COMMAND_H

#include <stdbool.h>
#include <stdint.h>

#include "applets/control/call.h"
#include "applets/control/word.h"

struct command {
	const char *name;
	const char *aliases;		/* blank-separated, "" = none */
	const char *tried;		/* see struct word_names */
	const char *letters;		/* what it is in SMCRoute's protocol, each of them; "" = it is not there */
	const char *usage;		/* the words behind the name, as help shows them */
	const char *help;		/* one line */
	const char *example;		/* a whole command line without the program's name */
	int (*run)(struct call *call);	/* returns the exit status, if not 0 by call_fail(); NULL when is_local or
					 * is_repeated */
	int min_words, max_words;	/* behind the name */
	bool takes_owner;		/* -o OWNER says in whose name */
	bool needs_owner;		/* and must do so */
	bool is_local;			/* the client answers it alone (help, version) */
	bool is_repeated;		/* the client shows routes again and again (top) */
	bool is_endless;		/* the reply goes on until the client leaves (monitor) */
	bool ends_daemon;		/* done when the daemon has closed the connection (kill) */
	bool edits;			/* changes rules: waits while the router is busy with others */
	bool takes_long;		/* may take any time: no client should lose its patience */
};

extern const struct command commands[];
extern const int commands_n;

/* Finds a command by its name, an alias or an unambiguous beginning of one, or returns NULL and sets *miss. */
const struct command *command_find(const char *word, struct word_miss *miss);

/* Finds a command by its letter in SMCRoute's protocol, or NULL. */
const struct command *command_find_letter(uint16_t letter);

/* Runs the words of a call, of which there must be one at least.  Returns the exit status of the client, 0 = done;
 * otherwise call->error says why. */
int command_run(struct call *call);

#endif
