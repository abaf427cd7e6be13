/* SPDX-License-Identifier: ISC
 *
 * The commands of the control socket, one const table that daemon, client,
 * help and completion read.  control.c moves bytes and knows no command;
 * command.c knows no socket.
 */
#ifndef APPLETS_CONTROL_COMMAND_H
#define APPLETS_CONTROL_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/buf.h"

struct router;
struct cmd;
struct show;

enum {
	CMD_LOCAL = 1 << 0,	/* the client answers it alone (help, version) */
	CMD_FOLLOW = 1 << 1,	/* the reply goes on until the client leaves (monitor) */
	CMD_GONE = 1 << 2,	/* done when the daemon has closed the connection (kill) */
	CMD_LONG = 1 << 3,	/* may take any time: no client should lose its patience */
};

struct command {
	const char *name;
	const char *aliases;	/* blank-separated, may be "" */
	const char *words;	/* what follows the name, as help shows it */
	const char *help;	/* one line */
	const char *example;	/* a whole command line without the program's name */
	int (*run)(struct router *r, struct cmd *c);	/* exit status, if not 0 by cmd_fail(); NULL when CMD_LOCAL */
	uint16_t min, max;	/* words after the name */
	uint8_t flags;
};

/* The table. */
#define COMMANDS 13
extern const struct command commands[COMMANDS];

/* Words of `show`, in order, NULL at the end. */
extern const char *const show_words[];

/* Finds a command by name or alias or an unambiguous prefix of one; what is written out wins.
 * NULL when there is none or several; then the candidates (or all names) are written to
 * why[len], blank-separated; len > 0. */
const struct command *command_find(const char *word, char *why, size_t len);

/* The same for a word of a NULL-ended list: its place, or -1. */
int word_find(const char *const *list, const char *word, char *why, size_t len);

/* How replies leave: typed records for our own client, or the text of SMCRoute's protocol. */
enum cmd_form { CMD_RECORDS, CMD_LEGACY };

/* One command being run. */
struct cmd {
	int argc;			/* words, command name included */
	const char *const *argv;
	bool detail, json;		/* -d, -j */
	enum cmd_form form;
	struct buf *out;		/* tables and text of the reply, in that form */
	bool follow;			/* set by monitor: keep the connection for events */
	uint64_t later;			/* set by run: the reply waits for this groups_ticket(), then run is called
					 * again with the same words and `again`; 0 = it is done */
	bool again;			/* what these words began is done: say how it went */
	struct show **show;		/* of the caller: where a long table pauses until it is called for again */
	struct buf diag;		/* config diagnostics of a failed reload; the caller frees */
	char error[512];		/* set with cmd_fail(); "" = none */
	char note[512 + 1];		/* set with cmd_note(); "" = none; with room for a newline */
	char names[256];		/* what a word might have meant that means nothing */
};

/* Makes a command without words whose reply goes to out. */
void cmd_init(struct cmd *c, enum cmd_form form, struct buf *out);

/* Runs argv[0], which must be there, with its words: returns the exit status of the client, 0 = done.  On failure
 * c->error says why.  argv[0] may be shortened. */
int command_run(struct router *r, struct cmd *c);

/* Sets c->error, or c->note when status is 0, and returns status. */
int cmd_fail(struct cmd *c, int status, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* Tells the user something though the command succeeded. */
#define cmd_note(c, ...) cmd_fail(c, 0, __VA_ARGS__)

/* Fails for want of memory. */
int cmd_no_memory(struct cmd *c);

#endif
