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

/* Keeps the descriptors of a message, all of them: false when some did not fit or there is no memory. */
static bool talk_keep(struct talk *t, struct msghdr *m)
{
	bool is_whole = !(m->msg_flags & MSG_CTRUNC);

	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t at = 0; at + CMSG_LEN(sizeof(int)) <= c->cmsg_len; at += sizeof(int)) {
			int fd;

			memcpy(&fd, CMSG_DATA(c) + at, sizeof fd);
			if (buf_reserve(&t->fds, sizeof fd)) {
				buf_add(&t->fds, &fd, sizeof fd);
			} else {
				close(fd);
				is_whole = false;
			}
		}
	}
	return is_whole;
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
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(TALK_FDS * sizeof(int))];
	} control;
	struct iovec iov;
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control,
			    .msg_controllen = sizeof control };
	ssize_t n;

	buf_consume(&t->in, t->at);
	t->at = 0;
	if (t->is_eof || !buf_reserve(&t->in, TALK_READ)) {
		t->is_eof = true;
		return true;
	}
	iov = (struct iovec){ t->in.p + t->in.len, TALK_READ };
	n = recvmsg(t->fd, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	t->in.len += n > 0 ? (size_t)n : 0;
	t->is_cut = n > 0 && !talk_keep(t, &m);
	t->is_eof = n <= 0 || t->is_cut ||
		    (t->in.len > TALK_LINE && !memchr(t->in.p, '\n', t->in.len));
	return true;
}

char *talk_line(struct talk *t)
{
	char *line = t->in.p + t->at;
	char *end = t->in.len > t->at ? memchr(line, '\n', t->in.len - t->at) : NULL;

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
