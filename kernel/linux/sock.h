/* SPDX-License-Identifier: ISC
 *
 * Filters of sockets, and netlink sockets as such, without a meaning of messages.  Private to this room.
 */
#ifndef KERNEL_LINUX_SOCK_H
#define KERNEL_LINUX_SOCK_H

#include <sys/types.h>

#include <linux/filter.h>

#include "kernel/sock.h"

/* Attaches a filter of n instructions; 0, or -1 with errno. */
int sock_filter(int fd, struct sock_filter *code, unsigned n);

/* Opens a non-blocking socket of a netlink protocol in these RTMGRP_* groups with a receive buffer of rcvbuf bytes, or
 * what is allowed; *pid is its address.  What is sent by send(2) goes to the kernel.  -1 with errno. */
int sock_netlink(int protocol, uint32_t groups, int rcvbuf, uint32_t *pid);

/* Receives one datagram that is known to come from the kernel and to be whole.  Its length, or -1 with errno: EAGAIN
 * nothing there, ENOBUFS some were dropped, EMSGSIZE one was too long.  The kernel fills up to SOCK_NETLINK_MAX bytes
 * of a dump into one (netlink_recvmsg()). */
#define SOCK_NETLINK_MAX 32768
ssize_t sock_netlink_recv(int fd, unsigned char buf[SOCK_NETLINK_MAX]);

#endif
