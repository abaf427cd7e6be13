/* SPDX-License-Identifier: ISC
 *
 * Messages to syslog, and to the kernel's log and stderr where there is none: sockets and a file in a folder of ours
 * take the places of /dev/log and /dev/kmsg.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <syslog.h>

static int open_here(const char *path, int flags);

#define open(path, flags) open_here(path, flags)
#undef _PATH_LOG
#define _PATH_LOG "log"
#include "lib/log.c"
#undef open

#include "tests/unit/test.h"

static char folder[] = "/tmp/test_log_system.XXXXXX";
static int console[2], old_stderr;

/* The kernel's log takes each message as it comes: here one is behind the other. */
static int open_here(const char *path, int flags)
{
	CHECK_STR(path, "/dev/kmsg");
	return (open)("kmsg", flags | O_CREAT | O_APPEND, 0600);
}

static void begin(void)
{
	CHECK(mkdtemp(folder) && chdir(folder) == 0);
	signal(SIGPIPE, SIG_IGN);	/* as the daemon has it */
	CHECK_INT(pipe2(console, O_NONBLOCK | O_CLOEXEC), 0);
	old_stderr = dup(STDERR_FILENO);
	dup2(console[1], STDERR_FILENO);
}

static void end(void)
{
	dup2(old_stderr, STDERR_FILENO);
	unlink("log");
	unlink("kmsg");
	CHECK_INT(chdir("/"), 0);
	CHECK_INT(rmdir(folder), 0);
}

/* A syslog of a type. */
static int syslog_of(int type)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX, .sun_path = "log" };
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);

	unlink("log");
	CHECK_INT(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
	if (type == SOCK_STREAM)
		CHECK_INT(listen(fd, 5), 0);
	return fd;
}

/* What came over a descriptor, "" = nothing. */
static const char *read_from(int fd)
{
	static char text[4096];
	ssize_t n = read(fd, text, sizeof text - 1);

	text[n > 0 ? n : 0] = '\0';
	return text;
}

static const char *heard(int fd)
{
	static char text[4096];
	ssize_t n = recv(fd, text, sizeof text - 1, MSG_DONTWAIT);

	text[n > 0 ? n : 0] = '\0';
	return text;
}

/* A line as syslog gets it. */
static const char *line_of(int prio, const char *text)
{
	static char line[256];

	snprintf(line, sizeof line, "<%d>test[%d]: %s", LOG_DAEMON | prio, (int)getpid(), text);
	return line;
}

/* Until there is one, messages go to the kernel's log and to stderr; they are cut to what that takes. */
static void none_yet(void)
{
	static char text[2000], kmsg[4096];
	int fd;

	log_open("test", LOG_TO_SYSLOG);
	log_err("one");
	CHECK_STR(read_from(console[0]), "one\n");
	fd = (open)("kmsg", O_RDONLY | O_CLOEXEC, 0);
	CHECK_STR(read_from(fd), line_of(LOG_ERR, "one\n"));
	memset(text, 'x', sizeof text - 1);
	log_notice("%s", text);
	CHECK_INT(strlen(read_from(console[0])), sizeof text);
	snprintf(kmsg, sizeof kmsg, "%s", read_from(fd));
	CHECK_INT(strlen(kmsg), LOG_KMSG_BYTES);
	CHECK_STR(kmsg + LOG_KMSG_BYTES - 3, "xx\n");
	close(fd);
}

/* One comes, ends, and comes again, as a message or a connection: the first message is heard, and nothing is on stderr
 * any more. */
static void comes_and_goes(void)
{
	int fd = syslog_of(SOCK_DGRAM), other, conn;
	char both[512];

	log_err("two");
	CHECK_STR(heard(fd), line_of(LOG_ERR, "two"));
	log_notice("three");
	CHECK_STR(heard(fd), line_of(LOG_NOTICE, "three"));
	close(fd);
	fd = syslog_of(SOCK_STREAM);
	log_err("four");
	log_err("five");
	other = accept(fd, NULL, NULL);
	snprintf(both, sizeof both, "%s", line_of(LOG_ERR, "four\n"));
	snprintf(both + strlen(both), sizeof both - strlen(both), "%s", line_of(LOG_ERR, "five\n"));
	CHECK_STR(heard(other), both);
	close(other);
	log_err("six");
	conn = accept(fd, NULL, NULL);
	CHECK_STR(heard(conn), line_of(LOG_ERR, "six\n"));
	CHECK_STR(read_from(console[0]), "");
	close(conn);
	close(fd);
	unlink("log");
	log_err("seven");
	CHECK_STR(read_from(console[0]), "seven\n");
}

/* Both at once, as a foreground daemon with -s has it. */
static void to_both(void)
{
	int fd = syslog_of(SOCK_DGRAM);

	log_open("test", LOG_TO_BOTH);
	log_err("eight");
	CHECK_STR(heard(fd), line_of(LOG_ERR, "eight"));
	CHECK_STR(read_from(console[0]), "eight\n");
	close(fd);
}

TEST_MAIN(TEST(begin) TEST(none_yet) TEST(comes_and_goes) TEST(to_both) TEST(end))
