/* SPDX-License-Identifier: ISC
 *
 * A store of descriptors for one process, by the protocol of sd_notify(3) and sd_pid_notify_with_fds(3): what the
 * keeper is for its daemon, and systemd for a service.  Messages are bounded, and of that process alone, as the kernel
 * says who sent them (unix(7), SCM_CREDENTIALS); what is of no concern here is passed on to whoever watches us.
 */
#ifndef APPLETS_KEEP_H
#define APPLETS_KEEP_H

#include <sys/types.h>

#include "applets/handover.h"

/* Descriptors that are kept at most. */
#define KEEP_MAX 8192

struct keep {
	int fd;				/* where messages come in */
	char address[32];		/* of it, for NOTIFY_SOCKET */
	struct handover store;
	pid_t main;			/* who is heard; 0 = nobody */
	pid_t former;			/* who was, until somebody else was named; heard as long as it lives.  Or 0 */
	bool is_ready;			/* it has said READY=1 */
	bool is_told;			/* that a descriptor could not be kept */
};

/* Opens it: 0, or -1 with errno.  Its end is that of the process. */
int keep_open(struct keep *k);

/* Takes in at most max messages that have come: false when there may be more. */
bool keep_receive(struct keep *k, int max);

/* Closes what is kept under a name, or everything for NULL; the number of descriptors. */
unsigned keep_drop(struct keep *k, const char *name);

#endif
