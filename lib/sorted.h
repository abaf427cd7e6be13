/* SPDX-License-Identifier: ISC
 *
 * Sorted arrays in which several elements may have one key, of which bsearch(3) finds any.
 */
#ifndef LIB_SORTED_H
#define LIB_SORTED_H

#include <stddef.h>
#include <stdint.h>

/* Returns the place of the first of n elements of `size` bytes that is not before the key, n when there is none.  The
 * array is in the order of compare(), which is as for qsort(3); the key is the first thing that it gets. */
uint32_t sorted_first(const void *key, const void *v, uint32_t n, size_t size,
		      int (*compare)(const void *, const void *));

#endif
