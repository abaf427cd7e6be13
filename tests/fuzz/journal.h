/* SPDX-License-Identifier: ISC
 *
 * Journals whose sums are right, for fuzzers that want to get behind these.
 */
#ifndef TESTS_FUZZ_JOURNAL_H
#define TESTS_FUZZ_JOURNAL_H

#include <string.h>

#include "applets/control/journal.h"

/* A file with a head, and each line of the input with its sum. */
static inline void fuzz_journal_put(struct buf *out, const char *p, size_t n)
{
	const char head[] = JOURNAL_WORD " 1 4096 7";
	uint32_t sum = JOURNAL_SUM_FIRST;
	const char *end;

	buf_printf(out, "%08x %s\n", (unsigned)journal_sum(sum, head, sizeof head - 1), head);
	buf_fill(out, '\0', JOURNAL_PAGE - out->len);
	for (; n && (end = memchr(p, '\n', n)); n -= (size_t)(end - p) + 1, p = end + 1) {
		sum = journal_sum(sum, p, (size_t)(end - p));
		buf_printf(out, "%08x ", (unsigned)sum);
		buf_add(out, p, (size_t)(end - p) + 1);
	}
}

#endif
