/* SPDX-License-Identifier: ISC
 *
 * When clients are served.  In a turn of the loop all together have a slice of time; who was cut off is first in the
 * next turn.  Edits that had to wait for the router come in the order in which they were asked for.
 */
#ifndef APPLETS_CONTROL_SERVE_H
#define APPLETS_CONTROL_SERVE_H

#include "applets/control/client.h"
#include "lib/loop.h"
#include "lib/usock.h"
#include "lib/log.h"

#define SERVE_MAX 256			/* clients */

struct server {
	struct loop *loop;
	const struct call_daemon *daemon;
	uint32_t n;			/* clients */
	struct timer sweep;		/* runs at the nearest deadline */
	int fd;				/* that listens, or -1 */
	bool paused;			/* accept waits for descriptors or memory */
	bool is_held;			/* nobody is served */
	bool is_finishing;		/* nor is anything read */
	uint64_t turn;			/* of the loop, and when it is over for clients, usec */
	int64_t turn_end;
	uint64_t last_order;
	struct timer again;		/* for those who were cut off */
	char *path;
	struct usock_id id;
	struct log_limit lim;
	struct client *clients[SERVE_MAX];
};

/* Polls for what a client waits for, as long as it is served; the same for new ones. */
void serve_watch(const struct client *c);
void serve_watch_listener(struct server *server);

/* Lets new ones in again. */
void serve_accept_again(struct server *server);

/* Has the sweep run at a time, or before. */
void serve_arm(struct server *server, int64_t due);

/* Closes the connection of a client and frees it. */
void serve_drop(struct client *c);

/* Has a client, which is ctx, do what it can: for the loop. */
void serve_client(void *ctx, int fd, short revents);

/* See server_resume(); the second is for server->again. */
void serve_resume(struct server *server);
void serve_resume_timer(void *ctx);

/* See server_end_upgrade(). */
void serve_end_upgrade(struct server *server);

#endif
