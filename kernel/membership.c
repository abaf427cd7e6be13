/* SPDX-License-Identifier: ISC
 *
 * Group memberships, spread over sockets.  What one socket takes is limited by sysctls that may change at any time, so
 * each is filled until the kernel refuses one more.  Memberships of any source and of single sources never share a
 * socket: of one group the kernel forbids it.  Which memberships there are is the router's to know; here stands only
 * what finds room in constant time.
 */
#include "kernel/kernel.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/joinsock.h"
#include "lib/ring.h"
#include "lib/grow.h"
#include "lib/hash.h"

/* Sockets with room that are looked at for one that does not hold the group yet. */
#define LOOK 8

/* Single sources of a group on one interface: the group as such (slot NONE), and its part in each socket that holds
 * some of them. */
struct holder_key {
	struct addr grp;
	uint32_t ifindex, slot;
};

struct holder {
	struct holder_key key;
	struct ring room;	/* of the group: heads its parts with room; alone: none */
	uint32_t count;		/* sources; of the group: parts */
	bool gone;		/* the interface went, and the kernel's sources with it */
};

static struct {
	struct holder *v;
	uint32_t n, cap, free;
	struct hash by_key;
} holders = { .free = HASH_NONE };

static struct ring *holder_ring(uint32_t at)
{
	return &holders.v[at].room;
}

static uint32_t holder_hash(const void *ctx, uint32_t id)
{
	(void)ctx;
	return hash_words(&holders.v[id].key, sizeof holders.v[id].key);
}

static bool holder_equal(const void *ctx, uint32_t id, const void *key)
{
	(void)ctx;
	return !memcmp(&holders.v[id].key, key, sizeof holders.v[id].key);
}

static const struct hash_ops holder_ops = { holder_hash, holder_equal };

static uint32_t holder_find(const struct join *j, uint32_t slot)
{
	struct holder_key key = { *j->grp, (uint32_t)j->ifindex, slot };

	return hash_find(&holders.by_key, &holder_ops, NULL, hash_words(&key, sizeof key), &key);
}

/* Makes room for a group and its part, so that two holder_new() cannot fail. */
static bool holder_room(void)
{
	struct holder *v;

	if (hash_reserve(&holders.by_key, &holder_ops, NULL, holders.by_key.used + 2) < 0)
		return false;
	v = grow(holders.v, &holders.cap, holders.n + 2, sizeof *v);
	if (!v)
		return false;
	holders.v = v;
	return true;
}

static uint32_t holder_new(const struct join *j, uint32_t slot)
{
	uint32_t at = holders.free;

	if (at == HASH_NONE)
		at = holders.n++;
	else
		holders.free = holders.v[at].room.next;
	holders.v[at] = (struct holder){ .key = { *j->grp, (uint32_t)j->ifindex, slot } };
	ring_init(holder_ring, at);
	hash_add(&holders.by_key, &holder_ops, NULL, holder_hash(NULL, at), at);
	return at;
}

static void holder_free(uint32_t at)
{
	ring_del(holder_ring, at);
	hash_del(&holders.by_key, &holder_ops, NULL, holder_hash(NULL, at), at);
	holders.v[at].room.next = holders.free;
	holders.free = at;
}

/* igmp_max_memberships, igmp_max_msf, mld_max_msf: ENOBUFS; optmem_max: either. */
static bool is_full(int err)
{
	return err == ENOBUFS || err == ENOMEM;
}

/* Joins in a socket with room that does not hold the group yet, or in a new one; its slot, or JOINSOCK_NONE with
 * errno. */
static uint32_t join_room(const struct join *j)
{
	uint32_t pool = joinsock_pool(addr_fam(j->grp), j->src), next;
	uint32_t slot = joinsock_room(pool, JOINSOCK_NONE);
	int err;

	for (int i = 0; i < LOOK && slot != JOINSOCK_NONE; i++, slot = next) {
		next = joinsock_room(pool, slot);
		if (holder_find(j, slot) != HASH_NONE)
			continue;
		if (joinsock_join(slot, j) == 0)
			return slot;
		if (!is_full(errno))
			return JOINSOCK_NONE;
		/* The kernel may have taken the group and not the source. */
		joinsock_leave_group(slot, j);
		joinsock_full(slot);
	}
	slot = joinsock_new(pool);
	if (slot == JOINSOCK_NONE || joinsock_join(slot, j) == 0)
		return slot;
	err = errno;
	joinsock_unused(slot);
	errno = err;
	return JOINSOCK_NONE;
}

static uint32_t join_source(const struct join *j)
{
	uint32_t group = holder_find(j, JOINSOCK_NONE), part, slot;

	while (group != HASH_NONE && !ring_alone(holder_ring, group)) {
		part = holders.v[group].room.next;
		slot = holders.v[part].key.slot;
		if (joinsock_join(slot, j) == 0) {
			holders.v[part].count++;
			return slot;
		}
		if (!is_full(errno)) {
			if (errno == EADDRNOTAVAIL)
				errno = EADDRINUSE;	/* ip_mc_source() has this source */
			return JOINSOCK_NONE;
		}
		ring_del(holder_ring, part);
	}
	if (!holder_room())
		return JOINSOCK_NONE;
	slot = join_room(j);
	if (slot == JOINSOCK_NONE)
		return slot;
	if (group == HASH_NONE)
		group = holder_new(j, JOINSOCK_NONE);
	holders.v[group].count++;
	part = holder_new(j, slot);
	holders.v[part].count = 1;
	ring_add(holder_ring, group, part);
	return slot;
}

int kernel_join(int ifindex, const struct addr *src, const struct addr *grp, uint32_t *slot)
{
	struct join j = { ifindex, src, grp };

	if (ifindex <= 0) {
		errno = ENODEV;		/* 0 lets the kernel choose */
		return -1;
	}
	*slot = src ? join_source(&j) : join_room(&j);
	if (*slot == JOINSOCK_NONE)
		return -1;
	joinsock_joined(*slot);
	return 0;
}

/* Forgets one source of a part; true when the socket holds the group no longer. */
static bool part_left(const struct join *j, uint32_t part)
{
	uint32_t group = holder_find(j, JOINSOCK_NONE);
	struct holder *h = &holders.v[part];

	if (--h->count) {
		if (!h->gone && ring_alone(holder_ring, part))
			ring_add(holder_ring, group, part);
		return false;
	}
	holder_free(part);
	if (!--holders.v[group].count)
		holder_free(group);
	return true;
}

int kernel_leave(int ifindex, const struct addr *src, const struct addr *grp, uint32_t slot)
{
	struct join j = { ifindex, src, grp };
	uint32_t part = src ? holder_find(&j, slot) : HASH_NONE;

	if (!joinsock_is(slot, joinsock_pool(addr_fam(grp), src)) || (src && part == HASH_NONE)) {
		errno = EADDRNOTAVAIL;
		return -1;
	}
	if (!(src && holders.v[part].gone) && joinsock_leave(slot, &j) < 0) {
		if (!src || errno != ENODEV)
			return -1;
		/* Without its interface the kernel only lets go of the group as a whole. */
		joinsock_leave_group(slot, &j);
		holders.v[part].gone = true;
		ring_del(holder_ring, part);
	}
	joinsock_left(slot, !src || part_left(&j, part));
	return 0;
}

void kernel_join_close(void)
{
	joinsock_close();
	hash_free(&holders.by_key);
	free(holders.v);
	holders.v = NULL;
	holders.n = holders.cap = 0;
	holders.free = HASH_NONE;
}
