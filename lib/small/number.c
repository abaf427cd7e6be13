/* SPDX-License-Identifier: ISC
 *
 * atoi(3), strtol(3) and its kin of the small build: bases 10 and 16, a sign, ERANGE.
 */
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static int digit(char c)
{
	int low = c | 0x20;

	return c >= '0' && c <= '9' ? c - '0' : low >= 'a' && low <= 'f' ? low - 'a' + 10 : 16;
}

/* The number at s; one over max, or below -max - 1 where that is signed, is the limit and ERANGE. */
static unsigned long long parse(const char *s, char **end, int base, unsigned long long max, bool is_signed)
{
	const char *p = s + strspn(s, " \t\n\v\f\r"), *first;
	unsigned long long v = 0;
	bool minus = *p == '-', over = false;

	max += is_signed && minus;
	p += *p == '-' || *p == '+';
	if (base == 16 && p[0] == '0' && (p[1] | 0x20) == 'x' && digit(p[2]) < 16)
		p += 2;
	for (first = p; digit(*p) < base; p++) {
		unsigned d = (unsigned)digit(*p);

		over |= v > (max - d) / (unsigned)base;
		v = v * (unsigned)base + d;
	}
	if (end)
		*end = (char *)(size_t)(p == first ? s : p);
	if (over) {
		errno = ERANGE;
		v = max;
	}
	return minus && (is_signed || !over) ? -v : v;
}

unsigned long long strtoull(const char *restrict s, char **restrict end, int base)
{
	return parse(s, end, base, ULLONG_MAX, false);
}

long long strtoll(const char *restrict s, char **restrict end, int base)
{
	return (long long)parse(s, end, base, LLONG_MAX, true);
}

unsigned long strtoul(const char *restrict s, char **restrict end, int base)
{
	return (unsigned long)parse(s, end, base, ULONG_MAX, false);
}

long strtol(const char *restrict s, char **restrict end, int base)
{
	return (long)parse(s, end, base, LONG_MAX, true);
}

int atoi(const char *s)
{
	return (int)strtol(s, NULL, 10);
}
