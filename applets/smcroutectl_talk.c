/* SPDX-License-Identifier: ISC
 *
 * The conversation: requests out, replies in, both at once, so that neither side
 * can wait for the other.  Replies come in the order of the requests; a batch
 * keeps a queue of the lines that are still to be answered.
 */
#include "applets/smcroutectl.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "lib/status.h"

#define PATIENCE_MS 10000		/* without a byte from the daemon */
#define OUT_MAX (256 * 1024)		/* unsent requests, before more lines are read */
#define CHUNK (32 * 1024)		/* of replies: two records of a long table */
#define LINES (16 * 1024)		/* of a batch: the daemon works on some while the next are read */

/* A line whose answer is due. */
struct due {
	uint32_t line;			/* of the batch, 0 = there is none */
	const struct command *cmd;	/* NULL: nothing was sent, as text says; CMD_LOCAL: it is run here */
	char *text;			/* what is wrong, or the word of a CMD_LOCAL, or NULL; owned */
};

struct talk {
	struct ctl *ctl;
	int fd;
	struct buf out, in, text;	/* requests, replies, lines */
	size_t sent;
	struct due *due;
	size_t head, n, cap;		/* due[head .. head + n) are waiting */
	uint32_t line;			/* number of the last line read */
	bool follow;			/* prints until somebody leaves */
	bool wait_gone;			/* the daemon ends: wait until it has */
	bool no_input, no_daemon;	/* at its end */
	bool skip;			/* in the rest of a line that is too long */
	int64_t heard;			/* ms */
	int status;			/* of the first failure */
};

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static void fail(struct talk *t, int status)
{
	if (!t->status)
		t->status = status;
}

/* ---- the queue ---- */

static bool push(struct talk *t, struct due due)
{
	if (t->head + t->n == t->cap && t->head) {
		memmove(t->due, t->due + t->head, t->n * sizeof *t->due);
		t->head = 0;
	}
	if (t->n == t->cap) {
		size_t cap = t->cap ? t->cap * 2 : 64;
		struct due *bigger = realloc(t->due, cap * sizeof *bigger);

		if (!bigger)
			return false;
		t->due = bigger;
		t->cap = cap;
	}
	if (!t->n)
		t->heard = now_ms();
	t->due[t->head + t->n++] = due;
	return true;
}

/* Answers what needs no daemon. */
static void answer_here(struct talk *t, uint32_t line, const struct command *cmd, const char *text)
{
	int status = EXIT_USAGE;

	if (cmd)
		status = ctl_local(cmd, text ? 2 : 1, (const char *const []){ cmd->name, text });
	else
		ctl_complain(line, "%s", text);
	if (status)
		fail(t, status);
}

static bool is_kept(const struct due *d)
{
	return !d->cmd || d->cmd->flags & CMD_LOCAL;
}

/* The first one has its answer; those kept behind it are next. */
static void pop(struct talk *t)
{
	t->head++;
	t->n--;
	while (t->n && is_kept(&t->due[t->head])) {
		struct due *d = &t->due[t->head++];

		t->n--;
		answer_here(t, d->line, d->cmd, d->text);
		free(d->text);
	}
}

/* Has a line answered here when its turn comes. */
static void keep_line(struct talk *t, const struct command *cmd, const char *text)
{
	struct due due = { .line = t->line, .cmd = cmd, .text = t->n && text ? strdup(text) : NULL };

	if (t->n && !due.text == !text && push(t, due))
		return;
	free(due.text);
	answer_here(t, t->line, cmd, text);
}

static void refuse_line(struct talk *t, const char *why)
{
	keep_line(t, NULL, why);
}

/* ---- requests ---- */

/* words[0] is free for the options. */
static bool ask(struct talk *t, const struct command *cmd, int n, const char **words)
{
	struct due due = { .line = t->line, .cmd = cmd };
	size_t before = t->out.len;

	words[0] = t->ctl->detail ? t->ctl->json ? "-dj" : "-d" : t->ctl->json ? "-j" : "";
	if (!wire_put_request(&t->out, WIRE_WORDS, n, words))
		return false;
	if (push(t, due))
		return true;
	t->out.len = before;
	return false;
}

static void take_line(struct talk *t, char *s, size_t len)
{
	const char *words[CTL_WORDS + 1];
	const struct command *cmd;
	char why[512];
	int n = 1;

	t->line++;
	if (memchr(s, '\0', len)) {
		refuse_line(t, "there is a NUL byte in it");
		return;
	}
	s[len] = '\0';
	while (*s && *s != '#') {
		const char *word = s;

		while (*s && *s != ' ' && *s != '\t' && *s != '\r')
			s++;
		if (*s)
			*s++ = '\0';
		if (*word && n == CTL_WORDS) {
			refuse_line(t, "too many words");
			return;
		}
		if (*word)
			words[n++] = word;
	}
	if (n == 1)
		return;
	if (ctl_check(n - 1, words + 1, &cmd, why, sizeof why)) {
		refuse_line(t, why);
	} else if (cmd->flags & CMD_FOLLOW) {
		refuse_line(t, "this has no end, it cannot be in a batch");
	} else if (cmd->flags & CMD_LOCAL) {
		keep_line(t, cmd, n > 2 ? words[2] : NULL);
	} else if (!ask(t, cmd, n, words)) {
		refuse_line(t, "too long for one request");
	}
}

/* Takes the whole lines out of t->text, and what is left at the end of the input. */
static void take_lines(struct talk *t)
{
	size_t at = 0;

	while (at < t->text.len) {
		char *s = t->text.p + at, *nl = memchr(s, '\n', t->text.len - at);
		size_t len = nl ? (size_t)(nl - s) : t->text.len - at;

		if (!nl && !t->no_input)
			break;
		if (!t->skip)
			take_line(t, s, len);
		t->skip = false;
		at += len + 1;
	}
	buf_consume(&t->text, at);
	if (t->text.len > WIRE_MAX) {
		if (!t->skip) {
			t->line++;
			refuse_line(t, "too long for one request");
		}
		t->skip = true;
		t->text.len = 0;
	}
}

static void read_input(struct talk *t)
{
	ssize_t n;

	/* One more for the NUL behind the last line. */
	if (!buf_reserve(&t->text, LINES + 1)) {
		ctl_complain(0, "out of memory");
		fail(t, EXIT_SYSTEM);
		t->no_input = true;
		return;
	}
	n = read(STDIN_FILENO, t->text.p + t->text.len, LINES);
	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n < 0) {
		ctl_complain(0, "cannot read standard input: %s", strerror(errno));
		fail(t, EXIT_SYSTEM);
	}
	t->no_input = n <= 0;
	t->text.len += n > 0 ? (size_t)n : 0;
	take_lines(t);
}

/* ---- replies ---- */

static void take_records(struct talk *t)
{
	struct wire_record rec;
	enum wire_result res = WIRE_MORE;
	size_t at = 0;

	while (t->n && at < t->in.len && (res = wire_record(t->in.p + at, t->in.len - at, &rec)) == WIRE_OK) {
		struct due due = t->due[t->head];

		ctl_print(t->ctl, &rec, due.line);
		if (rec.type == WIRE_END) {
			if (*rec.text)
				fail(t, (unsigned char)*rec.text);
			t->wait_gone |= due.cmd->flags & CMD_GONE && !*rec.text;
			pop(t);
		}
		at += rec.size;
	}
	buf_consume(&t->in, at);
	if (t->n && res == WIRE_BAD) {
		ctl_complain(t->due[t->head].line, "the answer makes no sense, this is no smcrouted of ours");
		fail(t, EXIT_BUSY);
		t->no_daemon = true;
		t->n = 0;
	}
}

static void receive(struct talk *t)
{
	ssize_t n;

	if (!buf_reserve(&t->in, t->in.len ? CHUNK / 4 : CHUNK)) {
		ctl_complain(0, "out of memory");
		fail(t, EXIT_SYSTEM);
		t->no_daemon = true;
		t->n = 0;
		return;
	}
	n = recv(t->fd, t->in.p + t->in.len, t->in.cap - t->in.len, MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	t->no_daemon = n <= 0;
	if (n > 0) {
		t->in.len += (size_t)n;
		t->heard = now_ms();
		take_records(t);
	}
}

static void transmit(struct talk *t)
{
	ssize_t n;

	if (t->sent == t->out.len)
		return;
	n = send(t->fd, t->out.p + t->sent, t->out.len - t->sent, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	/* The daemon may have closed after an answer that is still to be read. */
	t->sent = n < 0 ? t->out.len : t->sent + (size_t)n;
	if (t->sent == t->out.len)
		t->out.len = t->sent = 0;
}

/* ---- both ---- */

static bool is_done(const struct talk *t)
{
	if (t->no_daemon || (t->ctl->deaf && (t->follow || !t->ctl->batch)))
		return true;
	return t->no_input && !t->n && !t->wait_gone;
}

/* Milliseconds to wait for the daemon, -1 = for ever. */
static int patience(const struct talk *t)
{
	int64_t left = t->heard + PATIENCE_MS - now_ms();

	if (!t->n || t->due[t->head].cmd->flags & (CMD_LONG | CMD_FOLLOW | CMD_GONE))
		return -1;
	return left > 0 ? (int)left : 0;
}

static void turn(struct talk *t)
{
	bool wants = !t->no_input && t->out.len - t->sent < OUT_MAX;
	struct pollfd p[3] = {
		{ .fd = t->fd, .events = (short)(POLLIN | (t->sent < t->out.len ? POLLOUT : 0)) },
		{ .fd = wants ? STDIN_FILENO : -1, .events = POLLIN },
		{ .fd = t->follow ? STDOUT_FILENO : -1 },	/* tells when its reader leaves */
	};
	int ready = poll(p, 3, patience(t));

	if (!ready && !patience(t)) {
		ctl_complain(t->due[t->head].line, "the daemon has not answered for %d seconds", PATIENCE_MS / 1000);
		fail(t, EXIT_BUSY);
		t->no_daemon = true;
		t->n = 0;
	}
	if (ready <= 0)
		return;
	if (p[0].revents & ~POLLOUT)
		receive(t);
	if (p[1].revents)
		read_input(t);
	if (!t->no_daemon)
		transmit(t);
	if (p[2].revents)
		t->ctl->deaf = true;
}

static int talk(struct talk *t)
{
	transmit(t);
	while (!is_done(t)) {
		turn(t);
		/* Whoever sends line by line waits for the answer before the next one. */
		if (t->follow || !t->n || ferror(stdout))
			ctl_flush(t->ctl);
	}
	if (t->n && !t->ctl->deaf) {
		ctl_complain(t->due[t->head].line, "the daemon has closed the connection%s",
			     t->follow ? "" : t->n > 1 || !t->no_input ? ", no answer to this line and those behind"
							     : " without an answer");
		fail(t, EXIT_BUSY);
	}
	for (size_t i = t->head; i < t->head + t->n; i++)
		free(t->due[i].text);
	free(t->due);
	buf_free(&t->out);
	buf_free(&t->in);
	buf_free(&t->text);
	return t->status;
}

int ctl_single(struct ctl *c, int fd, const struct command *cmd, int n, const char **words)
{
	struct talk t = { .ctl = c, .fd = fd, .no_input = true, .follow = cmd->flags & CMD_FOLLOW };

	if (!ask(&t, cmd, n + 1, words - 1)) {
		ctl_complain(0, "too long for one request");
		fail(&t, EXIT_USAGE);
	}
	return talk(&t);
}

int ctl_batch(struct ctl *c, int fd)
{
	struct talk t = { .ctl = c, .fd = fd };

	return talk(&t);
}
