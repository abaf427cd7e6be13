/* SPDX-License-Identifier: ISC
 *
 * See source.h.  The child gets one request after the other, each with an answer.
 */
#include "conf/source.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/fd.h"
#include "lib/priv.h"
#include "lib/proc.h"

#define SOURCE_STEP ((size_t)1 << 20)		/* bytes taken in one go */

struct source_request {
	bool is_pattern;
	char path[PATH_MAX];
};

struct source_head source_head(const struct buf *b)
{
	struct source_head h = { .err = ENOMEM };

	if (b->len >= sizeof h)
		memcpy(&h, b->p, sizeof h);
	return h;
}

const char *source_why(int err)
{
	return err == EISDIR ? "it is a directory" : err == ENXIO ? "it is no regular file" : strerror(err);
}

/* What a file that is no regular one is: 0 when it may be read all the same, as a pipe that a shell made, or an errno.
 * A FIFO that has a name is none: whoever writes to it last, or nobody, would decide what is routed. */
static int source_kind(const char *path, const struct stat *st)
{
	bool is_number = !strncmp(path, "/dev/", 5) || !strncmp(path, "/proc/", 6);

	if (S_ISREG(st->st_mode) || (S_ISFIFO(st->st_mode) && is_number) || !strcmp(path, "/dev/null"))
		return 0;
	return S_ISDIR(st->st_mode) ? EISDIR : ENXIO;
}

/* Opens a file that may be read.  Looks first, as there are devices that do something when they are opened. */
static int source_open(const char *path, struct stat *st)
{
	int fd;

	if (!strcmp(path, "-"))
		return fstat(STDIN_FILENO, st) < 0 ? -1 : STDIN_FILENO;
	if (stat(path, st) < 0 || (errno = source_kind(path, st)))
		return -1;
	/* What has come in its place is not waited for, either. */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | (S_ISREG(st->st_mode) ? O_NONBLOCK : 0));
	return fd < 0 || (fstat(fd, st) == 0 && !(errno = source_kind(path, st))) ? fd : fd_fail(fd);
}

/* Appends the text of a file: 0, or an errno. */
static int source_load(const char *path, struct source_head *h, struct buf *b)
{
	struct stat st = { 0 };
	int fd = source_open(path, &st), err = 0;
	ssize_t n = fd < 0 ? -1 : 1;

	h->dev = st.st_dev;
	h->ino = st.st_ino;
	h->is_private = !(st.st_mode & S_IROTH);
	if (st.st_size > 0 && (unsigned long long)st.st_size <= SOURCE_MAX)
		buf_reserve(b, (size_t)st.st_size + 1);
	while (n > 0 && b->len <= SOURCE_MAX && buf_reserve(b, 1)) {
		do
			n = read(fd, b->p + b->len, b->cap - b->len);
		while (n < 0 && errno == EINTR);
		b->len += n > 0 ? (size_t)n : 0;
	}
	err = n < 0 ? errno : b->failed ? ENOMEM : b->len > SOURCE_MAX ? EFBIG : 0;
	if (fd > STDIN_FILENO)
		close(fd);
	return err;
}

/* Why a pattern could not be followed, or 0: glob() of musl tells of no match then. */
static int source_pattern_err;

/* A directory that is not there is no match; what cannot be read for another reason is an error. */
static int source_pattern_failed(const char *path, int err)
{
	(void)path;
	if (err != ENOENT && err != ENOTDIR)
		source_pattern_err = err;
	return source_pattern_err;
}

/* Appends the names of the files of a pattern, sorted: 0, or an errno. */
static int source_match(const char *pattern, struct buf *b)
{
	glob_t found = { 0 };
	int result;

	source_pattern_err = 0;
	result = glob(pattern, 0, source_pattern_failed, &found);
	for (size_t i = 0; !result && i < found.gl_pathc; i++)
		buf_add(b, found.gl_pathv[i], strlen(found.gl_pathv[i]) + 1);
	globfree(&found);
	return result == GLOB_NOSPACE || b->failed ? ENOMEM : source_pattern_err;
}

/* Reads a file or pattern, and puts the answer into b. */
static void source_read(const char *path, bool is_pattern, struct buf *b)
{
	struct source_head h = { 0 };

	buf_add(b, &h, sizeof h);
	/* With all rights that there are: the daemon of root reads as root does. */
	priv_raise();
	h.err = is_pattern ? source_match(path, b) : source_load(path, &h, b);
	priv_lower();
	if (b->len < sizeof h)
		return;
	if (h.err)
		b->len = sizeof h;
	h.n = b->len - sizeof h;
	memcpy(b->p, &h, sizeof h);
}

/* ---- the child ---- */

static bool source_send(int fd, const char *p, size_t n)
{
	while (n) {
		ssize_t sent = send(fd, p, n, MSG_NOSIGNAL);

		if (sent <= 0)
			return false;
		p += sent;
		n -= (size_t)sent;
	}
	return true;
}

static void source_serve(int fd)
{
	struct source_request rq;
	struct source_head h;
	bool goes_on = true;

	while (goes_on && recv(fd, &rq, sizeof rq, MSG_WAITALL) == sizeof rq) {
		struct buf b = { 0 };

		source_read(rq.path, rq.is_pattern, &b);
		h = source_head(&b);
		goes_on = source_send(fd, (const char *)&h, sizeof h) &&
			  (!h.n || source_send(fd, b.p + sizeof h, h.n));
		buf_free(&b);
	}
}

int source_start(void)
{
	int fd;
	pid_t pid = proc_fork(&fd);

	if (pid)
		return pid < 0 ? -1 : fd;
	source_serve(fd);
	_exit(0);
}

/* Makes the answer that there is none. */
static bool source_fail(struct buf *b, int err)
{
	struct source_head h = { .err = err };

	b->len = 0;
	buf_add(b, &h, sizeof h);
	return true;
}

void source_ask(int fd, const char *path, bool is_pattern, struct buf *b)
{
	struct source_request rq = { .is_pattern = is_pattern };
	size_t n = strlen(path);

	if (fd < 0) {
		source_read(path, is_pattern, b);
	} else if (n >= sizeof rq.path) {
		source_fail(b, ENAMETOOLONG);
	} else {
		memcpy(rq.path, path, n);
		/* There is room: the child has taken all that was sent before.  One that has ended gives no answer. */
		send(fd, &rq, sizeof rq, MSG_NOSIGNAL | MSG_DONTWAIT);
	}
}

bool source_answer(int fd, struct buf *b)
{
	struct source_head h = { 0 };
	size_t stop = b->len + SOURCE_STEP;

	for (;;) {
		ssize_t n = 0;

		if (b->len >= sizeof h)
			h = source_head(b);
		size_t left = sizeof h + h.n - b->len;

		if (!left || b->len >= stop)
			return !left;
		if (!buf_reserve(b, left))
			return source_fail(b, ENOMEM);
		n = recv(fd, b->p + b->len, left < SOURCE_STEP ? left : SOURCE_STEP, MSG_DONTWAIT);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return false;
		/* It was killed, as may be what helps when it hangs. */
		if (n <= 0)
			return source_fail(b, ECANCELED);
		b->len += (size_t)n;
	}
}
