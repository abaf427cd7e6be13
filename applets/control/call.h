/* SPDX-License-Identifier: ISC
 *
 * One command of a client while it runs: its words, and what it has to say.  All commands are written against this.
 * How the words came and how the answer leaves is the business of request.c.
 */
#ifndef APPLETS_CONTROL_CALL_H
#define APPLETS_CONTROL_CALL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/buf.h"
#include "router/router.h"

struct call;
struct journal;
struct show;

/* The daemon, as commands see it.  Outlives all clients. */
struct call_daemon {
	struct router *router;
	/* Reads the configuration again; returns the exit status of the client, and on failure has called call_fail(),
	 * otherwise call_note().  When call->later is set it is called again, see there. */
	int (*reload)(void *ctx, struct call *call);
	/* Runs the program anew in place; as reload. */
	int (*upgrade)(void *ctx, struct call *call);
	/* Another process, that the connection call->fd leads to, wants to take over; version: of its program, or NULL.
	 * The exit status for it, and when it may, call->takes_over is set and give() is called with the connection
	 * once that has been said. */
	int (*hand_over)(void *ctx, struct call *call, const char *version);
	void (*give)(void *ctx, int fd);
	/* True when the reading of the configuration, or the upgrade, has ended that a call->later is about. */
	bool (*is_ended)(void *ctx, uint64_t later);
	/* Answers the kernel's reports of packets, which no client is to delay: between two of them. */
	void (*packets)(void *ctx);
	/* Ends the daemon after this turn of the loop. */
	void (*stop)(void *ctx);
	void *ctx;
	struct journal *journal;	/* what outlives the daemon, or NULL */
};

/* call->later of one who waits for the end of an upgrade. */
#define CALL_UPGRADE (UINT64_MAX - 1)

/* How an answer leaves: as typed records for our own client, or as the text of SMCRoute's protocol. */
enum call_form { CALL_RECORDS, CALL_LEGACY };

/* A connection has one, which all its requests use in turn.  The first four are set once. */
struct call {
	const struct call_daemon *daemon;
	struct router *router;		/* daemon->router */
	int fd;				/* the connection */
	struct buf *out;		/* where tables are appended */
	enum call_form form;		/* of what is appended */
	int argc;			/* words, the command's name included */
	const char *const *argv;
	unsigned detail;		/* how many -d */
	bool json;			/* -j */
	const char *owner;		/* -o, checked by owner_check(); NULL = none */
	struct buf diag;		/* config diagnostics of a reload */
	bool follow;			/* set by monitor: the reply has no end, the connection is kept for events */
	uint64_t later;			/* set by a command that waits for the router: a router_ticket().  When it is
					 * done the command is called again, with the same words and is_again set */
	bool has_more;			/* set by a command that did a part: it is called again so, in a later turn */
	bool is_over;			/* it has done all of it, and waits for the router now */
	bool is_counting;		/* what is refused of a part that was done is to be asked for */
	struct router_flush flush;	/* how far that has come */
	bool is_held;			/* `later` is of a command that has not begun: it edits rules, and the router
					 * is busy */
	bool takes_over;		/* nothing more comes by this connection that a client says */
	bool for_daemon;		/* `later` is of call_daemon.is_ended() */
	bool is_again;
	struct show *show;		/* a long table, which pauses: the command is called again; or NULL */
	char error[512];		/* set with call_fail(); "" = none */
	char note[512];			/* made with call_note(); "" = none */
};

/* Sets the error, which is one line, and returns status, an exit status that is not 0. */
int call_fail(struct call *call, int status, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* True when what the call waits for has come. */
bool call_is_due(struct call *call);

/* The same for want of memory. */
int call_no_memory(struct call *call);

/* Adds to the note: one line that the user should see though the command succeeds. */
void call_note(struct call *call, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
