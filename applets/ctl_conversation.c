/* SPDX-License-Identifier: ISC
 *
 * The conversation: requests out, replies in, both at once, so that neither side can wait for the other.  Replies come
 * in the order of the requests; a batch keeps a queue of the lines that are still to be answered, and a line that the
 * daemon is not asked for waits until that is empty.
 */
#include "applets/ctl_conversation.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "applets/applet.h"
#include "lib/clock.h"
#include "lib/grow.h"
#include "router/owners.h"

#define PATIENCE_MS 10000		/* without a byte from the daemon; conversation_turn() names it */
#define OUT_MAX (256 * 1024)		/* unsent requests, before more lines are read */
#define IN_SIZE (32 * 1024)		/* bytes of replies that are read at once */
#define LINES_SIZE (16 * 1024)		/* the same of a batch: the daemon works on some while the next are read */
#define FEW_WORDS 30			/* to more SMCRoute's daemon says nothing, see ctl_legacy.c */
#define TOO_LONG "too long for one request"

/* A line whose answer is due. */
struct due {
	uint32_t line;			/* of the batch, 0 = there is none */
	const struct command *cmd;
};

struct conversation {
	const struct ctl_options *options;
	struct ctl_printer *printer;
	struct ctl_words *words;	/* of the line that is looked at */
	int fd;
	int status;			/* of the first failure */
	int64_t heard;			/* when the daemon said something last, ms */
	struct due *due;		/* n, in the order of the requests */
	uint32_t n, cap;
	uint32_t line;			/* number of the last line read */
	bool is_endless;		/* prints until somebody leaves */
	bool waits_for_end;		/* the daemon ends: wait until it has */
	bool input_ended, daemon_left;
	bool has_record;		/* the daemon is one of ours */
	bool is_over;			/* no answer is waited for any more */
	bool skips;			/* in the rest of a line that is too long */
	bool is_held;			/* the last line is answered here, once those before have their answers */
	const char *why;		/* what is wrong with it, when words->cmd is NULL */
	size_t at;			/* of the next line in text */
	struct buf out, in, text;	/* unsent requests, replies, lines */
};

static void conversation_fail(struct conversation *t, int status)
{
	if (!t->status)
		t->status = status;
}

/* Says what is wrong, and remembers the status. */
static void conversation_complain(struct conversation *t, uint32_t line, int status, const char *why)
{
	ctl_print_error(line, why, "", 0);
	conversation_fail(t, status);
}

/* As conversation_complain(), of the line whose answer is due, and the conversation ends. */
static void conversation_give_up(struct conversation *t, int status, const char *why)
{
	conversation_complain(t, t->n ? t->due->line : 0, status, why);
	t->is_over = true;
	t->n = 0;
}

/* Ends the conversation without a word. */
static void conversation_end_as(struct conversation *t, int status)
{
	t->status = status;
	t->is_over = true;
	t->n = 0;
}

/* ---- requests ---- */

/* Sends the present line; false when it is too long. */
static bool conversation_ask(struct conversation *t)
{
	char options[sizeof "-ddjo" + OWNER_NAME_MAX] = "";
	const struct ctl_options *o = t->options;
	struct ctl_words *w = t->words;
	struct due *due = grow(t->due, &t->cap, t->n + 1, sizeof *due);
	size_t before = t->out.len;

	if (due)
		t->due = due;
	if (o->detail || o->json || w->owner)
		snprintf(options, sizeof options, "-%s%s%s%s", o->detail > 1 ? "dd" : o->detail ? "d" : "",
			 o->json ? "j" : "", w->owner ? "o" : "", w->owner ? w->owner : "");
	w->v[0] = options;
	if (!due || !wire_put_request(&t->out, WIRE_WORDS, 1 + w->n, w->v)) {
		t->out.len = before;
		return false;
	}
	if (!t->n)
		t->heard = clock_ms();
	due[t->n++] = (struct due){ t->line, w->cmd };
	return true;
}

/* The present line is no request. */
static void conversation_refuse(struct conversation *t, const char *why)
{
	t->words->cmd = NULL;
	t->why = why;
	t->is_held = true;
}

static void conversation_take_line(struct conversation *t, char *s, size_t len)
{
	struct ctl_words *w = t->words;
	const char *why;

	s[len] = '\0';
	if (strlen(s) < len)
		conversation_refuse(t, "there is a NUL byte in it");
	else if ((why = ctl_words_split(w, s)))
		conversation_refuse(t, why);
	else if (!w->n)
		return;
	else if (!ctl_words_check(w))
		conversation_refuse(t, w->why);
	else if (w->cmd->is_endless)
		conversation_refuse(t, "this has no end, it cannot be in a batch");
	else if (w->cmd->is_local)
		t->is_held = true;
	else if (!conversation_ask(t))
		conversation_refuse(t, TOO_LONG);
}

/* Takes the next whole line out of t->text, or what is left at the end of the input.  False when there is none. */
static bool conversation_next_line(struct conversation *t)
{
	size_t len = t->text.len - t->at;
	char *s = len ? t->text.p + t->at : NULL, *end = len ? memchr(s, '\n', len) : NULL;
	bool is_whole = end || t->input_ended;

	if (!len || (!is_whole && len <= WIRE_MAX))
		return false;
	if (end)
		len = (size_t)(end - s);
	t->at += len + (end != NULL);
	t->line += !t->skips;
	if (!t->skips && is_whole)
		conversation_take_line(t, s, len);
	else if (!t->skips)
		conversation_refuse(t, TOO_LONG);
	t->skips = !is_whole;
	return true;
}

static void conversation_take_lines(struct conversation *t)
{
	while (t->is_held || conversation_next_line(t)) {
		if (!t->is_held)
			continue;
		if (t->n)
			return;
		t->is_held = false;
		if (t->words->cmd)
			conversation_fail(t, ctl_words_run_local(t->words));
		else
			conversation_complain(t, t->line, EXIT_USAGE, t->why);
	}
}

static void conversation_read_input(struct conversation *t)
{
	ssize_t n;

	buf_consume(&t->text, t->at);
	t->at = 0;
	/* One more for the NUL behind the last line. */
	if (!buf_reserve(&t->text, LINES_SIZE + 1)) {
		conversation_complain(t, 0, EXIT_SYSTEM, "out of memory");
		t->input_ended = true;
		t->text.len = 0;	/* half a line is no command */
		return;
	}
	n = read(STDIN_FILENO, t->text.p + t->text.len, LINES_SIZE);
	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n < 0)
		conversation_fail(t, applet_fail(EXIT_SYSTEM, "cannot read standard input: %s", strerror(errno)));
	t->input_ended = n <= 0;
	t->text.len += n > 0 ? (size_t)n : 0;
}

/* ---- replies ---- */

static void conversation_take_records(struct conversation *t)
{
	struct wire_record rec;
	enum wire_result res = WIRE_MORE;
	uint32_t done = 0;
	size_t at = 0;

	while (done < t->n && (res = wire_record(t->in.p + at, t->in.len - at, &rec)) == WIRE_OK) {
		const struct due *due = &t->due[done];

		t->has_record = true;
		ctl_print_record(t->printer, &rec, due->line);
		if (rec.type == WIRE_END) {
			conversation_fail(t, (unsigned char)*rec.text);
			t->waits_for_end |= due->cmd->ends_daemon && !*rec.text;
			done++;
		}
		at += rec.size;
	}
	buf_consume(&t->in, at);
	t->n -= done;
	if (t->n)
		memmove(t->due, t->due + done, t->n * sizeof *t->due);
	if (t->n && res == WIRE_BAD && !t->has_record)
		conversation_end_as(t, CTL_NOT_OURS);
	else if (t->n && res == WIRE_BAD)
		conversation_give_up(t, EXIT_BUSY, "the answer makes no sense, this is no smcrouted of ours");
}

static void conversation_receive(struct conversation *t)
{
	ssize_t n;

	if (!buf_reserve(&t->in, IN_SIZE)) {
		conversation_give_up(t, EXIT_SYSTEM, "out of memory");
		return;
	}
	n = recv(t->fd, t->in.p + t->in.len, t->in.cap - t->in.len, MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	t->daemon_left = n <= 0;
	if (n > 0) {
		t->in.len += (size_t)n;
		t->heard = clock_ms();
		conversation_take_records(t);
	}
}

static void conversation_transmit(struct conversation *t)
{
	ssize_t n;

	if (!t->out.len)
		return;
	n = send(t->fd, t->out.p, t->out.len, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	/* The daemon may have closed after an answer that is still to be read. */
	buf_consume(&t->out, n < 0 ? t->out.len : (size_t)n);
}

/* ---- both ---- */

static bool conversation_is_done(const struct conversation *t)
{
	if (t->is_over || t->daemon_left || (t->printer->is_deaf && (t->is_endless || !t->options->batch)))
		return true;
	return t->input_ended && !t->n && !t->waits_for_end;
}

/* Milliseconds to wait for the daemon, -1 = for ever. */
static int conversation_patience(const struct conversation *t)
{
	int64_t left = t->heard + PATIENCE_MS - clock_ms();
	const struct command *cmd = t->n ? t->due->cmd : NULL;

	if (!cmd || cmd->takes_long || cmd->is_endless || cmd->ends_daemon)
		return -1;
	return left > 0 ? (int)left : 0;
}

static void conversation_turn(struct conversation *t)
{
	bool wants = !t->input_ended && !t->is_held && t->out.len < OUT_MAX;
	struct pollfd p[3] = {
		{ .fd = t->fd, .events = (short)(POLLIN | (t->out.len ? POLLOUT : 0)) },
		{ .fd = wants ? STDIN_FILENO : -1, .events = POLLIN },
		{ .fd = t->is_endless ? STDOUT_FILENO : -1 },	/* tells when its reader leaves */
	};
	int ready = poll(p, 3, conversation_patience(t));

	if (!ready)
		conversation_give_up(t, EXIT_BUSY, "the daemon has not answered for 10 seconds");
	if (ready <= 0)
		return;
	if (p[0].revents & ~POLLOUT)
		conversation_receive(t);
	if (t->is_over)
		return;
	if (p[1].revents)
		conversation_read_input(t);
	conversation_take_lines(t);
	if (!t->daemon_left)
		conversation_transmit(t);
	if (p[2].revents)
		t->printer->is_deaf = true;
}

/* Says where answers have not come. */
static void conversation_check_end(struct conversation *t)
{
	bool is_last = t->n == 1 && t->input_ended && !t->is_held;
	const char *missing = is_last ? " without an answer" : ", no answer to this line and those behind";

	if (!t->n || t->printer->is_deaf)
		return;
	if (!t->has_record && !t->options->batch && t->words->n > FEW_WORDS) {
		conversation_end_as(t, CTL_NOT_OURS);
		return;
	}
	ctl_print_error(t->due->line, "the daemon has closed the connection", t->is_endless ? "" : missing, WIRE_MAX);
	conversation_fail(t, EXIT_BUSY);
}

int ctl_conversation_run(int fd, const struct ctl_options *options, struct ctl_printer *printer, struct ctl_words *w)
{
	struct conversation t = {
		.options = options, .printer = printer, .words = w, .fd = fd,
		.input_ended = !options->batch, .is_endless = w->cmd->is_endless,
	};

	if (!options->batch && !conversation_ask(&t))
		conversation_complain(&t, 0, EXIT_USAGE, TOO_LONG);
	conversation_transmit(&t);
	while (!conversation_is_done(&t)) {
		conversation_turn(&t);
		/* Whoever sends line by line waits for the answer before the next one. */
		if (t.is_endless || !t.n || ferror(stdout))
			ctl_print_flush(printer);
	}
	conversation_check_end(&t);
	free(t.due);
	buf_free(&t.out);
	buf_free(&t.in);
	buf_free(&t.text);
	return t.status;
}
