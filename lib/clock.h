/* SPDX-License-Identifier: ISC
 *
 * Time in whole numbers.
 */
#ifndef LIB_CLOCK_H
#define LIB_CLOCK_H

#include <stdint.h>
#include <time.h>

/* Microseconds of a clock of clock_gettime(2). */
int64_t clock_usec(clockid_t id);

/* Milliseconds of the monotonic clock. */
int64_t clock_ms(void);

#endif
