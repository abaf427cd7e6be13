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

/* Room for clock_wall_text(). */
#define CLOCK_WALL_SIZE 64

/* Writes a time, in microseconds since 1970, to text[CLOCK_WALL_SIZE] as people here read it: local time with
 * milliseconds, 2026-11-29 12:34:56.789.  Returns text. */
const char *clock_wall_text(int64_t usec, char *text);

#endif
