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

#include <linux/filter.h>

#include "kernel/ring.h"
#include "kernel/sockaddr.h"
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
	rlim_t descriptors;	/* limit, 0 = not read yet */
} s = { .free = JOINSOCK_NONE };

static struct ring *ring(uint32_t at)
{
	return &s.v[at].room;
}

/* ---- system calls ---- */

/* The limit of descriptors, raised as far as allowed. */
static rlim_t descriptors(void)
{
	struct rlimit r;

	if (s.descriptors || getrlimit(RLIMIT_NOFILE, &r) < 0)
		return s.descriptors;
	s.descriptors = r.rlim_cur;
	if (r.rlim_cur < r.rlim_max) {
		r.rlim_cur = r.rlim_max;
		if (prlimit(0, RLIMIT_NOFILE, &r, NULL) == 0)
			s.descriptors = r.rlim_cur;
	}
	return s.descriptors;
}

/* A socket without a port, which only wants its own groups and drops what might still come. */
static int deaf_socket(enum fam fam)
{
	struct sock_filter drop = BPF_STMT(BPF_RET | BPF_K, 0);
	struct sock_fprog prog = { 1, &drop };
	rlim_t limit = descriptors(), reserve = limit / 4 < RESERVE ? limit / 4 : RESERVE;
	int off = 0, fd = socket(fam == FAM_4 ? AF_INET : AF_INET6,
				 SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -1;
	if ((rlim_t)fd >= limit - reserve) {
		close(fd);
		errno = EMFILE;
		return -1;
	}
	if (fam == FAM_4)
		setsockopt(fd, IPPROTO_IP, IP_MULTICAST_ALL, &off, sizeof off);
	else
		setsockopt(fd, IPPROTO_IPV6, IPV6_MULTICAST_ALL, &off, sizeof off);
	setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &prog, sizeof prog);
	return fd;
}

static int group_option(uint32_t slot, int option, int ifindex, const struct addr *grp)
{
	struct group_req req = { .gr_interface = (uint32_t)ifindex };

	sockaddr_set(&req.gr_group, grp);
	return setsockopt(s.v[slot].fd, addr_fam(grp) == FAM_4 ? IPPROTO_IP : IPPROTO_IPV6,
			  option, &req, sizeof req);
}

static int source_option(uint32_t slot, int option, int ifindex, const struct addr *src,
			 const struct addr *grp)
{
	struct group_source_req req = { .gsr_interface = (uint32_t)ifindex };

	sockaddr_set(&req.gsr_group, grp);
	sockaddr_set(&req.gsr_source, src);
	return setsockopt(s.v[slot].fd, addr_fam(grp) == FAM_4 ? IPPROTO_IP : IPPROTO_IPV6,
			  option, &req, sizeof req);
}

int joinsock_join(uint32_t slot, int ifindex, const struct addr *src, const struct addr *grp)
{
	int res = src ? source_option(slot, MCAST_JOIN_SOURCE_GROUP, ifindex, src, grp) :
			group_option(slot, MCAST_JOIN_GROUP, ifindex, grp);

	/* An interface without IPv6 (net/ipv6/mcast.c, __ipv6_dev_mc_inc). */
	if (res < 0 && errno == EINVAL && addr_fam(grp) == FAM_6)
		errno = ENODEV;
	return res;
}

int joinsock_leave(uint32_t slot, int ifindex, const struct addr *src, const struct addr *grp)
{
	return src ? source_option(slot, MCAST_LEAVE_SOURCE_GROUP, ifindex, src, grp) :
		     group_option(slot, MCAST_LEAVE_GROUP, ifindex, grp);
}

/* ---- slots ---- */

static bool slot_room(void)
{
	struct sock *v;

	if (s.free != JOINSOCK_NONE || s.n < s.cap)
		return true;
	v = grow(s.v, &s.cap, s.n + 1, sizeof *v);
	if (!v)
		return false;
	s.v = v;
	for (; s.n < JOINSOCK_POOLS; s.n++) {
		s.v[s.n].fd = -1;
		ring_init(ring, s.n);
	}
	return true;
}

uint32_t joinsock_new(uint32_t pool)
{
	uint32_t at;
	int fd;

	if (!slot_room())
		return JOINSOCK_NONE;
	fd = deaf_socket(pool / 2);
	if (fd < 0)
		return JOINSOCK_NONE;
	at = s.free;
	if (at == JOINSOCK_NONE)
		at = s.n++;
	else
		s.free = s.v[at].room.next;
	s.v[at] = (struct sock){ .pool = pool, .fd = fd };
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
	s.descriptors = 0;
}
