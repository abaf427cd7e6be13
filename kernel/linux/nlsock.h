/* SPDX-License-Identifier: ISC
 *
 * A netlink socket as such: opening it, receiving one datagram that is known to come from the kernel and to be whole.
 * What is sent by send(2) goes to the kernel.  No meaning of messages.  Private to this room.
 */
#ifndef KERNEL_LINUX_NLSOCK_H
#define KERNEL_LINUX_NLSOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* The kernel fills up to this much of a dump into one datagram (netlink_recvmsg()). */
#define NLSOCK_DATAGRAM 32768

/* Opens a non-blocking socket of a netlink protocol in these RTMGRP_* groups with a receive buffer of
 * rcvbuf bytes, or what is allowed; *pid is its address.  The descriptor, or -1 with errno. */
int nlsock_open(int protocol, uint32_t groups, int rcvbuf, uint32_t *pid);

/* True when there is something to read, at the latest in ms. */
bool nlsock_wait(int fd, int ms);

/* Receives one datagram of the kernel's into buf[NLSOCK_DATAGRAM].  Its length, or -1 with
 * errno: EAGAIN nothing there, ENOBUFS some were dropped, EMSGSIZE one was too long. */
ssize_t nlsock_recv(int fd, unsigned char *buf);

#endif
