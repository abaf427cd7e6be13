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
#include <unistd.h>

#include "applets/applet.h"
#include "lib/grow.h"

#define PATIENCE_MS 10000		/* without a byte from the daemon; turn() names it */
#define OUT_MAX (256 * 1024)		/* unsent requests, before more lines are read */
#define CHUNK (32 * 1024)		/* of replies: two records of a long table */
#define TOO_LONG "too long for one request"
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
	int status;			/* of the first failure */
	int64_t heard;			/* ms */
	struct due *due;
	uint32_t head, n, cap;		/* due[head .. head + n) are waiting */
	uint32_t line;			/* number of the last line read */
	bool follow;			/* prints until somebody leaves */
	bool wait_gone;			/* the daemon ends: wait until it has */
	bool no_input, no_daemon;	/* at its end */
	bool skip;			/* in the rest of a line that is too long */
	struct buf out, in, text;	/* unsent requests, replies, lines */
};

static void fail(struct talk *t, int status)
{
	if (!t->status)
		t->status = status;
}

static void complain(struct talk *t, uint32_t line, int status, const char *why)
{
	ctl_complain(line, why, "", 0);
	fail(t, status);
}

/* ---- the queue ---- */

static struct due *first(const struct talk *t)
{
	return &t->due[t->head];
}

/* Puts the present line in; the text becomes the queue's. */
static bool push(struct talk *t, const struct command *cmd, char *text)
{
	struct due *v;

	if (t->head + t->n == t->cap && t->head) {
		memmove(t->due, first(t), t->n * sizeof *t->due);
		t->head = 0;
	}
	v = grow(t->due, &t->cap, t->n + 1, sizeof *v);
	if (!v)
		return false;
	t->due = v;
	if (!t->n)
		t->heard = ctl_now();
	v[t->head + t->n++] = (struct due){ t->line, cmd, text };
	return true;
}

/* Answers what needs no daemon. */
static void answer_here(struct talk *t, uint32_t line, const struct command *cmd, const char *text)
{
	if (cmd)
		fail(t, ctl_local(cmd, text));
	else
		complain(t, line, EXIT_USAGE, text);
}

static bool is_kept(const struct due *d)
{
	return !d->cmd || d->cmd->flags & CMD_LOCAL;
}

/* The first one has its answer; those kept behind it are next. */
static void pop(struct talk *t)
{
	for (;;) {
		struct due *d = &t->due[++t->head];

		if (!--t->n || !is_kept(d))
			return;
		answer_here(t, d->line, d->cmd, d->text);
		free(d->text);
	}
}

/* Has a line answered here when its turn comes. */
static void keep_line(struct talk *t, const struct command *cmd, const char *text)
{
	char *copy = t->n && text ? strdup(text) : NULL;

	if (t->n && !copy == !text && push(t, cmd, copy))
		return;
	free(copy);
	answer_here(t, t->line, cmd, text);
}

static void refuse_line(struct talk *t, const char *why)
{
	keep_line(t, NULL, why);
}

/* Ends the conversation: nobody waits for answers any more. */
static void give_up(struct talk *t, uint32_t line, int status, const char *why)
{
	complain(t, line, status, why);
	t->no_daemon = true;
	t->n = 0;
}

/* ---- requests ---- */

static bool ask(struct talk *t, struct request *q)
{
	bool json = t->ctl->options & OPTION('j');
	size_t before = t->out.len;

	q->words[0] = t->ctl->options & OPTION('d') ? json ? "-dj" : "-d" : json ? "-j" : "";
	if (wire_put_request(&t->out, WIRE_WORDS, 1 + q->n, q->words) && push(t, q->cmd, NULL))
		return true;
	t->out.len = before;
	return false;
}

static void take_line(struct talk *t, char *s, size_t len)
{
	static const char blanks[] = " \t\r";
	struct request q;

	t->line++;
	if (memchr(s, '\0', len)) {
		refuse_line(t, "there is a NUL byte in it");
		return;
	}
	s[len] = '\0';
	q.n = 0;
	for (s += strspn(s, blanks); *s && *s != '#'; s += strspn(s, blanks)) {
		if (q.n == CTL_WORDS - 1) {
			refuse_line(t, "too many words");
			return;
		}
		q.words[++q.n] = s;
		s += strcspn(s, blanks);
		if (*s)
			*s++ = '\0';
	}
	if (!q.n)
		return;
	if (!ctl_check(&q)) {
		refuse_line(t, q.why);
	} else if (q.cmd->flags & CMD_FOLLOW) {
		refuse_line(t, "this has no end, it cannot be in a batch");
	} else if (q.cmd->flags & CMD_LOCAL) {
		keep_line(t, q.cmd, q.n > 1 ? q.words[2] : NULL);
	} else if (!ask(t, &q)) {
		refuse_line(t, TOO_LONG);
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
			refuse_line(t, TOO_LONG);
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
		complain(t, 0, EXIT_SYSTEM, "out of memory");
		t->no_input = true;
		return;
	}
	n = read(STDIN_FILENO, t->text.p + t->text.len, LINES);
	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n < 0) {
		fail(t, applet_fail(EXIT_SYSTEM, "cannot read standard input: %s", strerror(errno)));
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
		ctl_print(t->ctl, &rec, first(t)->line);
		if (rec.type == WIRE_END) {
			fail(t, (unsigned char)*rec.text);
			t->wait_gone |= first(t)->cmd->flags & CMD_GONE && !*rec.text;
			pop(t);
		}
		at += rec.size;
	}
	buf_consume(&t->in, at);
	if (t->n && res == WIRE_BAD)
		give_up(t, first(t)->line, EXIT_BUSY, "the answer makes no sense, this is no smcrouted of ours");
}

static void receive(struct talk *t)
{
	ssize_t n;

	if (!buf_reserve(&t->in, t->in.len ? CHUNK / 4 : CHUNK)) {
		give_up(t, 0, EXIT_SYSTEM, "out of memory");
		return;
	}
	n = recv(t->fd, t->in.p + t->in.len, t->in.cap - t->in.len, MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	t->no_daemon = n <= 0;
	if (n > 0) {
		t->in.len += (size_t)n;
		t->heard = ctl_now();
		take_records(t);
	}
}

static void transmit(struct talk *t)
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

static bool is_done(const struct talk *t)
{
	if (t->no_daemon || (t->ctl->deaf && (t->follow || !(t->ctl->options & OPTION('b')))))
		return true;
	return t->no_input && !t->n && !t->wait_gone;
}

/* Milliseconds to wait for the daemon, -1 = for ever. */
static int patience(const struct talk *t)
{
	int64_t left = t->heard + PATIENCE_MS - ctl_now();

	if (!t->n || first(t)->cmd->flags & (CMD_LONG | CMD_FOLLOW | CMD_GONE))
		return -1;
	return left > 0 ? (int)left : 0;
}

static void turn(struct talk *t)
{
	bool wants = !t->no_input && t->out.len < OUT_MAX;
	struct pollfd p[3] = {
		{ .fd = t->fd, .events = (short)(POLLIN | (t->out.len ? POLLOUT : 0)) },
		{ .fd = wants ? STDIN_FILENO : -1, .events = POLLIN },
		{ .fd = t->follow ? STDOUT_FILENO : -1 },	/* tells when its reader leaves */
	};
	int ready = poll(p, 3, patience(t));

	if (!ready)
		give_up(t, first(t)->line, EXIT_BUSY, "the daemon has not answered for 10 seconds");
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

/* Frees what there is; says so where an answer has not come. */
static void finish(struct talk *t)
{
	if (t->n && !t->ctl->deaf) {
		ctl_complain(first(t)->line, "the daemon has closed the connection",
			     t->follow ? "" : t->n > 1 || !t->no_input ? ", no answer to this line and those behind"
							     : " without an answer", WIRE_MAX);
		fail(t, EXIT_BUSY);
	}
	while (t->n--)
		free(t->due[t->head++].text);
	free(t->due);
	buf_free(&t->out);
	buf_free(&t->in);
	buf_free(&t->text);
}

int ctl_talk(struct ctl *c, int fd, struct request *q)
{
	struct talk t = { .ctl = c, .fd = fd, .no_input = q != NULL, .follow = q && q->cmd->flags & CMD_FOLLOW };

	if (q && !ask(&t, q))
		complain(&t, 0, EXIT_USAGE, TOO_LONG);
	transmit(&t);
	while (!is_done(&t)) {
		turn(&t);
		/* Whoever sends line by line waits for the answer before the next one. */
		if (t.follow || !t.n || ferror(stdout))
			ctl_flush(c);
	}
	finish(&t);
	return t.status;
}
