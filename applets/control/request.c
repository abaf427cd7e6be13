/* SPDX-License-Identifier: ISC
 *
 * Frames become words of a command, its outcome becomes the end of a reply.  The
 * letters of the old protocol are names of our commands and nothing more.
 */
#include "applets/control/request.h"

#include <string.h>

#include "lib/status.h"
#include "applets/control/command.h"
#include "applets/control/show.h"

#define LEGACY_TEXT 254		/* bytes of an error, without the NUL */

/* The command that a letter of the old protocol stands for, or NULL. */
static const char *legacy_name(uint16_t letter)
{
	static const struct { char letter, name[7]; } names[] = {
		{ 'a', "add" }, { 'r', "remove" }, { 'j', "join" }, { 'l', "leave" }, { 'F', "flush" },
		{ 'H', "reload" }, { 'k', "kill" }, { 's', "show" }, { 'S', "show" }, { 'J', "show" },
	};

	for (unsigned i = 0; i < sizeof names / sizeof *names; i++)
		if (names[i].letter == letter)
			return names[i].name;
	return NULL;
}

/* Takes the words of a request.  NULL, or what is wrong with it. */
static const char *take_words(const struct wire_request *req, struct cmd *cmd, const char **argv)
{
	const char *word = wire_next_arg(req, NULL);
	int n = 0;

	if (cmd->form == CMD_LEGACY) {
		argv[n++] = legacy_name(req->cmd);
		if (!argv[0])
			return "unknown command";
		cmd->detail = req->cmd == 'S';
		cmd->json = req->cmd == 'J';
		if (!strcmp(argv[0], "show")) {
			/* A letter for one of the first four tables, and nothing else. */
			int table = word ? 3 : 0;

			while (table && *word != *show_words[table])
				table--;
			argv[n++] = show_words[table];
			word = NULL;
		}
	} else if (word) {
		/* The first word says -d, -j; the others are the command. */
		for (const char *o = word + (*word == '-'); *o; o++) {
			if (*o != 'd' && *o != 'j')
				return "unknown option";
			cmd->detail |= *o == 'd';
			cmd->json |= *o == 'j';
		}
		word = wire_next_arg(req, word);
	}
	for (; word; word = wire_next_arg(req, word))
		argv[n++] = word;
	argv[n] = NULL;
	cmd->argv = argv;
	cmd->argc = n;
	return n ? NULL : "no command";
}

static void put_text(struct buf *out, enum wire_type type, const char *text)
{
	if (*text)
		wire_put_record(out, type, text, strlen(text));
}

/* Completes the reply that began at `before`. */
static void put_end(struct buf *out, const struct cmd *cmd, size_t before, int status)
{
	char end = (char)status;

	if (cmd->form == CMD_LEGACY) {
		if (status) {
			out->len = before;
			buf_add(out, cmd->error, strnlen(cmd->error, LEGACY_TEXT));
		}
		buf_chr(out, '\0');
		return;
	}
	put_text(out, WIRE_NOTE, cmd->note);
	put_text(out, WIRE_ERROR, cmd->error);
	if (cmd->diag.len)
		wire_put_record(out, WIRE_DIAG, cmd->diag.p, cmd->diag.len);
	if (status || !cmd->follow)
		wire_put_record(out, WIRE_END, &end, 1);
}

bool request_run(struct router *r, const struct wire_request *req, struct reply *reply, struct buf *out)
{
	const char *argv[WIRE_MAX_WORDS + 2];
	size_t before = out->len;
	bool begun = reply->show;
	struct cmd cmd;
	int status;

	cmd_init(&cmd, req->cmd == WIRE_WORDS ? CMD_RECORDS : CMD_LEGACY, out);
	cmd.again = reply->later;
	cmd.show = &reply->show;
	const char *why = take_words(req, &cmd, argv);

	if (why)
		status = cmd_fail(&cmd, EXIT_USAGE, "%s", why);
	else
		status = begun ? show_run(r, &cmd) : command_run(r, &cmd);
	if (cmd.later)
		out->len = before;
	else if (!reply->show)
		put_end(out, &cmd, before, status);
	buf_free(&cmd.diag);
	if (out->failed) {
		show_free(reply->show);
		reply->show = NULL;
		out->failed = false;
		out->len = before;
		cmd.note[0] = '\0';
		status = cmd_no_memory(&cmd);
		put_end(out, &cmd, before, status);
	}
	reply->later = cmd.later;
	reply->follow = !status && cmd.follow;
	reply->json = cmd.json;
	reply->legacy = cmd.form == CMD_LEGACY;
	/* Where rows are gone out already, text of an error would be one more of them. */
	if (!out->failed && !(begun && status && reply->legacy))
		return true;
	out->len = before;
	return false;
}

void request_refuse(const char *p, size_t n, const char *why, struct buf *out)
{
	size_t before = out->len;
	struct cmd cmd;
	uint16_t letter = 0;

	if (n >= sizeof(size_t) + sizeof letter)
		memcpy(&letter, p + sizeof(size_t), sizeof letter);
	cmd_init(&cmd, letter == WIRE_WORDS ? CMD_RECORDS : CMD_LEGACY, out);
	put_end(out, &cmd, before, cmd_fail(&cmd, EXIT_USAGE, "malformed request: %s", why));
	if (out->failed)
		out->len = before;
}
