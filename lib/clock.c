/* SPDX-License-Identifier: ISC
 *
 * clock_gettime(2) does not fail for the clocks that are used here.
 */
#include "lib/clock.h"

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
