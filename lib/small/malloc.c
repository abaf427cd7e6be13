/* SPDX-License-Identifier: ISC
 *
 * malloc(3) of the small build, for a program of one thread.  Small blocks come
 * from lists by size, four sizes to a doubling, and go back there; large ones are
 * mappings of their own, which grow without a copy and go back to the kernel.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum {
	UNIT = 16,		/* small blocks are multiples of it, and all are aligned to it */
	HEAD = 8,		/* in front of a block: see head() */
	SMALL = 640,		/* units at most, so that 8 kB are in; beyond that a mapping */
	REGION = 65536,		/* bytes mapped at once for small blocks; pages not touched cost nothing */
	PAGE = 4096,
};

/* Sizes in units: 1 to 8, 10, 12, 14, 16, 20 and so on to SMALL. */
static struct hole {
	struct hole *next;
} *holes[33];
static char *fresh;		/* what is left of the last region */
static size_t n_fresh;

/* Of a small block which of the sizes it has, of a mapping its length in bytes. */
static size_t *head(void *block)
{
	return (void *)((char *)block - HEAD);
}

static int is_mapping(void *block)
{
	return *head(block) >= sizeof holes / sizeof *holes;
}

/* The units of size k, and the first size with so many. */
static size_t size_units(unsigned k)
{
	unsigned shift = k < 4 ? 0 : k / 4 - 1;

	return (size_t)(k - 4 * shift + 1) << shift;
}

static unsigned size_of(size_t units)
{
	unsigned shift = 0;

	for (units--; units >= 8; units >>= 1)
		shift++;
	return 4 * shift + (unsigned)units;
}

/* What a block can hold. */
static size_t room(void *block)
{
	return is_mapping(block) ? *head(block) - UNIT : size_units((unsigned)*head(block)) * UNIT - HEAD;
}

/* 0 for what nobody has. */
static size_t mapping_length(size_t n)
{
	return n > PTRDIFF_MAX - PAGE ? 0 : (n + UNIT + PAGE - 1) & ~(size_t)(PAGE - 1);
}

static void *map(size_t length)
{
	void *at = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return at == MAP_FAILED ? NULL : at;
}

/* A block off the region, which must have that much left. */
static void *carve(unsigned k)
{
	void *block = fresh + HEAD;

	fresh += size_units(k) * UNIT;
	n_fresh -= size_units(k) * UNIT;
	*head(block) = k;
	return block;
}

/* What is left of the old one is cut into holes. */
static int new_region(void)
{
	char *at = map(REGION);

	if (!at)
		return -1;
	for (unsigned k = sizeof holes / sizeof *holes; k--; )
		while (n_fresh >= size_units(k) * UNIT)
			free(carve(k));
	/* Blocks are HEAD bytes behind a multiple of UNIT. */
	fresh = at + UNIT - HEAD;
	n_fresh = REGION - UNIT;
	return 0;
}

void *malloc(size_t n)
{
	size_t units = n / UNIT + (n % UNIT + HEAD + UNIT - 1) / UNIT;

	if (units <= SMALL) {
		unsigned k = size_of(units);
		struct hole *hole = holes[k];

		if (hole) {
			holes[k] = hole->next;
			return hole;
		}
		return n_fresh < size_units(k) * UNIT && new_region() < 0 ? NULL : carve(k);
	}

	size_t length = mapping_length(n);
	char *at = length ? map(length) : NULL;

	if (!at) {
		errno = ENOMEM;
		return NULL;
	}
	*head(at + UNIT) = length;
	return at + UNIT;
}

void free(void *block)
{
	if (!block)
		return;
	if (is_mapping(block)) {
		munmap((char *)block - UNIT, *head(block));
		return;
	}

	struct hole *hole = block, **list = &holes[*head(block)];

	hole->next = *list;
	*list = hole;
}

void *realloc(void *block, size_t n)
{
	if (!block)
		return malloc(n);

	size_t had = room(block), length = mapping_length(n);

	if (is_mapping(block) && length) {
		char *at = mremap((char *)block - UNIT, *head(block), length, MREMAP_MAYMOVE);

		if (at == MAP_FAILED)
			return NULL;
		*head(at + UNIT) = length;
		return at + UNIT;
	}
	if (n <= had)
		return block;

	void *bigger = malloc(n);

	if (bigger) {
		memcpy(bigger, block, had);
		free(block);
	}
	return bigger;
}

void *calloc(size_t n, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(n, size, &bytes)) {
		errno = ENOMEM;
		return NULL;
	}

	void *block = malloc(bytes);

	/* A new mapping is zero. */
	return block && !is_mapping(block) ? memset(block, 0, bytes) : block;
}
