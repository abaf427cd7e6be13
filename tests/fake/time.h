/* SPDX-License-Identifier: ISC
 *
 * A monotonic clock for the whole test program that goes as the test wants it to.
 */
#ifndef TESTS_FAKE_TIME_H
#define TESTS_FAKE_TIME_H

#include <stdint.h>

/* From now on it stands still, at the same time each time this is called, but for so many microseconds that each look
 * at it takes. */
void time_begin(int64_t usec);

/* Lets ms go by. */
void time_skip(int64_t ms);

#endif
