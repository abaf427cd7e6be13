/* SPDX-License-Identifier: ISC
 *
 * The control server: who is connected, what they sent, what they still have
 * to read.  Nothing a client does or fails to do delays anybody: descriptors
 * never block, buffers, clients and idle time have limits, one client gets a
 * bounded share of a turn.  What a command means is command.c's business.
 */
#ifndef APPLETS_CONTROL_SERVER_H
#define APPLETS_CONTROL_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "lib/loop.h"

struct control;
struct router;

/* Returns a server without a socket, or NULL with ENOMEM. */
struct control *control_new(struct loop *l, struct router *r);

/* Listens on path.  A socket that answers is left alone (EADDRINUSE); a dead one is replaced; any
 * other kind of file is left alone (EEXIST).  uid and gid (-1 = ours) own it, mode is its mode.
 * 0, or -1 with errno. */
int control_listen(struct control *c, const char *path, mode_t mode, uid_t uid, gid_t gid);

/* Leaves new clients in the queue of the socket, or serves them again. */
void control_hold(struct control *c, bool hold);

/* Serves a connected descriptor, which becomes the server's.  0, or -1 when there is no memory.  For tests: a
 * socketpair. */
int control_adopt(struct control *c, int fd);

/* Answers those whose requests had to wait for the router and no longer have to. */
void control_resume(struct control *c);

/* Hands an event to all who follow; text and json are whole lines with their newline. */
void control_event(struct control *c, const char *text, const char *json);

/* True while anybody follows events: else nobody needs to make them. */
bool control_followed(const struct control *c);

/* Stops listening and removes the socket file if it is still ours; clients stay. */
void control_unlisten(struct control *c);

/* Closes everything; what waits to be sent gets one non-blocking write. */
void control_free(struct control *c);

#endif
