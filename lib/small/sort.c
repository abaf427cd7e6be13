/* SPDX-License-Identifier: ISC
 *
 * qsort(3) of the small build: heap sort, in place.
 */
#include <stdlib.h>

static void swap(char *a, char *b, size_t size)
{
	while (size--) {
		char c = *a;

		*a++ = *b;
		*b++ = c;
	}
}

/* Lets the element at i sink in a heap of n. */
static void sink(char *v, size_t i, size_t n, size_t size, int (*compare)(const void *, const void *))
{
	for (size_t child; (child = 2 * i + 1) < n; i = child) {
		if (child + 1 < n && compare(v + child * size, v + (child + 1) * size) < 0)
			child++;
		if (compare(v + i * size, v + child * size) >= 0)
			return;
		swap(v + i * size, v + child * size, size);
	}
}

void qsort(void *v, size_t n, size_t size, int (*compare)(const void *, const void *))
{
	for (size_t i = n / 2; i--; )
		sink(v, i, n, size, compare);
	while (n > 1) {
		swap(v, (char *)v + --n * size, size);
		sink(v, 0, n, size, compare);
	}
}
