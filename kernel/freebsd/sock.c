/* SPDX-License-Identifier: ISC
 *
 * Every socket address has its length in it, and there is no filter of packets on sockets.
 */
#include "kernel/sock.h"

#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>

/* Above kern.ipc.maxsockbuf the kernel refuses (sys/kern/uipc_sockbuf.c, sbreserve_locked). */
void sock_room(int fd, int bytes)
{
	while (bytes > 8192 && sock_set(fd, SOL_SOCKET, SO_RCVBUF, bytes) < 0)
		bytes /= 2;
}

/* A datagram socket without a port hears nothing. */
void sock_mute(int fd, enum fam fam)
{
	(void)fd;
	(void)fam;
}

/* An interface that is gone and a source that is there have the same number (sys/netinet/in_mcast.c). */
int sock_join_error(int err, int ifindex, enum fam fam, bool has_source)
{
	char name[IF_NAMESIZE];

	(void)fam;
	if (err != EADDRNOTAVAIL)
		return err;
	return !if_indextoname((unsigned)ifindex, name) ? ENODEV : has_source ? EADDRINUSE : err;
}

/* A group that is new goes again with its source. */
bool sock_lacks_sources(int fd, int ifindex, const struct addr *grp)
{
	(void)fd;
	(void)ifindex;
	(void)grp;
	return false;
}

/* An interface that goes takes its memberships along (sys/netinet/in_mcast.c, inm_purge). */
bool sock_is_left(int err)
{
	return err == EADDRNOTAVAIL;
}

/* Copied, because the types must not alias. */
socklen_t sock_addr(struct sockaddr_storage *ss, const struct addr *a)
{
	bool v4 = addr_fam(a) == FAM_4;
	size_t at = v4 ? offsetof(struct sockaddr_in, sin_addr) : offsetof(struct sockaddr_in6, sin6_addr);
	size_t len = v4 ? 4 : 16;

	ss->ss_family = v4 ? AF_INET : AF_INET6;
	ss->ss_len = v4 ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
	memcpy((char *)ss + at, a->b + sizeof a->b - len, len);
	return ss->ss_len;
}
