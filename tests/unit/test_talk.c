/* SPDX-License-Identifier: ISC
 *
 * Lines and descriptors: which belongs to which, what is closed, and what breaks the rules.
 */
#include "lib/talk.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/notify.h"
#include "tests/fake/memory.h"
#include "tests/unit/test.h"

static struct talk a, b;

static void begin(void)
{
	int fd[2];

	CHECK_INT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd), 0);
	a = (struct talk){ .fd = fd[0] };
	b = (struct talk){ .fd = fd[1] };
}

static void end(void)
{
	talk_end(&a);
	talk_end(&b);
}

/* True when both are the same open file. */
static int is_same(int fd, int other)
{
	struct stat x, y;

	return !fstat(fd, &x) && !fstat(other, &y) && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

static void lines_alone(void)
{
	begin();
	CHECK(!talk_line(&b));
	CHECK(!talk_receive(&b));
	CHECK_INT(talk_send(&a, "one\ntw", NULL, 0), 0);
	CHECK(talk_receive(&b));
	CHECK_STR(talk_line(&b), "one");
	CHECK(!talk_line(&b));
	CHECK_INT(talk_send(&a, "o\n", NULL, 0), 0);
	CHECK(talk_receive(&b));
	CHECK_STR(talk_line(&b), "two");
	CHECK_INT(talk_take_fd(&b), -1);
	CHECK(!b.is_eof);
	talk_end(&a);
	CHECK(talk_receive(&b) && b.is_eof && !talk_line(&b));
	end();
}

static void descriptors_in_order(void)
{
	int fds[3 * TALK_FDS], pipes[2], bad = 0;
	unsigned n = 0;
	char *line;

	begin();
	CHECK_INT(pipe(pipes), 0);
	/* Lines without a descriptor between those with one; each third is another file. */
	for (unsigned m = 0; m < 3; m++) {
		struct buf text = { 0 };

		buf_str(&text, "plain\n");
		for (unsigned i = 0; i < TALK_FDS; i++) {
			fds[i] = (m * TALK_FDS + i) % 3 ? pipes[0] : STDIN_FILENO;
			buf_printf(&text, "fd %u\n", m * TALK_FDS + i);
		}
		CHECK_INT(talk_send(&a, buf_cstr(&text), fds, TALK_FDS), 0);
		buf_free(&text);
	}
	while (n < 3 * TALK_FDS && talk_receive(&b))
		while ((line = talk_line(&b))) {
			if (!strcmp(line, "plain"))
				continue;

			int fd = talk_take_fd(&b);

			bad += (unsigned)atoi(line + 3) != n || !is_same(fd, n % 3 ? pipes[0] : STDIN_FILENO) ||
			       !(fcntl(fd, F_GETFD) & FD_CLOEXEC);
			close(fd);
			n++;
		}
	CHECK_INT(n, 3 * TALK_FDS);
	CHECK_INT(bad, 0);
	close(pipes[0]);
	close(pipes[1]);
	end();
}

static void nobody_takes(void)
{
	char byte;
	int p[2];

	begin();
	CHECK_INT(pipe(p), 0);
	CHECK_INT(talk_send(&a, "fd x\n", &p[1], 1), 0);
	close(p[1]);
	CHECK(talk_receive(&b));
	talk_end(&b);
	/* The last writer is gone. */
	CHECK_INT(read(p[0], &byte, 1), 0);
	close(p[0]);
	end();
}

static void too_long(void)
{
	char line[1200];

	begin();
	memset(line, 'x', sizeof line);
	line[sizeof line - 1] = '\0';
	CHECK_INT(talk_send(&a, line, NULL, 0), 0);
	CHECK(talk_receive(&b) && b.is_eof);
	end();
}

static void no_room(void)
{
	char piece[4096];
	int sent = 0;
	ssize_t n = 0;

	begin();
	memset(piece, 'y', sizeof piece);
	piece[sizeof piece - 2] = '\n';
	piece[sizeof piece - 1] = '\0';
	while (sent < 10000 && talk_send(&a, piece, NULL, 0) == 0)
		sent++;
	CHECK(sent > 0 && sent < 10000 && errno == EAGAIN);
	/* What was sent was sent whole. */
	for (ssize_t got; (got = recv(b.fd, piece, sizeof piece, MSG_DONTWAIT)) > 0;)
		n += got;
	CHECK_INT(n, (ssize_t)sent * (ssize_t)(sizeof piece - 1));
	end();
}

/* The kernel drops the descriptors for which there is no room. */
static void cut(void)
{
	struct rlimit limit, low;
	int fds[8] = { 0 }, next;

	begin();
	CHECK_INT(talk_send(&a, "fd x\ngo\n", fds, 8), 0);
	next = dup(STDIN_FILENO);
	close(next);
	getrlimit(RLIMIT_NOFILE, &limit);
	low = limit;
	low.rlim_cur = (rlim_t)next + 3;
	CHECK_INT(setrlimit(RLIMIT_NOFILE, &low), 0);
	CHECK(talk_receive(&b) && b.is_cut && b.is_eof);
	setrlimit(RLIMIT_NOFILE, &limit);
	end();
}

/* What does not go in one piece is not taken for sent. */
static void too_much(void)
{
	size_t n = 4 << 20;
	char *text = malloc(n);

	begin();
	memset(text, 'x', n);
	text[n - 1] = '\0';
	CHECK(talk_send(&a, text, NULL, 0) < 0 && errno == EMSGSIZE);
	free(text);
	end();
}

/* Without memory the conversation is over, and no descriptor stays. */
static void no_memory(void)
{
	char byte;
	int p[2];

	for (unsigned had = 0; had < 2; had++) {
		begin();
		CHECK_INT(pipe(p), 0);
		CHECK_INT(talk_send(&a, "fd x\n", &p[1], 1), 0);
		close(p[1]);
		memory_scarce(had, 1);
		CHECK(talk_receive(&b));
		CHECK(memory_plenty());
		CHECK(b.is_eof);
		CHECK_INT(b.is_cut, had);
		CHECK_INT(talk_take_fd(&b), -1);
		talk_end(&b);
		CHECK_INT(read(p[0], &byte, 1), 0);
		close(p[0]);
		end();
	}
}

static void ends(void *ctx)
{
	(void)ctx;
}

/* Waiting ends with what is waited for, with its time, and with a signal that the loop has. */
static void waits(void)
{
	struct loop *l = loop_new();

	begin();
	CHECK_INT(talk_wait(&b, NULL, POLLIN, 0), 0);
	CHECK_INT(talk_wait(&b, l, POLLIN, 1), 0);
	CHECK_INT(talk_wait(&b, l, POLLOUT, 1), 1);
	CHECK_INT(talk_send(&a, "x\n", NULL, 0), 0);
	CHECK_INT(talk_wait(&b, l, POLLIN, 20000), 1);
	CHECK_INT(loop_signal(l, SIGTERM, ends, NULL), 0);
	raise(SIGTERM);
	CHECK_INT(talk_wait(&b, l, POLLIN, 20000), -1);
	/* Who has no loop waits on. */
	CHECK_INT(talk_wait(&b, NULL, POLLIN, 20000), 1);
	loop_free(l);
	end();
}

/* An init system that watches this process hears that it lives. */
static void keeps_the_watchdog(void)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	char name[64], text[64];
	ssize_t n;

	snprintf(name, sizeof name, "@test_talk.%d", (int)getpid());
	memcpy(to.sun_path + 1, name + 1, strlen(name + 1));
	CHECK_INT(bind(fd, (struct sockaddr *)&to, (socklen_t)(sizeof to.sun_family + strlen(name))), 0);
	setenv("NOTIFY_SOCKET", name, 1);
	setenv("WATCHDOG_USEC", "1000000", 1);
	notify_init();
	begin();
	CHECK_INT(talk_wait(&b, NULL, POLLIN, 0), 0);
	n = recv(fd, text, sizeof text - 1, 0);
	text[n > 0 ? n : 0] = '\0';
	CHECK_STR(text, "WATCHDOG=1");
	close(fd);
	notify_init();
	end();
}

TEST_MAIN(TEST(lines_alone) TEST(descriptors_in_order) TEST(nobody_takes) TEST(too_long) TEST(no_room) TEST(cut)
	  TEST(too_much) TEST(no_memory) TEST(waits) TEST(keeps_the_watchdog))
