/* SPDX-License-Identifier: ISC
 *
 * The old side of a handover: this daemon runs, and another process is to go on in its place without the loss of a
 * packet.  The new side is in takeover.h.
 *
 * It is one conversation for all: a new daemon with -T comes by the control socket, the program that an upgrade starts
 * (upgrade.h) by one end of a socketpair, of which the other is given to the control server.
 *
 *	new: asks (WIRE_TAKEOVER)	old: the reply of a command, 0 = go on
 *					     "wait", once a second, until what was begun is ended
 *					     stands still; "fd NAME" with each descriptor; "go"
 *	new: "step WORD", at each step
 *	new: "done WHAT...", which of control and
 *	     pidfile it goes on with	old: tells the init system and the clients; "bye"; ends and undoes nothing
 *
 * Either may say "no REASON" instead, or just close.  The kernel keeps routes and memberships as long as one process
 * holds the sockets, so that whoever of the two ends, at whichever step, the other one has everything.
 *
 *	state		ends by				and then
 *	nobody asks	WIRE_TAKEOVER, let in		it waits
 *	it waits	requests and reloads ended	sockets go out
 *			"no", close			nobody asks
 *	sockets go out,	"done"				is_given: the process ends
 *	it adopts	"no", close, silence of 10 s,	it is killed if that may be done; what it changed in the kernel
 *			120 s in all, SIGTERM to us	is read back, our own rules are put in force again: nobody asks
 *
 * In the last state this process stands still: one function waits, so no timer, upcall, client or link event is
 * answered in between.  They are all answered afterwards, by the one or the other.  Signals wait, too.
 */
#ifndef APPLETS_GIVE_H
#define APPLETS_GIVE_H

#include "applets/state.h"

/* Prepares it, before anybody can ask. */
void give_init(struct daemon *d);

/* Decides whether the process at the other end of a connection may take over; for struct call_daemon. */
int give_asked(void *d, struct call *call, const char *version);

/* Goes on with the connection; for struct call_daemon. */
void give_begin(void *d, int fd);

/* Calls fn for each descriptor that goes along, standard error excepted. */
void give_list(struct daemon *d, kernel_fd_fn *fn, void *ctx);

/* True when what was begun has ended, or has had its time since `since`, so that another program may go on: reloads,
 * what the kernel was asked for, requests of clients. */
bool give_is_due(const struct daemon *d, int64_t since);

/* Calls it off, as long as nothing was given. */
void give_call_off(struct daemon *d, const char *why);

#endif
