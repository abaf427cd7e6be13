/* SPDX-License-Identifier: ISC
 *
 * The queue of hook runs.  posix_spawn(3) shares the memory with the child until it has become the program, so that a
 * large table costs nothing here.  What the events are is not known here.
 */
#include "lib/hook.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/fd.h"
#include "lib/log.h"
#include "lib/priv.h"
#include "lib/proc.h"

#define HOOK_POLL_MS 50		/* between two looks at signals */

struct hook {
	struct loop *loop;
	char *cmd;
	unsigned head, waiting;		/* in the queue */
	char *running;			/* NULL: none */
	pid_t pid;			/* its process and process group */
	bool killed;
	int64_t limit_ms;
	struct timer limit, report;
	struct log_limit dropped, failed;
	char *queue[HOOK_QUEUE];	/* a ring of runs: a line with the argument, and one for each pair */
};

static void hook_out_of_time(void *ctx)
{
	struct hook *h = ctx;

	h->killed = true;
	kill(-h->pid, SIGKILL);
}

/* What the limits of the log keep back is reported when they end. */
static void hook_report_later(struct hook *h)
{
	if ((h->dropped.dropped || h->failed.dropped) && !h->report.due)
		timer_set(h->loop, &h->report, LOG_LIMIT_MS);
}

static void hook_report(void *ctx)
{
	struct hook *h = ctx;

	log_limit_flush(&h->dropped, loop_now(h->loop), LOG_LVL_ERR, "hook runs");
	log_limit_flush(&h->failed, loop_now(h->loop), LOG_LVL_NOTICE, "hook failures");
	hook_report_later(h);
}

struct hook *hook_new(struct loop *l, const char *cmd, int64_t limit_ms)
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
	h->limit_ms = limit_ms;
	h->limit = (struct timer){ .fn = hook_out_of_time, .ctx = h };
	h->report = (struct timer){ .fn = hook_report, .ctx = h };
	h->dropped.burst = 1;
	h->failed.burst = 10;
	proc_keep_inherited();
	return h;
}

void hook_free(struct hook *h)
{
	if (!h)
		return;
	timer_stop(h->loop, &h->limit);
	timer_stop(h->loop, &h->report);
	if (h->running)
		kill(-h->pid, SIGTERM);
	free(h->running);
	for (; h->waiting; h->waiting--)
		free(h->queue[h->head++ % HOOK_QUEUE]);
	free(h->cmd);
	free(h);
}

/* True when one of n pairs NAME=VALUE has the name of s, "NAME=...". */
static bool hook_has_name(char *const *pairs, size_t n, const char *s)
{
	size_t len = strcspn(s, "=") + 1;

	while (n && strncmp(s, pairs[n - 1], len))
		n--;
	return n;
}

/* Cuts the lines NAME=VALUE of a run, and returns an array of them and of what we have ourselves under other names.  To
 * be freed; NULL with ENOMEM. */
static char **hook_environment(char *lines)
{
	size_t most = strlen(lines) / 2 + 2, pairs = 0, n;
	char **env, *end;

	for (char **own = environ; *own; own++)
		most++;
	env = calloc(most, sizeof *env);
	if (!env)
		return NULL;
	for (char *s = strtok_r(lines, "\n", &end); s; s = strtok_r(NULL, "\n", &end))
		env[pairs++] = s;
	n = pairs;
	for (char **own = environ; *own; own++)
		if (!hook_has_name(env, pairs, *own))
			env[n++] = *own;
	return env;
}

/* With a process group of its own, and /dev/null as input.  0 or an errno. */
static int hook_spawn(pid_t *pid, const char *cmd, char *const *argv, char *const *env)
{
	posix_spawn_file_actions_t fa;
	int e = posix_spawn_file_actions_init(&fa);

	if (e)
		return e;
	e = posix_spawn_file_actions_addopen(&fa, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	if (!e) {
		/* It may be where only root gets to. */
		priv_raise();
		e = proc_spawn(pid, cmd, &fa, true, argv, env);
		priv_lower();
	}
	posix_spawn_file_actions_destroy(&fa);
	return e;
}

/* Says how a run failed.  Limited, because a packet can cause it. */
static void hook_log_failed(struct hook *h, const char *run, const char *how, const char *detail)
{
	log_limited(&h->failed, loop_now(h->loop), LOG_LVL_NOTICE, "hook %s %s: %s %s", h->cmd, run, how, detail);
	hook_report_later(h);
}

static void hook_log_status(struct hook *h, int status)
{
	bool signaled = WIFSIGNALED(status);
	char number[16];

	if (!status)
		return;
	snprintf(number, sizeof number, "%d", signaled ? WTERMSIG(status) : WEXITSTATUS(status));
	hook_log_failed(h, h->running, h->killed ? "took too long, ended by signal" :
			signaled ? "ended by signal" : "exit status", number);
}

/* Starts a run, which is freed when it ends or cannot be started. */
static void hook_start(struct hook *h, char *run)
{
	char *argv[] = { h->cmd, run, NULL }, *pairs = strchr(run, '\n'), **env;
	int e = ENOMEM;

	*pairs++ = '\0';
	env = hook_environment(pairs);
	if (env)
		e = hook_spawn(&h->pid, h->cmd, argv, env);
	free(env);
	if (e) {
		hook_log_failed(h, run, "cannot be run:", strerror(e));
		free(run);
		return;
	}
	timer_set(h->loop, &h->limit, h->limit_ms);
	h->running = run;
	h->killed = false;
}

static void hook_start_next(struct hook *h)
{
	while (!h->running && h->waiting) {
		h->waiting--;
		hook_start(h, h->queue[h->head++ % HOOK_QUEUE]);
	}
}

void hook_run(struct hook *h, const char *arg, const char *pairs)
{
	char *run;

	if (h->waiting == HOOK_QUEUE) {
		log_limited(&h->dropped, loop_now(h->loop), LOG_LVL_ERR,
			    "hook %s: more than %d runs waiting, one left out", h->cmd, HOOK_QUEUE);
		hook_report_later(h);
		return;
	}
	if (asprintf(&run, "%s\n%s", arg, pairs) < 0)
		return;
	h->queue[(h->head + h->waiting++) % HOOK_QUEUE] = run;
	hook_start_next(h);
}

void hook_ended(struct hook *h, pid_t pid, int status)
{
	if (!h)
		return;
	if (h->running && pid == h->pid) {
		timer_stop(h->loop, &h->limit);
		hook_log_status(h, status);
		free(h->running);
		h->running = NULL;
	}
	hook_start_next(h);
}

bool hook_is_at_work(const struct hook *h)
{
	return h && (h->running || h->waiting);
}

void hook_finish(struct hook *h)
{
	int64_t end = clock_ms() + HOOK_FINISH_MS;
	int status;

	while (h && h->running && clock_ms() < end && !loop_is_told_to_end(h->loop)) {
		struct pollfd p = { .fd = proc_watch(h->pid), .events = POLLIN };

		/* Before Linux 5.3 there is nothing to wait for but the time. */
		poll(&p, 1, HOOK_POLL_MS);
		fd_fail(p.fd);
		if (waitpid(h->pid, &status, WNOHANG) == h->pid)
			hook_ended(h, h->pid, status);
	}
	if (!h)
		return;
	if (h->waiting)
		log_notice("hook %s: %u runs left out, as another process goes on here", h->cmd, h->waiting);
	free(h->running);
	h->running = NULL;
}
