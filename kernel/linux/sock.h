/* SPDX-License-Identifier: ISC
 *
 * What the sockets of this room have in common: how they are opened, options, our addresses as socket addresses, the
 * sysctls that limit them.  Private to this room.
 */
#ifndef KERNEL_LINUX_SOCK_H
#define KERNEL_LINUX_SOCK_H

#include <sys/socket.h>

#include <linux/filter.h>

#include "lib/addr.h"

/* Opens a non-blocking socket: SOCK_DGRAM, or SOCK_RAW for IGMP or ICMPv6.  -1 with errno. */
int sock_open(enum fam fam, int type);

/* IPPROTO_IP or IPPROTO_IPV6. */
int sock_level(enum fam fam);

/* Sets an option that is a number; 0, or -1 with errno. */
int sock_set(int fd, int level, int option, int v);

/* Asks for a receive buffer of so many bytes, and gets what is allowed. */
void sock_room(int fd, int bytes);

/* Attaches a filter of n instructions; 0, or -1 with errno. */
int sock_filter(int fd, struct sock_filter *code, unsigned n);

/* Writes an address without a port to a *ss that is all 0; its length. */
socklen_t sock_addr(struct sockaddr_storage *ss, const struct addr *a);

/* The value of a sysctl ("net.ipv4.igmp_max_msf"), or -1 where it cannot be read. */
long long sock_sysctl(const char *name);

#endif
