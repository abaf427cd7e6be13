/* SPDX-License-Identifier: ISC
 *
 * Frames become words of a command, its outcome becomes the end of a reply.  The
 * letters of the old protocol are names of our commands and nothing more.
 */
#include "router/request.h"

#include <string.h>

#include "lib/status.h"
#include "router/command.h"
#include "router/show.h"

#define LEGACY_TEXT 254		/* bytes of an error, without the NUL */

/* The first word of a request says -d, -j; the others are the command. */
static const char *words_cmd(const struct wire_request *req, struct cmd *cmd, const char **argv)
{
	const char *word = wire_next_arg(req, NULL);

	if (!word)
		return "no command";
	for (const char *o = word + (*word == '-'); *o; o++) {
		if (*o != 'd' && *o != 'j')
			return "unknown option";
		cmd->detail |= *o == 'd';
		cmd->json |= *o == 'j';
	}
	while ((word = wire_next_arg(req, word)))
		argv[cmd->argc++] = word;
	return NULL;
}

static const char *legacy_name(uint16_t letter)
{
	static const struct { char letter; const char *name; } names[] = {
		{ 'a', "add" }, { 'r', "remove" }, { 'j', "join" }, { 'l', "leave" }, { 'F', "flush" },
		{ 'H', "reload" }, { 'k', "kill" }, { 's', "show" }, { 'S', "show" }, { 'J', "show" },
	};

	for (unsigned i = 0; i < sizeof names / sizeof *names; i++)
		if (names[i].letter == letter)
			return names[i].name;
	return NULL;
}

static const char *legacy_cmd(const struct wire_request *req, struct cmd *cmd, const char **argv)
{
	const char *name = legacy_name(req->cmd), *word = wire_next_arg(req, NULL);

	if (!name)
		return "unknown command";
	cmd->detail = req->cmd == 'S';
	cmd->json = req->cmd == 'J';
	argv[cmd->argc++] = name;
	if (!strcmp(name, "show")) {
		char first = word ? *word : '\0';

		argv[cmd->argc++] = first == 'g' ? "groups" : first == 'i' ? "interfaces" :
				    first == 'p' ? "pending" : "routes";
		return NULL;
	}
	for (; word; word = wire_next_arg(req, word))
		argv[cmd->argc++] = word;
	return NULL;
}

static void put_text(struct buf *out, enum wire_type type, const char *text, size_t len)
{
	if (len)
		wire_put_record(out, type, text, len);
}

/* Completes the reply that began at `before`. */
static void put_end(struct buf *out, const struct cmd *cmd, size_t before, int status)
{
	const char *error = status && !*cmd->error ? "failed" : cmd->error;

	if (cmd->form == CMD_LEGACY) {
		if (status) {
			out->len = before;
			buf_add(out, error, strnlen(error, LEGACY_TEXT));
		}
		buf_chr(out, '\0');
		return;
	}
	put_text(out, WIRE_NOTE, cmd->note, strlen(cmd->note));
	put_text(out, WIRE_ERROR, error, status ? strlen(error) : 0);
	put_text(out, WIRE_DIAG, cmd->diag.p, cmd->diag.len);
	if (status || !cmd->follow)
		wire_put_record(out, WIRE_END, (char []){ (char)status }, 1);
}

bool request_run(struct router *r, const struct wire_request *req, bool again, struct show **show,
		 struct buf *out, struct request_end *end)
{
	const char *argv[WIRE_MAX_WORDS + 2];
	bool ours = req->cmd == WIRE_WORDS;
	size_t before = out->len;
	bool begun = *show != NULL;
	struct cmd cmd;
	int status;

	cmd_init(&cmd, ours ? CMD_RECORDS : CMD_LEGACY, out);
	cmd.argv = argv;
	cmd.again = again;
	cmd.show = show;
	const char *why = (ours ? words_cmd : legacy_cmd)(req, &cmd, argv);

	argv[cmd.argc] = NULL;
	if (why)
		status = cmd_fail(&cmd, EXIT_USAGE, "%s", why);
	else
		status = *show ? show_run(r, &cmd) : command_run(r, &cmd);
	if (cmd.later)
		out->len = before;
	else if (!*show)
		put_end(out, &cmd, before, status);
	/* Where rows are gone out already, text of an error would be one more of them. */
	if (begun && status && !ours) {
		out->len = before;
		return false;
	}
	buf_free(&cmd.diag);
	if (out->failed) {
		show_free(*show);
		*show = NULL;
		out->failed = false;
		out->len = before;
		cmd.note[0] = '\0';
		status = cmd_fail(&cmd, EXIT_SYSTEM, "out of memory");
		if (begun && !ours)
			return false;
		put_end(out, &cmd, before, status);
	}
	*end = (struct request_end){ .follow = ours && !status && cmd.follow, .json = cmd.json, .legacy = !ours,
				     .later = cmd.later };
	if (out->failed)
		out->len = before;
	return !out->failed;
}

void request_refuse(const char *p, size_t n, const char *why, struct buf *out)
{
	size_t before = out->len;
	struct cmd cmd;
	uint16_t letter;

	cmd_init(&cmd, CMD_LEGACY, out);
	if (n >= sizeof(size_t) + sizeof letter) {
		memcpy(&letter, p + sizeof(size_t), sizeof letter);
		cmd.form = letter == WIRE_WORDS ? CMD_RECORDS : CMD_LEGACY;
	}
	put_end(out, &cmd, before, cmd_fail(&cmd, EXIT_USAGE, "malformed request: %s", why));
	if (out->failed)
		out->len = before;
}
