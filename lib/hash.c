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

/* What a slot of the old array holds when its element is gone: elements behind it are still to be found. */
#define HASH_GONE (UINT32_C(1) << HASH_ID_BITS)

/* Slots of the old array that each new element empties: all are done long before the new array is full. */
#define HASH_STEP 4

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

/* The element in a slot, or HASH_NONE: it is empty, or its element is gone. */
static uint32_t hash_id(uint32_t slot)
{
	return (slot & HASH_ID_MASK) - 1;
}

/* What the slot of element id with hash h holds. */
static uint32_t hash_slot(uint32_t h, uint32_t id)
{
	return h << HASH_ID_BITS | (id + 1);
}

/* In which of n slots an element with hash h would stand were it alone: the high bits say. */
static uint32_t hash_home(uint32_t n, uint32_t h)
{
	return (uint32_t)((uint64_t)h * n >> 32);
}

static uint32_t hash_next(uint32_t n, uint32_t i)
{
	return i + 1 < n ? i + 1 : 0;
}

/* Slots from a on to b. */
static uint32_t hash_distance(uint32_t n, uint32_t a, uint32_t b)
{
	return b >= a ? b - a : b + n - a;
}

static uint32_t hash_find_in(const uint32_t *slot, uint32_t n, const struct hash_ops *ops, const void *ctx, uint32_t h,
			     const void *key)
{
	if (!slot)
		return HASH_NONE;
	for (uint32_t i = hash_home(n, h); slot[i]; i = hash_next(n, i)) {
		uint32_t id = hash_id(slot[i]);

		if (id != HASH_NONE && slot[i] == hash_slot(h, id) && ops->equal(ctx, id, key))
			return id;
	}
	return HASH_NONE;
}

uint32_t hash_find(const struct hash *t, const struct hash_ops *ops, const void *ctx, uint32_t h, const void *key)
{
	uint32_t id = hash_find_in(t->slot, t->n, ops, ctx, h, key);

	return id == HASH_NONE ? hash_find_in(t->old, t->nold, ops, ctx, h, key) : id;
}

static void hash_put(struct hash *t, uint32_t h, uint32_t id)
{
	uint32_t i = hash_home(t->n, h);

	while (t->slot[i])
		i = hash_next(t->n, i);
	t->slot[i] = hash_slot(h, id);
}

/* Moves what stands in n more slots of the old array. */
static void hash_step(struct hash *t, const struct hash_ops *ops, const void *ctx, uint32_t n)
{
	for (; t->left && n; n--) {
		uint32_t *slot = &t->old[--t->left], id = hash_id(*slot);

		if (id == HASH_NONE)
			continue;
		hash_put(t, ops->hash(ctx, id), id);
		*slot = HASH_GONE;
	}
	if (t->left)
		return;
	free(t->old);
	t->old = NULL;
	t->nold = 0;
}

/* Gives it so many slots, to which elements are still to move: 0, or -1 with ENOMEM. */
static int hash_resize(struct hash *t, const struct hash_ops *ops, const void *ctx, uint32_t n)
{
	uint32_t *slot = calloc(n, sizeof *slot);

	if (!slot)
		return -1;
	hash_step(t, ops, ctx, UINT32_MAX);
	t->old = t->slot;
	t->nold = t->left = t->n;
	t->slot = slot;
	t->n = n;
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

	if (n < t->n / 2 && hash_resize(t, ops, ctx, n) == 0)
		hash_step(t, ops, ctx, UINT32_MAX);
}

int hash_add(struct hash *t, const struct hash_ops *ops, const void *ctx, uint32_t h, uint32_t id)
{
	if (id >= HASH_ID_MASK) {
		errno = ENOMEM;
		return -1;
	}
	if (hash_reserve(t, ops, ctx, t->used + 1) < 0)
		return -1;
	hash_step(t, ops, ctx, HASH_STEP);
	hash_put(t, h, id);
	t->used++;
	return 0;
}

/* The slot of element id with hash h, or NULL. */
static uint32_t *hash_slot_in(uint32_t *slot, uint32_t n, uint32_t h, uint32_t id)
{
	if (!slot)
		return NULL;
	for (uint32_t i = hash_home(n, h); slot[i]; i = hash_next(n, i))
		if (hash_id(slot[i]) == id)
			return &slot[i];
	return NULL;
}

/* Empties a slot: those behind it that would not be found then move back. */
static void hash_empty(struct hash *t, const struct hash_ops *ops, const void *ctx, uint32_t hole)
{
	uint32_t i = hole;

	while (i = hash_next(t->n, i), t->slot[i]) {
		uint32_t from = hash_home(t->n, ops->hash(ctx, hash_id(t->slot[i])));

		/* It may move only when the hole lies between its home and where it is. */
		if (hash_distance(t->n, from, i) >= hash_distance(t->n, hole, i)) {
			t->slot[hole] = t->slot[i];
			hole = i;
		}
	}
	t->slot[hole] = 0;
}

void hash_del(struct hash *t, const struct hash_ops *ops, const void *ctx, uint32_t h, uint32_t id)
{
	uint32_t *slot = hash_slot_in(t->slot, t->n, h, id);

	if (slot) {
		hash_empty(t, ops, ctx, (uint32_t)(slot - t->slot));
	} else {
		slot = hash_slot_in(t->old, t->nold, h, id);
		if (!slot)
			return;
		*slot = HASH_GONE;
	}
	t->used--;
}

void hash_move(struct hash *t, uint32_t h, uint32_t from, uint32_t to)
{
	uint32_t *slot = hash_slot_in(t->slot, t->n, h, from);

	if (!slot)
		slot = hash_slot_in(t->old, t->nold, h, from);
	if (slot)
		*slot = hash_slot(h, to);
}

void hash_free(struct hash *t)
{
	free(t->slot);
	free(t->old);
	*t = (struct hash){ 0 };
}
