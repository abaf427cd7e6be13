/* SPDX-License-Identifier: ISC */
#include "kernel/sock.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>

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

bool sock_wait(int fd, int ms)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };

	return poll(&pfd, 1, ms) != 0;
}
