/* SPDX-License-Identifier: ISC
 *
 * Characters that cannot be seen: found, and at their own column.
 */
#include "conf/glyph.h"

#include "tests/unit/alone.h"
#include "tests/unit/test.h"

static size_t column(const char *s, bool not_ascii)
{
	struct word w = alone(s), at;
	const char *why = not_ascii ? glyph_not_ascii(&w, &at) : glyph_odd(&w, &at);

	return why ? (size_t)(at.p - w.p) + 1 : 0;
}

static void characters(void)
{
	static const char *const odd[] = {
		"\xc2\xa0", "\xc2\xad", "\xe2\x80\x8b", "\xe2\x80\xaf", "\xe2\x81\xa0", "\xef\xbb\xbf", "\xe3\x80\x80",
		"\xe2\x80\x9c", "\xe2\x80\x93", "\xef\xbc\x8c", "\xe1\x9a\x80", "\xf3\xa0\x80\x81", "\xe3\x85\xa4",
	};
	char s[32];

	for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
		snprintf(s, sizeof s, "a\xc3\xbc%sb", odd[i]);
		CHECK_INT(column(s, false), 4);
		/* This one is for glyph_odd(). */
		CHECK_INT(column(s, true), 0);
		/* Cut short it is no character. */
		s[strlen(s) - 2] = '\0';
		CHECK_INT(column(s, false), 0);
	}
	CHECK_INT(column("eth0", false), 0);
	CHECK_INT(column("\xc3\xbc", false), 0);
	CHECK_INT(column("a\xc3\xbc", true), 2);
	CHECK_INT(column("eth0", true), 0);
}

TEST_MAIN(TEST(characters))
