/* SPDX-License-Identifier: ISC
 *
 * The bytes that a fuzzer takes its steps from, and what several fuzzers do.
 */
#ifndef TESTS_FUZZ_INPUT_H
#define TESTS_FUZZ_INPUT_H

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* What is left of the input: to be set at its beginning. */
static const uint8_t *fuzz_at, *fuzz_end;

/* What libFuzzer calls with each input. */
int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

/* The next byte, 0 behind the last one. */
static inline unsigned fuzz_byte(void)
{
	return fuzz_at < fuzz_end ? *fuzz_at++ : 0;
}

/* Ends the run: the input is a finding. */
static inline _Noreturn void fuzz_wrong(const char *what)
{
	fprintf(stderr, "%s\n", what);
	abort();
}

/* Which of the first 64 descriptors are open, as bits: the same before and after an input when none is left. */
static inline uint64_t fuzz_descriptors(void)
{
	uint64_t are_open = 0;

	for (int fd = 0; fd < 64; fd++)
		are_open |= (uint64_t)(fcntl(fd, F_GETFD) >= 0) << fd;
	return are_open;
}

#endif
