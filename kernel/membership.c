/* SPDX-License-Identifier: ISC
 *
 * Group memberships, spread over sockets that do nothing but join and get no traffic.  What one socket takes is limited
 * by sysctls that may change at any time, so each is filled until the kernel refuses one more.  Memberships of any
 * source and of single sources never share a socket: of one group the kernel forbids it.  Which memberships there are
 * is the router's to know.
 */
#include "kernel/kernel.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "kernel/held.h"
#include "kernel/sock.h"
#include "kernel/sources.h"
#include "lib/fd.h"
#include "lib/grow.h"
#include "lib/proc.h"

/* Descriptors that memberships leave for clients, hooks and files. */
#define RESERVE 64

/* For each family one of any source and one of single sources.  A slot is the number of a socket in its pool times
 * POOLS, plus the pool. */
#define POOLS (2 * FAM_N)

static struct membership_pool {
	struct membership_socket {
		int fd;			/* -1: closed, for want of memberships */
		uint32_t joined;
		bool is_full;
	} *v;
	uint32_t n, cap;
	uint32_t first;			/* those before it are full */
} membership_pools[POOLS];

static uint32_t membership_pool_of(const struct addr *src, const struct addr *grp)
{
	return 2 * (uint32_t)addr_fam(grp) + (src != NULL);
}

/* A socket without a port, which only wants its own groups and drops what might still come. */
static int membership_socket(enum fam fam)
{
	rlim_t limit = proc_raise_descriptors(), reserve = limit / 4 < RESERVE ? limit / 4 : RESERVE;
	int fd = sock_open(fam, SOCK_DGRAM);

	if (fd < 0)
		return -1;
	if ((rlim_t)fd >= limit - reserve) {
		errno = EMFILE;
		return fd_fail(fd);
	}
	sock_mute(fd, fam);
	return fd;
}

/* One of MCAST_JOIN_GROUP and the like (RFC 3678, section 5.1).  A struct group_req is the beginning of a struct
 * group_source_req, and may be longer. */
static int membership_option(int fd, int name, int ifindex, const struct addr *src, const struct addr *grp)
{
	struct group_source_req req = { .gsr_interface = (uint32_t)ifindex };

	sock_addr(&req.gsr_group, grp);
	if (src)
		sock_addr(&req.gsr_source, src);
	return setsockopt(fd, sock_level(addr_fam(grp)), name, &req, sizeof req);
}

/* igmp_max_memberships, igmp_max_msf, mld_max_msf: ENOBUFS; optmem_max: either. */
static bool membership_is_full(int err)
{
	return err == ENOBUFS || err == ENOMEM;
}

static int membership_join(int fd, int ifindex, const struct addr *src, const struct addr *grp)
{
	int err;

	if (membership_option(fd, src ? MCAST_JOIN_SOURCE_GROUP : MCAST_JOIN_GROUP, ifindex, src, grp) == 0)
		return 0;
	err = sock_join_error(errno, ifindex, addr_fam(grp), src != NULL);
	/* The kernel may have taken the group and not its first source. */
	if (membership_is_full(err) && src && sock_lacks_sources(fd, ifindex, grp))
		membership_option(fd, MCAST_LEAVE_GROUP, ifindex, NULL, grp);
	errno = err;
	return -1;
}

/* Opens socket i of a pool, a closed one or that behind the last. */
static int membership_open(struct membership_pool *p, uint32_t i, enum fam fam)
{
	struct membership_socket *v = grow(p->v, &p->cap, i + 1, sizeof *v);
	int fd;

	if (!v)
		return -1;
	p->v = v;
	fd = membership_socket(fam);
	if (fd < 0 && (errno == EMFILE || errno == ENFILE) && kernel_join_settled())
		fd = membership_socket(fam);
	fd = held_add_member(fd);
	if (fd < 0)
		return -1;
	v[i] = (struct membership_socket){ .fd = fd };
	if (i == p->n)
		p->n++;
	return 0;
}

int kernel_join(int ifindex, const struct addr *src, const struct addr *grp, uint32_t *slot)
{
	uint32_t pool = membership_pool_of(src, grp), i, closed;
	struct membership_pool *p = &membership_pools[pool];
	struct membership_socket *s;

	if (ifindex <= 0)
		return sock_fail(ENODEV);	/* 0 lets the kernel choose */
	if (src && !sources_have_room(ifindex, grp))
		return sock_fail(ENOMEM);
	while (p->first < p->n && p->v[p->first].is_full)
		p->first++;
	closed = p->n;
	for (i = p->first;; i++) {
		if (i < p->n && p->v[i].fd < 0 && closed == p->n)
			closed = i;
		if (i < p->n && (p->v[i].fd < 0 || p->v[i].is_full))
			continue;
		if (i == p->n && membership_open(p, i = closed, addr_fam(grp)) < 0)
			return -1;
		s = &p->v[i];
		if (membership_join(s->fd, ifindex, src, grp) == 0)
			break;
		/* What refuses the first one is not full. */
		if (!s->joined)
			s->fd = held_close(s->fd);
		if (s->fd < 0 || !membership_is_full(errno))
			return -1;
		s->is_full = true;
	}
	s->joined++;
	if (src)
		sources_more(ifindex, grp);
	*slot = i * POOLS + pool;
	return 0;
}

int kernel_leave(int ifindex, const struct addr *src, const struct addr *grp, uint32_t slot)
{
	struct membership_pool *p = &membership_pools[slot % POOLS];
	struct membership_socket *s = &p->v[slot / POOLS];

	if (slot % POOLS != membership_pool_of(src, grp) || slot / POOLS >= p->n || s->fd < 0)
		return sock_fail(EADDRNOTAVAIL);
	if (membership_option(s->fd, src ? MCAST_LEAVE_SOURCE_GROUP : MCAST_LEAVE_GROUP, ifindex, src, grp) < 0) {
		if (!src && !sock_is_left(errno))
			return -1;
		/* Of an interface that is gone (ENODEV) the kernel only lets go of the group as a whole: then there is
		 * no such group when the other sources are left (EINVAL). */
		if (src && errno != ENODEV && errno != EINVAL && !sock_is_left(errno))
			return -1;
		if (src)
			membership_option(s->fd, MCAST_LEAVE_GROUP, ifindex, NULL, grp);
	}
	if (src)
		sources_less(ifindex, grp);
	s->is_full = false;
	if (slot / POOLS < p->first)
		p->first = slot / POOLS;
	if (!--s->joined)
		s->fd = held_close(s->fd);
	while (p->n && p->v[p->n - 1].fd < 0)
		p->n--;
	p->first = p->first < p->n ? p->first : p->n;
	p->v = grow_trim(p->v, &p->cap, p->n, sizeof *p->v);
	return 0;
}

void kernel_join_close(void)
{
	sources_forget();
	for (struct membership_pool *p = membership_pools; p < membership_pools + POOLS; p++) {
		/* The kernel finds the newest membership of an interface first. */
		while (p->n--)
			held_close(p->v[p->n].fd);
		free(p->v);
		*p = (struct membership_pool){ 0 };
	}
}
