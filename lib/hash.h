/* SPDX-License-Identifier: ISC
 *
 * A hash index over somebody else's array: it holds only element numbers, the elements stay where they are.  Open
 * addressing with linear probing, at most four fifths full; deletion moves later elements back, so there are no marks
 * for deleted ones.  Beside the number a slot has 6 bits of the hash, so that most of the other elements need not be
 * looked at.  The hash is seeded at the start, because addresses come from strangers.
 *
 * It grows in steps, as nothing may hold the loop: with the larger array the one before stays, and each element that is
 * added moves what stands in a few slots of that.
 */
#ifndef LIB_HASH_H
#define LIB_HASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HASH_NONE UINT32_MAX

/* How the index reads the array that it indexes. */
struct hash_ops {
	uint32_t (*hash)(const void *ctx, uint32_t id);	/* hash of element id */
	bool (*equal)(const void *ctx, uint32_t id, const void *key);
};

struct hash {
	uint32_t *slot;		/* n of them: the low bits of the hash and the element number + 1; or 0 */
	uint32_t n, used;
	uint32_t *old;		/* while it grows: the array before, out of which elements move to the other one */
	uint32_t nold, left;	/* slots of that, and those of them that may still hold an element: the first ones */
};

/* Hashes n bytes with the process's seed. */
uint32_t hash_bytes(const void *p, size_t n);

/* Sets the seed; call once before the first hash.  Tests pass a constant. */
void hash_seed(uint64_t seed);

/* Returns the element equal to key with hash h, or HASH_NONE. */
uint32_t hash_find(const struct hash *t, const struct hash_ops *ops, const void *ctx, uint32_t h, const void *key);

/* Adds element id, which has hash h and must not be in yet.  0, or -1 with ENOMEM. */
int hash_add(struct hash *t, const struct hash_ops *ops, const void *ctx, uint32_t h, uint32_t id);

/* Makes room for n elements in all, so that n adds of numbers below n cannot fail.  0, or -1 with ENOMEM. */
int hash_reserve(struct hash *t, const struct hash_ops *ops, const void *ctx, uint32_t n);

/* Removes element id, which has hash h; nothing happens when it is not in. */
void hash_del(struct hash *t, const struct hash_ops *ops, const void *ctx, uint32_t h, uint32_t id);

/* Puts `to` where `from` stood (an element that moved in its array); h is the hash of both. */
void hash_move(struct hash *t, uint32_t h, uint32_t from, uint32_t to);

/* Gives memory back when it has room for far more than are in. */
void hash_trim(struct hash *t, const struct hash_ops *ops, const void *ctx);

/* Empties the index and frees its memory. */
void hash_free(struct hash *t);

#endif
