/* SPDX-License-Identifier: ISC
 *
 * The hook runner with real programs: order, environment, limits, failures, and
 * what a program inherits.  Waits end by events; the deadline only ends a test
 * that has failed.
 */
#include "lib/hook.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/log.h"
#include "lib/notify.h"
#include "tests/unit/test.h"

#define DEADLINE_MS 20000

static char dir[] = "/tmp/test_hook.XXXXXX", program[64], out[64], fifo[64];
static struct loop *loop;
static struct hook *hook;
static int log_fd[2], old_stderr;
static int64_t limit_ms = HOOK_LIMIT_MS;
static unsigned ended;

static void reap(void *ctx)
{
	int status;

	(void)ctx;
	for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0; ended++)
		hook_ended(hook, pid, status);
}

static void too_late(void *ctx)
{
	(void)ctx;
	loop_stop(loop, 1);
}

/* A program with this body, that may write to $OUT; stderr becomes a pipe. */
static void begin(const char *body)
{
	FILE *f;

	CHECK(mkdtemp(strcpy(dir, "/tmp/test_hook.XXXXXX")));
	snprintf(program, sizeof program, "%s/program", dir);
	snprintf(out, sizeof out, "%s/out", dir);
	snprintf(fifo, sizeof fifo, "%s/fifo", dir);
	setenv("OUT", out, 1);
	setenv("FIFO", fifo, 1);
	CHECK_INT(mkfifo(fifo, 0600), 0);
	f = fopen(program, "we");
	CHECK(f && fprintf(f, "#!/bin/sh\n%s\n", body) > 0 && !fclose(f));
	CHECK_INT(chmod(program, 0755), 0);
	CHECK_INT(pipe2(log_fd, O_CLOEXEC | O_NONBLOCK), 0);
	old_stderr = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
	dup2(log_fd[1], STDERR_FILENO);
	loop = loop_new();
	CHECK_INT(loop_signal(loop, SIGCHLD, reap, NULL), 0);
	hook = hook_new(loop, program, limit_ms);
	ended = 0;
	CHECK(hook);
}

/* Turns until n programs have ended; the next one may have been quick, and have ended in the same turn. */
static void wait_for(unsigned n)
{
	struct timer deadline = { .fn = too_late };

	timer_set(loop, &deadline, DEADLINE_MS);
	while (ended < n && deadline.due)
		CHECK_INT(loop_turn(loop, true), 0);
	CHECK(ended >= n);
	timer_stop(loop, &deadline);
}

static const char *logged(void)
{
	static char text[65536];
	ssize_t n = read(log_fd[0], text, sizeof text - 1);

	text[n > 0 ? n : 0] = '\0';
	return text;
}

/* What the programs wrote. */
static const char *written(void)
{
	static char text[65536];
	int fd = open(out, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);

	if (fd >= 0)
		close(fd);
	text[n > 0 ? n : 0] = '\0';
	return text;
}

static void end(void)
{
	hook_free(hook);
	hook = NULL;
	loop_free(loop);
	while (waitpid(-1, NULL, 0) > 0)
		;
	dup2(old_stderr, STDERR_FILENO);
	close(old_stderr);
	close(log_fd[0]);
	close(log_fd[1]);
	unlink(program);
	unlink(out);
	unlink(fifo);
	CHECK_INT(rmdir(dir), 0);
}

static void in_order(void)
{
	char want[1000] = "", pairs[64];

	begin("echo $1 $source $group >>$OUT");
	for (int i = 0; i < 30; i++) {
		snprintf(pairs, sizeof pairs, "source=10.0.0.%d\ngroup=225.1.2.%d", i, i);
		hook_run(hook, "install", pairs);
		sprintf(want + strlen(want), "install 10.0.0.%d 225.1.2.%d\n", i, i);
	}
	hook_run(hook, "reload", "");
	strcat(want, "reload\n");
	wait_for(31);
	CHECK_STR(written(), want);
	CHECK_STR(logged(), "");
	end();
}

static void environment(void)
{
	setenv("NOTIFY_SOCKET", "/run/x", 1);
	notify_init();
	setenv("group", "old", 1);
	setenv("groups", "kept", 1);
	begin("echo \"${NOTIFY_SOCKET-unset}|$group|$groups|${empty-unset}|$source\" >>$OUT\n"
	      "env | grep -c '^group=' >>$OUT");
	hook_run(hook, "install", "group=new\nempty=\nsource=a b;c=d\n");
	wait_for(1);
	CHECK_STR(written(), "unset|new|kept||a b;c=d\n1\n");
	end();
	unsetenv("group");
	unsetenv("groups");
}

/* Input, descriptors, signals: nothing of ours. */
static void inherits_nothing(void)
{
	sigset_t usr2;

	NEED_PROC();
	sigemptyset(&usr2);
	sigaddset(&usr2, SIGUSR2);
	sigprocmask(SIG_BLOCK, &usr2, NULL);
	signal(SIGPIPE, SIG_IGN);
	/* Signals 1 to 28; those of the libc itself lie above.  Read by the shell itself before it starts a
	 * program: around that some shells block all signals, and have an empty mask from then on. */
	CHECK_INT(dup2(STDIN_FILENO, 77), 77);		/* without close-on-exec */
	begin("while read name v; do case $name in SigBlk:|SigIgn:) echo ${v#?????????};; esac; done"
	      " </proc/$$/status >>$OUT\n"
	      "readlink /proc/self/fd/0 >>$OUT\n"
	      "test -e /proc/$$/fd/77 && echo leaked >>$OUT\n"
	      "test $(ps -o pgid= -p $$ 2>/dev/null || echo $$) = $$ || echo group >>$OUT");
	hook_run(hook, "install", "");
	wait_for(1);
	CHECK_STR(written(), "0000000\n0000000\n/dev/null\n");
	close(77);
	end();
	signal(SIGPIPE, SIG_DFL);
	sigprocmask(SIG_UNBLOCK, &usr2, NULL);
}

static void failures(void)
{
	begin("case $1 in one) exit 3;; two) kill -TERM $$;; *) exit 0;; esac");
	hook_run(hook, "one", "");
	hook_run(hook, "two", "");
	hook_run(hook, "three", "");
	wait_for(3);
	const char *got = logged();
	CHECK(strstr(got, "program one: exit status 3\n"));
	CHECK(strstr(got, "program two: ended by signal 15\n"));
	CHECK(!strstr(got, "three"));
	CHECK_INT(chmod(program, 0644), 0);
	unlink(program);
	hook_run(hook, "four", "");	/* absent: logged, goes on */
	CHECK(strstr(logged(), "program four: cannot be run: "));
	for (int i = 0; i < 100; i++)			/* and the log does not fill */
		hook_run(hook, "five", "");
	CHECK(strlen(logged()) < 2000);
	end();
}

/* Over its time the whole group goes, the next one runs.  A limit passes while the loop turns: it does not before the
 * first has written, nor before the second has ended, so that neither has to be quick. */
static void time_limit(void)
{
	siginfo_t end_of;

	limit_ms = 100;
	begin("echo $1 >>$OUT; test $1 = quick || { sleep 600 & cat $FIFO; wait; }");
	hook_run(hook, "slow", "");
	for (int tries = 0; strcmp(written(), "slow\n") && tries < DEADLINE_MS; tries++)
		usleep(1000);
	hook_run(hook, "quick", "");
	wait_for(1);
	if (ended < 2)
		CHECK_INT(waitid(P_ALL, 0, &end_of, WEXITED | WNOWAIT), 0);
	wait_for(2);
	CHECK_STR(written(), "slow\nquick\n");
	CHECK(strstr(logged(), "program slow: took too long, ended by signal 9\n"));
	end();
	limit_ms = HOOK_LIMIT_MS;
}

static void queue_is_bounded(void)
{
	const char *got;

	begin("echo $1 >>$OUT; cat $FIFO");
	for (int i = 0; i <= HOOK_QUEUE; i++)		/* one that runs, the rest waits */
		hook_run(hook, "first", "");
	for (int i = 0; i < 5; i++)
		hook_run(hook, "more", "");
	got = logged();
	CHECK(strstr(got, "more than 1024 runs waiting"));
	CHECK(strchr(got, '\n') == got + strlen(got) - 1);	/* one line for five */
	end();					/* ends what runs: this returns */
}

/* A process that is about to end: what waits is run, unless somebody asks for the end. */
static void finishes(void)
{
	begin("echo $1 >>$OUT");
	for (int i = 0; i < 20; i++)
		hook_run(hook, "install", "");
	hook_finish(hook);
	CHECK_INT(strlen(written()), 20 * strlen("install\n"));
	CHECK_STR(logged(), "");
	hook_finish(hook);				/* nothing is left */
	hook_finish(NULL);
	end();
	begin("cat $FIFO");
	CHECK_INT(loop_signal(loop, SIGTERM, reap, NULL), 0);
	hook_run(hook, "install", "");
	hook_run(hook, "install", "");
	raise(SIGTERM);
	hook_finish(hook);
	CHECK(strstr(logged(), "1 runs left out"));
	close(open(fifo, O_WRONLY | O_CLOEXEC));	/* the first one goes on, and ends now */
	end();
}

/* As PID 1 we get children that we never started. */
static void reaps_strangers(void)
{
	int status;
	pid_t pid;

	begin("exit 0");
	pid = fork();
	if (!pid)
		_exit(9);
	hook_run(hook, "reload", "");
	wait_for(2);
	struct timer deadline = { .fn = too_late };
	timer_set(loop, &deadline, DEADLINE_MS);
	while (deadline.due && !kill(pid, 0))
		loop_turn(loop, true);
	CHECK_INT(waitpid(pid, &status, WNOHANG), -1);
	CHECK_INT(errno, ECHILD);
	timer_stop(loop, &deadline);
	hook_ended(NULL, pid, 0);
	CHECK_STR(logged(), "");
	end();
}

/* A start must not copy our memory: 64 MB in use make it no slower to speak of. */
static void starts_are_cheap(void)
{
	size_t size = 64 << 20;
	char *big;

	begin("exit 0");
	big = malloc(size);
	CHECK(big);
	memset(big, 1, size);
	for (int i = 0; i < 50; i++)
		hook_run(hook, "install", "");
	wait_for(50);
	CHECK_INT(big[size - 1], 1);
	free(big);
	end();
}

TEST_MAIN(
	TEST(in_order)
	TEST(environment)
	TEST(inherits_nothing)
	TEST(failures)
	TEST(time_limit)
	TEST(queue_is_bounded)
	TEST(finishes)
	TEST(reaps_strangers)
	TEST(starts_are_cheap)
)
