/* SPDX-License-Identifier: ISC
 *
 * What the sockets of this room have in common on every system: how they are opened, options, our addresses as socket
 * addresses.  Private to this room.
 */
#ifndef KERNEL_SOCK_H
#define KERNEL_SOCK_H

#include <stdbool.h>
#include <sys/socket.h>

#include "lib/addr.h"

/* Sets errno; returns -1. */
int sock_fail(int err);

/* IPPROTO_IGMP or IPPROTO_ICMPV6. */
int sock_protocol(enum fam fam);

/* Opens a non-blocking socket: SOCK_DGRAM, or SOCK_RAW for IGMP or ICMPv6.  -1 with errno. */
int sock_open(enum fam fam, int type);

/* IPPROTO_IP or IPPROTO_IPV6. */
int sock_level(enum fam fam);

/* Sets an option that is a number; 0, or -1 with errno. */
int sock_set(int fd, int level, int option, int v);

/* True when there is something to read, at the latest in ms. */
bool sock_wait(int fd, int ms);

/* ---- what each system has its own way for (linux/sock.c, freebsd/sock.c) ---- */

/* Asks for a receive buffer of so many bytes, and gets what is allowed. */
void sock_room(int fd, int bytes);

/* Writes an address without a port to a *ss that is all 0; its length. */
socklen_t sock_addr(struct sockaddr_storage *ss, const struct addr *a);

/* Has a datagram socket that only joins hear nothing, as far as the system can do that. */
void sock_mute(int fd, enum fam fam);

/* What an errno of a join means, as kernel_join() has it. */
int sock_join_error(int err, int ifindex, enum fam fam, bool has_source);

/* True when a socket that failed to join a source is a member of the group all the same, with no source. */
bool sock_lacks_sources(int fd, int ifindex, const struct addr *grp);

/* True when an errno of a leave says that there is nothing to leave, as the interface took it along. */
bool sock_is_left(int err);

#endif
