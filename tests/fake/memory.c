/* SPDX-License-Identifier: ISC */
#include "tests/fake/memory.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

/* What the linker's --wrap makes of the names. */
void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
char *__real_strdup(const char *s);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);
char *__wrap_strdup(const char *s);

static unsigned memory_first, memory_times, memory_depth;
static bool memory_refused;

static bool memory_has(void)
{
	if (memory_depth || !memory_times)
		return true;
	if (memory_first) {
		memory_first--;
		return true;
	}
	memory_times--;
	memory_refused = true;
	errno = ENOMEM;
	return false;
}

void memory_scarce(unsigned first, unsigned times)
{
	memory_first = first;
	memory_times = times;
	memory_refused = false;
}

bool memory_plenty(void)
{
	memory_times = 0;
	return memory_refused;
}

void memory_own(bool is_own)
{
	memory_depth += is_own ? 1u : -1u;
}

void *__wrap_malloc(size_t n)
{
	return memory_has() ? __real_malloc(n) : NULL;
}

void *__wrap_calloc(size_t n, size_t size)
{
	return memory_has() ? __real_calloc(n, size) : NULL;
}

void *__wrap_realloc(void *p, size_t n)
{
	return memory_has() ? __real_realloc(p, n) : NULL;
}

char *__wrap_strdup(const char *s)
{
	return memory_has() ? __real_strdup(s) : NULL;
}
