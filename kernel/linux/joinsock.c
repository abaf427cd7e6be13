/* SPDX-License-Identifier: ISC
 *
 * Sockets that do nothing but join.  None gets any traffic.  Slots are numbers of an array whose first elements head
 * the lists of sockets with room.  And which limit it was when no more can be joined.
 */
#include "kernel/joinsock.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "kernel/linux/sock.h"
#include "lib/fd.h"
#include "lib/grow.h"
#include "lib/ring.h"

#ifndef IPV6_MULTICAST_ALL
#define IPV6_MULTICAST_ALL 29	/* linux/in6.h, since 4.20 */
#endif

/* Descriptors that memberships leave for clients, hooks and files. */
#define RESERVE 64

struct joinsock {
	struct ring room;	/* alone: full; of a free one: next is the next free one */
	uint32_t pool;
	uint32_t joined;
	int fd;			/* -1: free */
};

static struct {
	struct joinsock *v;
	uint32_t n, cap, free;
} joinsocks = { .free = JOINSOCK_NONE };

static struct ring *joinsock_ring(uint32_t at)
{
	return &joinsocks.v[at].room;
}

/* ---- system calls ---- */

/* The limit of descriptors, raised as far as allowed. */
static rlim_t joinsock_descriptors(void)
{
	struct rlimit r = { 0 };
	rlim_t limit;

	prlimit(0, RLIMIT_NOFILE, NULL, &r);
	limit = r.rlim_cur;
	r.rlim_cur = r.rlim_max;
	return prlimit(0, RLIMIT_NOFILE, &r, NULL) == 0 ? r.rlim_max : limit;
}

/* A socket without a port, which only wants its own groups and drops what might still come. */
static int joinsock_open(enum fam fam)
{
	struct sock_filter drop = BPF_STMT(BPF_RET | BPF_K, 0);
	rlim_t limit = joinsock_descriptors(), reserve = limit / 4 < RESERVE ? limit / 4 : RESERVE;
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
static int joinsock_option(uint32_t slot, int name, const struct join *j)
{
	struct group_source_req req = { .gsr_interface = (uint32_t)j->ifindex };

	sock_addr(&req.gsr_group, j->grp);
	if (j->src)
		sock_addr(&req.gsr_source, j->src);
	return setsockopt(joinsocks.v[slot].fd, sock_level(addr_fam(j->grp)), name, &req, sizeof req);
}

int joinsock_join(uint32_t slot, const struct join *j)
{
	int res = joinsock_option(slot, j->src ? MCAST_JOIN_SOURCE_GROUP : MCAST_JOIN_GROUP, j);

	/* An interface without IPv6 (net/ipv6/mcast.c, __ipv6_dev_mc_inc). */
	if (res < 0 && errno == EINVAL && addr_fam(j->grp) == FAM_6)
		errno = ENODEV;
	return res;
}

int joinsock_leave(uint32_t slot, const struct join *j)
{
	return joinsock_option(slot, j->src ? MCAST_LEAVE_SOURCE_GROUP : MCAST_LEAVE_GROUP, j);
}

int joinsock_leave_group(uint32_t slot, const struct join *j)
{
	return joinsock_option(slot, MCAST_LEAVE_GROUP, j);
}

/* ---- slots ---- */

uint32_t joinsock_new(uint32_t pool)
{
	struct joinsock *v = grow(joinsocks.v, &joinsocks.cap, joinsocks.n + JOINSOCK_POOLS + 1, sizeof *v);
	uint32_t at = joinsocks.free;
	int fd;

	if (!v)
		return JOINSOCK_NONE;
	joinsocks.v = v;
	for (; joinsocks.n < JOINSOCK_POOLS; joinsocks.n++) {
		v[joinsocks.n].fd = -1;
		ring_init(joinsock_ring, joinsocks.n);
	}
	fd = joinsock_open(pool / 2);
	if (fd < 0)
		return JOINSOCK_NONE;
	if (at == JOINSOCK_NONE)
		at = joinsocks.n++;
	else
		joinsocks.free = v[at].room.next;
	v[at] = (struct joinsock){ .pool = pool, .fd = fd };
	ring_add(joinsock_ring, pool, at);
	return at;
}

uint32_t joinsock_room(uint32_t pool, uint32_t at)
{
	if (!joinsocks.n)
		return JOINSOCK_NONE;
	at = joinsocks.v[at == JOINSOCK_NONE ? pool : at].room.next;
	return at == pool ? JOINSOCK_NONE : at;
}

bool joinsock_is(uint32_t slot, uint32_t pool)
{
	return slot < joinsocks.n && joinsocks.v[slot].fd >= 0 && joinsocks.v[slot].pool == pool;
}

void joinsock_joined(uint32_t slot)
{
	joinsocks.v[slot].joined++;
}

void joinsock_left(uint32_t slot, bool room)
{
	if (!--joinsocks.v[slot].joined)
		joinsock_unused(slot);
	else if (room && ring_alone(joinsock_ring, slot))
		ring_add(joinsock_ring, joinsocks.v[slot].pool, slot);
}

void joinsock_full(uint32_t slot)
{
	ring_del(joinsock_ring, slot);
}

void joinsock_unused(uint32_t slot)
{
	ring_del(joinsock_ring, slot);
	close(joinsocks.v[slot].fd);
	joinsocks.v[slot].fd = -1;
	joinsocks.v[slot].room.next = joinsocks.free;
	joinsocks.free = slot;
}

void joinsock_close(void)
{
	/* The kernel finds the newest membership of an interface first. */
	for (uint32_t i = joinsocks.n; i-- > JOINSOCK_POOLS;)
		if (joinsocks.v[i].fd >= 0)
			close(joinsocks.v[i].fd);
	free(joinsocks.v);
	joinsocks.v = NULL;
	joinsocks.n = joinsocks.cap = 0;
	joinsocks.free = JOINSOCK_NONE;
}

/* ---- limits ---- */

const char *kernel_join_limit(int err, enum fam fam)
{
	static char text[96];
	const char *name;
	struct rlimit r;
	long long v = -1;

	switch (err) {
	case EMFILE:
		name = "RLIMIT_NOFILE";
		if (prlimit(0, RLIMIT_NOFILE, NULL, &r) == 0 && r.rlim_cur != RLIM_INFINITY)
			v = (long long)r.rlim_cur;
		break;
	case ENFILE:
		name = "fs.file-max";
		v = sock_sysctl(name);
		break;
	case ENOBUFS:
	case ENOMEM:
		/* What stops a socket that holds nothing yet: more than one can take was spread already. */
		name = "net.ipv4.igmp_max_memberships";
		if (fam == FAM_4 && (v = sock_sysctl(name)) == 0)
			break;
		name = "net.core.optmem_max";
		v = sock_sysctl(name);
		break;
	default:
		return "";
	}
	snprintf(text, sizeof text, v < 0 ? "%s" : "%s = %lld", name, v);
	return text;
}
