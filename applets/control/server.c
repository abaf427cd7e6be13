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
#include "applets/control/serve.h"
#include "lib/fd.h"
#include "lib/log.h"
#include "lib/usock.h"

#define ACCEPT_MS 50			/* until a failed accept is tried again */

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
	serve_drop(victim);
	return true;
}

/* Polls for what there is to be done now. */
static void server_watch_all(struct server *server)
{
	serve_watch_listener(server);
	for (uint32_t i = 0; i < server->n; i++)
		serve_watch(server->clients[i]);
}

void server_hold(struct server *server, bool hold)
{
	server->is_held = hold;
	/* The process before is gone, or the next one is, and its number may be anybody's soon. */
	if (!hold && server->fd >= 0)
		usock_listen_again(server->fd);
	server_watch_all(server);
}

void server_finish(struct server *server, bool finish)
{
	server->is_finishing = finish;
	server_watch_all(server);
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

	if (server->n == SERVE_MAX)
		server_evict(server, 2);
	c = client_new(fd, server->daemon, loop_now(server->loop));
	if (!c) {
		close(fd);
		return -1;
	}
	if (loop_add(server->loop, fd, POLLIN, serve_client, c) < 0) {
		client_free(c);
		return -1;
	}
	c->server = server;
	server->clients[server->n++] = c;
	return 0;
}

void server_fds(const struct server *server, void (*fn)(void *ctx, const char *name, int fd), void *ctx)
{
	for (uint32_t i = 0; i < server->n; i++) {
		const struct client *c = server->clients[i];

		if (!client_is_busy(c))
			fn(ctx, c->call.later ? SERVER_UPGRADE : !c->call.follow ? SERVER_CLIENT :
			   c->call.json ? SERVER_MONITOR_JSON : SERVER_MONITOR, c->fd);
	}
}

int server_adopt_as(struct server *server, const char *name, int fd)
{
	bool json = !strcmp(name, SERVER_MONITOR_JSON), follow = json || !strcmp(name, SERVER_MONITOR);
	struct call *call;

	if (!follow && strcmp(name, SERVER_CLIENT)) {
		errno = EINVAL;
		return -1;
	}
	if (server_adopt(server, fd) < 0)
		return 0;
	call = &server->clients[server->n - 1]->call;
	call->follow = follow;
	call->json = json;
	serve_watch(server->clients[server->n - 1]);
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
	serve_watch_listener(server);
	serve_arm(server, loop_now(server->loop) + ACCEPT_MS);
}

static void server_sweep(void *ctx)
{
	struct server *server = ctx;
	int64_t now = loop_now(server->loop);

	if (server->is_held) {
		serve_arm(server, now + ACCEPT_MS);
		return;
	}
	if (server->paused)
		serve_accept_again(server);
	/* From the end: serve_drop() moves the last one into the gap. */
	for (uint32_t i = server->n; i-- > 0; ) {
		int64_t due = client_deadline(server->clients[i]);

		if (due <= now)
			serve_drop(server->clients[i]);
		else
			serve_arm(server, due);
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
	server->again.fn = serve_resume_timer;
	server->again.ctx = server;
	server->turn = UINT64_MAX;
	return server;
}

/* Serves who connects to a socket that listens at path: 0, or -1 with ENOMEM and it is still the caller's. */
static int server_open(struct server *server, const char *path, int fd, const struct usock_id *id)
{
	char *copy = strdup(path);

	if (!copy || loop_add(server->loop, fd, POLLIN, server_on_connect, server) < 0) {
		free(copy);
		errno = ENOMEM;
		return -1;
	}
	server->path = copy;
	server->fd = fd;
	server->id = *id;
	serve_watch_listener(server);
	return 0;
}

int server_listen(struct server *server, const char *path, mode_t mode, uid_t uid, gid_t gid)
{
	struct usock_id id;
	int fd = usock_listen(path, mode, uid, gid, &id), err;

	if (fd < 0)
		return -1;
	if (server_open(server, path, fd, &id) == 0)
		return 0;
	err = errno;
	usock_remove(path, &id);
	close(fd);
	errno = err;
	return -1;
}

int server_listen_on(struct server *server, const char *path, int fd, bool is_known)
{
	struct usock_id id;

	if (!usock_listens_at(fd, path, is_known, &id))
		return -1;
	if (server_open(server, path, fd, &id) == 0)
		return 0;
	/* Its file stays. */
	if (id.dir)
		close(id.dir);
	errno = ENOMEM;
	return -1;
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
		serve_watch(c);
	}
}


void server_resume(struct server *server)
{
	serve_resume(server);
}

void server_end_upgrade(struct server *server)
{
	serve_end_upgrade(server);
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
		serve_drop(server->clients[0]);
	}
	timer_stop(server->loop, &server->sweep);
	timer_stop(server->loop, &server->again);
	free(server);
}
