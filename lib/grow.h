/* SPDX-License-Identifier: ISC
 *
 * Arrays that double.
 */
#ifndef LIB_GROW_H
#define LIB_GROW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Moves `used` bytes at v, which is freed, to a new piece of `size` bytes, which is larger.  NULL with ENOMEM, and v
 * stays.  For what is made again and again: realloc() takes a part of what is free behind v, and glibc keeps the rest,
 * seven pieces of each size and the pages around them (its _int_realloc() and tcache_put()). */
void *grow_move(void *v, size_t used, size_t size);

/* Returns the array v with room for `need` elements of `size` bytes, maybe at another place, and sets *cap to the
 * number that there is room for.  NULL with ENOMEM when there is no memory: v and *cap are as before. */
void *grow(void *v, uint32_t *cap, uint64_t need, size_t size);

#define GROW_LOOSE 64		/* fewer places are not worth it */

/* Returns the array, maybe at another place, without most of the room behind its n elements when that is far more than
 * they take. */
void *grow_trim(void *v, uint32_t *cap, uint32_t n, size_t size);

/* True when it is time to give places at the end of an array of n back, the last of which is free: so many became free
 * since that was done last, so many are in use.  All places may be looked at then: it is not time often. */
static inline bool grow_is_loose(uint64_t freed, uint32_t live, uint32_t n)
{
	return n >= GROW_LOOSE && freed > live / 4;
}

#endif
