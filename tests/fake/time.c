/* SPDX-License-Identifier: ISC */
#include "tests/fake/time.h"

#include "lib/clock.h"

#define TIME_FIRST (INT64_C(1000) * 1000000)

/* What the linker's --wrap makes of the names. */
int64_t __real_clock_usec(clockid_t id);
int64_t __wrap_clock_usec(clockid_t id);
int64_t __real_clock_ms(void);
int64_t __wrap_clock_ms(void);

static int64_t time_now, time_look;	/* usec; 0 = the clock of the system */

void time_begin(int64_t usec)
{
	time_now = TIME_FIRST;
	time_look = usec;
}

void time_skip(int64_t ms)
{
	time_now += ms * 1000;
}

int64_t __wrap_clock_usec(clockid_t id)
{
	if (id != CLOCK_MONOTONIC || !time_now)
		return __real_clock_usec(id);
	return time_now += time_look;
}

int64_t __wrap_clock_ms(void)
{
	return time_now ? __wrap_clock_usec(CLOCK_MONOTONIC) / 1000 : __real_clock_ms();
}
