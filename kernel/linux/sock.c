/* SPDX-License-Identifier: ISC
 *
 * See sock.h.
 */
#include "kernel/linux/sock.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/lines.h"

int sock_open(enum fam fam, int type)
{
	int protocol = type == SOCK_DGRAM ? 0 : fam == FAM_4 ? IPPROTO_IGMP : IPPROTO_ICMPV6;

	return socket(fam == FAM_4 ? AF_INET : AF_INET6, type | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol);
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

long long sock_sysctl(const char *name)
{
	char path[128], text[32];

	snprintf(path, sizeof path, "/proc/sys/%s", name);
	for (char *p = path; (p = strchr(p, '.'));)
		*p = '/';
	return lines_first(path, text, sizeof text) ? strtoll(text, NULL, 10) : -1;
}
