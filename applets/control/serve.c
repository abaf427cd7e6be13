/* SPDX-License-Identifier: ISC
 *
 * The turns of clients: packets first, then one client after the other as long as the slice of all lasts.
 */
#include "applets/control/serve.h"

#include <poll.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/log.h"

#define TURN_USEC 250			/* of all clients together, in a turn of the loop */
#define OUT_TOTAL (64 * 1024 * 1024)	/* unread output of all, before the slowest is dropped ... */
#define OUT_SHARE (OUT_TOTAL / SERVE_MAX)	/* ... of those that have more than this */

void serve_watch(const struct client *c)
{
	short events = c->server->is_held ? 0 : client_events(c);

	loop_events(c->server->loop, c->fd, c->server->is_finishing ? events & ~POLLIN : events);
}

void serve_watch_listener(struct server *server)
{
	if (server->fd >= 0)
		loop_events(server->loop, server->fd,
			    server->is_held || server->is_finishing || server->paused ? 0 : POLLIN);
}

void serve_accept_again(struct server *server)
{
	server->paused = false;
	serve_watch_listener(server);
}

/* True while clients may be served in this turn: one can always. */
static bool serve_has_time(struct server *server)
{
	int64_t now = clock_usec(CLOCK_MONOTONIC);

	if (server->turn != loop_turns(server->loop)) {
		server->turn = loop_turns(server->loop);
		server->turn_end = now + TURN_USEC;
	}
	return now < server->turn_end;
}

void serve_arm(struct server *server, int64_t due)
{
	int64_t now = loop_now(server->loop);

	if (due != INT64_MAX && (!server->sweep.due || server->sweep.due > due))
		timer_set(server->loop, &server->sweep, due > now ? due - now : 1);
}

void serve_drop(struct client *c)
{
	struct server *server = c->server;
	uint32_t i = 0;

	while (server->clients[i] != c)
		i++;
	server->clients[i] = server->clients[--server->n];
	loop_del(server->loop, c->fd);
	client_free(c);
	if (server->paused)
		serve_accept_again(server);
}

/* Drops those that read the least while all unread output together is too much. */
static void serve_bound_output(struct server *server, const struct client *except)
{
	for (;;) {
		struct client *slow = NULL;
		size_t total = 0;

		for (uint32_t i = 0; i < server->n; i++) {
			struct client *c = server->clients[i];

			total += client_size(c);
			if (c != except && client_size(c) > OUT_SHARE && (!slow || c->moved < slow->moved))
				slow = c;
		}
		if (total <= OUT_TOTAL || !slow)
			return;
		log_limited(&server->lim, loop_now(server->loop), LOG_LVL_NOTICE,
			    "control: too much is kept for clients, the slowest is dropped");
		serve_drop(slow);
	}
}

/* Has another process that was a client so far take over: its connection goes on without us. */
static void serve_give_away(struct client *c)
{
	const struct call_daemon *daemon = c->server->daemon;
	int fd = c->fd;

	loop_del(c->server->loop, fd);
	c->fd = -1;
	serve_drop(c);
	daemon->give(daemon->ctx, fd);
}

/* Has a client do what it can; packets that came meanwhile have their turn before it. */
static void serve_turn(struct client *c, short revents)
{
	struct server *server = c->server;
	bool is_there;

	if (server->daemon->packets)
		server->daemon->packets(server->daemon->ctx);
	is_there = client_turn(c, revents, loop_now(server->loop), server->turn_end);
	/* One that has left meanwhile, too: or it would be waited for. */
	if (c->call.takes_over && (!c->out.len || !is_there)) {
		serve_give_away(c);
		return;
	}
	if (!is_there) {
		serve_drop(c);
		return;
	}
	c->order = !c->call.is_held ? 0 : c->order ? c->order : ++server->last_order;
	if (client_size(c) > OUT_SHARE)
		serve_bound_output(server, c);
	serve_watch(c);
	serve_arm(server, client_deadline(c));
}

void serve_client(void *ctx, int fd, short revents)
{
	struct client *c = ctx;

	if (serve_has_time(c->server))
		serve_turn(c, revents);
	else
		loop_postpone(c->server->loop, fd);
}

/* ---- those who wait for the router ---- */

/* The place of the next one that no longer has to, of those whose edits have not begun the one that has waited longest;
 * or the number of all. */
static uint32_t serve_find_ready(struct server *server)
{
	uint32_t next = server->n;

	for (uint32_t i = 0; i < server->n; i++)
		if (client_is_ready(server->clients[i]) &&
		    (next == server->n || server->clients[i]->order < server->clients[next]->order))
			next = i;
	return next;
}

void serve_resume(struct server *server)
{
	uint32_t next;

	if (server->is_held)
		return;
	/* An edit may have the router busy again, so that nobody is ready any more. */
	for (uint32_t left = server->n; left-- && (next = serve_find_ready(server)) < server->n;) {
		if (!serve_has_time(server)) {
			timer_set(server->loop, &server->again, 0);
			return;
		}
		serve_turn(server->clients[next], 0);
	}
	for (uint32_t i = 0; i < server->n; i++)
		if (client_reassure(server->clients[i], loop_now(server->loop)))
			serve_watch(server->clients[i]);
}

void serve_resume_timer(void *ctx)
{
	serve_resume(ctx);
}

void serve_end_upgrade(struct server *server)
{
	/* From the end: serve_drop() moves the last one into the gap. */
	for (uint32_t i = server->n; i-- > 0; ) {
		struct client *c = server->clients[i];

		if (c->call.later == CALL_UPGRADE && !client_turn(c, 0, loop_now(server->loop), 0))
			serve_drop(c);
	}
}
