/* SPDX-License-Identifier: ISC
 *
 * Eight bytes a step of the engine beside its model.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/fake/model.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	uint64_t random;

	model_begin();
	for (; n >= sizeof random; p += sizeof random, n -= sizeof random) {
		memcpy(&random, p, sizeof random);
		const char *wrong = model_step(random);

		if (wrong) {
			fprintf(stderr, "%s\n", wrong);
			abort();
		}
	}
	model_end();
	return 0;
}
