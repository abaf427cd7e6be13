/* SPDX-License-Identifier: ISC
 *
 * See nlsock.h.
 */
#include "kernel/linux/nlsock.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/netlink.h>

#include "kernel/linux/sock.h"
#include "lib/fd.h"

int nlsock_open(int protocol, uint32_t groups, int rcvbuf, uint32_t *pid)
{
	struct sockaddr_nl me = { .nl_family = AF_NETLINK, .nl_groups = groups };
	socklen_t len = sizeof me;
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol);

	if (fd < 0)
		return -1;
	sock_room(fd, rcvbuf);
	if (bind(fd, (struct sockaddr *)&me, sizeof me) < 0 || getsockname(fd, (struct sockaddr *)&me, &len) < 0)
		return fd_fail(fd);
	*pid = me.nl_pid;
	return fd;
}

bool nlsock_wait(int fd, int ms)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };

	return poll(&pfd, 1, ms) != 0;
}

ssize_t nlsock_recv(int fd, unsigned char *buf)
{
	struct sockaddr_nl from;
	struct iovec iov = { buf, NLSOCK_DATAGRAM };
	struct msghdr m = { .msg_name = &from, .msg_iov = &iov, .msg_iovlen = 1 };
	ssize_t n;

	/* Any process may send to us; only the kernel is believed. */
	do {
		m.msg_namelen = sizeof from;
		n = recvmsg(fd, &m, MSG_DONTWAIT);
	} while (n < 0 ? errno == EINTR : m.msg_namelen != sizeof from || from.nl_family != AF_NETLINK || from.nl_pid);
	if (n < 0)
		return -1;
	if (m.msg_flags & MSG_TRUNC) {
		errno = EMSGSIZE;
		return -1;
	}
	return n;
}
