/* SPDX-License-Identifier: ISC
 *
 * For tests of what looks at words: a read beyond the end of one is found by the sanitizers.
 */
#ifndef TESTS_UNIT_ALONE_H
#define TESTS_UNIT_ALONE_H

#include <stdlib.h>
#include <string.h>

#include "conf/lex.h"

/* A word with nothing behind it that may be read. */
static struct word alone(const char *s)
{
	static char *copy;
	size_t n = strlen(s);

	free(copy);
	copy = malloc(n);
	memcpy(copy, s, n);
	return (struct word){ copy, n };
}

#endif
