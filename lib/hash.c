/* SPDX-License-Identifier: ISC
 *
 * The hash index and the hash itself.  The hash is NH (RFC 4418, section 5.2.2) with secret keys: whoever does not know
 * them cannot choose addresses that collide, and it costs one 32-bit multiplication for each 8 bytes.  Nothing here
 * knows what the elements are.
 */
#include "lib/hash.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Bits of a slot for the element number + 1. */
#define HASH_ID_BITS 26
#define HASH_ID_MASK ((UINT32_C(1) << HASH_ID_BITS) - 1)

#define HASH_KEYS 32		/* words; longer input goes through them again */

static uint32_t hash_key[HASH_KEYS];
static bool hash_is_seeded;

/* Steele, Lea, Flood: "Fast splittable pseudorandom number generators", 2014. */
static uint64_t hash_mix(uint64_t x)
{
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
	x = (x ^ x >> 27) * 0x94d049bb133111eb;
	return x ^ x >> 31;
}

void hash_seed(uint64_t seed)
{
	for (int i = 0; i < HASH_KEYS; i++)
		hash_key[i] = (uint32_t)(hash_mix(seed += 0x9e3779b97f4a7c15) >> 32);
	hash_is_seeded = true;
}

/* One term of NH: 8 bytes, the last ones filled up with zeros. */
static uint64_t hash_term(const uint32_t *key, const void *p, size_t n)
{
	uint32_t w[2] = { 0 };

	memcpy(w, p, n);
	return (uint64_t)(w[0] + key[0]) * (w[1] + key[1]);
}

uint32_t hash_bytes(const void *p, size_t n)
{
	const unsigned char *at = p;
	uint64_t h = n;
	unsigned i = 0;

	if (!hash_is_seeded)
		hash_seed(0);
	for (; n >= 8; at += 8, n -= 8) {
		h += hash_term(hash_key + i, at, 8);
		i = (i + 2) % HASH_KEYS;
		if (!i)
			h = hash_mix(h);
	}
	if (n)
		h += hash_term(hash_key + i, at, n);
	return (uint32_t)(hash_mix(h) >> 32);
}

/* The element in a slot that is not empty. */
static uint32_t hash_id(uint32_t slot)
{
	return (slot & HASH_ID_MASK) - 1;
}

/* What the slot of element id with hash h holds. */
static uint32_t hash_slot(uint32_t h, uint32_t id)
{
	return h << HASH_ID_BITS | (id + 1);
}

/* Where an element with hash h would stand were it alone: the high bits say. */
static uint32_t hash_home(const struct hash *t, uint32_t h)
{
	return (uint32_t)((uint64_t)h * t->n >> 32);
}

static uint32_t hash_next(const struct hash *t, uint32_t i)
{
	return i + 1 < t->n ? i + 1 : 0;
}

/* Slots from a on to b. */
static uint32_t hash_distance(const struct hash *t, uint32_t a, uint32_t b)
{
	return b >= a ? b - a : b + t->n - a;
}

uint32_t hash_find(const struct hash *t, const struct hash_ops *ops, const void *ctx, uint32_t h, const void *key)
{
	if (!t->slot)
		return HASH_NONE;
	for (uint32_t i = hash_home(t, h); t->slot[i]; i = hash_next(t, i)) {
		uint32_t id = hash_id(t->slot[i]);

		if (t->slot[i] == hash_slot(h, id) && ops->equal(ctx, id, key))
			return id;
	}
	return HASH_NONE;
}

static void hash_put(struct hash *t, uint32_t h, uint32_t id)
{
	uint32_t i = hash_home(t, h);

	while (t->slot[i])
		i = hash_next(t, i);
	t->slot[i] = hash_slot(h, id);
}

/* Gives it so many slots: 0, or -1 with ENOMEM. */
static int hash_resize(struct hash *t, const struct hash_ops *ops, const void *ctx, uint32_t n)
{
	struct hash other = { .slot = calloc(n, sizeof *other.slot), .used = t->used, .n = n };

	if (!other.slot)
		return -1;
	for (uint32_t i = 0; i < t->n; i++)
		if (t->slot[i])
			hash_put(&other, ops->hash(ctx, hash_id(t->slot[i])), hash_id(t->slot[i]));
	free(t->slot);
	*t = other;
	return 0;
}

int hash_reserve(struct hash *t, const struct hash_ops *ops, const void *ctx, uint32_t n)
{
	uint32_t slots = n + n / 4 + 1;

	if (n >= HASH_ID_MASK) {
		errno = ENOMEM;
		return -1;
	}
	if (slots <= t->n)
		return 0;
	return hash_resize(t, ops, ctx, slots < 2 * t->n ? 2 * t->n : slots);
}

void hash_trim(struct hash *t, const struct hash_ops *ops, const void *ctx)
{
	uint32_t n = 2 * t->used + 8;

	if (n < t->n / 2)
		hash_resize(t, ops, ctx, n);
}

int hash_add(struct hash *t, const struct hash_ops *ops, const void *ctx, uint32_t h, uint32_t id)
{
	if (id >= HASH_ID_MASK) {
		errno = ENOMEM;
		return -1;
	}
	if (hash_reserve(t, ops, ctx, t->used + 1) < 0)
		return -1;
	hash_put(t, h, id);
	t->used++;
	return 0;
}

/* The slot of element id with hash h, or HASH_NONE. */
static uint32_t hash_slot_of(const struct hash *t, uint32_t h, uint32_t id)
{
	if (!t->slot)
		return HASH_NONE;
	for (uint32_t i = hash_home(t, h); t->slot[i]; i = hash_next(t, i))
		if (hash_id(t->slot[i]) == id)
			return i;
	return HASH_NONE;
}

void hash_del(struct hash *t, const struct hash_ops *ops, const void *ctx, uint32_t h, uint32_t id)
{
	uint32_t hole = hash_slot_of(t, h, id), i = hole;

	if (hole == HASH_NONE)
		return;
	while (i = hash_next(t, i), t->slot[i]) {
		uint32_t from = hash_home(t, ops->hash(ctx, hash_id(t->slot[i])));

		/* It may move only when the hole lies between its home and where it is. */
		if (hash_distance(t, from, i) >= hash_distance(t, hole, i)) {
			t->slot[hole] = t->slot[i];
			hole = i;
		}
	}
	t->slot[hole] = 0;
	t->used--;
}

void hash_move(struct hash *t, uint32_t h, uint32_t from, uint32_t to)
{
	uint32_t i = hash_slot_of(t, h, from);

	if (i != HASH_NONE)
		t->slot[i] = hash_slot(h, to);
}

void hash_free(struct hash *t)
{
	free(t->slot);
	*t = (struct hash){ 0 };
}
