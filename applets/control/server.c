/* SPDX-License-Identifier: ISC
 *
 * The table of clients: who is let in, who has to go, and when.  Their bytes are the business of client.c, their words
 * that of request.c.
 */
#include "applets/control/server.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "applets/control/client.h"
#include "lib/fd.h"
#include "lib/log.h"
#include "lib/usock.h"

#define CLIENTS_MAX 256
#define ACCEPT_MS 50			/* until a failed accept is tried again */
#define OUT_TOTAL (64 * 1024 * 1024)	/* unread output of all, before the slowest is dropped */

struct server {
	struct loop *loop;
	const struct call_daemon *daemon;
	uint32_t n;			/* clients */
	struct timer sweep;		/* runs at the nearest deadline */
	int fd;				/* that listens, or -1 */
	bool paused;			/* accept waits for descriptors or memory */
	bool is_held;			/* nobody is served */
	char *path;
	struct usock_id id;
	struct log_limit lim;
	struct client *clients[CLIENTS_MAX];
};

/* Polls for what a client waits for, as long as it is served. */
static void server_watch(const struct client *c)
{
	loop_events(c->server->loop, c->fd, c->server->is_held ? 0 : client_events(c));
}

static void server_resume_accept(struct server *server)
{
	if (!server->paused)
		return;
	server->paused = false;
	loop_events(server->loop, server->fd, server->is_held ? 0 : POLLIN);
}

static void server_arm(struct server *server, int64_t due)
{
	int64_t now = loop_now(server->loop);

	if (due != INT64_MAX && (!server->sweep.due || server->sweep.due > due))
		timer_set(server->loop, &server->sweep, due > now ? due - now : 1);
}

static void server_drop(struct client *c)
{
	struct server *server = c->server;
	uint32_t i = 0;

	while (server->clients[i] != c)
		i++;
	server->clients[i] = server->clients[--server->n];
	loop_del(server->loop, c->fd);
	client_free(c);
	server_resume_accept(server);
}

/* Drops those that read the least while all unread output together is too much. */
static void server_bound_output(struct server *server, const struct client *except)
{
	for (;;) {
		struct client *slow = NULL;
		size_t total = 0;

		for (uint32_t i = 0; i < server->n; i++) {
			struct client *c = server->clients[i];

			total += client_size(c);
			if (c != except && client_size(c) > CLIENT_OUT_FULL && (!slow || c->moved < slow->moved))
				slow = c;
		}
		if (total <= OUT_TOTAL || !slow)
			return;
		log_limited(&server->lim, loop_now(server->loop), LOG_LVL_NOTICE,
			    "control: too much is kept for clients, the slowest is dropped");
		server_drop(slow);
	}
}

/* Has another process that was a client so far take over: its connection goes on without us. */
static void server_give(struct client *c)
{
	const struct call_daemon *daemon = c->server->daemon;
	int fd = c->fd;

	loop_del(c->server->loop, fd);
	c->fd = -1;
	server_drop(c);
	daemon->give(daemon->ctx, fd);
}

static void server_serve(void *ctx, int fd, short revents)
{
	struct client *c = ctx;
	struct server *server = c->server;

	(void)fd;
	if (!client_turn(c, revents, loop_now(server->loop))) {
		server_drop(c);
		return;
	}
	if (c->call.takes_over && !c->out.len) {
		server_give(c);
		return;
	}
	if (client_size(c) > CLIENT_OUT_FULL)
		server_bound_output(server, c);
	server_watch(c);
	server_arm(server, client_deadline(c));
}

/* Drops the client that is missed the least, but none of a class above `worst`: 0 = silent ones, 1 = those stuck in a
 * request or reply, 2 = followers.  False when there is none. */
static bool server_evict(struct server *server, int worst)
{
	struct client *victim = NULL;
	int64_t now = loop_now(server->loop);
	int best = worst;

	for (uint32_t i = 0; i < server->n; i++) {
		struct client *c = server->clients[i];
		/* What came in this turn has not been heard yet. */
		int class = c->call.follow ? 2 : c->in.len || c->out.len || client_active(c) == now;

		if (class < best || (class == best && (!victim || client_active(c) < client_active(victim)))) {
			victim = c;
			best = class;
		}
	}
	if (!victim)
		return false;
	server_drop(victim);
	return true;
}

void server_hold(struct server *server, bool hold)
{
	server->is_held = hold;
	if (server->fd >= 0)
		loop_events(server->loop, server->fd, hold || server->paused ? 0 : POLLIN);
	for (uint32_t i = 0; i < server->n; i++)
		server_watch(server->clients[i]);
}

bool server_is_busy(const struct server *server)
{
	for (uint32_t i = 0; i < server->n; i++)
		if (client_is_busy(server->clients[i]))
			return true;
	return false;
}

int server_adopt(struct server *server, int fd)
{
	struct client *c;

	if (server->n == CLIENTS_MAX)
		server_evict(server, 2);
	c = client_new(fd, server->daemon, loop_now(server->loop));
	if (!c) {
		close(fd);
		return -1;
	}
	if (loop_add(server->loop, fd, POLLIN, server_serve, c) < 0) {
		client_free(c);
		return -1;
	}
	c->server = server;
	server->clients[server->n++] = c;
	return 0;
}

static const char server_client[] = "client", server_monitor[] = "monitor", server_monitor_json[] = "monitor.json";

void server_fds(const struct server *server, void (*fn)(void *ctx, const char *name, int fd), void *ctx)
{
	for (uint32_t i = 0; i < server->n; i++) {
		const struct client *c = server->clients[i];

		if (!client_is_busy(c))
			fn(ctx, c->call.later ? SERVER_UPGRADE : !c->call.follow ? server_client :
			   c->call.json ? server_monitor_json : server_monitor, c->fd);
	}
}

int server_adopt_as(struct server *server, const char *name, int fd)
{
	bool json = !strcmp(name, server_monitor_json), follow = json || !strcmp(name, server_monitor);
	struct call *call;

	if (!follow && strcmp(name, server_client)) {
		errno = EINVAL;
		return -1;
	}
	if (server_adopt(server, fd) < 0)
		return 0;
	call = &server->clients[server->n - 1]->call;
	call->follow = follow;
	call->json = json;
	server_watch(server->clients[server->n - 1]);
	return 0;
}

static void server_on_connect(void *ctx, int fd, short revents)
{
	struct server *server = ctx;
	int s = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	(void)revents;
	if (s >= 0) {
		server_adopt(server, s);
		return;
	}
	if (errno == EAGAIN || errno == EINTR || errno == ECONNABORTED)
		return;
	/* Silent clients must not keep others out. */
	if ((errno == EMFILE || errno == ENFILE) && server_evict(server, 0))
		return;
	log_limited(&server->lim, loop_now(server->loop), LOG_LVL_ERR, "control: accept: %s", strerror(errno));
	server->paused = true;
	loop_events(server->loop, fd, 0);
	server_arm(server, loop_now(server->loop) + ACCEPT_MS);
}

static void server_sweep(void *ctx)
{
	struct server *server = ctx;
	int64_t now = loop_now(server->loop);

	if (server->is_held) {
		server_arm(server, now + ACCEPT_MS);
		return;
	}
	server_resume_accept(server);
	/* From the end: server_drop() moves the last one into the gap. */
	for (uint32_t i = server->n; i-- > 0; ) {
		int64_t due = client_deadline(server->clients[i]);

		if (due <= now)
			server_drop(server->clients[i]);
		else
			server_arm(server, due);
	}
}

/* ---- the server ---- */

struct server *server_new(struct loop *l, const struct call_daemon *daemon)
{
	struct server *server = calloc(1, sizeof *server);

	if (!server)
		return NULL;
	server->loop = l;
	server->daemon = daemon;
	server->fd = -1;
	server->sweep.fn = server_sweep;
	server->sweep.ctx = server;
	return server;
}

/* Serves who connects to a listening socket, or minus one with errno, which is that of path. */
static int server_open(struct server *server, const char *path, int fd, const struct usock_id *id)
{
	server->path = strdup(path);
	server->fd = fd;
	server->id = *id;
	if (server->path && fd >= 0 &&
	    loop_add(server->loop, fd, server->is_held ? 0 : POLLIN, server_on_connect, server) == 0)
		return 0;

	int err = errno;
	server_unlisten(server);
	errno = err;
	return -1;
}

int server_listen(struct server *server, const char *path, mode_t mode, uid_t uid, gid_t gid)
{
	struct usock_id id;
	int fd = usock_listen(path, mode, uid, gid, &id);

	return server_open(server, path, fd, &id);
}

int server_listen_on(struct server *server, const char *path, int fd, bool is_known)
{
	struct usock_id id;

	return usock_listens_at(fd, path, is_known, &id) ? server_open(server, path, fd, &id) : -1;
}

int server_listener(const struct server *server)
{
	return server->fd;
}

void server_release(struct server *server)
{
	server->id.ino = 0;
}

bool server_is_lost(const struct server *server)
{
	return server->fd >= 0 && fd_is_lost(server->id.dir, server->path);
}

void server_unlisten(struct server *server)
{
	if (server->fd >= 0) {
		loop_del(server->loop, server->fd);
		usock_remove(server->path, &server->id);
		close(server->fd);
	}
	free(server->path);
	server->path = NULL;
	server->fd = -1;
	server->paused = false;
}

void server_event(struct server *server, const char *text, const char *json)
{
	for (uint32_t i = 0; i < server->n; i++) {
		struct client *c = server->clients[i];

		if (!c->call.follow)
			continue;
		client_event(c, c->call.json ? json : text, loop_now(server->loop));
		server_watch(c);
	}
}

void server_resume(struct server *server)
{
	/* From the end: server_drop() moves the last one into the gap.  More than one may go at once. */
	for (uint32_t i = server->is_held ? 0 : server->n; i-- > 0; ) {
		struct client *c = i < server->n ? server->clients[i] : NULL;

		if (c && client_is_ready(c))
			server_serve(c, c->fd, 0);
		else if (c && client_reassure(c, loop_now(server->loop)))
			server_watch(c);
	}
}

bool server_is_followed(const struct server *server)
{
	for (uint32_t i = 0; i < server->n; i++)
		if (server->clients[i]->call.follow)
			return true;
	return false;
}

void server_free(struct server *server)
{
	if (!server)
		return;
	server_unlisten(server);
	while (server->n) {
		client_flush(server->clients[0], loop_now(server->loop));
		server_drop(server->clients[0]);
	}
	timer_stop(server->loop, &server->sweep);
	free(server);
}
