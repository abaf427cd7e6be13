/* SPDX-License-Identifier: ISC
 *
 * A message is sent whole or not at all: up to some ten KB the kernel takes it as one piece (net/unix/af_unix.c,
 * unix_stream_sendmsg), which recvmsg(2) never joins with one behind it that has descriptors of its own.
 */
#include "lib/talk.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/notify.h"

#define TALK_POLL_MS 100	/* between two looks at signals */
#define TALK_READ 16384		/* bytes read at once */
#define TALK_LINE 1024		/* no line is longer */

int talk_send(struct talk *t, const char *lines, const int *fds, unsigned n)
{
	ssize_t sent = usock_send(t->fd, lines, fds, n, NULL, 0, MSG_DONTWAIT | MSG_NOSIGNAL);

	if (sent >= 0 && (size_t)sent < strlen(lines)) {
		errno = EMSGSIZE;
		return -1;
	}
	return sent < 0 ? -1 : 0;
}

/* Keeps what came with bytes: false when not all of it did or there is no memory. */
static bool talk_keep(struct talk *t, struct usock_beside *beside)
{
	size_t size = beside->n * sizeof *beside->fds;

	if (buf_reserve(&t->fds, size)) {
		buf_add(&t->fds, beside->fds, size);
		return !(beside->flags & MSG_CTRUNC);
	}
	while (beside->n)
		close(beside->fds[--beside->n]);
	return false;
}

int talk_wait(const struct talk *t, const struct loop *l, short events, int ms)
{
	int64_t end = clock_ms() + ms;

	do {
		struct pollfd p = { .fd = t->fd, .events = events };

		if (l && loop_is_told_to_end(l))
			return -1;
		if (notify_watchdog_usec())
			notify_send("WATCHDOG=1");
		if (poll(&p, 1, TALK_POLL_MS) > 0)
			return 1;
	} while (clock_ms() < end);
	return 0;
}

bool talk_receive(struct talk *t)
{
	struct usock_beside beside;
	ssize_t n;

	buf_consume(&t->in, t->at);
	t->at = 0;
	if (t->is_eof || !buf_reserve(&t->in, TALK_READ)) {
		t->is_eof = true;
		return true;
	}
	n = usock_receive(t->fd, t->in.p + t->in.len, TALK_READ, &beside);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	t->in.len += n > 0 ? (size_t)n : 0;
	t->is_cut = n > 0 && !talk_keep(t, &beside);
	t->is_eof = n <= 0 || t->is_cut ||
		    (t->in.len > TALK_LINE && !memchr(t->in.p, '\n', t->in.len));
	return true;
}

char *talk_line(struct talk *t)
{
	char *line = t->in.len > t->at ? t->in.p + t->at : NULL;
	char *end = line ? memchr(line, '\n', t->in.len - t->at) : NULL;

	if (!end)
		return NULL;
	*end = '\0';
	t->at = (size_t)(end + 1 - t->in.p);
	return line;
}

int talk_take_fd(struct talk *t)
{
	int fd;

	if (t->fds.len < sizeof fd)
		return -1;
	memcpy(&fd, t->fds.p, sizeof fd);
	buf_consume(&t->fds, sizeof fd);
	return fd;
}

void talk_end(struct talk *t)
{
	int fd;

	while ((fd = talk_take_fd(t)) >= 0)
		close(fd);
	if (t->fd >= 0)
		close(t->fd);
	buf_free(&t->fds);
	buf_free(&t->in);
	t->fd = -1;
	t->at = 0;
	t->is_eof = true;
}
