/* SPDX-License-Identifier: ISC
 *
 * Text from outside: UTF-8 against its definition for every sequence of up to three
 * bytes, every single byte escaped, and quoted words read back by real shells.
 */
#include "lib/text.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/unit/test.h"

/* Writes a code point as RFC 3629, section 3, has it; returns the number of bytes. */
static size_t encode(uint32_t c, char *out)
{
	size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
	static const unsigned char lead[] = { 0, 0, 0xc0, 0xe0, 0xf0 };

	for (size_t i = n; --i; c >>= 6)
		out[i] = (char)(0x80 | (c & 0x3f));
	out[0] = (char)(lead[n] | c);
	return n;
}

static void every_code_point(void)
{
	char s[8];
	unsigned bad = 0;

	for (uint32_t c = 0; c < 0x120000; c++) {
		bool is_scalar = c <= 0x10ffff && (c < 0xd800 || c > 0xdfff);
		bool is_control = c < 0x20 || (c >= 0x7f && c < 0xa0);
		size_t n = encode(c, s);

		bad += text_utf8_len(s, n) != (is_scalar ? n : 0);
		bad += text_utf8_len(s, sizeof s) != (is_scalar ? n : 0);
		bad += text_printable_len(s, n, TEXT_KEEP_NONE) != (is_scalar && !is_control ? n : 0);
		for (size_t cut = 1; cut < n; cut++)
			bad += text_utf8_len(s, cut) != 0;
	}
	CHECK_INT(bad, 0);
}

/* All sequences of three bytes: as many as there are code points of one, two and three bytes are
 * well-formed, each with every continuation. */
static void every_three_bytes(void)
{
	unsigned found[5] = { 0 };
	char s[3];

	for (uint32_t v = 0; v < 1u << 24; v++) {
		s[0] = (char)(v >> 16);
		s[1] = (char)(v >> 8);
		s[2] = (char)v;
		found[text_utf8_len(s, 3)]++;
	}
	CHECK_INT(found[1], 0x80 * 0x10000);
	CHECK_INT(found[2], (0x800 - 0x80) * 0x100);
	CHECK_INT(found[3], 0x10000 - 0x800 - 0x800);
	CHECK_INT(found[4], 0);
}

static void broken_sequences(void)
{
	static const char *const broken[] = {
		"\x80", "\xbf", "\xc0\x80", "\xc0\xaf", "\xc1\xbf", "\xe0\x80\x80", "\xe0\x9f\xbf", "\xed\xa0\x80",
		"\xed\xbf\xbf", "\xf0\x80\x80\x80", "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80",
		"\xf8\x88\x80\x80\x80", "\xfe", "\xff", "\xc3", "\xc3(", "\xe2\x82", "\xe2\x82(", "\xe2(\xac",
		"\xf0\x9f\x98", "\xf0\x9f\x98(",
	};

	for (size_t i = 0; i < sizeof broken / sizeof *broken; i++)
		CHECK_INT(text_utf8_len(broken[i], strlen(broken[i])), 0);
}

static void every_byte_escaped(void)
{
	char out[16], want[16];

	for (int c = 0; c < 256; c++) {
		char s = (char)c;
		bool is_plain = c >= 0x20 && c < 0x7f;

		snprintf(want, sizeof want, is_plain ? "%c" : "\\x%02x", (unsigned)c);
		CHECK_INT(text_escape(out, sizeof out, &s, 1, TEXT_KEEP_NONE), is_plain ? 1 : 4);
		CHECK_STR(out, want);
		CHECK_INT(text_escape(out, sizeof out, &s, 1, TEXT_KEEP_TAB), is_plain || c == '\t' ? 1 : 4);
		CHECK_INT(text_escape(out, sizeof out, &s, 1, TEXT_KEEP_NEWLINE), is_plain || c == '\n' ? 1 : 4);
	}
}

static void escaping(void)
{
	static const struct { const char *in, *out; } t[] = {
		{ "", "" }, { "eth0", "eth0" }, { "a\\b\"c'", "a\\b\"c'" },
		{ "e\x1b[31m", "e\\x1b[31m" }, { "\xc2\x9b" "31m", "\\xc2\\x9b31m" }, { "\x9b" "31m", "\\x9b31m" },
		{ "\xc2\x80\xc2\x9f\xc2\xa0", "\\xc2\\x80\\xc2\\x9f\xc2\xa0" },
		{ "\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80", "\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80" },
		{ "\xe2\x82x", "\\xe2\\x82x" }, { "x\xe2\x82", "x\\xe2\\x82" }, { "\xc2", "\\xc2" },
		{ "\xed\xa0\x80", "\\xed\\xa0\\x80" }, { "\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80" },
	};
	char out[64];

	for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
		CHECK_INT(text_escape(out, sizeof out, t[i].in, strlen(t[i].in), TEXT_KEEP_NONE), strlen(t[i].out));
		CHECK_STR(out, t[i].out);
	}
	text_escape(out, sizeof out, "a\t\n\x1b", 4, TEXT_KEEP_TAB | TEXT_KEEP_NEWLINE);
	CHECK_STR(out, "a\t\n\\x1b");
	text_escape(out, sizeof out, "a\0b", 3, TEXT_KEEP_NONE);
	CHECK_STR(out, "a\\x00b");
}

static void no_room(void)
{
	static const char text[] = "a\x1b\xe2\x82\xac" "b";
	static const int want[] = { 0, 1, 1, 1, 1, 5, 5, 5, 8, 9, 9 };
	char out[16];

	for (size_t size = 1; size <= sizeof want / sizeof *want; size++) {
		memset(out, '#', sizeof out);
		CHECK_INT(text_escape(out, size, text, sizeof text - 1, TEXT_KEEP_NONE), want[size - 1]);
		CHECK_INT(strlen(out), want[size - 1]);
		CHECK(out[size] == '#');
	}
	memset(out, '#', sizeof out);
	CHECK_STR(text_shell_word(out, 2, "x"), "''");
	CHECK(out[2] == '#');
	CHECK_STR(text_shell_word(out, 3, "x"), "''");
	CHECK(out[3] == '#');
}

static void shell_words(void)
{
	static const struct { const char *in, *out; } t[] = {
		{ "eth0.10", "eth0.10" }, { "a-b_c:d@e%f+g,h/i=j", "a-b_c:d@e%f+g,h/i=j" }, { "", "''" },
		{ "a b", "'a b'" }, { "$(id)", "'$(id)'" }, { "`id`;", "'`id`;'" }, { "it's", "'it'\\''s'" },
		{ "'", "''\\'''" }, { "\xc3\xa9", "'\xc3\xa9'" }, { "~", "'~'" }, { "!!", "'!!'" },
		{ "e\x1b[31m", "\"$(printf 'e\\033[31m')\"" }, { "\xc2\x9b", "\"$(printf '\\302\\233')\"" },
		{ "-\x01-%\\'\"!", "\"$(printf '\\055\\001-\\045\\134\\047\\042\\041')\"" },
		{ "\xff", "\"$(printf '\\377')\"" }, { "a\nb", "\"$(printf 'a\\012b')\"" },
		{ "a\n", "a'\n'" }, { "\n", "'\n'" }, { "\x01\n\n", "\"$(printf '\\001')\"'\n\n'" },
	};
	char out[128];

	for (size_t i = 0; i < sizeof t / sizeof *t; i++)
		CHECK_STR(text_shell_word(out, sizeof out, t[i].in), t[i].out);
}

/* The room that the header promises is enough for the worst words, and what comes out has no control
 * character. */
static void word_size(void)
{
	static const char parts[] = { 'a', '\'', '\x1b', '\xff', '-' };
	char word[7], out[TEXT_WORD_SIZE(6)];

	for (unsigned v = 0; v < 5 * 5 * 5 * 5 * 5 * 5; v++) {
		unsigned rest = v;
		size_t n;

		for (int i = 0; i < 6; i++, rest /= 5)
			word[i] = parts[rest % 5];
		word[6] = '\0';
		text_shell_word(out, sizeof out, word);
		n = strlen(out);
		CHECK(n < sizeof out);
		for (size_t i = 0, len; i < n; i += len) {
			len = text_printable_len(out + i, n - i, TEXT_KEEP_NONE);
			CHECK(len);
			len += !len;
		}
	}
}

#define WORDS 2000

static char words[WORDS][16];
static unsigned nwords;

static void add_word(const char *s, size_t n)
{
	memcpy(words[nwords], s, n);
	words[nwords++][n] = '\0';
}

/* Each byte alone, in front, in the middle, at the end and twice; and names of 15 bytes at random. */
static void make_words(void)
{
	char s[16];

	nwords = 0;
	add_word("", 0);
	for (int c = 1; c < 256; c++) {
		s[0] = s[3] = s[4] = (char)c;
		s[1] = s[2] = 'x';
		add_word(s, 1);
		add_word(s, 2);
		add_word(s + 2, 3);
		add_word(s, 5);
		add_word(s + 1, 3);
	}
	srand(1);
	while (nwords < WORDS) {
		for (int i = 0; i < 15; i++)
			s[i] = (char)(1 + rand() % 255);
		add_word(s, 15);
	}
}

/* Has a shell print all words, each ended by NUL, and compares. */
static void check_shell(const char *shell)
{
	char script[] = "/tmp/test_text.XXXXXX", quoted[TEXT_WORD_SIZE(16)], command[64], got[32];
	int fd = mkstemp(script);
	FILE *f = fdopen(fd, "w");
	unsigned bad = 0, n = 0;
	size_t at = 0;
	int c;

	for (unsigned i = 0; i < nwords; i++)
		fprintf(f, "printf '%%s\\0' %s\n", text_shell_word(quoted, sizeof quoted, words[i]));
	fclose(f);
	snprintf(command, sizeof command, "%s %s", shell, script);
	f = popen(command, "r");
	while ((c = getc(f)) != EOF && n < nwords && at < sizeof got) {
		got[at++] = (char)c;
		if (c)
			continue;
		if (strcmp(got, words[n]) && bad++ < 3)
			printf("# %s: %s\n", shell, text_shell_word(quoted, sizeof quoted, words[n]));
		n++;
		at = 0;
	}
	CHECK_INT(pclose(f), 0);
	CHECK_INT(n, nwords);
	CHECK_INT(bad, 0);
	unlink(script);
}

static void words_in_shells(void)
{
	static const char *const shells[] = { "dash", "bash", "bash --posix", "busybox ash", "sh" };
	char command[64];

	make_words();
	for (size_t i = 0; i < sizeof shells / sizeof *shells; i++) {
		snprintf(command, sizeof command, "%s -c : 2>/dev/null", shells[i]);
		if (!system(command))
			check_shell(shells[i]);
	}
}

TEST_MAIN(
	TEST(every_code_point)
	TEST(every_three_bytes)
	TEST(broken_sequences)
	TEST(every_byte_escaped)
	TEST(escaping)
	TEST(no_room)
	TEST(shell_words)
	TEST(word_size)
	TEST(words_in_shells)
)
