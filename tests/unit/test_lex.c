/* SPDX-License-Identifier: ISC
 *
 * The lexer: lines, words, columns, and that it stays within its bytes.
 */
#include "conf/lex.h"

#include <stdlib.h>

#include "tests/unit/test.h"

/* Writes all words as "line:col:word " to out.  The text is copied to the end of an allocation,
 * so that a sanitizer sees each byte too far. */
static const char *words(const char *text, size_t n, char *out, size_t room)
{
	char *copy = malloc(n ? n : 1);
	struct word w;
	struct lex l = { 0 };
	size_t len = 0;

	memcpy(copy, text, n);
	lex_text(&l, copy, n);
	out[0] = 0;
	while (lex_line(&l))
		while (lex_word(&l, &w))
			len += (size_t)snprintf(out + len, room - len, "%u:%u:%.*s ", l.no,
						lex_col(&l, w.p), (int)w.n, w.p);
	free(copy);
	return out;
}

#define WORDS(text, want) do { \
	char out_[512]; \
	CHECK_STR(words(text, sizeof(text) - 1, out_, sizeof out_), want); } while (0)

static void blanks(void)
{
	WORDS("", "");
	WORDS("\n\n\n", "");
	WORDS(" \t \n\t", "");
	WORDS("a", "1:1:a ");
	WORDS("  a\tbc \n\n d", "1:3:a 1:5:bc 3:2:d ");
	WORDS("a\vb", "1:1:a\vb ");
}

static void comments(void)
{
	WORDS("# a b\nc", "2:1:c ");
	WORDS("a # b\n", "1:1:a ");
	WORDS("a#b c\nd", "1:1:a 2:1:d ");
	WORDS("#", "");
	WORDS(" ##\n#", "");
}

static void line_ends(void)
{
	WORDS("a\r\nb\r\n", "1:1:a 2:1:b ");
	WORDS("a\r", "1:1:a ");
	WORDS("a\rb\n", "1:1:a\rb ");
	WORDS("\r\n\r\na", "3:1:a ");
	WORDS("\r", "");
}

static void byte_order_mark(void)
{
	WORDS("\xef\xbb\xbf" "a b\n", "1:1:a 1:3:b ");
	WORDS("\xef\xbb\xbf", "");
	WORDS("\xef\xbb", "1:1:\xef\xbb ");
	WORDS("a\n\xef\xbb\xbf" "b", "1:1:a 2:1:\xef\xbb\xbf" "b ");
}

static void rest_of_line(void)
{
	const char text[] = "a b c\nd";
	struct word w;
	struct lex l = { 0 };

	lex_text(&l, text, sizeof text - 1);
	CHECK(!lex_word(&l, &w));
	CHECK(lex_line(&l));
	CHECK(lex_word(&l, &w));
	CHECK(lex_line(&l));
	CHECK(lex_word(&l, &w) && w.n == 1 && *w.p == 'd');
	CHECK(!lex_word(&l, &w));
	CHECK(!lex_line(&l) && !lex_line(&l));
}

static void long_line(void)
{
	size_t n = 1 << 20;
	char *text = malloc(n);
	struct word w;
	struct lex l = { 0 };
	unsigned count = 0;

	for (size_t i = 0; i < n; i++)
		text[i] = i % 8 == 7 ? ' ' : 'x';
	lex_text(&l, text, n);
	CHECK(lex_line(&l));
	while (lex_word(&l, &w)) {
		size_t col = 8u * count++ + 1;

		if (w.n != 7 || lex_col(&l, w.p) != (col < UINT16_MAX ? col : UINT16_MAX))
			test_failed++;
	}
	CHECK_INT(count, n / 8);
	CHECK_INT(l.no, 1);
	free(text);
}

TEST_MAIN(TEST(blanks) TEST(comments) TEST(line_ends) TEST(byte_order_mark) TEST(rest_of_line)
	  TEST(long_line))
