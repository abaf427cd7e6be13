/* SPDX-License-Identifier: ISC
 *
 * The control server: who is connected, what they sent, what they still have to read.  Nothing a client does or fails
 * to do delays anybody: descriptors never block, buffers, clients and idle time have limits, one client gets a bounded
 * share of a turn, and all of them together have one: see serve.h.  What a request says is the business of request.c.
 */
#ifndef APPLETS_CONTROL_SERVER_H
#define APPLETS_CONTROL_SERVER_H

#include <stdbool.h>
#include <sys/types.h>

#include "lib/loop.h"

struct server;
struct call_daemon;

/* Returns a server without a socket, or NULL with ENOMEM.  What commands work on must outlive it. */
struct server *server_new(struct loop *l, const struct call_daemon *daemon);

/* Listens on path.  A socket that answers is left alone (EADDRINUSE); a dead one is replaced; any other kind of file is
 * left alone (EEXIST).  uid and gid (-1 = ours) own it, mode is its mode.  0, or -1 with errno. */
int server_listen(struct server *server, const char *path, mode_t mode, uid_t uid, gid_t gid);

/* The same with a socket that listens already, of another process that listened there: 0, or -1 with errno and it is
 * still the caller's, EADDRNOTAVAIL when it is not what is at path; is_known is as in usock_listens_at(). */
int server_listen_on(struct server *server, const char *path, int fd, bool is_known);

/* Names of connections that go to another process: one that waits for an upgrade, one between two requests, and those
 * that follow events. */
#define SERVER_UPGRADE "upgrade"
#define SERVER_CLIENT "client"
#define SERVER_MONITOR "monitor"
#define SERVER_MONITOR_JSON "monitor.json"

/* Calls fn for each connection that can go on in another process, with its name, as there is nothing of a request or an
 * answer here.  They stay open. */
void server_fds(const struct server *server, void (*fn)(void *ctx, const char *name, int fd), void *ctx);

/* Serves a connection of that name, as server_adopt(); -1 with EINVAL, and it is still the caller's, when it has
 * another one. */
int server_adopt_as(struct server *server, const char *name, int fd);

/* The socket that listens, or -1. */
int server_listener(const struct server *server);

/* Leaves the socket's file where it is at the end: another process listens on it. */
void server_release(struct server *server);

/* Leaves new clients in the queue of the socket and bytes of the others unread, or serves them again; who connects then
 * sees this process at the other end. */
void server_hold(struct server *server, bool hold);

/* Ends what was begun, but reads nothing more and lets nobody in; or no longer. */
void server_finish(struct server *server, bool finish);

/* True while a client is in the middle of a request or an answer; those do not count who follow events or wait for an
 * upgrade. */
bool server_is_busy(const struct server *server);

/* Serves a connected descriptor, which becomes the server's.  0, or -1 when there is no memory.  For tests: a
 * socketpair. */
int server_adopt(struct server *server, int fd);

/* Answers those whose requests had to wait for the router and no longer have to: as far as there is time in this turn
 * of the loop, the others in later ones. */
void server_resume(struct server *server);

/* Answers those who wait for the end of an upgrade. */
void server_end_upgrade(struct server *server);

/* Hands an event to all who follow; text and json are whole lines with their newline. */
void server_event(struct server *server, const char *text, const char *json);

/* True while anybody follows events: else nobody needs to make them. */
bool server_is_followed(const struct server *server);

/* True when nothing is at the path of the socket any more: see fd_is_lost(). */
bool server_is_lost(const struct server *server);

/* Stops listening and removes the socket file if it is still ours; clients stay. */
void server_unlisten(struct server *server);

/* Closes everything; what waits to be sent gets one non-blocking write.  NULL is fine. */
void server_free(struct server *server);

#endif
