/* SPDX-License-Identifier: ISC
 *
 * Frames become words of a command, its outcome becomes the end of a reply.
 * SMCRoute's protocol has letters in the place of words; which command a letter
 * is, command.c knows.
 */
#include "applets/control/request.h"

#include <string.h>

#include "applets/control/command.h"
#include "applets/control/show.h"
#include "lib/status.h"

#define LEGACY_TEXT 254		/* bytes of an error in SMCRoute's protocol, without the NUL */

/* Takes the words of a request of SMCRoute's.  NULL, or what is wrong with it. */
static const char *request_legacy_words(const struct wire_request *req, struct call *call, const char **argv)
{
	const struct command *cmd = command_find_letter(req->cmd);
	int n = 0;

	if (!cmd)
		return "unknown command";
	argv[n++] = cmd->name;
	if (cmd->run == show_run) {
		const char *word = wire_next_arg(req, NULL);

		call->detail = req->cmd == 'S';
		call->json = req->cmd == 'J';
		argv[n++] = show_find_letter(word ? *word : '\0');
	} else {
		for (const char *word = NULL; (word = wire_next_arg(req, word)); )
			argv[n++] = word;
	}
	call->argc = n;
	return NULL;
}

/* The same of our own client: the first word says -d and -j, the others are the command. */
static const char *request_own_words(const struct wire_request *req, struct call *call, const char **argv)
{
	const char *word = wire_next_arg(req, NULL);
	int n = 0;

	for (const char *o = word && *word == '-' ? word + 1 : word; o && *o; o++) {
		if (*o != 'd' && *o != 'j')
			return "unknown option";
		call->detail |= *o == 'd';
		call->json |= *o == 'j';
	}
	while (word && (word = wire_next_arg(req, word)))
		argv[n++] = word;
	call->argc = n;
	return n ? NULL : "no command";
}

static void request_put_text(struct buf *out, enum wire_type type, const char *text)
{
	if (*text)
		wire_put_record(out, type, text, strlen(text));
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
	request_put_text(out, WIRE_NOTE, call->note);
	request_put_text(out, WIRE_ERROR, call->error);
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
	if (*call->show)
		return show_run(call);
	if (call->form == CALL_LEGACY)
		why = request_legacy_words(req, call, argv);
	else
		why = request_own_words(req, call, argv);
	call->argv = argv;

	int status = why ? call_fail(call, EXIT_USAGE, "%s", why) : command_run(call);

	/* They are gone with this function. */
	call->argv = NULL;
	return status;
}

bool request_run(const struct call_daemon *daemon, const struct wire_request *req, struct reply *reply,
		 struct buf *out)
{
	size_t before = out->len;
	bool has_rows = reply->show;
	struct call call;

	call_init(&call, daemon, req->cmd == WIRE_WORDS ? CALL_RECORDS : CALL_LEGACY, out);
	call.is_again = reply->later;
	call.show = &reply->show;

	int status = request_call(&call, req);

	if (call.later)
		out->len = before;
	else if (!reply->show)
		request_end(&call, before, status);
	call_free(&call);
	if (out->failed) {
		show_free(reply->show);
		reply->show = NULL;
		out->failed = false;
		out->len = before;
		*call.note = '\0';
		status = call_no_memory(&call);
		request_end(&call, before, status);
	}
	reply->later = call.later;
	reply->follow = !status && call.follow;
	reply->json = call.json;
	reply->legacy = call.form == CALL_LEGACY;
	/* Where rows are gone out already, text of an error would be one more of them. */
	if (!out->failed && !(has_rows && status && reply->legacy))
		return true;
	out->len = before;
	return false;
}

void request_refuse(const char *p, size_t n, const char *why, struct buf *out)
{
	static const struct call_daemon nobody;
	size_t before = out->len;
	struct call call;
	uint16_t letter = 0;

	if (n >= sizeof(size_t) + sizeof letter)
		memcpy(&letter, p + sizeof(size_t), sizeof letter);
	call_init(&call, &nobody, letter == WIRE_WORDS ? CALL_RECORDS : CALL_LEGACY, out);
	request_end(&call, before, call_fail(&call, EXIT_USAGE, "malformed request: %s", why));
	if (out->failed)
		out->len = before;
}
