/* SPDX-License-Identifier: ISC
 *
 * Descriptors with names that another process hands over, so that routing goes on without a gap: whatever brings them,
 * they become one list, and the sockets among them go to the kernel room.
 */
#ifndef APPLETS_HANDOVER_H
#define APPLETS_HANDOVER_H

#include <stdbool.h>
#include <stdint.h>

/* Bytes of a name with its NUL: FDNAME of sd_notify(3) has up to 255. */
#define HANDOVER_NAME 256

struct handover {
	struct handed {
		int fd;
		char *name;		/* owned */
	} *v;
	uint32_t n, cap;
	unsigned members;		/* sockets with memberships that the kernel room has got */
	char error[128];		/* what was wrong with the environment, "" when nothing was */
};

/* Adds a descriptor, which the list owns from now on.  0, or -1 with ENOMEM, and it is closed. */
int handover_add(struct handover *h, const char *name, int fd);

/* Adds those that LISTEN_PID, LISTEN_FDS and LISTEN_FDNAMES say are for this process (sd_listen_fds(3)), and takes the
 * three out of the environment.  To be called before the process opens anything or goes to the background; what is
 * wrong is said by handover_adopt(), when there is a log.  0, or -1 with ENOMEM. */
int handover_take_environment(struct handover *h);

/* Puts the descriptors where handover_take_environment() of the program that is executed next in this process finds
 * them, and says so in the environment.  What had those numbers before is gone, so nothing else can follow.  0, or -1
 * with errno. */
int handover_pass(struct handover *h);

/* True when the list has a routing socket by its name. */
bool handover_has_routes(const struct handover *h);

/* 0 when its routing sockets are of this table (0 = the default one), or it has none; otherwise an exit status, and the
 * log says why nothing can be taken over. */
int handover_check_table(const struct handover *h, uint32_t table);

/* Takes the first descriptor of a name out of the list, for the caller to close; -1 when there is none. */
int handover_take(struct handover *h, const char *name);

/* Gives the sockets to the kernel room, of the routing ones those of this table (0 = the default one).  What is none of
 * ours or not what its name says is closed, with a line in the log.  To be called when all with other names have been
 * taken; the list is empty afterwards. */
void handover_adopt(struct handover *h, uint32_t table);

/* Lets go of memberships that were handed over, when all that are wanted are joined. */
void handover_settle(struct handover *h);

/* Closes what is left. */
void handover_free(struct handover *h);

#endif
