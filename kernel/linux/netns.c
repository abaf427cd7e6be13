/* SPDX-License-Identifier: ISC
 *
 * Which network namespace a socket is of.
 */
#include <errno.h>
#include <stdint.h>
#include <sys/socket.h>

#include "kernel/held.h"
#include "kernel/sock.h"
#include "lib/fd.h"

#ifndef SO_NETNS_COOKIE
#define SO_NETNS_COOKIE 71	/* asm-generic/socket.h, since 5.14 */
#endif

/* A number of the network namespace; 0 where the kernel does not tell. */
static uint64_t held_netns(int fd)
{
	uint64_t v = 0;
	socklen_t len = sizeof v;

	return getsockopt(fd, SOL_SOCKET, SO_NETNS_COOKIE, &v, &len) < 0 ? 0 : v;
}

int held_check_stack(int fd, enum fam fam)
{
	int own = sock_open(fam, SOCK_DGRAM);
	uint64_t netns = own < 0 ? 0 : held_netns(own);

	fd_fail(own);
	return netns && held_netns(fd) != netns ? EXDEV : 0;
}
