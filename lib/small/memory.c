/* SPDX-License-Identifier: ISC
 *
 * memcpy(3), memmove(3) and memcmp(3) of the small build.  musl copies by "rep
 * movs" and compares byte by byte, which for the few bytes that we mostly have
 * takes several times as long.
 */
#include <stdint.h>
#include <string.h>

/* At any address, over anything.  Not by a copy of 8 bytes: where words must be aligned the compiler makes
 * a call of memcpy(3) out of that. */
typedef uint64_t __attribute__((aligned(1), may_alias)) mem_word;

static inline uint64_t load(const unsigned char *p)
{
	return *(const mem_word *)(const void *)p;
}

static inline void store(unsigned char *p, uint64_t w)
{
	*(mem_word *)(void *)p = w;
}

/* Keeps the compiler from making a call of memcpy(3) out of a loop. */
#define KEEP_LOOP() __asm__ volatile("" ::: "memory")

void *memcpy(void *restrict to, const void *restrict from, size_t n)
{
	const unsigned char *s = from;
	unsigned char *d = to;

	if (n >= 8) {
		/* The last word lies over the one before, so that no bytes are left. */
		uint64_t last = load(s + n - 8);

		for (size_t i = 0; i + 8 < n; i += 8) {
			store(d + i, load(s + i));
			KEEP_LOOP();
		}
		store(d + n - 8, last);
		return to;
	}
	for (; n; n--) {
		*d++ = *s++;
		KEEP_LOOP();
	}
	return to;
}

void *memmove(void *to, const void *from, size_t n)
{
	const unsigned char *s = from;
	unsigned char *d = to;

	/* From the front, unless that would overwrite what is still to be read. */
	if ((uintptr_t)d - (uintptr_t)s >= n) {
		for (; n >= 8; n -= 8, d += 8, s += 8) {
			store(d, load(s));
			KEEP_LOOP();
		}
		for (; n; n--) {
			*d++ = *s++;
			KEEP_LOOP();
		}
		return to;
	}
	for (; n >= 8; n -= 8) {
		store(d + n - 8, load(s + n - 8));
		KEEP_LOOP();
	}
	for (; n; n--) {
		d[n - 1] = s[n - 1];
		KEEP_LOOP();
	}
	return to;
}

int memcmp(const void *a, const void *b, size_t n)
{
	const unsigned char *p = a, *q = b;

	for (; n >= 8 && load(p) == load(q); n -= 8, p += 8, q += 8)
		;
	for (; n; n--, p++, q++)
		if (*p != *q)
			return *p - *q;
	return 0;
}
