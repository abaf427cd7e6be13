/* SPDX-License-Identifier: ISC
 *
 * The queue of hook runs.  posix_spawn(3) shares the memory with the child until
 * it has become the program, so that a large table costs nothing here.  What the
 * events are is not known here.
 */
#include "lib/hook.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/buf.h"
#include "lib/log.h"

#ifndef SYS_close_range
#define SYS_close_range 436
#endif
#define CLOEXEC_FLAG 4		/* include/uapi/linux/close_range.h */

struct hook {
	struct loop *loop;
	char *cmd;
	unsigned head, waiting;		/* in the queue */
	char *running;			/* NULL: none */
	pid_t pid;			/* its process and process group */
	bool killed;
	int64_t limit_ms;
	struct timer limit, tell;
	struct log_limit dropped, failed;
	char *queue[HOOK_QUEUE];	/* a ring of runs: the argument and the pairs, and an empty text */
};

static void out_of_time(void *ctx)
{
	struct hook *h = ctx;

	h->killed = true;
	kill(-h->pid, SIGKILL);
}

static void tell_later(struct hook *h)
{
	if ((h->dropped.dropped || h->failed.dropped) && !h->tell.due)
		timer_set(h->loop, &h->tell, LOG_LIMIT_MS);
}

static void tell_dropped(void *ctx)
{
	struct hook *h = ctx;

	log_limit_flush(&h->dropped, loop_now(h->loop), LOG_LVL_ERR, "hook runs");
	log_limit_flush(&h->failed, loop_now(h->loop), LOG_LVL_NOTICE, "hook failures");
	tell_later(h);
}

struct hook *hook_new(struct loop *l, const char *cmd)
{
	struct hook *h = calloc(1, sizeof *h);

	if (!h)
		return NULL;
	h->cmd = strdup(cmd);
	if (!h->cmd) {
		free(h);
		return NULL;
	}
	h->loop = l;
	h->limit_ms = HOOK_LIMIT_MS;
	h->limit.fn = out_of_time;
	h->tell.fn = tell_dropped;
	h->limit.ctx = h->tell.ctx = h;
	h->dropped.burst = 1;
	h->failed.burst = 10;
	return h;
}

void hook_free(struct hook *h)
{
	if (!h)
		return;
	timer_stop(h->loop, &h->limit);
	timer_stop(h->loop, &h->tell);
	if (h->running)
		kill(-h->pid, SIGTERM);
	free(h->running);
	for (; h->waiting; h->waiting--)
		free(h->queue[h->head++ % HOOK_QUEUE]);
	free(h->cmd);
	free(h);
}

void hook_set_limit(struct hook *h, int64_t ms)
{
	h->limit_ms = ms;
}

/* True when one of n pairs NAME=VALUE has the name of s, "NAME=...". */
static bool is_among(const char *s, char *const *pairs, size_t n)
{
	size_t len = strcspn(s, "=") + 1;

	while (n && strncmp(s, pairs[n - 1], len))
		n--;
	return n;
}

/* The pairs of a run, and what we have ourselves under other names. */
static void make_env(struct buf *env, char *run)
{
	size_t n;

	while (*(run += strlen(run) + 1))
		buf_add(env, &run, sizeof run);
	n = env->len / sizeof run;
	for (char **e = environ; *e; e++)
		if (!is_among(*e, (char **)(void *)env->p, n))
			buf_add(env, e, sizeof *e);
	buf_add(env, &(char *){ NULL }, sizeof run);
}

/* Ours are close-on-exec from the start; this is for what we were started with. */
static void close_all_on_exec(void)
{
	const struct dirent *e;
	DIR *d;

	if (!syscall(SYS_close_range, 3, ~0u, CLOEXEC_FLAG))
		return;
	d = opendir("/proc/self/fd");	/* before Linux 5.11 */
	if (!d)
		return;
	while ((e = readdir(d))) {
		int fd = atoi(e->d_name);

		if (fd > STDERR_FILENO)
			fcntl(fd, F_SETFD, FD_CLOEXEC);
	}
	closedir(d);
}

/* Default signals, own process group (the attribute begins as 0), /dev/null as input.  0 or an errno. */
static int spawn(pid_t *pid, const char *cmd, char *const *argv, char *const *env)
{
	posix_spawn_file_actions_t fa;
	posix_spawnattr_t at;
	sigset_t set;
	int e = posix_spawn_file_actions_init(&fa);

	if (e)
		return e;
	e = posix_spawn_file_actions_addopen(&fa, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	if (!e)
		e = posix_spawnattr_init(&at);
	if (!e) {
		sigemptyset(&set);
		posix_spawnattr_setsigmask(&at, &set);
		sigfillset(&set);
		posix_spawnattr_setsigdefault(&at, &set);
		posix_spawnattr_setflags(&at, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK |
					 POSIX_SPAWN_SETPGROUP);
		e = posix_spawnp(pid, cmd, &fa, &at, argv, env);
		posix_spawnattr_destroy(&at);
	}
	posix_spawn_file_actions_destroy(&fa);
	return e;
}

/* Says how a run failed.  Limited, because a packet can trigger it. */
static void log_failed(struct hook *h, const char *run, const char *how, const char *detail)
{
	log_limited(&h->failed, loop_now(h->loop), LOG_LVL_NOTICE, "hook %s %s: %s %s",
		    h->cmd, run, how, detail);
	tell_later(h);
}

static void log_status(struct hook *h, int status)
{
	bool signaled = WIFSIGNALED(status);
	char number[16];

	if (!status)
		return;
	snprintf(number, sizeof number, "%d", signaled ? WTERMSIG(status) : WEXITSTATUS(status));
	log_failed(h, h->running, h->killed ? "took too long, ended by signal" :
		   signaled ? "ended by signal" : "exit status", number);
}

static void start(struct hook *h, char *run)
{
	char *argv[] = { h->cmd, run, NULL };
	struct buf env = { 0 };
	int e = ENOMEM;

	make_env(&env, run);
	if (!env.failed) {
		close_all_on_exec();
		e = spawn(&h->pid, h->cmd, argv, (char **)(void *)env.p);
	}
	buf_free(&env);
	if (e) {
		log_failed(h, run, "cannot be run:", strerror(e));
		free(run);
		return;
	}
	timer_set(h->loop, &h->limit, h->limit_ms);
	h->running = run;
	h->killed = false;
}

static void start_next(struct hook *h)
{
	while (!h->running && h->waiting) {
		h->waiting--;
		start(h, h->queue[h->head++ % HOOK_QUEUE]);
	}
}

void hook_run(struct hook *h, const char *arg, const char *const *env, size_t n)
{
	struct buf run = { 0 };

	if (h->waiting == HOOK_QUEUE) {
		log_limited(&h->dropped, loop_now(h->loop), LOG_LVL_ERR,
			    "hook %s: more than %d runs waiting, one left out", h->cmd, HOOK_QUEUE);
		tell_later(h);
		return;
	}
	buf_add(&run, arg, strlen(arg) + 1);
	for (size_t i = 0; i < n; i++)
		buf_add(&run, env[i], strlen(env[i]) + 1);
	buf_chr(&run, '\0');
	if (run.failed) {
		buf_free(&run);
		return;
	}
	h->queue[(h->head + h->waiting++) % HOOK_QUEUE] = run.p;
	start_next(h);
}

void hook_reap(struct hook *h)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (!h || !h->running || pid != h->pid)
			continue;
		timer_stop(h->loop, &h->limit);
		log_status(h, status);
		free(h->running);
		h->running = NULL;
	}
	if (h)
		start_next(h);
}

unsigned hook_pending(const struct hook *h)
{
	return h->waiting + (h->running != NULL);
}
