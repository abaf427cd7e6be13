/* SPDX-License-Identifier: ISC
 *
 * Eight bytes a step of the engine beside its model, the first eight are its options; the highest bit of the last one
 * of them has the kernel be FreeBSD's.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/fake/model.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static void fuzz_check(const char *wrong)
{
	if (!wrong)
		return;
	fprintf(stderr, "%s\n", wrong);
	abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	uint64_t random = 0;

	memcpy(&random, p, n < sizeof random ? n : sizeof random);
	model_begin(random, random >> 63);
	for (; n >= 2 * sizeof random; n -= sizeof random) {
		p += sizeof random;
		memcpy(&random, p, sizeof random);
		fuzz_check(model_step(random));
	}
	fuzz_check(model_end());
	return 0;
}
