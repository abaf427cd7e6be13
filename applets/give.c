/* SPDX-License-Identifier: ISC
 *
 * See give.h for the conversation.
 */
#include "applets/give.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "applets/applet.h"
#include "applets/families.h"
#include "applets/watch.h"
#include "applets/control/journal.h"
#include "kernel/kernel.h"
#include "lib/clock.h"
#include "lib/notify.h"
#include "lib/usock.h"

#define GIVE_SILENCE_MS 10000	/* without a word of the other one, it is given up */
#define GIVE_LIMIT_MS 120000	/* nor is it waited for longer, whatever it says */
#define GIVE_CLIENTS_MS 2000	/* requests that were begun have so long to end */
#define GIVE_AGAIN_MS 10
#define GIVE_WORD_MS 1000	/* between two "wait" */
#define GIVE_POLL_MS 100
#define GIVE_END_MS 1000	/* for the other one to be gone when that was said, and when it was killed */

/* What is sent in one piece. */
struct give_bundle {
	struct daemon *d;
	struct buf lines;
	int fds[TALK_FDS];
	unsigned n;
	bool is_failed;
};

/* Ends the conversation. */
static void give_end(struct daemon *d)
{
	struct give *g = &d->give;

	timer_stop(d->loop, &g->again);
	talk_end(&g->talk);
	g->is_asked = false;
	server_finish(d->control, false);
}

void give_call_off(struct daemon *d, const char *why)
{
	struct give *g = &d->give;
	char line[sizeof g->why + 8];

	if (!g->is_asked)
		return;
	snprintf(g->why, sizeof g->why, "%s", why);
	snprintf(line, sizeof line, "no %s\n", why);
	talk_send(&g->talk, line, NULL, 0);
	log_limited(&d->lim_client, loop_now(d->loop), LOG_LVL_NOTICE, "handover to pid %d called off: %s",
		    (int)g->pid, why);
	give_end(d);
}

/* Takes in what the other one says: true as long as nothing of it ends the handover; what does is in g->why, or
 * *is_done. */
static bool give_hear(struct give *g, bool *is_done)
{
	const char *line;

	talk_receive(&g->talk);
	while ((line = talk_line(&g->talk))) {
		if (!strncmp(line, "done", 4)) {
			*is_done = true;
			g->has_control = strstr(line, " control");
			g->has_pidfile = strstr(line, " pidfile");
		}
		if (!strncmp(line, "no ", 3))
			snprintf(g->why, sizeof g->why, "%s", line + 3);
		if (!strncmp(line, "step ", 5))
			snprintf(g->step, sizeof g->step, "%s", line + 5);
	}
	/* One that has closed has ended, whatever it said before. */
	if (g->talk.is_eof) {
		*is_done = false;
		if (!*g->why)
			snprintf(g->why, sizeof g->why, "the new process ended %s%s", *g->step ? "while " : "early",
				 g->step);
	}
	return !*g->why && !*is_done;
}

/* As talk_wait(), true when there is something; that this process is to end is in g->why otherwise. */
static bool give_wait(struct daemon *d, short events)
{
	struct give *g = &d->give;
	int ready = talk_wait(&g->talk, d->loop, events, GIVE_SILENCE_MS);

	if (ready < 0)
		snprintf(g->why, sizeof g->why, "the running daemon was told to end");
	return ready > 0;
}

/* Sends what is in the bundle. */
static void give_flush(struct give_bundle *b)
{
	struct give *g = &b->d->give;

	while (!b->is_failed && talk_send(&g->talk, buf_cstr(&b->lines), b->fds, b->n) < 0)
		if (errno != EAGAIN || !give_wait(b->d, POLLOUT)) {
			if (!*g->why)
				snprintf(g->why, sizeof g->why, "the sockets cannot be sent: %s", strerror(errno));
			b->is_failed = true;
		}
	b->lines.len = b->n = 0;
}

static void give_fd(void *ctx, const char *name, int fd)
{
	struct give_bundle *b = ctx;

	/* Who waits for the upgrade is answered here. */
	if (!strcmp(name, SERVER_UPGRADE))
		return;
	buf_printf(&b->lines, "fd %s\n", name);
	b->fds[b->n++] = fd;
	if (b->n == TALK_FDS)
		give_flush(b);
}

void give_list(struct daemon *d, kernel_fd_fn *fn, void *ctx)
{
	kernel_fds(fn, ctx);
	/* Where nobody keeps it there is none yet. */
	if ((d->journal.fd < 0 ? journal_begin(&d->journal) : journal_flush(&d->journal)) < 0)
		log_errno("journal, the new process does not hear what clients asked for");
	if (server_listener(d->control) >= 0)
		fn(ctx, "control", server_listener(d->control));
	if (d->pidfile.path)
		fn(ctx, "pidfile", d->pidfile.fd);
	if (d->journal.fd >= 0)
		fn(ctx, "journal", d->journal.fd);
	server_fds(d->control, fn, ctx);
}

/* Gives all that goes along; false when that fails. */
static bool give_all(struct daemon *d)
{
	struct give_bundle b = { .d = d };

	give_list(d, give_fd, &b);
	if (d->give.child)
		give_fd(&b, "stderr", STDERR_FILENO);
	buf_str(&b.lines, "go\n");
	give_flush(&b);
	buf_free(&b.lines);
	return !b.is_failed;
}

/* Waits until the other one has closed its end, for ms at most. */
static void give_wait_end(struct give *g, int ms)
{
	int64_t end = clock_ms() + ms;

	while (!g->talk.is_eof && clock_ms() < end) {
		struct pollfd p = { .fd = g->talk.fd, .events = POLLIN };

		poll(&p, 1, GIVE_POLL_MS);
		talk_receive(&g->talk);
	}
}

/* The new one may still be at work on the kernel's tables, which two must not be. */
static void give_stop_other(struct give *g)
{
	char line[sizeof g->why + 8];

	snprintf(line, sizeof line, "no %s\n", g->why);
	talk_send(&g->talk, line, NULL, 0);
	give_wait_end(g, GIVE_END_MS);
	if (!g->talk.is_eof && g->pid)
		kill(g->pid, SIGKILL);
	give_wait_end(g, GIVE_END_MS);
}

/* Goes on as if nothing had been. */
static void give_resume(struct daemon *d)
{
	struct give *g = &d->give;

	give_stop_other(g);
	log_limited(&d->lim_client, loop_now(d->loop), LOG_LVL_ERR, "handover to pid %d failed: %s; going on as before",
		    (int)g->pid, g->why);
	priv_raise();
	if (pidfile_retake(&d->pidfile) < 0)
		log_errno("%s", d->set->pidfile);
	priv_lower();
	if (d->journal.fd >= 0 && journal_rewrite(&d->journal) < 0)
		log_errno("journal");
	d->router.now = loop_touch(d->loop);
	for (enum fam f = 0; f < FAM_N; f++)
		if (d->router.up[f])
			families_read(d, f);
	router_sync(&d->router);
	give_end(d);
	server_hold(d->control, false);
	watch_arm(d);
}

/* The other one is the daemon now. */
static void give_leave(struct daemon *d)
{
	struct give *g = &d->give;

	g->is_given = true;
	g->is_asked = false;
	log_notice("handed over to smcroute %s, pid %d", g->version, (int)g->pid);
	/* Of the new one's READY=1 nothing is heard before this. */
	if (g->child)
		notify_send("MAINPID=%d", (int)g->pid);
	if (loop_has_signal(d->loop, SIGHUP) && g->pid)
		kill(g->pid, SIGHUP);
	/* All others who come now are the other one's. */
	server_end_upgrade(d->control);
	talk_send(&g->talk, "bye\n", NULL, 0);
	loop_stop(d->loop, 0);
}

static void give_now(struct daemon *d)
{
	struct give *g = &d->give;
	int64_t end = clock_ms() + GIVE_LIMIT_MS;
	bool is_done = false;

	log_info("handing over to smcroute %s, pid %d", g->version, (int)g->pid);
	snprintf(g->step, sizeof g->step, "it took the sockets");
	server_hold(d->control, true);
	if (give_all(d))
		while (give_hear(g, &is_done) && clock_ms() < end && give_wait(d, POLLIN))
			;
	if (is_done) {
		give_leave(d);
		return;
	}
	if (!*g->why && clock_ms() >= end)
		snprintf(g->why, sizeof g->why, "it was not ready in %d s, the last step: %s", GIVE_LIMIT_MS / 1000,
			 g->step);
	else if (!*g->why)
		snprintf(g->why, sizeof g->why, "nothing was heard for %d s after: %s", GIVE_SILENCE_MS / 1000,
			 g->step);
	give_resume(d);
}

/* Calls it off when the other one has left, or did not come back: true when there is one that waits. */
static bool give_goes_on(struct daemon *d)
{
	struct give *g = &d->give;
	bool is_done = false;

	if (g->talk.fd < 0 ? loop_now(d->loop) - g->since > GIVE_SILENCE_MS : !give_hear(g, &is_done))
		give_call_off(d, *g->why ? g->why : "the new process has left");
	return g->is_asked;
}

bool give_is_due(const struct daemon *d, int64_t since)
{
	return d->reload.stage == RELOAD_NONE && !router_ticket(&d->router) &&
	       (!server_is_busy(d->control) || loop_now(d->loop) - since > GIVE_CLIENTS_MS);
}

/* Waits for what was begun to end; for the timer. */
static void give_again(void *ctx)
{
	struct daemon *d = ctx;
	struct give *g = &d->give;
	int64_t now = loop_now(d->loop);

	if (!give_goes_on(d))
		return;
	if (g->talk.fd >= 0 && give_is_due(d, g->since)) {
		give_now(d);
		return;
	}
	if (g->talk.fd >= 0 && now - g->word >= GIVE_WORD_MS) {
		g->word = now;
		talk_send(&g->talk, "wait\n", NULL, 0);
	}
	timer_set(d->loop, &g->again, GIVE_AGAIN_MS);
}

int give_asked(void *ctx, struct call *call, const char *version)
{
	struct daemon *d = ctx;
	struct give *g = &d->give;
	/* Both ends of the socketpair are ours. */
	bool is_child = usock_peer_pid(call->fd) == getpid();

	if (!is_child && !usock_peer_may(call->fd, geteuid()))
		return call_fail(call, EXIT_DENIED, "only root and the user of the daemon may take over from it");
	if (usock_peer_is_elsewhere(call->fd))
		return call_fail(call, EXIT_BUSY, "the daemon at this socket is in another network namespace; "
				 "give the new one a name by -i");
	if (!d->reload.ended)
		return call_fail(call, EXIT_BUSY, "the daemon is not ready itself yet");
	if (give_goes_on(d) || d->upgrade.is_tried || (g->child && !is_child))
		return call_fail(call, EXIT_BUSY, "another upgrade or takeover is under way");
	if (is_child && !g->child)
		return call_fail(call, EXIT_BUSY, "the upgrade was given up");
	snprintf(g->version, sizeof g->version, "%s", version ? version : "of unknown version");
	g->pid = is_child ? g->child : usock_peer_pid(call->fd);
	g->is_asked = true;
	g->since = g->word = loop_now(d->loop);
	g->talk = (struct talk){ .fd = -1 };
	*g->why = '\0';
	timer_set(d->loop, &g->again, GIVE_AGAIN_MS);
	call->takes_over = true;
	return 0;
}

void give_begin(void *ctx, int fd)
{
	struct daemon *d = ctx;

	d->give.talk = (struct talk){ .fd = fd };
	/* Or whoever keeps it busy would keep it for ever. */
	server_finish(d->control, true);
}

void give_init(struct daemon *d)
{
	d->give.talk.fd = -1;
	d->give.again = (struct timer){ .fn = give_again, .ctx = d };
	d->for_clients.hand_over = give_asked;
	d->for_clients.give = give_begin;
}
