/* SPDX-License-Identifier: ISC
 *
 * A journal of strangers: as it comes, and as records whose sums are right.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "applets/control/journal.h"
#include "lib/log.h"
#include "lib/memfile.h"
#include "tests/fake/kernel.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

/* A file with a head, and each line of the input with its sum. */
static void fuzz_lines(struct buf *out, const char *p, size_t n)
{
	const char head[] = JOURNAL_WORD " 1 4096 7";
	uint32_t sum = JOURNAL_SUM_FIRST;
	const char *end;

	buf_printf(out, "%08x %s\n", (unsigned)journal_sum(sum, head, sizeof head - 1), head);
	buf_fill(out, '\0', JOURNAL_PAGE - out->len);
	for (; n; n -= (size_t)(end - p) + 1, p = end + 1) {
		end = memchr(p, '\n', n);
		if (!end)
			break;
		sum = journal_sum(sum, p, (size_t)(end - p));
		buf_printf(out, "%08x ", (unsigned)sum);
		buf_add(out, p, (size_t)(end - p) + 1);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct router r;
	struct buf file = { 0 };
	int fd = memfile_new("fuzz");

	log_set_level(LOG_LVL_NONE);
	fake_reset();
	if (router_init(&r, NULL, NULL) < 0 || fd < 0)
		abort();
	if (n && *p == 'r')
		buf_add(&file, p, n);
	else
		fuzz_lines(&file, (const char *)p, n);
	if (pwrite(fd, file.p, file.len, 0) != (ssize_t)file.len)
		abort();
	journal_replay(&r, fd);
	router_sync(&r);
	router_shutdown(&r);
	router_free(&r);
	buf_free(&file);
	close(fd);
	return 0;
}
