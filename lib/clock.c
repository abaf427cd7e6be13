/* SPDX-License-Identifier: ISC
 *
 * clock_gettime(2) does not fail for the clocks that are used here.
 */
#include "lib/clock.h"

#include <stdio.h>

int64_t clock_usec(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return ts.tv_sec * INT64_C(1000000) + ts.tv_nsec / 1000;
}

int64_t clock_ms(void)
{
	return clock_usec(CLOCK_MONOTONIC) / 1000;
}

const char *clock_wall_text(int64_t usec, char *text)
{
	time_t sec = (time_t)(usec / 1000000);
	struct tm tm = { 0 };
	size_t n;

	localtime_r(&sec, &tm);
	n = strftime(text, CLOCK_WALL_SIZE, "%Y-%m-%d %H:%M:%S", &tm);
	snprintf(text + n, CLOCK_WALL_SIZE - n, ".%03d", (int)(usec % 1000000 / 1000));
	return text;
}
