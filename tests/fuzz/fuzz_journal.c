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
#include "tests/fuzz/journal.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

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
		fuzz_journal_put(&file, (const char *)p, n);
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
