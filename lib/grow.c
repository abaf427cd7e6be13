/* SPDX-License-Identifier: ISC
 *
 * Arrays that double; sizes never overflow, and numbers of elements stay within INT32_MAX.
 */
#include "lib/grow.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define GROW_FIRST 8

void *grow_move(void *v, size_t used, size_t size)
{
	void *p = malloc(size);

	if (!p)
		return NULL;
	if (used)
		memcpy(p, v, used);
	free(v);
	return p;
}

void *grow(void *v, uint32_t *cap, uint64_t need, size_t size)
{
	uint64_t n = *cap ? *cap : GROW_FIRST;

	if (need <= *cap)
		return v;
	while (n < need)
		n *= 2;
	if (n > INT32_MAX || n > SIZE_MAX / size) {
		errno = ENOMEM;
		return NULL;
	}
	v = grow_move(v, *cap * size, (size_t)n * size);
	if (v)
		*cap = (uint32_t)n;
	return v;
}

void *grow_trim(void *v, uint32_t *cap, uint32_t n, size_t size)
{
	uint32_t fits = n + n / 4 + GROW_FIRST;
	void *p;

	if (!v || *cap / 2 < fits)
		return v;
	p = realloc(v, fits * size);
	if (!p)
		return v;
	*cap = fits;
	return p;
}
