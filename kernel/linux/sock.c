/* SPDX-License-Identifier: ISC */
#include "kernel/linux/sock.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>

#include <linux/netlink.h>

#include "lib/fd.h"

int sock_fail(int err)
{
	errno = err;
	return -1;
}

int sock_protocol(enum fam fam)
{
	return fam == FAM_4 ? IPPROTO_IGMP : IPPROTO_ICMPV6;
}

int sock_open(enum fam fam, int type)
{
	return socket(fam == FAM_4 ? AF_INET : AF_INET6, type | SOCK_CLOEXEC | SOCK_NONBLOCK,
		      type == SOCK_DGRAM ? 0 : sock_protocol(fam));
}

int sock_level(enum fam fam)
{
	return fam == FAM_4 ? IPPROTO_IP : IPPROTO_IPV6;
}

int sock_set(int fd, int level, int option, int v)
{
	return setsockopt(fd, level, option, &v, sizeof v);
}

void sock_room(int fd, int bytes)
{
	if (sock_set(fd, SOL_SOCKET, SO_RCVBUFFORCE, bytes) < 0)
		sock_set(fd, SOL_SOCKET, SO_RCVBUF, bytes);
}

int sock_filter(int fd, struct sock_filter *code, unsigned n)
{
	struct sock_fprog prog = { (unsigned short)n, code };

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &prog, sizeof prog);
}

/* Copied, because the types must not alias. */
socklen_t sock_addr(struct sockaddr_storage *ss, const struct addr *a)
{
	bool v4 = addr_fam(a) == FAM_4;
	size_t at = v4 ? offsetof(struct sockaddr_in, sin_addr) : offsetof(struct sockaddr_in6, sin6_addr);
	size_t len = v4 ? 4 : 16;

	ss->ss_family = v4 ? AF_INET : AF_INET6;
	memcpy((char *)ss + at, a->b + sizeof a->b - len, len);
	return v4 ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
}

bool sock_wait(int fd, int ms)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };

	return poll(&pfd, 1, ms) != 0;
}

int sock_netlink(int protocol, uint32_t groups, int rcvbuf, uint32_t *pid)
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

ssize_t sock_netlink_recv(int fd, unsigned char buf[SOCK_NETLINK_MAX])
{
	struct sockaddr_nl from;
	struct iovec iov = { buf, SOCK_NETLINK_MAX };
	struct msghdr m = { .msg_name = &from, .msg_iov = &iov, .msg_iovlen = 1 };
	ssize_t n;

	/* Any process may send to us; only the kernel is believed. */
	do {
		m.msg_namelen = sizeof from;
		n = recvmsg(fd, &m, MSG_DONTWAIT);
	} while (n < 0 ? errno == EINTR : m.msg_namelen != sizeof from || from.nl_family != AF_NETLINK || from.nl_pid);
	return n >= 0 && (m.msg_flags & MSG_TRUNC) ? sock_fail(EMSGSIZE) : n;
}
