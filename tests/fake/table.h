/* SPDX-License-Identifier: ISC
 *
 * The containers of the fake kernel: a hashed table of entries or memberships
 * and a queue of events.  Private to it; memory that runs out ends the test.
 */
#ifndef TESTS_FAKE_TABLE_H
#define TESTS_FAKE_TABLE_H

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/kernel.h"
#include "lib/hash.h"
#include "tests/fake/memory.h"

/* One entry or one membership; ifindex is 0 for entries, iif + 1 for (*,G) ones; src all zero for ASM. */
struct item_key {
	struct flow flow;
	uint32_t ifindex;
};

struct item {
	struct item_key key;
	int iif;
	uint32_t oifs;
	uint64_t serial;	/* the newest has the highest */
	struct mfc_stats st;
	int64_t idle_ms;
	uint8_t ttl[KERNEL_VIFS];
};

struct table {
	struct item *v;
	uint32_t n, cap;
	struct hash index;
	unsigned count[FAM_N];
};

struct queue {
	char *v;
	size_t size, head, n, cap;
};

static inline uint32_t item_hash(const void *ctx, uint32_t id)
{
	return hash_bytes(&((const struct table *)ctx)->v[id].key, sizeof(struct item_key));
}

static inline bool item_equal(const void *ctx, uint32_t id, const void *key)
{
	return !memcmp(&((const struct table *)ctx)->v[id].key, key, sizeof(struct item_key));
}

static const struct hash_ops item_ops = { item_hash, item_equal };

static inline struct item item_key(int ifindex, const struct addr *src, const struct addr *grp)
{
	struct item i = { .key = { .flow.group = *grp, .ifindex = (uint32_t)ifindex } };

	if (src)
		i.key.flow.source = *src;
	return i;
}

static inline struct item *item_find(struct table *t, const struct item *key)
{
	uint32_t h = hash_bytes(&key->key, sizeof key->key);
	uint32_t id = hash_find(&t->index, &item_ops, t, h, &key->key);

	return id == HASH_NONE ? NULL : &t->v[id];
}

static inline struct item *item_add(struct table *t, const struct item *key)
{
	memory_own(true);
	if (t->n == t->cap) {
		uint32_t cap = t->cap ? t->cap * 2 : 64;
		struct item *v = realloc(t->v, cap * sizeof *v);

		if (!v)
			abort();
		t->v = v;
		t->cap = cap;
	}
	t->v[t->n] = *key;
	if (hash_add(&t->index, &item_ops, t, item_hash(t, t->n), t->n) < 0)
		abort();
	memory_own(false);
	t->count[flow_fam(&key->key.flow)]++;
	return &t->v[t->n++];
}

static inline void item_del(struct table *t, struct item *i)
{
	uint32_t at = (uint32_t)(i - t->v), last = t->n - 1;

	t->count[flow_fam(&i->key.flow)]--;
	hash_del(&t->index, &item_ops, t, item_hash(t, at), at);
	if (at != last) {
		hash_move(&t->index, item_hash(t, last), last, at);
		t->v[at] = t->v[last];
	}
	t->n--;
}

static inline void queue_push(struct queue *q, const void *p, size_t size)
{
	q->size = size;
	if (q->n == q->cap) {
		size_t cap = q->cap ? q->cap * 2 : 64;

		memory_own(true);
		char *v = realloc(q->v, cap * size);

		memory_own(false);

		if (!v)
			abort();
		q->v = v;
		q->cap = cap;
	}
	memcpy(q->v + q->n++ * size, p, size);
}

/* The oldest event, valid until the next push, or NULL. */
static inline const void *queue_pop(struct queue *q)
{
	if (q->head == q->n) {
		q->head = q->n = 0;
		return NULL;
	}
	return q->v + q->head++ * q->size;
}

static inline const char *errno_name(int err)
{
	static const struct { int err; const char *name; } names[] = {
		{ EPERM, "EPERM" }, { ENOENT, "ENOENT" }, { EINTR, "EINTR" }, { EIO, "EIO" },
		{ EBADF, "EBADF" }, { EAGAIN, "EAGAIN" }, { ENOMEM, "ENOMEM" }, { EACCES, "EACCES" },
		{ ENODEV, "ENODEV" }, { EINVAL, "EINVAL" }, { ENFILE, "ENFILE" }, { EMFILE, "EMFILE" },
		{ ENOSPC, "ENOSPC" }, { EADDRINUSE, "EADDRINUSE" }, { EADDRNOTAVAIL, "EADDRNOTAVAIL" },
		{ ENOBUFS, "ENOBUFS" }, { EOVERFLOW, "EOVERFLOW" }, { EEXIST, "EEXIST" }, { ESTALE, "ESTALE" },
		{ ENOPROTOOPT, "ENOPROTOOPT" }, { EOPNOTSUPP, "EOPNOTSUPP" },
	};

	for (unsigned i = 0; i < sizeof names / sizeof *names; i++)
		if (names[i].err == err)
			return names[i].name;
	return "errno";
}

#endif
