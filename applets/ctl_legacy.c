/* SPDX-License-Identifier: ISC
 *
 * What is known of SMCRoute's daemons, tried with 2.5.6 and 2.6.0: to a command that they do not know they answer with
 * a text; on a request of more than 35 words or 1022 bytes they close the connection.  A success is a lone NUL;
 * otherwise the text is what was logged last, a cause or not.  After a table it may stand as well, without a newline.
 * 2.5 takes the name of a table that it does not know for `routes`.  A source and a group of two families end it, so
 * words are checked first.
 */
#include "applets/ctl_legacy.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "applets/applet.h"
#include "applets/control/edit_words.h"
#include "applets/control/show.h"
#include "lib/proc.h"
#include "lib/usock.h"

#define LEGACY_NAME "the daemon, one of SMCRoute 2.4 to 2.6,"
#define LEGACY_FRAME 1022		/* bytes of a request that it takes */
#define LEGACY_WAIT_MS 10000		/* without a byte from it, and until it has ended */
#define LEGACY_ANSWER (256 * 1024 * 1024)	/* no table is longer */
#define LEGACY_CHUNK (32 * 1024)

struct legacy {
	const struct ctl_place *place;
	const struct ctl_options *options;
	struct ctl_printer *printer;
	struct ctl_words *words;
	uint32_t line;			/* of the batch, 0 = none */
	struct buf answer;		/* without its NUL */
	int end;			/* readable once the daemon has ended, or -1: see proc_watch() */
	bool is_gone;			/* it cannot be reached or does not answer: nothing more is asked */
};

/* ---- bytes ---- */

/* Waits for bytes and appends them.  Returns their number, 0 at the end, or -1 with errno, ETIMEDOUT when nothing
 * came. */
static ssize_t legacy_receive(int fd, struct buf *in)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	ssize_t n;
	int ready;

	if (in->len > LEGACY_ANSWER || !buf_reserve(in, LEGACY_CHUNK)) {
		errno = ENOMEM;
		return -1;
	}
	while ((ready = poll(&p, 1, LEGACY_WAIT_MS)) < 0 && errno == EINTR)
		;
	if (!ready)
		errno = ETIMEDOUT;
	if (ready <= 0)
		return -1;
	n = recv(fd, in->p + in->len, LEGACY_CHUNK, MSG_DONTWAIT);
	in->len += n > 0 ? (size_t)n : 0;
	return n < 0 && errno == ECONNRESET ? 0 : n;
}

static int legacy_send(int fd, const struct buf *frame)
{
	ssize_t n = send(fd, frame->p, frame->len, MSG_NOSIGNAL | MSG_DONTWAIT);

	/* A new connection has room for all of it; a daemon that closes at once may have answered. */
	return n < 0 && errno != EPIPE ? -1 : 0;
}

static int legacy_fail(const struct legacy *l, int status, const char *what, const char *text)
{
	ctl_print_error(l ? l->line : 0, what, text, WIRE_MAX);
	return status;
}

static int legacy_fail_errno(const struct legacy *l)
{
	return legacy_fail(l, EXIT_BUSY, errno == ETIMEDOUT ? "the daemon has not answered for 10 seconds" :
			   "no answer from the daemon: ", errno == ETIMEDOUT ? "" : strerror(errno));
}

/* ---- who is it ---- */

enum legacy_speech { LEGACY_OURS, LEGACY_TEXT, LEGACY_SILENT, LEGACY_BROKEN };

/* Sends `ping`, which SMCRoute does not know, and takes the answer. */
static enum legacy_speech legacy_greet(int fd, struct buf *in)
{
	static const char *const ping[] = { "", "ping" };
	struct buf frame = { 0 };
	struct wire_record rec;
	enum wire_result res = WIRE_MORE;
	ssize_t n = 1;

	if (!wire_put_request(&frame, WIRE_WORDS, 2, ping) || legacy_send(fd, &frame) < 0)
		n = -1;
	while (n > 0 && res == WIRE_MORE)
		if ((n = legacy_receive(fd, in)) > 0)
			res = wire_record(in->p, in->len, &rec);
	buf_free(&frame);
	return n < 0 ? LEGACY_BROKEN : res == WIRE_OK ? LEGACY_OURS : in->len ? LEGACY_TEXT : LEGACY_SILENT;
}

/* What an answer to legacy_greet() that is no record of ours means: as ctl_legacy_recognise(). */
static int legacy_judge(struct buf *answer)
{
	/* Ours says so to a frame whose words have another size: request_refuse(). */
	if (strncmp(buf_cstr(answer), "malformed request", 17))
		return CTL_LEGACY;
	return legacy_fail(NULL, EXIT_BUSY, "the daemon has 32 bits and this program 64, or the other way round: "
			   "call the smcroutectl that came with it", "");
}

int ctl_legacy_recognise(const struct ctl_place *place, int *fd)
{
	enum legacy_speech speech = LEGACY_SILENT;
	struct buf in = { 0 };
	int status = 0;

	/* One that ended just then is silent too: only who is it twice is SMCRoute's. */
	for (int i = 0; i < 2 && speech == LEGACY_SILENT && !status; i++) {
		if (*fd < 0 && (*fd = ctl_connection_open(place)) < 0) {
			status = -*fd;
			continue;
		}
		speech = legacy_greet(*fd, &in);
		if (speech == LEGACY_BROKEN)
			status = legacy_fail_errno(NULL);
		if (speech != LEGACY_OURS) {
			close(*fd);
			*fd = -1;
		}
	}
	if (!status && speech != LEGACY_OURS)
		status = legacy_judge(&in);
	buf_free(&in);
	return status;
}

/* ---- one command ---- */

/* Sends a request and reads the answer up to its NUL, or its end without one.  0, or the exit status. */
static int legacy_exchange(struct legacy *l, char letter, int argc, const char *const *argv)
{
	int fd = ctl_connection_open(l->place), status = 0;
	struct buf frame = { 0 };
	const char *nul = NULL;
	ssize_t n = 1;

	l->is_gone = fd < 0;
	if (fd < 0)
		return -fd;
	l->answer.len = 0;
	/* Before it is asked, so that its number has not gone to another process. */
	if (letter == 'k')
		l->end = proc_watch(usock_peer_pid(fd));
	if (!wire_put_request(&frame, (uint16_t)letter, argc, argv) || frame.len > LEGACY_FRAME)
		status = legacy_fail(l, EXIT_USAGE, LEGACY_NAME " takes no such long line", "");
	else if (legacy_send(fd, &frame) < 0)
		status = legacy_fail_errno(l);
	while (!status && !nul && n > 0) {
		size_t from = l->answer.len;

		n = legacy_receive(fd, &l->answer);
		nul = n > 0 ? memchr(l->answer.p + from, '\0', l->answer.len - from) : NULL;
	}
	l->is_gone = n < 0;
	if (n < 0)
		status = legacy_fail_errno(l);
	else if (!status && !nul)
		status = legacy_fail(l, EXIT_BUSY, LEGACY_NAME " has closed the connection without an answer", "");
	if (nul)
		l->answer.len = (size_t)(nul - l->answer.p);
	buf_free(&frame);
	close(fd);
	return status;
}

static int legacy_cannot(const struct legacy *l, const char *what)
{
	char text[256];

	snprintf(text, sizeof text, " has no `%s`", what);
	return legacy_fail(l, EXIT_BUSY, LEGACY_NAME, text);
}

/* ---- tables ---- */

/* Shows the lines of a table; what ends in '_' or '=' is a heading. */
static void legacy_print_table(const struct legacy *l, bool is_json)
{
	const char *line = l->answer.p, *end = line + l->answer.len, *newline;

	for (; line < end && (newline = memchr(line, '\n', (size_t)(end - line))); line = newline + 1) {
		struct wire_record rec = { .type = WIRE_ROW, .text = line, .len = (size_t)(newline - line) };
		char last = rec.len && !is_json ? line[rec.len - 1] : '\0';

		if (last == '_' || last == '=') {
			rec.type = last == '_' ? WIRE_TITLE : WIRE_HEAD;
			rec.len--;
		} else {
			rec.len++;
		}
		ctl_print_record(l->printer, &rec, l->line);
	}
}

static int legacy_show(struct legacy *l)
{
	/* What is in the first line of each, where there is one. */
	static const struct { const char *table, *mark; } tables[] = {
		{ "routes", "" }, { "groups", "roup" }, { "interfaces", "PHYINT" }, { "pending", "ending" },
	};
	const char *const table = l->words->n > 1 ? l->words->v[2] : "routes";
	const struct ctl_options *o = l->options;
	const char *mark = NULL;
	char what[64];
	int status;

	snprintf(what, sizeof what, "%s%sshow %s", o->json ? "-j " : "", o->detail && !o->json ? "-d " : "", table);
	for (unsigned i = 0; i < sizeof tables / sizeof *tables; i++)
		if (!strcmp(tables[i].table, table))
			mark = tables[i].mark;
	if (!mark)
		return legacy_cannot(l, what);
	status = legacy_exchange(l, o->json ? 'J' : o->detail ? 'S' : 's', 1, &table);
	if (status)
		return status;

	const char *text = buf_cstr(&l->answer);
	size_t first = strcspn(text, "\n");
	char head[128];

	snprintf(head, sizeof head, "%.*s", first < sizeof head ? (int)first : 0, text);
	if (o->json ? *text != '{' : *text && (!text[first] || !strstr(head, mark)))
		return legacy_cannot(l, what);
	legacy_print_table(l, o->json);
	return 0;
}

/* ---- commands ---- */

/* The exit status that a text of the daemon comes to. */
static int legacy_status(char letter, const char *text)
{
	if (letter == 'r' || letter == 'l')
		return EXIT_NONE;
	if (letter == 'H')
		return EXIT_CONFIG;
	return strstr(text, "unknown interface") || strstr(text, "not a known phyint") || strstr(text, "nvalid") ?
	       EXIT_DATA : EXIT_SYSTEM;
}

/* Waits until the daemon that was asked to end has done so; where that cannot be seen, not at all. */
static int legacy_wait_end(struct legacy *l)
{
	struct pollfd p = { .fd = l->end, .events = POLLIN };
	int n = 1;

	if (l->end >= 0) {
		while ((n = poll(&p, 1, LEGACY_WAIT_MS)) < 0 && errno == EINTR)
			;
		close(l->end);
		l->end = -1;
	}
	return n ? 0 : legacy_fail(l, EXIT_BUSY, LEGACY_NAME " is still there after 10 seconds", "");
}

/* Checks words that are addresses and names. */
static int legacy_check(const struct legacy *l)
{
	const struct ctl_words *w = l->words;
	struct call call = { .argc = w->n, .argv = w->v + 1 };
	int status = edit_words_check(&call, *w->cmd->letters == 'a' || *w->cmd->letters == 'r');

	return status ? legacy_fail(l, status, call.error, "") : 0;
}

static int legacy_command(struct legacy *l)
{
	const struct command *cmd = l->words->cmd;
	char letter = *cmd->letters;
	int status;

	if (!letter)
		return legacy_cannot(l, cmd->name);
	if (l->words->owner)
		return legacy_cannot(l, "-o");
	if (cmd->run == show_run)
		return legacy_show(l);
	if (cmd->max_words && (status = legacy_check(l)))
		return status;
	status = legacy_exchange(l, letter, l->words->n - 1, l->words->v + 2);
	if (status)
		return status;
	if (l->answer.len) {
		const char *text = buf_cstr(&l->answer);

		/* That is the line before the one that fails. */
		if (letter == 'r' && strstr(text, "deleting route"))
			text = "there is no such rule";
		return legacy_fail(l, legacy_status(letter, text), "SMCRoute's daemon: ", text);
	}
	return cmd->ends_daemon ? legacy_wait_end(l) : 0;
}

/* ---- batch ---- */

/* Runs a line of len bytes, which may end with a newline. */
static int legacy_line(struct legacy *l, char *text, size_t len)
{
	struct ctl_words *w = l->words;
	const char *why = strlen(text) < len ? "there is a NUL byte in the line" : ctl_words_split(w, text);

	if (why)
		return legacy_fail(l, EXIT_USAGE, why, "");
	if (!w->n)
		return 0;
	if (!ctl_words_check(w))
		return legacy_fail(l, EXIT_USAGE, w->why, "");
	return w->cmd->is_local ? ctl_words_run_local(w) : legacy_command(l);
}

static int legacy_batch(struct legacy *l)
{
	char *text = NULL;
	size_t size = 0;
	int status = 0, next;
	ssize_t len;

	while ((len = getline(&text, &size, stdin)) >= 0) {
		l->line++;
		if (l->is_gone) {
			legacy_fail(l, EXIT_BUSY, "this line and those behind it are not done", "");
			break;
		}
		next = legacy_line(l, text, (size_t)len);
		ctl_print_flush(l->printer);
		if (!status)
			status = next;
	}
	free(text);
	return status;
}

int ctl_legacy_run(const struct ctl_place *place, const struct ctl_options *options, struct ctl_printer *printer,
		   struct ctl_words *w)
{
	struct legacy l = { .place = place, .options = options, .printer = printer, .words = w, .end = -1 };
	int status = options->batch ? legacy_batch(&l) : legacy_command(&l);

	buf_free(&l.answer);
	if (l.end >= 0)
		close(l.end);
	return status;
}
