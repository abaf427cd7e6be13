/* SPDX-License-Identifier: ISC
 *
 * Finding the daemon of smcroutectl, and connecting to it.
 */
#ifndef APPLETS_CTL_CONNECTION_H
#define APPLETS_CTL_CONNECTION_H

#include <stdint.h>

/* Which daemon is meant. */
struct ctl_place {
	const char *ident;		/* its identity: NAME.sock in the usual places */
	const char *path;		/* of its socket, or NULL */
	int64_t wait;			/* seconds to wait for it to come up */
};

/* Returns a connection to the daemon, non-blocking, or minus the exit status; then it has been said on standard error
 * which sockets were tried, and which others answer. */
int ctl_connection_open(const struct ctl_place *place);

#endif
