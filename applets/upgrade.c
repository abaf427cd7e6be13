/* SPDX-License-Identifier: ISC
 *
 * See upgrade.h.
 */
#include "applets/upgrade.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "applets/applet.h"
#include "applets/give.h"
#include "applets/successor.h"
#include "lib/fd.h"
#include "lib/hook.h"
#include "lib/notify.h"
#include "lib/pidfile.h"
#include "lib/priv.h"
#include "lib/proc.h"

#define UPGRADE_START_MS 10000	/* for the new program to read its configuration and ask */
#define UPGRADE_SAID 4096	/* bytes of what it writes that are kept */
#define UPGRADE_FD 3		/* where it finds its connection */
#define UPGRADE_AGAIN_MS 10	/* for what is under way to end, before this process is another program */

/* ---- what it says ---- */

/* Passes on what the new program writes, and keeps the last of it. */
static void upgrade_hear(struct daemon *d)
{
	struct upgrade *u = &d->upgrade;
	char text[1024];
	ssize_t n;

	while (u->said_fd >= 0 && (n = read(u->said_fd, text, sizeof text)) > 0) {
		(void)!write(STDERR_FILENO, text, (size_t)n);
		buf_add(&u->said, text, (size_t)n);
		if (u->said.len > UPGRADE_SAID)
			buf_consume(&u->said, u->said.len - UPGRADE_SAID);
		u->said.failed = false;
	}
}

static void upgrade_on_said(void *ctx, int fd, short revents)
{
	struct daemon *d = ctx;

	upgrade_hear(d);
	if (revents & (POLLHUP | POLLERR))
		loop_events(d->loop, fd, 0);
}

/* Ends the listening, with the last that there is. */
static void upgrade_deafen(struct daemon *d)
{
	struct upgrade *u = &d->upgrade;

	upgrade_hear(d);
	if (u->said_fd >= 0) {
		loop_del(d->loop, u->said_fd);
		close(u->said_fd);
	}
	u->said_fd = -1;
}

/* ---- the child ---- */

/* Starts the program with standard error at `err` and, unless that is -1, `connection` as UPGRADE_FD: 0, or an
 * errno. */
static int upgrade_spawn(struct daemon *d, char *const *argv, char *const *env, int err, int connection)
{
	posix_spawn_file_actions_t fa;
	int e = posix_spawn_file_actions_init(&fa);

	if (e)
		return e;
	e = posix_spawn_file_actions_adddup2(&fa, err, STDERR_FILENO);
	/* Of one that has this number already the new program must not be robbed on exec. */
	if (!e && connection >= 0)
		e = posix_spawn_file_actions_adddup2(&fa, connection, UPGRADE_FD);
	if (!e)
		e = proc_spawn(&d->give.child, d->set->program, &fa, false, argv, env);
	posix_spawn_file_actions_destroy(&fa);
	if (e)
		d->give.child = 0;
	return e;
}

/* Starts it, with a connection to the control server; 0, or an errno. */
static int upgrade_start(struct daemon *d)
{
	static char connection[] = SUCCESSOR_CONNECTION "=3";
	struct upgrade *u = &d->upgrade;
	int said[2] = { -1, -1 }, ends[2] = { -1, -1 }, err = ENOMEM;
	char **argv = successor_argv(d->set, u->is_trial ? SUCCESSOR_TRIAL : SUCCESSOR_TAKEOVER);
	char **env = successor_environment(d, u->is_trial ? NULL : connection);

	if (!argv || !env)
		goto out;
	if (pipe2(said, O_CLOEXEC | O_NONBLOCK) < 0 ||
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) < 0) {
		err = errno;
		goto out;
	}
	fcntl(said[1], F_SETFL, 0);
	err = upgrade_spawn(d, argv, env, said[1], u->is_trial ? -1 : ends[1]);
	if (err)
		goto out;
	u->said_fd = said[0];
	said[0] = -1;
	loop_add(d->loop, u->said_fd, POLLIN, upgrade_on_said, d);
	if (!u->is_trial) {
		server_adopt(d->control, ends[0]);
		ends[0] = -1;
	}
out:
	for (unsigned i = 0; i < 2; i++) {
		fd_fail(said[i]);
		fd_fail(ends[i]);
	}
	free(argv);
	free(env);
	return err;
}

/* It has not asked in time. */
static void upgrade_on_limit(void *ctx)
{
	struct daemon *d = ctx;

	/* It may be the daemon since this turn of the loop. */
	if (!d->give.child || d->give.is_given || d->give.is_asked)
		return;
	d->upgrade.is_late = true;
	kill(d->give.child, SIGKILL);
}

/* ---- its end ---- */

/* Puts the reason why it is no upgrade together. */
static void upgrade_explain(struct daemon *d, int status)
{
	struct upgrade *u = &d->upgrade;
	struct buf *b = &u->why;
	bool is_known = u->is_late || *d->give.why;

	buf_printf(b, "%s: ", d->set->program);
	if (u->is_late)
		buf_printf(b, "it was not ready to take over after %d s", UPGRADE_START_MS / 1000);
	else
		buf_str(b, *d->give.why ? d->give.why : "it ended before it was ready");
	if (WIFEXITED(status))
		buf_printf(b, " (status %d)", WEXITSTATUS(status));
	else if (!is_known || WTERMSIG(status) != SIGKILL)
		buf_printf(b, " (signal %d)", WTERMSIG(status));
	if (!is_known && WIFEXITED(status) && WEXITSTATUS(status) == EXIT_USAGE)
		buf_str(b, "; it does not know option -T, as it is of an older version, or another option of this one");
	u->status = WIFEXITED(status) && WEXITSTATUS(status) == EXIT_CONFIG ? EXIT_CONFIG : EXIT_SYSTEM;
}

/* It is none: says why. */
static void upgrade_fail(struct daemon *d, int status)
{
	upgrade_explain(d, status);
	log_limited(&d->lim_client, loop_now(d->loop), LOG_LVL_ERR, "upgrade failed, version %s goes on: %s",
		    applet_number(), buf_cstr(&d->upgrade.why));
	server_resume(d->control);
}

/* Runs the program in this process, once nothing is cut short by that; for the timer. */
static void upgrade_after_trial(void *ctx)
{
	struct daemon *d = ctx;
	struct upgrade *u = &d->upgrade;

	/* In the same turn of the loop, perhaps. */
	if (d->stopping)
		return;
	if (!give_is_due(d, u->since) ||
	    (hook_is_at_work(d->hook) && loop_now(d->loop) - u->since < HOOK_FINISH_MS)) {
		timer_set(d->loop, &u->again, UPGRADE_AGAIN_MS);
		return;
	}
	successor_in_place(d, "upgrade");
	snprintf(d->give.why, sizeof d->give.why, "it cannot be run: %s", strerror(errno));
	u->is_tried = false;
	server_finish(d->control, false);
	upgrade_fail(d, 0);
}

bool upgrade_ended(struct daemon *d, pid_t pid, int status)
{
	struct upgrade *u = &d->upgrade;

	if (!pid || pid != d->give.child || d->give.is_given)
		return false;
	give_call_off(d, "the new process ended early");
	upgrade_deafen(d);
	timer_stop(d->loop, &u->limit);
	d->give.child = 0;
	u->is_tried = u->is_trial && !status && !u->is_late;
	if (!u->is_tried) {
		upgrade_fail(d, status);
		return true;
	}
	u->since = loop_now(d->loop);
	server_finish(d->control, true);
	upgrade_after_trial(d);
	return true;
}

/* ---- who asks ---- */

bool upgrade_goes_on(const struct daemon *d)
{
	return (d->give.child || d->upgrade.is_tried) && !d->give.is_given;
}

/* Another process could not write its number to our PID file, as after -p. */
static bool upgrade_number_stays(struct daemon *d)
{
	bool is_fixed;

	priv_raise();
	is_fixed = pidfile_is_fixed(&d->pidfile);
	priv_lower();
	return is_fixed;
}

/* Begins it: NULL, or why not; *status is that for a client then. */
static const char *upgrade_begin(struct daemon *d, int *status)
{
	struct upgrade *u = &d->upgrade;
	static char text[256];
	int err;

	*status = EXIT_BUSY;
	if (d->give.child || d->upgrade.is_tried || d->give.is_asked)
		return "another upgrade or takeover is under way";
	if (!d->reload.ended)
		return "the daemon is not ready itself yet";
	*status = EXIT_CONFIG;
	if (!strcmp(d->set->conf, "-"))
		return "the configuration came from standard input and cannot be read again";
	*status = EXIT_SYSTEM;
	buf_free(&u->why);
	buf_free(&u->said);
	u->is_late = false;
	u->is_trial = getpid() == 1 || upgrade_number_stays(d);
	*d->give.why = '\0';
	err = d->set->program ? upgrade_start(d) : ENOENT;
	if (err) {
		snprintf(text, sizeof text, "%s cannot be started: %s",
			 d->set->program ? d->set->program : "the program of this daemon", strerror(err));
		return text;
	}
	log_limited(&d->lim_client, loop_now(d->loop), LOG_LVL_NOTICE, "upgrade: %s is started as pid %d",
		    d->set->program, (int)d->give.child);
	timer_set(d->loop, &u->limit, UPGRADE_START_MS);
	return NULL;
}

int upgrade_by_client(void *ctx, struct call *call)
{
	struct daemon *d = ctx;
	const char *why;
	int status;

	if (!call->is_again) {
		why = upgrade_begin(d, &status);
		if (why)
			return call_fail(call, status, "%s; nothing was changed", why);
		call->later = CALL_UPGRADE;
		call->for_daemon = true;
		return 0;
	}
	if (d->give.is_given) {
		call_note(call, "upgraded: %s to %s, pid %d to %d", applet_number(), d->give.version, (int)getpid(),
			  (int)d->give.child);
		return 0;
	}
	buf_add(&call->diag, d->upgrade.said.p, d->upgrade.said.len);
	return call_fail(call, d->upgrade.status, "%s; version %s goes on, nothing was lost", buf_cstr(&d->upgrade.why),
			 applet_number());
}

void upgrade_by_signal(void *ctx)
{
	int status;
	const char *why = upgrade_begin(ctx, &status);

	if (why)
		log_err("upgrade failed: %s", why);
}

void upgrade_stop(struct daemon *d)
{
	struct upgrade *u = &d->upgrade;

	timer_stop(d->loop, &u->limit);
	timer_stop(d->loop, &u->again);
	if (d->give.child && !d->give.is_given)
		kill(d->give.child, SIGKILL);
	upgrade_deafen(d);
	buf_free(&u->why);
	buf_free(&u->said);
	talk_end(&d->give.talk);
}

void upgrade_init(struct daemon *d)
{
	d->upgrade.said_fd = -1;
	d->upgrade.limit = (struct timer){ .fn = upgrade_on_limit, .ctx = d };
	d->upgrade.again = (struct timer){ .fn = upgrade_after_trial, .ctx = d };
	d->for_clients.upgrade = upgrade_by_client;
}
