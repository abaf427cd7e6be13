/* SPDX-License-Identifier: ISC
 *
 * Frames become words of a command, its outcome becomes the end of a reply.  SMCRoute's protocol has letters in the
 * place of words; command.c knows which command a letter is.
 */
#include "applets/control/request.h"

#include <string.h>

#include "applets/control/command.h"
#include "applets/control/show.h"
#include "lib/status.h"

#define LEGACY_TEXT 254		/* bytes of an error in SMCRoute's protocol, without the NUL */

/* Takes the words of a request of SMCRoute's, at least one.  NULL, or what is wrong with it. */
static const char *request_legacy_words(struct call *call, const struct wire_request *req, const char **argv)
{
	const struct command *cmd = command_find_letter(req->cmd);
	const char *word = wire_next_arg(req, NULL);

	if (!cmd)
		return "unknown command";
	argv[call->argc++] = cmd->name;
	if (cmd->run == show_run) {
		call->detail = req->cmd == 'S';
		call->json = req->cmd == 'J';
		argv[call->argc++] = show_find_letter(word ? *word : '\0');
		return NULL;
	}
	for (; word; word = wire_next_arg(req, word))
		argv[call->argc++] = word;
	return NULL;
}

/* The same of our own client: the first word has the options as getopt(3) takes them, -d, -j and -oOWNER at the end;
 * the others are the command. */
static const char *request_own_words(struct call *call, const struct wire_request *req, const char **argv)
{
	const char *word = wire_next_arg(req, NULL);

	for (const char *o = word && *word == '-' ? word + 1 : word; o && *o; o++) {
		if (*o == 'o') {
			call->owner = o + 1;
			break;
		}
		if (*o != 'd' && *o != 'j')
			return "unknown option";
		call->detail += *o == 'd';
		call->json |= *o == 'j';
	}
	while (word && (word = wire_next_arg(req, word)))
		argv[call->argc++] = word;
	if (call->owner && owner_check(call->owner))
		return owner_check(call->owner);
	return call->argc ? NULL : "no command";
}

/* Completes the reply that began at `before`. */
static void request_end(struct call *call, size_t before, int status)
{
	char end = (char)status;
	struct buf *out = call->out;

	if (call->form == CALL_LEGACY) {
		if (status) {
			out->len = before;
			buf_add(out, call->error, strnlen(call->error, LEGACY_TEXT));
		}
		buf_chr(out, '\0');
		return;
	}
	if (*call->note)
		wire_put_record(out, WIRE_NOTE, call->note, strlen(call->note));
	if (*call->error)
		wire_put_record(out, WIRE_ERROR, call->error, strlen(call->error));
	if (call->diag.len)
		wire_put_record(out, WIRE_DIAG, call->diag.p, call->diag.len);
	if (status || !call->follow)
		wire_put_record(out, WIRE_END, &end, 1);
}

/* Takes the words and runs them: the exit status. */
static int request_call(struct call *call, const struct wire_request *req)
{
	const char *argv[WIRE_MAX_WORDS + 2];
	const char *why;

	/* A table that has begun needs its words no more. */
	if (call->show)
		return show_run(call);
	call->argv = argv;
	call->argc = 0;
	call->detail = 0;
	call->json = false;
	call->owner = NULL;
	if (req->cmd == WIRE_TAKEOVER && call->daemon->hand_over)
		return call->daemon->hand_over(call->daemon->ctx, call, wire_next_arg(req, NULL));
	why = call->form == CALL_LEGACY ? request_legacy_words(call, req, argv) : request_own_words(call, req, argv);

	int status = why ? call_fail(call, EXIT_USAGE, "%s", why) : command_run(call);

	/* They are gone with this function. */
	call->argv = NULL;
	return status;
}

/* Prepares the call for the request of a command. */
static void request_begin(struct call *call, uint16_t cmd)
{
	call->form = cmd == WIRE_WORDS || cmd == WIRE_TAKEOVER ? CALL_RECORDS : CALL_LEGACY;
	call->is_again = (call->later && !call->is_held) || call->has_more;
	call->is_over &= call->is_again;
	call->later = 0;
	call->is_held = call->has_more = false;
	call->follow = call->takes_over = call->for_daemon = false;
	*call->error = *call->note = '\0';
}

bool request_run(struct call *call, const struct wire_request *req)
{
	struct buf *out = call->out;
	size_t before = out->len;
	bool has_rows = call->show;

	request_begin(call, req->cmd);

	int status = request_call(call, req);

	if (call->later || call->has_more)
		out->len = before;
	else if (!call->show)
		request_end(call, before, status);
	if (!call->later && !call->has_more)
		buf_free(&call->diag);
	if (out->failed) {
		buf_free(&call->diag);
		show_free(call->show);
		call->show = NULL;
		call->later = 0;
		call->has_more = false;
		out->failed = false;
		out->len = before;
		*call->note = '\0';
		status = call_no_memory(call);
		request_end(call, before, status);
	}
	call->follow &= !status;
	call->takes_over &= !status;
	/* Where rows are gone out already, text of an error would be one more of them. */
	if (!out->failed && !(has_rows && status && call->form == CALL_LEGACY))
		return true;
	out->len = before;
	return false;
}

void request_refuse(struct call *call, const char *p, size_t n, const char *why)
{
	size_t before = call->out->len;

	request_begin(call, wire_command(p, n));
	request_end(call, before, call_fail(call, EXIT_USAGE, "malformed request: %s", why));
	if (call->out->failed)
		call->out->len = before;
}
