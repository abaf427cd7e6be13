/* SPDX-License-Identifier: ISC
 *
 * A conversation of two processes: lines of text over a connected stream socket, some of which bring a descriptor.
 * Descriptors come in the order in which their lines do (unix(7), SCM_RIGHTS); whose a line is, and what it means, is
 * not known here.
 */
#ifndef LIB_TALK_H
#define LIB_TALK_H

#include <stdbool.h>

#include "lib/buf.h"
#include "lib/loop.h"
#include "lib/usock.h"

/* Descriptors in one message. */
#define TALK_FDS USOCK_FDS

/* Zeroed but for fd at first. */
struct talk {
	int fd;			/* connected; talk_end() closes it */
	struct buf in;		/* received, from `at` on not looked at yet */
	size_t at;
	struct buf fds;		/* ints: descriptors that no line has been found for yet */
	bool is_eof;		/* the other one has closed its end, or it broke the rules */
	bool is_cut;		/* it is at an end as well, since descriptors were lost: no room for them here */
};

/* Sends lines, each with its newline, and with them n descriptors, at most TALK_FDS, which stay open here: one for each
 * of the lines that talk_take_fd() will be called for.  At most 8 KB go in one piece.  0, or -1 with errno, EAGAIN when
 * there is no room now; then nothing was sent. */
int talk_send(struct talk *t, const char *lines, const int *fds, unsigned n);

/* Waits for ms at most, until events of poll(2) are there: 1, or 0 when the time is over, or -1 when SIGTERM or SIGINT
 * have arrived for the loop, which does not turn meanwhile; with NULL for the loop they are not looked for.  A watchdog
 * of the init system is kept quiet. */
int talk_wait(const struct talk *t, const struct loop *l, short events, int ms);

/* Reads what has come: true when there was something or the other one has left. */
bool talk_receive(struct talk *t);

/* The next whole line without its newline, valid until talk_receive(), or NULL. */
char *talk_line(struct talk *t);

/* The descriptor that the line at hand has brought, closed on exec, or -1: to be called once for each such line. */
int talk_take_fd(struct talk *t);

/* Closes everything, descriptors that nobody took as well. */
void talk_end(struct talk *t);

#endif
