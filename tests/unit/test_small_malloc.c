/* SPDX-License-Identifier: ISC
 *
 * malloc(3) of the small build, under other names: what blocks hold, that they lie
 * apart, and that what was given back is used again.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "tests/unit/test.h"

static size_t mapped;		/* bytes that the kernel gave and did not get back */
static int fail;

static void *counted_mmap(void *at, size_t n, int prot, int flags, int fd, off_t off)
{
	void *p = fail ? MAP_FAILED : mmap(at, n, prot, flags, fd, off);

	mapped += p == MAP_FAILED ? 0 : n;
	return p;
}

static int counted_munmap(void *at, size_t n)
{
	mapped -= n;
	return munmap(at, n);
}

static void *counted_mremap(void *at, size_t had, size_t n, int flags)
{
	void *p = fail ? MAP_FAILED : mremap(at, had, n, flags);

	mapped += p == MAP_FAILED ? 0 : n - had;
	return p;
}

#define mmap counted_mmap
#define munmap counted_munmap
#define mremap counted_mremap
#define malloc small_malloc
#define calloc small_calloc
#define realloc small_realloc
#define free small_free
void *malloc(size_t);
void *calloc(size_t, size_t);
void *realloc(void *, size_t);
void free(void *);
#include "lib/small/malloc.c"

static bool all(const unsigned char *p, unsigned char c, size_t n)
{
	while (n && p[n - 1] == c)
		n--;
	return !n;
}

static void sizes(void)
{
	unsigned last = 0;

	for (size_t units = 1; units <= SMALL; units++) {
		unsigned k = size_of(units);

		CHECK(k == last || k == last + 1);
		CHECK(size_units(k) >= units && (!k || size_units(k - 1) < units));
		CHECK(size_units(k) - units <= units / 4);
		last = k;
	}
	CHECK_INT(last + 1, sizeof holes / sizeof *holes);
}

static void every_length(void)
{
	for (size_t n = 0; n < 20000; n += n < 600 ? 1 : 97) {
		unsigned char *p = malloc(n), *q = malloc(n);

		CHECK(p && q && p != q && !((uintptr_t)p % UNIT) && room(p) >= n);
		memset(p, 1, n);
		memset(q, 2, n);
		CHECK(all(p, 1, n));
		p = realloc(p, n + n / 2 + 40);
		CHECK(p && all(p, 1, n) && all(q, 2, n));
		memset(p, 3, n + n / 2 + 40);
		CHECK(all(q, 2, n));
		p = realloc(p, n / 2);
		CHECK(p && all(p, 3, n / 2));
		free(p);
		free(q);
		/* There are bytes of others in it now. */
		p = calloc(n, 1);
		CHECK(p && all(p, 0, n));
		free(p);
	}
	free(NULL);
	CHECK((size_t)mapped <= 20 * REGION);
}

/* Thousands of blocks at random: none touches another, and memory stays what was held at once. */
static void at_random(void)
{
	static struct {
		unsigned char *p;
		size_t n;
	} held[500];
	unsigned seed = 7;
	size_t most = 0;

	for (int i = 0; i < 200000; i++) {
		seed = seed * 1103515245 + 12345;

		unsigned at = (seed >> 16) % 500, n = (seed >> 8) % (seed & 64 ? 40 : seed & 32 ? 9000 : 400);
		unsigned char c = (unsigned char)at;

		CHECK(all(held[at].p, c, held[at].n));
		if (seed & 128) {
			free(held[at].p);
			held[at].p = malloc(n);
		} else {
			held[at].p = realloc(held[at].p, n);
			CHECK(all(held[at].p, c, n < held[at].n ? n : held[at].n));
		}
		held[at].n = n;
		CHECK(held[at].p);
		memset(held[at].p, c, n);
		if (i == 100000)
			most = mapped;
	}
	CHECK(mapped <= most + most / 4);
	for (unsigned i = 0; i < 500; i++)
		free(held[i].p);
	most = mapped;
	for (unsigned i = 0; i < 500; i++)
		held[i].p = malloc(held[i].n);
	for (unsigned i = 0; i < 500; i++)
		free(held[i].p);
	CHECK_INT(mapped, most);
}

static void large_ones(void)
{
	size_t before = mapped;
	unsigned char *p = malloc(100000);

	CHECK_INT(mapped - before, 102400);
	memset(p, 1, 100000);
	p = realloc(p, 1000000);
	CHECK(p && all(p, 1, 100000) && all(p + 102400, 0, 1000));
	p = realloc(p, 10);
	CHECK_INT(mapped - before, PAGE);
	p = realloc(p, 200000);
	CHECK(p && all(p, 1, 10));
	free(p);
	CHECK_INT(mapped, before);
}

/* What is left of a region when the next block does not fit. */
static void rest_of_a_region(void)
{
	char *block[1 + REGION / 5120], *small;
	unsigned n = sizeof block / sizeof *block;

	/* Of no size that the other cases have given back. */
	CHECK(!new_region());
	for (unsigned i = 0; i < n; i++)
		block[i] = malloc(320 * UNIT - HEAD);
	small = malloc(224 * UNIT - HEAD);
	CHECK(small > block[0] && small < block[0] + REGION);
	for (unsigned i = 0; i < n; i++)
		free(block[i]);
	free(small);
}

static void too_much(void)
{
	unsigned char *p = malloc(10), *q = malloc(50000);
	const volatile size_t huge = SIZE_MAX;

	memset(p, 1, 10);
	memset(q, 2, 50000);
	errno = 0;
	CHECK(!malloc(huge) && errno == ENOMEM);
	errno = 0;
	CHECK(!malloc(huge / 2) && errno == ENOMEM);
	errno = 0;
	CHECK(!calloc(huge / 2, 3) && errno == ENOMEM);
	errno = 0;
	CHECK(!realloc(p, huge - 7) && errno == ENOMEM);
	CHECK(!realloc(q, huge - 7));
	fail = 1;
	CHECK(!malloc(70000));
	CHECK(!realloc(q, 90000));
	CHECK(!realloc(p, 90000));
	for (unsigned i = 0; i < 100000 && malloc(64); i++)
		;
	CHECK(!malloc(64));
	fail = 0;
	CHECK(malloc(64));
	CHECK(all(p, 1, 10) && all(q, 2, 50000));
}

TEST_MAIN(TEST(sizes) TEST(rest_of_a_region) TEST(every_length) TEST(at_random) TEST(large_ones) TEST(too_much))
