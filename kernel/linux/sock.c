/* SPDX-License-Identifier: ISC */
#include "kernel/linux/sock.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include <linux/netlink.h>

#include "lib/fd.h"

#ifndef IPV6_MULTICAST_ALL
#define IPV6_MULTICAST_ALL 29	/* linux/in6.h, since 4.20 */
#endif

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

void sock_mute(int fd, enum fam fam)
{
	struct sock_filter drop = BPF_STMT(BPF_RET | BPF_K, 0);

	sock_set(fd, sock_level(fam), fam == FAM_4 ? IP_MULTICAST_ALL : IPV6_MULTICAST_ALL, 0);
	sock_filter(fd, &drop, 1);
}

int sock_join_error(int err, int ifindex, enum fam fam, bool has_source)
{
	(void)ifindex;
	/* An interface without IPv6 (net/ipv6/mcast.c, __ipv6_dev_mc_inc). */
	if (err == EINVAL && fam == FAM_6)
		return ENODEV;
	/* ip_mc_source() has this source. */
	return err == EADDRNOTAVAIL && has_source ? EADDRINUSE : err;
}

bool sock_lacks_sources(int fd, int ifindex, const struct addr *grp)
{
	struct group_filter f = { .gf_interface = (uint32_t)ifindex };
	socklen_t len = sizeof f;

	sock_addr(&f.gf_group, grp);
	return getsockopt(fd, sock_level(addr_fam(grp)), MCAST_MSFILTER, &f, &len) == 0 && !f.gf_numsrc;
}

/* Groups of an interface that is gone are still there. */
bool sock_is_left(int err)
{
	(void)err;
	return false;
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
