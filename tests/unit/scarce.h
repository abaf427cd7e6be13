/* SPDX-License-Identifier: ISC
 *
 * Memory that runs out: for sources that a test includes behind this header, with #undef of the three behind them.
 */
#ifndef TESTS_UNIT_SCARCE_H
#define TESTS_UNIT_SCARCE_H

#include <stdlib.h>

static unsigned long left = ~0ul;	/* pieces of memory that can be had before one cannot */

#define malloc(n) (left ? (left--, (malloc)(n)) : NULL)
#define calloc(n, size) (left ? (left--, (calloc)(n, size)) : NULL)
#define realloc(p, n) (left ? (left--, (realloc)(p, n)) : NULL)

#endif
