/* SPDX-License-Identifier: ISC
 *
 * The growable buffer: appending, numbers, JSON and words of hostile bytes, and what
 * happens when memory runs out.
 */
#include "lib/buf.h"

#include <limits.h>
#include <stdint.h>

#include "lib/text.h"
#include "tests/unit/test.h"

static void appending(void)
{
	struct buf b = { 0 };

	CHECK_STR(buf_cstr(&b), "");
	CHECK_INT(b.len, 0);
	buf_str(&b, "abc");
	buf_chr(&b, 'd');
	buf_fill(&b, '-', 3);
	buf_add(&b, "xyz", 2);
	buf_add(&b, NULL, 0);
	buf_printf(&b, "%d %s", 42, "!");
	CHECK_STR(buf_cstr(&b), "abcd---xy42 !");
	CHECK_INT(b.len, 13);
	buf_consume(&b, 4);
	CHECK_STR(buf_cstr(&b), "---xy42 !");
	buf_consume(&b, 1000);
	CHECK_STR(buf_cstr(&b), "");
	CHECK(!b.failed);
	buf_free(&b);
	CHECK(!b.p && !b.len && !b.cap);
}

static void growing(void)
{
	struct buf b = { 0 };
	char line[1000];

	memset(line, 'x', sizeof line - 1);
	line[sizeof line - 1] = '\0';
	for (int i = 0; i < 1000; i++)
		buf_printf(&b, "%s\n", line);
	CHECK_INT(b.len, 1000000);
	CHECK(b.cap < 4000000);
	CHECK(b.p[999] == '\n' && b.p[999999] == '\n' && b.p[999998] == 'x');
	for (size_t n = 0; n < 600; n++) {	/* around each place where room ends */
		buf_free(&b);
		buf_fill(&b, 'a', n);
		buf_printf(&b, "%.*s", 300, line);
		CHECK_INT(b.len, n + 300);
		CHECK_INT(strlen(buf_cstr(&b)), n + 300);
	}
	buf_free(&b);
}

static void no_memory(void)
{
	struct buf b = { 0 };

	buf_str(&b, "kept");
	CHECK(!buf_reserve(&b, SIZE_MAX));
	CHECK(b.failed);
	CHECK(!buf_reserve(&b, SIZE_MAX / 2));
	CHECK(!buf_reserve(&b, SIZE_MAX - 3));
	CHECK_INT(b.len, 4);
	CHECK(!memcmp(b.p, "kept", 4));
	CHECK_STR(buf_cstr(&b), "");
	buf_free(&b);
	CHECK(!b.failed);
}

static void numbers(void)
{
	static const unsigned long long v[] = { 0, 1, 9, 10, 99, 100, 4294967295u, ULLONG_MAX };
	char want[32];

	for (unsigned i = 0; i < sizeof v / sizeof *v; i++) {
		struct buf b = { 0 };

		buf_u64(&b, v[i]);
		snprintf(want, sizeof want, "%llu", v[i]);
		CHECK_STR(buf_cstr(&b), want);
		buf_free(&b);
	}
}

static void json(void)
{
	static const struct { const char *in; const char *out; } t[] = {
		{ "", "\"\"" }, { "eth0", "\"eth0\"" }, { "a\"b\\c/", "\"a\\\"b\\\\c/\"" },
		{ "\n\t\x1f\x7f", "\"\\u000a\\u0009\\u001f\\u007f\"" },
		{ "\xc3\xa9", "\"\xc3\xa9\"" },				/* e acute */
		{ "\xe2\x82\xac", "\"\xe2\x82\xac\"" },			/* euro sign */
		{ "\xf0\x9f\x98\x80", "\"\xf0\x9f\x98\x80\"" },		/* beyond the first plane */
		{ "\xff", "\"\\u00ff\"" }, { "\x80", "\"\\u0080\"" },
		{ "\xc3", "\"\\u00c3\"" }, { "\xc3(", "\"\\u00c3(\"" },
		{ "\xc0\xaf", "\"\\u00c0\\u00af\"" },			/* too long a form */
		{ "\xe0\x80\xaf", "\"\\u00e0\\u0080\\u00af\"" },
		{ "\xed\xa0\x80", "\"\\u00ed\\u00a0\\u0080\"" },	/* a surrogate */
		{ "\xf4\x90\x80\x80", "\"\\u00f4\\u0090\\u0080\\u0080\"" },
		{ "\xc2\x9b" "31m \xc2\xa0", "\"\\u009b31m \xc2\xa0\"" },	/* a C1 control */
		{ "\xe2\x82", "\"\\u00e2\\u0082\"" },
	};
	struct buf b = { 0 };

	for (unsigned i = 0; i < sizeof t / sizeof *t; i++) {
		buf_json(&b, t[i].in, strlen(t[i].in));
		CHECK_STR(buf_cstr(&b), t[i].out);
		buf_consume(&b, b.len);
	}
	buf_json(&b, "a\0b", 3);
	CHECK_STR(buf_cstr(&b), "\"a\\u0000b\"");
	buf_free(&b);
}

static void shown(void)
{
	struct buf b = { 0 };

	buf_escape(&b, "a\tb\n\x1b", 5, TEXT_KEEP_TAB);
	buf_chr(&b, ' ');
	buf_shell_word(&b, "it's");
	buf_chr(&b, ' ');
	buf_shell_word(&b, "eth0");
	CHECK_STR(buf_cstr(&b), "a\tb\\x0a\\x1b 'it'\\''s' eth0");
	buf_free(&b);
}

TEST_MAIN(
	TEST(appending)
	TEST(growing)
	TEST(no_memory)
	TEST(numbers)
	TEST(json)
	TEST(shown)
)
