/* SPDX-License-Identifier: ISC
 *
 * The table of clients: who is let in, who has to go, and when.  Their bytes are
 * client.c's business, their words request.c's.
 */
#include "applets/control/server.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/log.h"
#include "lib/usock.h"
#include "applets/control/client.h"
#include "router/router.h"

#define CLIENTS_MAX 256
#define ACCEPTS_A_TURN 16
#define ACCEPT_MS 50				/* until a failed accept is tried again */
#define OUT_TOTAL (64 * 1024 * 1024)	/* unread output of all, before the slowest is dropped */

struct control {
	struct loop *loop;
	struct router *router;
	uint32_t n, followers;
	struct timer sweep;		/* runs at the nearest deadline */
	int fd;				/* that listens, or -1 */
	bool paused;			/* accept waits for descriptors or memory */
	char *path;
	struct usock_id id;
	struct log_limit lim;
	struct client *clients[CLIENTS_MAX];
};

/* Polls for what a client waits for. */
static void watch(const struct client *c)
{
	loop_events(c->ctl->loop, c->fd, client_events(c));
}

static void resume_accept(struct control *ctl)
{
	if (!ctl->paused)
		return;
	ctl->paused = false;
	loop_events(ctl->loop, ctl->fd, POLLIN);
}

static void arm(struct control *ctl, int64_t due)
{
	int64_t now = loop_now(ctl->loop);

	if (due != INT64_MAX && (!ctl->sweep.due || ctl->sweep.due > due))
		timer_set(ctl->loop, &ctl->sweep, due > now ? due - now : 1);
}

static void drop(struct client *c)
{
	struct control *ctl = c->ctl;
	struct client *last = ctl->clients[--ctl->n];

	ctl->clients[c->slot] = last;
	last->slot = c->slot;
	ctl->followers -= c->reply.follow;
	loop_del(ctl->loop, c->fd);
	client_free(c);
	resume_accept(ctl);
}

/* Drops those that read the least while all unread output together is too much. */
static void bound_output(struct control *ctl, const struct client *except)
{
	for (;;) {
		struct client *slow = NULL;
		size_t total = 0;

		for (uint32_t i = 0; i < ctl->n; i++) {
			struct client *c = ctl->clients[i];

			total += client_size(c);
			if (c != except && client_size(c) > CLIENT_OUT_FULL && (!slow || c->moved < slow->moved))
				slow = c;
		}
		if (total <= OUT_TOTAL || !slow)
			return;
		log_limited(&ctl->lim, loop_now(ctl->loop), LOG_LVL_NOTICE,
			    "control: too much is kept for clients, the slowest is dropped");
		drop(slow);
	}
}

static void serve(void *ctx, int fd, short revents)
{
	struct client *c = ctx;
	struct control *ctl = c->ctl;

	(void)fd;
	bool followed = c->reply.follow;
	bool alive = client_turn(c, ctl->router, revents, loop_now(ctl->loop));

	ctl->followers += c->reply.follow && !followed;
	if (!alive) {
		drop(c);
		return;
	}
	if (client_size(c) > CLIENT_OUT_FULL)
		bound_output(ctl, c);
	watch(c);
	arm(ctl, client_deadline(c));
}

/* Drops the client that is missed the least, but none of a class above `worst`: 0 = silent ones,
 * 1 = those stuck in a request or reply, 2 = followers.  False when there is none. */
static bool evict(struct control *ctl, int worst)
{
	struct client *victim = NULL;
	int64_t now = loop_now(ctl->loop);
	int best = worst;

	for (uint32_t i = 0; i < ctl->n; i++) {
		struct client *c = ctl->clients[i];
		/* What came in this turn has not been heard yet. */
		int class = c->reply.follow ? 2 : c->in.len || client_waiting(c) || client_active(c) == now;

		if (class < best || (class == best && (!victim || client_active(c) < client_active(victim)))) {
			victim = c;
			best = class;
		}
	}
	if (!victim)
		return false;
	drop(victim);
	return true;
}

void control_hold(struct control *ctl, bool hold)
{
	loop_events(ctl->loop, ctl->fd, hold ? 0 : POLLIN);
}

int control_adopt(struct control *ctl, int fd)
{
	struct client *c;

	if (ctl->n == CLIENTS_MAX)
		evict(ctl, 2);
	c = client_new(fd, loop_now(ctl->loop));
	if (!c) {
		close(fd);
		return -1;
	}
	if (loop_add(ctl->loop, fd, POLLIN, serve, c) < 0) {
		client_free(c);
		return -1;
	}
	c->ctl = ctl;
	c->slot = ctl->n;
	ctl->clients[ctl->n++] = c;
	return 0;
}

static void pause_accept(struct control *ctl)
{
	log_limited(&ctl->lim, loop_now(ctl->loop), LOG_LVL_ERR, "control: accept: %s", strerror(errno));
	ctl->paused = true;
	loop_events(ctl->loop, ctl->fd, 0);
	arm(ctl, loop_now(ctl->loop) + ACCEPT_MS);
}

static void on_connect(void *ctx, int fd, short revents)
{
	struct control *ctl = ctx;

	(void)revents;
	for (int i = 0; i < ACCEPTS_A_TURN; i++) {
		int s = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (s >= 0) {
			control_adopt(ctl, s);
			continue;
		}
		if (errno == EAGAIN)
			return;
		if (errno == EINTR || errno == ECONNABORTED)
			continue;
		/* Silent clients must not keep others out. */
		if ((errno == EMFILE || errno == ENFILE) && evict(ctl, 0))
			continue;
		pause_accept(ctl);
		return;
	}
}

static void sweep(void *ctx)
{
	struct control *ctl = ctx;
	int64_t now = loop_now(ctl->loop);

	resume_accept(ctl);
	/* From the end: drop() moves the last one into the gap. */
	for (uint32_t i = ctl->n; i-- > 0; ) {
		int64_t due = client_deadline(ctl->clients[i]);

		if (due <= now)
			drop(ctl->clients[i]);
		else
			arm(ctl, due);
	}
}

/* Tables that are being written are of the configuration that is about to go. */
static void settle(void *ctx)
{
	struct control *ctl = ctx;
	size_t total = 0;

	for (uint32_t i = 0; i < ctl->n; i++) {
		struct client *c = ctl->clients[i];

		client_settle(c, ctl->router, total > OUT_TOTAL);
		total += client_size(c);
	}
}

/* ---- the server ---- */

struct control *control_new(struct loop *l, struct router *r)
{
	struct control *ctl = calloc(1, sizeof *ctl);

	if (!ctl)
		return NULL;
	ctl->loop = l;
	ctl->router = r;
	ctl->fd = -1;
	ctl->sweep.fn = sweep;
	ctl->sweep.ctx = ctl;
	r->settle = settle;
	r->settle_ctx = ctl;
	return ctl;
}

int control_listen(struct control *ctl, const char *path, mode_t mode, uid_t uid, gid_t gid)
{
	ctl->path = strdup(path);
	if (!ctl->path)
		return -1;
	ctl->fd = usock_listen(path, mode, uid, gid, &ctl->id);
	if (ctl->fd >= 0 && loop_add(ctl->loop, ctl->fd, POLLIN, on_connect, ctl) == 0)
		return 0;

	int err = errno;
	control_unlisten(ctl);
	errno = err;
	return -1;
}

void control_unlisten(struct control *ctl)
{
	if (ctl->fd >= 0) {
		loop_del(ctl->loop, ctl->fd);
		usock_remove(ctl->path, &ctl->id);
		close(ctl->fd);
	}
	free(ctl->path);
	ctl->path = NULL;
	ctl->fd = -1;
	ctl->paused = false;
}

void control_event(struct control *ctl, const char *text, const char *json)
{
	for (uint32_t i = 0; ctl->followers && i < ctl->n; i++) {
		struct client *c = ctl->clients[i];

		if (!c->reply.follow)
			continue;
		client_event(c, c->reply.json ? json : text, loop_now(ctl->loop));
		watch(c);
	}
}

void control_resume(struct control *ctl)
{
	/* From the end: drop() moves the last one into the gap. */
	for (uint32_t i = ctl->n; i-- > 0;) {
		struct client *c = i < ctl->n ? ctl->clients[i] : NULL;

		if (c && client_ready(c, ctl->router))
			serve(c, c->fd, 0);
		else if (c && client_still(c, loop_now(ctl->loop)))
			watch(c);
	}
}

bool control_followed(const struct control *ctl)
{
	return ctl->followers > 0;
}

void control_free(struct control *ctl)
{
	if (!ctl)
		return;
	control_unlisten(ctl);
	while (ctl->n) {
		client_flush(ctl->clients[0], loop_now(ctl->loop));
		drop(ctl->clients[0]);
	}
	timer_stop(ctl->loop, &ctl->sweep);
	ctl->router->settle = NULL;
	free(ctl);
}
