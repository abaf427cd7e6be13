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

	localtime_r(&sec, &tm);
	snprintf(text, CLOCK_WALL_SIZE, "%04d-%02d-%02d %02d:%02d:%02d.%03d", tm.tm_year + 1900, tm.tm_mon + 1,
		 tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, (int)(usec % 1000000 / 1000));
	return text;
}
