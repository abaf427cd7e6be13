/* SPDX-License-Identifier: ISC
 *
 * The conversation: requests out, replies in, both at once, so that neither side
 * can wait for the other.  Replies come in the order of the requests; a batch
 * keeps a queue of the lines that are still to be answered, and a line that
 * the daemon is not asked for waits until that is empty.
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
#include "lib/clock.h"
#include "lib/grow.h"

#define PATIENCE_MS 10000		/* without a byte from the daemon; turn() names it */
#define OUT_MAX (256 * 1024)		/* unsent requests, before more lines are read */
#define CHUNK (32 * 1024)		/* of replies: two records of a long table */
#define TOO_LONG "too long for one request"
#define LINES (16 * 1024)		/* of a batch: the daemon works on some while the next are read */

/* A line whose answer is due. */
struct due {
	uint32_t line;			/* of the batch, 0 = there is none */
	const struct command *cmd;
};

struct talk {
	struct ctl *ctl;
	struct request *q;		/* the line that is looked at */
	int fd;
	int status;			/* of the first failure */
	int64_t heard;			/* ms */
	struct due *due;
	uint32_t head, n, cap;		/* due[head .. head + n) are waiting */
	uint32_t line;			/* number of the last line read */
	bool follow;			/* prints until somebody leaves */
	bool wait_gone;			/* the daemon ends: wait until it has */
	bool no_input, no_daemon;	/* at its end */
	bool over;			/* no answer is waited for any more */
	bool skip;			/* in the rest of a line that is too long */
	bool held;			/* that line is answered here, once those before have their answers */
	const char *why;		/* what is wrong with it; for that q->cmd is NULL */
	size_t at;			/* of the next line in text */
	struct buf out, in, text;	/* unsent requests, replies, lines */
};

static void fail(struct talk *t, int status)
{
	if (!t->status)
		t->status = status;
}

/* Says what is wrong, and remembers the status. */
static void complain(struct talk *t, uint32_t line, int status, const char *why)
{
	ctl_complain(line, why, "", 0);
	fail(t, status);
}

static struct due *first(const struct talk *t)
{
	return &t->due[t->head];
}

/* The same, and the conversation ends: no answer is waited for. */
static void give_up(struct talk *t, uint32_t line, int status, const char *why)
{
	complain(t, line, status, why);
	t->over = true;
	t->n = 0;
}

/* ---- requests ---- */

/* Notes that the present line is sent. */
static bool push(struct talk *t)
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
		t->heard = clock_ms();
	v[t->head + t->n++] = (struct due){ t->line, t->q->cmd };
	return true;
}

/* Sends the present line; false when it is too long. */
static bool ask(struct talk *t)
{
	bool json = t->ctl->options & OPTION('j');
	struct request *q = t->q;
	size_t before = t->out.len;

	q->words[0] = t->ctl->options & OPTION('d') ? json ? "-dj" : "-d" : json ? "-j" : "";
	if (wire_put_request(&t->out, WIRE_WORDS, 1 + q->n, q->words) && push(t))
		return true;
	t->out.len = before;
	return false;
}

/* The present line is no request. */
static void refuse(struct talk *t, const char *why)
{
	t->q->cmd = NULL;
	t->why = why;
	t->held = true;
}

/* Splits a line; false when it has too many words. */
static bool split(struct request *q, char *s)
{
	static const char blanks[] = " \t\r";

	q->n = 0;
	for (s += strspn(s, blanks); *s && *s != '#'; s += strspn(s, blanks)) {
		if (q->n == CTL_WORDS - 1)
			return false;
		q->words[++q->n] = s;
		s += strcspn(s, blanks);
		if (*s)
			*s++ = '\0';
	}
	return true;
}

static void take_line(struct talk *t, char *s, size_t len)
{
	struct request *q = t->q;

	t->line++;
	s[len] = '\0';
	if (strlen(s) < len)
		refuse(t, "there is a NUL byte in it");
	else if (!split(q, s))
		refuse(t, "too many words");
	else if (!q->n)
		return;
	else if (!ctl_check(q))
		refuse(t, q->why);
	else if (q->cmd->is_endless)
		refuse(t, "this has no end, it cannot be in a batch");
	else if (q->cmd->is_local)
		t->held = true;
	else if (!ask(t))
		refuse(t, TOO_LONG);
}

/* Takes the next whole line out of t->text, or what is left at the end of the input; false when there is none. */
static bool next_line(struct talk *t)
{
	size_t len = t->text.len - t->at;
	char *s, *nl;

	if (!len)
		return false;
	s = t->text.p + t->at;
	nl = memchr(s, '\n', len);
	if (nl || t->no_input) {
		len = nl ? (size_t)(nl - s) : len;
		if (!t->skip)
			take_line(t, s, len);
		t->skip = false;
		t->at += len + (nl != NULL);
	} else if (len > WIRE_MAX) {
		if (!t->skip) {
			t->line++;
			refuse(t, TOO_LONG);
		}
		t->skip = true;
		t->at += len;
	} else {
		return false;
	}
	return true;
}

static void answer_held(struct talk *t)
{
	t->held = false;
	if (t->q->cmd)
		fail(t, ctl_local(t->q));
	else
		complain(t, t->line, EXIT_USAGE, t->why);
}

static void take_lines(struct talk *t)
{
	for (;;) {
		if (t->held && t->n)
			return;
		if (t->held)
			answer_held(t);
		else if (!next_line(t))
			return;
	}
}

static void read_input(struct talk *t)
{
	ssize_t n;

	buf_consume(&t->text, t->at);
	t->at = 0;
	/* One more for the NUL behind the last line. */
	if (!buf_reserve(&t->text, LINES + 1)) {
		complain(t, 0, EXIT_SYSTEM, "out of memory");
		t->no_input = true;
		t->text.len = 0;	/* half a line is no command */
		return;
	}
	n = read(STDIN_FILENO, t->text.p + t->text.len, LINES);
	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n < 0)
		fail(t, applet_fail(EXIT_SYSTEM, "cannot read standard input: %s", strerror(errno)));
	t->no_input = n <= 0;
	t->text.len += n > 0 ? (size_t)n : 0;
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
			if (first(t)->cmd->ends_daemon && !*rec.text)
				t->wait_gone = true;
			t->head++;
			t->n--;
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
		t->heard = clock_ms();
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
	if (t->over || t->no_daemon || (t->ctl->deaf && (t->follow || !(t->ctl->options & OPTION('b')))))
		return true;
	return t->no_input && !t->n && !t->wait_gone;
}

/* Milliseconds to wait for the daemon, -1 = for ever. */
static int patience(const struct talk *t)
{
	int64_t left = t->heard + PATIENCE_MS - clock_ms();

	if (!t->n || first(t)->cmd->takes_long || first(t)->cmd->is_endless || first(t)->cmd->ends_daemon)
		return -1;
	return left > 0 ? (int)left : 0;
}

static void turn(struct talk *t)
{
	bool wants = !t->no_input && !t->held && t->out.len < OUT_MAX;
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
	if (t->over)
		return;
	if (p[1].revents)
		read_input(t);
	take_lines(t);
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
			     t->follow ? "" : t->n > 1 || !t->no_input || t->held ? ", no answer to this line and those behind"
							     : " without an answer", WIRE_MAX);
		fail(t, EXIT_BUSY);
	}
	free(t->due);
	buf_free(&t->out);
	buf_free(&t->in);
	buf_free(&t->text);
}

int ctl_talk(struct ctl *c, int fd, struct request *q)
{
	bool batch = c->options & OPTION('b');
	struct talk t = { .ctl = c, .q = q, .fd = fd, .no_input = !batch, .follow = q->cmd->is_endless };

	if (!batch && !ask(&t))
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
