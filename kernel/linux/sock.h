/* SPDX-License-Identifier: ISC
 *
 * What the sockets of this room have in common: how they are opened, options, our addresses as socket addresses; and
 * netlink sockets as such, without a meaning of messages.  Private to this room.
 */
#ifndef KERNEL_LINUX_SOCK_H
#define KERNEL_LINUX_SOCK_H

#include <sys/socket.h>
#include <sys/types.h>

#include <linux/filter.h>

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

/* Asks for a receive buffer of so many bytes, and gets what is allowed. */
void sock_room(int fd, int bytes);

/* Attaches a filter of n instructions; 0, or -1 with errno. */
int sock_filter(int fd, struct sock_filter *code, unsigned n);

/* Writes an address without a port to a *ss that is all 0; its length. */
socklen_t sock_addr(struct sockaddr_storage *ss, const struct addr *a);

/* True when there is something to read, at the latest in ms. */
bool sock_wait(int fd, int ms);

/* Opens a non-blocking socket of a netlink protocol in these RTMGRP_* groups with a receive buffer of rcvbuf bytes, or
 * what is allowed; *pid is its address.  What is sent by send(2) goes to the kernel.  -1 with errno. */
int sock_netlink(int protocol, uint32_t groups, int rcvbuf, uint32_t *pid);

/* Receives one datagram that is known to come from the kernel and to be whole.  Its length, or -1 with errno: EAGAIN
 * nothing there, ENOBUFS some were dropped, EMSGSIZE one was too long.  The kernel fills up to SOCK_NETLINK_MAX bytes
 * of a dump into one (netlink_recvmsg()). */
#define SOCK_NETLINK_MAX 32768
ssize_t sock_netlink_recv(int fd, unsigned char buf[SOCK_NETLINK_MAX]);

#endif
