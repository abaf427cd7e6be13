/* SPDX-License-Identifier: ISC
 *
 * Whole decimal numbers: digits and nothing else.  strtol(3) would take blanks and signs too.
 */
#include "lib/number.h"

int64_t number_parse(const char *s, int64_t max)
{
	int64_t v = 0;

	if (!*s)
		return -1;
	for (; *s; s++) {
		int digit = *s - '0';

		if (digit < 0 || digit > 9 || v > (max - digit) / 10)
			return -1;
		v = v * 10 + digit;
	}
	return v;
}
