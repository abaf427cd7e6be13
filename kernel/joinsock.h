/* SPDX-License-Identifier: ISC
 *
 * The sockets that hold memberships, in pools: opened when one is needed, listed while the kernel takes more into them,
 * closed when the last membership went.  Who is a member of what is not known here.  Private to this room.
 */
#ifndef KERNEL_JOINSOCK_H
#define KERNEL_JOINSOCK_H

#include "kernel/kernel.h"

#define JOINSOCK_NONE UINT32_MAX

/* A pool for each family and for each of any source, single sources. */
#define JOINSOCK_POOLS (2 * FAM_N)
static inline uint32_t joinsock_pool(enum fam fam, bool single)
{
	return 2 * (uint32_t)fam + single;
}

/* Opens a socket in a pool; its slot, or JOINSOCK_NONE with errno. */
uint32_t joinsock_new(uint32_t pool);

/* The first socket of a pool with room, or the one behind `at`; JOINSOCK_NONE at the end. */
uint32_t joinsock_room(uint32_t pool, uint32_t at);

/* True when slot is an open socket of that pool. */
bool joinsock_is(uint32_t slot, uint32_t pool);

struct join {
	int ifindex;
	const struct addr *src, *grp;	/* src may be NULL */
};

/* MCAST_JOIN_GROUP or MCAST_JOIN_SOURCE_GROUP (RFC 3678, 5.1) and its opposite on a socket; the third leaves the group
 * with all its sources.  0, or -1 with errno.  Nothing is counted. */
int joinsock_join(uint32_t slot, const struct join *j);
int joinsock_leave(uint32_t slot, const struct join *j);
int joinsock_leave_group(uint32_t slot, const struct join *j);

/* One membership more in the socket. */
void joinsock_joined(uint32_t slot);

/* One less.  Without any the socket is closed; room: the kernel will take another now. */
void joinsock_left(uint32_t slot, bool room);

/* The kernel takes no more into this socket. */
void joinsock_full(uint32_t slot);

/* Closes a socket that turned out to be of no use. */
void joinsock_unused(uint32_t slot);

/* Closes all. */
void joinsock_close(void);

#endif
