/* SPDX-License-Identifier: ISC
 *
 * Arrays that double.
 */
#ifndef LIB_GROW_H
#define LIB_GROW_H

#include <stddef.h>
#include <stdint.h>

/* Returns the array v with room for `need` elements, moved maybe, and *cap what there is; or NULL with ENOMEM, and then
 * v stands as it was. */
void *grow(void *v, uint32_t *cap, uint64_t need, size_t size);

#endif
