/* SPDX-License-Identifier: ISC
 *
 * The hash index and the hash itself.  The hash is NH (RFC 4418, section 5.2.2)
 * with secret keys: whoever does not know them cannot choose addresses that
 * collide, and it costs one 32-bit multiplication for each 8 bytes, on 32-bit
 * machines too.  Nothing here knows what the elements are.
 */
#include "lib/hash.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MOST (1u << 30)		/* elements; twice the slots for them is a number of 32 bits */
#define KEYS 32			/* words; longer input goes through them again */

static uint32_t key[KEYS];
static bool seeded;

/* Steele, Lea, Flood: "Fast splittable pseudorandom number generators", 2014. */
static uint64_t mix(uint64_t x)
{
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
	x = (x ^ x >> 27) * 0x94d049bb133111eb;
	return x ^ x >> 31;
}

void hash_seed(uint64_t seed)
{
	for (int i = 0; i < KEYS; i++)
		key[i] = (uint32_t)(mix(seed += 0x9e3779b97f4a7c15) >> 32);
	seeded = true;
}

/* One term of NH: 8 bytes of input. */
static inline uint64_t term(const uint32_t *k, const unsigned char *p)
{
	uint32_t w[2];

	memcpy(w, p, sizeof w);
	return (uint64_t)(w[0] + k[0]) * (w[1] + k[1]);
}

static inline uint32_t nh(const unsigned char *p, size_t n)
{
	unsigned char rest[8] = { 0 };
	uint64_t h = n;
	unsigned i = 0;

	if (!seeded)
		hash_seed(0);
	for (; n >= sizeof rest; p += sizeof rest, n -= sizeof rest) {
		h += term(key + i, p);
		i += 2;
		if (i == KEYS) {
			h = mix(h);
			i = 0;
		}
	}
	if (n) {
		memcpy(rest, p, n);
		h += term(key + i, rest);
	}
	return (uint32_t)(mix(h) >> 32);
}

/* Two addresses are what most hashes are of: without a loop. */
static inline uint32_t nh32(const unsigned char *p)
{
	if (!seeded)
		hash_seed(0);
	return (uint32_t)(mix(32 + term(key, p) + term(key + 2, p + 8) + term(key + 4, p + 16) +
			      term(key + 6, p + 24)) >> 32);
}

uint32_t hash_words(const void *p, size_t n)
{
	return n == 32 ? nh32(__builtin_assume_aligned(p, 4)) : nh(__builtin_assume_aligned(p, 4), n);
}

uint32_t hash_bytes(const void *p, size_t n)
{
	return nh(p, n);
}

/* ---- slots ---- */

/* The element in a slot that is not empty. */
static inline uint32_t id_in(const struct hash *t, uint32_t slot)
{
	return (slot & t->ids) - 1;
}

/* What a slot says of the hash h beside the element number: its low bits. */
static inline uint32_t tag(const struct hash *t, uint32_t h)
{
	return h * (t->ids + 1);
}

static inline uint32_t next(const struct hash *t, uint32_t i)
{
	return i + 1 < t->n ? i + 1 : 0;
}

/* Slots from a on to b. */
static inline uint32_t distance(const struct hash *t, uint32_t a, uint32_t b)
{
	return b >= a ? b - a : b + t->n - a;
}

/* Gives the element numbers as many bits as id needs; tags keep what is left. */
static void fit(struct hash *t, uint32_t id)
{
	uint32_t ids = t->ids;

	while (ids <= id)
		ids = ids << 1 | 1;
	if (ids == t->ids)
		return;
	for (uint32_t i = 0; i < t->n; i++)
		t->slot[i] = (t->slot[i] & t->ids) | (t->slot[i] & ~t->ids) * ((ids + 1) / (t->ids + 1));
	t->ids = ids;
}

uint32_t hash_find(const struct hash *t, const struct hash_ops *ops, const void *ctx,
		   uint32_t h, const void *k)
{
	const uint32_t *slot = t->slot, mine = tag(t, h);

	if (!slot)
		return HASH_NONE;
	for (uint32_t i = hash_home(t, h); slot[i]; i = next(t, i))
		if (!((slot[i] ^ mine) & ~t->ids) && ops->equal(ctx, id_in(t, slot[i]), k))
			return id_in(t, slot[i]);
	return HASH_NONE;
}

static void put(struct hash *t, uint32_t h, uint32_t id)
{
	uint32_t i = hash_home(t, h);

	while (t->slot[i])
		i = next(t, i);
	t->slot[i] = tag(t, h) | (id + 1);
}

int hash_reserve(struct hash *t, const struct hash_ops *ops, const void *ctx, uint32_t n)
{
	uint32_t slots = n + n / 4 + 1;

	if (n > MOST) {
		errno = ENOMEM;
		return -1;
	}
	if (slots <= t->n)
		return 0;
	struct hash grown = { .used = t->used, .ids = t->ids };

	if (slots < 2 * t->n)
		slots = 2 * t->n;
	fit(&grown, n);
	grown.n = slots;
	grown.slot = calloc(slots, sizeof *grown.slot);
	if (!grown.slot)
		return -1;
	for (uint32_t i = 0; i < t->n; i++)
		if (t->slot[i])
			put(&grown, ops->hash(ctx, id_in(t, t->slot[i])), id_in(t, t->slot[i]));
	free(t->slot);
	*t = grown;
	return 0;
}

int hash_add(struct hash *t, const struct hash_ops *ops, const void *ctx, uint32_t h, uint32_t id)
{
	if (hash_reserve(t, ops, ctx, t->used + 1) < 0)
		return -1;
	fit(t, id);
	put(t, h, id);
	t->used++;
	return 0;
}

/* The slot of element id with hash h, or HASH_NONE. */
static uint32_t slot_of(const struct hash *t, uint32_t h, uint32_t id)
{
	if (!t->slot)
		return HASH_NONE;
	for (uint32_t i = hash_home(t, h); t->slot[i]; i = next(t, i))
		if (id_in(t, t->slot[i]) == id)
			return i;
	return HASH_NONE;
}

void hash_del(struct hash *t, const struct hash_ops *ops, const void *ctx, uint32_t h, uint32_t id)
{
	uint32_t hole = slot_of(t, h, id), i = hole;

	if (hole == HASH_NONE)
		return;
	while (i = next(t, i), t->slot[i]) {
		uint32_t from = hash_home(t, ops->hash(ctx, id_in(t, t->slot[i])));

		/* It may move only when the hole lies between its home and where it is. */
		if (distance(t, from, i) >= distance(t, hole, i)) {
			t->slot[hole] = t->slot[i];
			hole = i;
		}
	}
	t->slot[hole] = 0;
	t->used--;
}

void hash_move(struct hash *t, uint32_t h, uint32_t from, uint32_t to)
{
	uint32_t i = slot_of(t, h, from);

	if (i == HASH_NONE)
		return;
	fit(t, to);
	t->slot[i] = tag(t, h) | (to + 1);
}

void hash_free(struct hash *t)
{
	free(t->slot);
	*t = (struct hash){ 0 };
}
