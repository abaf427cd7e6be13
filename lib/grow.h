/* SPDX-License-Identifier: ISC
 *
 * Arrays that double.
 */
#ifndef LIB_GROW_H
#define LIB_GROW_H

#include <stddef.h>
#include <stdint.h>

/* Returns the array v with room for `need` elements of `size` bytes, maybe at another place, and sets *cap to the
 * number that there is room for.  NULL with ENOMEM when there is no memory: v and *cap are as before. */
void *grow(void *v, uint32_t *cap, uint64_t need, size_t size);

#endif
