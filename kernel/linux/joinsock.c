/* SPDX-License-Identifier: ISC
 *
 * Sockets that do nothing but join.  None gets any traffic.  Slots are numbers
 * of an array whose first elements head the lists of sockets with room.
 */
#include "kernel/joinsock.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/ring.h"
#include "kernel/linux/sock.h"
#include "lib/fd.h"
#include "lib/grow.h"

#ifndef IPV6_MULTICAST_ALL
#define IPV6_MULTICAST_ALL 29	/* linux/in6.h, since 4.20 */
#endif

/* Descriptors that memberships leave for clients, hooks and files. */
#define RESERVE 64

struct sock {
	struct ring room;	/* alone: full; of a free one: next is the next free one */
	uint32_t pool;
	uint32_t joined;
	int fd;			/* -1: free */
};

static struct {
	struct sock *v;
	uint32_t n, cap, free;
} s = { .free = JOINSOCK_NONE };

static struct ring *ring(uint32_t at)
{
	return &s.v[at].room;
}

/* ---- system calls ---- */

/* The limit of descriptors, raised as far as allowed. */
static rlim_t descriptors(void)
{
	struct rlimit r = { 0 };
	rlim_t limit;

	prlimit(0, RLIMIT_NOFILE, NULL, &r);
	limit = r.rlim_cur;
	r.rlim_cur = r.rlim_max;
	return prlimit(0, RLIMIT_NOFILE, &r, NULL) == 0 ? r.rlim_max : limit;
}

/* A socket without a port, which only wants its own groups and drops what might still come. */
static int deaf_socket(enum fam fam)
{
	struct sock_filter drop = BPF_STMT(BPF_RET | BPF_K, 0);
	rlim_t limit = descriptors(), reserve = limit / 4 < RESERVE ? limit / 4 : RESERVE;
	int fd = sock_open(fam, SOCK_DGRAM);

	if (fd < 0)
		return -1;
	if ((rlim_t)fd >= limit - reserve) {
		errno = EMFILE;
		return fd_fail(fd);
	}
	sock_set(fd, sock_level(fam), fam == FAM_4 ? IP_MULTICAST_ALL : IPV6_MULTICAST_ALL, 0);
	sock_filter(fd, &drop, 1);
	return fd;
}

/* A struct group_req is the beginning of a struct group_source_req, and may be longer. */
static int option(uint32_t slot, int name, const struct join *j)
{
	struct group_source_req req = { .gsr_interface = (uint32_t)j->ifindex };

	sock_addr(&req.gsr_group, j->grp);
	if (j->src)
		sock_addr(&req.gsr_source, j->src);
	return setsockopt(s.v[slot].fd, sock_level(addr_fam(j->grp)), name, &req, sizeof req);
}

int joinsock_join(uint32_t slot, const struct join *j)
{
	int res = option(slot, j->src ? MCAST_JOIN_SOURCE_GROUP : MCAST_JOIN_GROUP, j);

	/* An interface without IPv6 (net/ipv6/mcast.c, __ipv6_dev_mc_inc). */
	if (res < 0 && errno == EINVAL && addr_fam(j->grp) == FAM_6)
		errno = ENODEV;
	return res;
}

int joinsock_leave(uint32_t slot, const struct join *j)
{
	return option(slot, j->src ? MCAST_LEAVE_SOURCE_GROUP : MCAST_LEAVE_GROUP, j);
}

int joinsock_leave_group(uint32_t slot, const struct join *j)
{
	return option(slot, MCAST_LEAVE_GROUP, j);
}

/* ---- slots ---- */

uint32_t joinsock_new(uint32_t pool)
{
	struct sock *v = grow(s.v, &s.cap, s.n + JOINSOCK_POOLS + 1, sizeof *v);
	uint32_t at = s.free;
	int fd;

	if (!v)
		return JOINSOCK_NONE;
	s.v = v;
	for (; s.n < JOINSOCK_POOLS; s.n++) {
		v[s.n].fd = -1;
		ring_init(ring, s.n);
	}
	fd = deaf_socket(pool / 2);
	if (fd < 0)
		return JOINSOCK_NONE;
	if (at == JOINSOCK_NONE)
		at = s.n++;
	else
		s.free = v[at].room.next;
	v[at] = (struct sock){ .pool = pool, .fd = fd };
	ring_add(ring, pool, at);
	return at;
}

uint32_t joinsock_room(uint32_t pool, uint32_t at)
{
	if (!s.n)
		return JOINSOCK_NONE;
	at = s.v[at == JOINSOCK_NONE ? pool : at].room.next;
	return at == pool ? JOINSOCK_NONE : at;
}

bool joinsock_is(uint32_t slot, uint32_t pool)
{
	return slot < s.n && s.v[slot].fd >= 0 && s.v[slot].pool == pool;
}

void joinsock_joined(uint32_t slot)
{
	s.v[slot].joined++;
}

void joinsock_left(uint32_t slot, bool room)
{
	if (!--s.v[slot].joined)
		joinsock_unused(slot);
	else if (room && ring_alone(ring, slot))
		ring_add(ring, s.v[slot].pool, slot);
}

void joinsock_full(uint32_t slot)
{
	ring_del(ring, slot);
}

void joinsock_unused(uint32_t slot)
{
	ring_del(ring, slot);
	close(s.v[slot].fd);
	s.v[slot].fd = -1;
	s.v[slot].room.next = s.free;
	s.free = slot;
}

void joinsock_close(void)
{
	/* The kernel finds the newest membership of an interface first. */
	for (uint32_t i = s.n; i-- > JOINSOCK_POOLS;)
		if (s.v[i].fd >= 0)
			close(s.v[i].fd);
	free(s.v);
	s.v = NULL;
	s.n = s.cap = 0;
	s.free = JOINSOCK_NONE;
}
