/* SPDX-License-Identifier: ISC
 * See sorted.h. */
#include "lib/sorted.h"

uint32_t sorted_first(const void *key, const void *v, uint32_t n, size_t size,
		      int (*compare)(const void *, const void *))
{
	uint32_t low = 0;

	while (low < n) {
		uint32_t middle = low + (n - low) / 2;

		if (compare(key, (const char *)v + middle * size) > 0)
			low = middle + 1;
		else
			n = middle;
	}
	return low;
}
