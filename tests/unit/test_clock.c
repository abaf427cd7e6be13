/* SPDX-License-Identifier: ISC
 *
 * Times for people: local, summer time too.
 */
#include "lib/clock.h"

#include <stdlib.h>

#include "tests/unit/test.h"

static void wall(void)
{
	char text[CLOCK_WALL_SIZE];

	setenv("TZ", "EST5EDT,M3.2.0,M11.1.0", 1);
	tzset();
	CHECK_STR(clock_wall_text(INT64_C(1795955696789999), text), "2026-11-29 07:34:56.789");
	CHECK_STR(clock_wall_text(INT64_C(1782828000000000), text), "2026-06-30 10:00:00.000");
	CHECK_STR(clock_wall_text(0, text), "1969-12-31 19:00:00.000");
}

TEST_MAIN(TEST(wall))
