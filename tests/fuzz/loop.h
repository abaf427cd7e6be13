/* SPDX-License-Identifier: ISC
 *
 * The model of fuzz_loop.c, and what stands in for the calls of the system: a clock, ppoll(2), programs, and the log.
 */
#ifndef TESTS_FUZZ_LOOP_H
#define TESTS_FUZZ_LOOP_H

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lib/buf.h"
#include "lib/clock.h"
#include "lib/priv.h"
#include "lib/proc.h"
#include "tests/fake/memory.h"
#include "tests/fuzz/input.h"

static int64_t fuzz_clock;
static int fuzz_ppoll(struct pollfd *p, nfds_t n, const struct timespec *wait, const sigset_t *mask);
static int fuzz_poll(struct pollfd *p, nfds_t n, int ms);
static int fuzz_spawn(pid_t *pid, const char *program, bool has_group, char *const *argv, char *const *env);
static int fuzz_kill(pid_t pid, int sig);
static pid_t fuzz_waitpid(int *status);
static int fuzz_console = -1;

#define clock_ms()			fuzz_clock
#define ppoll(p, n, wait, mask)		fuzz_ppoll(p, n, wait, mask)
#define nanosleep(t, left)		(fuzz_clock += 10)
#include "lib/loop.c"
#define poll(p, n, ms)			fuzz_poll(p, n, ms)
#undef STDERR_FILENO
#define STDERR_FILENO			fuzz_console
#include "lib/log.c"
#define proc_spawn(pid, p, fa, g, a, e)	fuzz_spawn(pid, p, g, a, e)
#define proc_watch(pid)			(-1)
#define proc_keep_inherited()		((void)0)
#define kill(pid, sig)			fuzz_kill(pid, sig)
#define waitpid(pid, status, flags)	fuzz_waitpid(status)
#include "lib/hook.c"
#undef clock_ms
#undef ppoll
#undef poll
#undef nanosleep
#undef kill
#undef waitpid

#define TIMERS 6
#define PAIRS 5
#define SIGNALS 4
#define STEPS 400
#define LIMIT_MS 500

static struct loop *fuzz_loop;
static struct hook *fuzz_hook;
static unsigned fuzz_depth, fuzz_fired;
static bool fuzz_blocks, fuzz_is_ready;	/* a turn may wait; something was ready in it */
static bool fuzz_is_called;		/* in this turn one that was ready */
static int64_t fuzz_turn_at;		/* the time of it */
static int fuzz_refusal;		/* what the next ppoll(2) fails with, or 0 */

static struct model_timer {
	struct timer t;
	int64_t due;		/* 0: it does not run */
	uint64_t order, since;	/* one after the other; the turn in which it was set */
} fuzz_timers[TIMERS];
static struct timer fuzz_stopper;
static uint64_t fuzz_order;

static struct model_pair {
	int fd, peer;
	short events;
	bool is_watched, is_ready, is_called;
	uint64_t added, since;	/* the turns in which it was added, and its events were set */
} fuzz_pairs[PAIRS];
static int fuzz_first;		/* whose turn comes first; -1: it was not said; -2: that is not known */
static bool fuzz_is_held;

static const int fuzz_signals[SIGNALS] = { SIGTERM, SIGUSR1, SIGUSR2, SIGCHLD };
static bool fuzz_is_raised[SIGNALS];

/* Runs that are to come, as text; and the program that runs. */
static struct {
	const char *arg, *pairs;
} fuzz_runs[HOOK_QUEUE + 1];
static unsigned fuzz_runs_at, fuzz_runs_n;
static struct {
	pid_t pid;		/* 0: none runs */
	int status;
	bool is_killed, is_ended;
	int64_t since;
} fuzz_program;
static int fuzz_spawn_error;
static unsigned long fuzz_losses, fuzz_told;

static const char *const fuzz_args[] = { "install", "remove", "reload", "" };
static const char *const fuzz_lines[] = {
	"", "source=10.0.0.1\ngroup=225.1.1.1", "PATH=x\nPATHS=y\nEMPTY=", "a\nb\nc", "\n\nOLD=new\n",
	"source=\nOLD=\n",
};
static char *fuzz_environ[] = { (char[]){ "PATH=/bin" }, (char[]){ "OLD=1" }, (char[]){ "OLDER=2" }, NULL };

static void fuzz_step(void);

/* In the middle of a callback: something else is done, or nothing. */
static void fuzz_inside(void)
{
	if (fuzz_byte() & 1 && fuzz_depth < 3) {
		fuzz_depth++;
		fuzz_step();
		fuzz_depth--;
	}
}

/* ---- the calls of the system ---- */

static bool fuzz_is_pending(const sigset_t *mask)
{
	sigset_t waiting;
	bool is = false;

	sigpending(&waiting);
	for (int k = 0; k < SIGNALS; k++)
		is |= sigismember(&waiting, fuzz_signals[k]) && !sigismember(mask, fuzz_signals[k]);
	return is;
}

/* How long a turn may wait: until the first timer, or -1 for ever. */
static int64_t fuzz_patience(void)
{
	int64_t due[TIMERS + 3] = { fuzz_stopper.due, fuzz_hook->limit.due, fuzz_hook->report.due }, first = 0;

	for (int k = 0; k < TIMERS; k++)
		due[k + 3] = fuzz_timers[k].due;
	for (int k = 0; k < TIMERS + 3; k++)
		if (due[k] && (!first || due[k] < first))
			first = due[k];
	return !first ? -1 : first > fuzz_clock ? first - fuzz_clock : 0;
}

static void fuzz_note_ready(void)
{
	for (struct model_pair *w = fuzz_pairs; w < fuzz_pairs + PAIRS; w++) {
		struct pollfd p = { .fd = w->fd, .events = w->events };

		w->is_ready = w->is_watched && w->events && !fuzz_is_held && (poll)(&p, 1, 0) > 0;
		w->is_called = false;
	}
}

static int fuzz_ppoll(struct pollfd *p, nfds_t n, const struct timespec *wait, const sigset_t *mask)
{
	int64_t ms = wait ? wait->tv_sec * 1000 + wait->tv_nsec / 1000000 : -1;
	int ready = (poll)(p, n, 0), error = fuzz_refusal;
	sigset_t was;

	if (ms != (fuzz_blocks ? fuzz_patience() : 0))
		fuzz_wrong("a turn waits too long, or not long enough");
	fuzz_note_ready();
	fuzz_is_called = false;
	fuzz_fired = 0;
	fuzz_refusal = 0;
	if (!error && !ready && ms) {
		/* Nobody else wakes us. */
		if (fuzz_is_pending(mask) || ms < 0)
			error = EINTR;
		else
			fuzz_clock += ms;
	}
	fuzz_clock += ready > 0;
	fuzz_turn_at = fuzz_clock + (error == ENOMEM ? 10 : 0);
	fuzz_is_ready = ready > 0 && !error;
	if (!error)
		return ready;
	for (struct model_pair *w = fuzz_pairs; w < fuzz_pairs + PAIRS; w++)
		w->is_ready = false;
	if (error == EINTR) {
		sigprocmask(SIG_SETMASK, mask, &was);
		sigprocmask(SIG_SETMASK, &was, NULL);
	}
	errno = error;
	return -1;
}

/* The log is read at once; who waits for the end of a program may see it. */
static int fuzz_poll(struct pollfd *p, nfds_t n, int ms)
{
	int ready = (poll)(p, n, 0);

	if (p->fd < 0) {
		unsigned k = fuzz_byte();

		fuzz_clock += ms;
		if (k & 2)
			fuzz_program.is_ended = fuzz_program.pid;
		else if (k & 4)
			raise(SIGTERM);
	}
	return ready;
}

static pid_t fuzz_waitpid(int *status)
{
	pid_t pid = fuzz_program.is_ended ? fuzz_program.pid : 0;

	*status = fuzz_program.status;
	if (!pid)
		return 0;
	fuzz_losses += fuzz_program.status != 0;
	fuzz_program.pid = 0;
	return pid;
}

static int fuzz_kill(pid_t pid, int sig)
{
	if (!fuzz_program.pid || pid != -fuzz_program.pid)
		fuzz_wrong("somebody else is killed");
	if (sig == SIGKILL && loop_now(fuzz_loop) < fuzz_program.since + LIMIT_MS)
		fuzz_wrong("its time is not over");
	fuzz_program.is_killed = true;
	return 0;
}

/* How often a name or a whole pair is in an environment. */
static unsigned fuzz_count(char *const *env, const char *pair, size_t n)
{
	unsigned count = 0;

	for (; *env; env++)
		count += !strncmp(*env, pair, n);
	return count;
}

static void fuzz_check_environment(char *const *env, const char *pairs)
{
	const char *end;
	size_t n;

	for (const char *s = pairs; *s; s = *end ? end + 1 : end) {
		end = strchrnul(s, '\n');
		n = (size_t)(end - s);
		if (n && fuzz_count(env, s, n) != 1)
			fuzz_wrong("a pair is not in its environment");
	}
	for (char **own = fuzz_environ; *own; own++) {
		n = strcspn(*own, "=") + 1;
		if (fuzz_count(env, *own, n) != 1)
			fuzz_wrong("a name is in its environment twice, or is lost");
	}
}

static int fuzz_spawn(pid_t *pid, const char *program, bool has_group, char *const *argv, char *const *env)
{
	static pid_t last = 1000;
	const char *arg = fuzz_runs[fuzz_runs_at % (HOOK_QUEUE + 1)].arg;
	const char *pairs = fuzz_runs[fuzz_runs_at % (HOOK_QUEUE + 1)].pairs;
	int error = fuzz_spawn_error;

	if (fuzz_program.pid || !fuzz_runs_n)
		fuzz_wrong("two programs run, or one that nobody asked for");
	if (!has_group || strcmp(program, "hook") || strcmp(argv[0], "hook") || strcmp(argv[1], arg) || argv[2])
		fuzz_wrong("it is the wrong program");
	fuzz_check_environment(env, pairs);
	fuzz_runs_at++;
	fuzz_runs_n--;
	fuzz_spawn_error = 0;
	if (error) {
		fuzz_losses++;
		return error;
	}
	*pid = ++last;
	fuzz_program.pid = last;
	fuzz_program.status = 0;
	fuzz_program.is_killed = fuzz_program.is_ended = false;
	fuzz_program.since = loop_now(fuzz_loop);
	return 0;
}

/* ---- the log ---- */

/* Counts what a line tells of: itself, and what was left out. */
static void fuzz_count_line(const char *line)
{
	const char *more = strstr(line, " more left out"), *number = more;

	while (number > line && number[-1] >= '0' && number[-1] <= '9')
		number--;
	if (more)
		fuzz_told += strtoul(number, NULL, 10);
	if (strncmp(line, "hook runs:", 10) && strncmp(line, "hook failures:", 14))
		fuzz_told++;
}

static void fuzz_read_log(int console)
{
	static char text[65536];
	char *rest = text, *line;
	ssize_t n = read(console, text, sizeof text - 1);

	text[n > 0 ? n : 0] = '\0';
	while ((line = strsep(&rest, "\n")) && rest)
		fuzz_count_line(line);
}

#endif
