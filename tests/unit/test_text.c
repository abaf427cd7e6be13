/* SPDX-License-Identifier: ISC
 *
 * Text from outside: what is well-formed, what a terminal may see, and words that a
 * shell reads back as they were.
 */
#include "lib/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/test.h"

static const char *escaped(const char *s, unsigned keep)
{
	static char out[256];

	text_escape(out, sizeof out, s, strlen(s), keep);
	return out;
}

static void utf8(void)
{
	CHECK_INT(text_utf8_len("a", 1), 1);
	CHECK_INT(text_utf8_len("\xc3\xa9", 2), 2);
	CHECK_INT(text_utf8_len("\xe2\x82\xac", 3), 3);
	CHECK_INT(text_utf8_len("\xf0\x9f\x98\x80", 4), 4);
	CHECK_INT(text_utf8_len("\xc3", 1), 0);			/* cut short */
	CHECK_INT(text_utf8_len("\xc0\xaf", 2), 0);		/* overlong */
	CHECK_INT(text_utf8_len("\xed\xa0\x80", 3), 0);		/* a surrogate */
	CHECK_INT(text_utf8_len("\xf4\x90\x80\x80", 4), 0);	/* above U+10FFFF */
	CHECK_INT(text_utf8_len("\x80", 1), 0);
}

static void escapes(void)
{
	CHECK_STR(escaped("eth0 \xc3\xa9", TEXT_KEEP_NONE), "eth0 \xc3\xa9");
	CHECK_STR(escaped("e\033[31m", TEXT_KEEP_NONE), "e\\x1b[31m");
	CHECK_STR(escaped("a\x7f", TEXT_KEEP_NONE), "a\\x7f");
	CHECK_STR(escaped("a\xc2\x9b" "b", TEXT_KEEP_NONE), "a\\xc2\\x9bb");
	CHECK_STR(escaped("a\x9b", TEXT_KEEP_NONE), "a\\x9b");
	CHECK_STR(escaped("a\tb\n", TEXT_KEEP_NONE), "a\\x09b\\x0a");
	CHECK_STR(escaped("a\tb\n", TEXT_KEEP_TAB | TEXT_KEEP_NEWLINE), "a\tb\n");
}

/* What the shell makes of a quoted word is the word. */
static void shell_word(const char *shell, const char *word)
{
	char quoted[256], command[512], got[256] = "";

	text_shell_word(quoted, sizeof quoted, word);
	for (const char *p = quoted; *p; p++)
		CHECK((unsigned char)*p >= 0x20 && *p != 0x7f);
	snprintf(command, sizeof command, "%s <<'END'\nprintf %%s %s\nEND\n", shell, quoted);
	FILE *f = popen(command, "r");

	CHECK(f != NULL);
	got[fread(got, 1, sizeof got - 1, f)] = '\0';
	CHECK_INT(pclose(f), 0);
	CHECK_STR(got, word);
}

static void shell_words(void)
{
	static const char *const words[] = {
		"eth0", "", "a'b", "a\"b", "a;b", "$(id)", "a`b", "a\\b", "-x", "~", "e\033[31m", "c\xc2\x9b" "1", "\x9b", "\xc3\xa9",
		"%s", "a\001" "9", "*", "#a", "!a", "a\001'%\\b",
	};
	char plain[64];

	CHECK_STR(text_shell_word(plain, sizeof plain, "eth0.5"), "eth0.5");
	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		shell_word("sh", words[i]);
		if (system("command -v bash >/dev/null") == 0)
			shell_word("bash", words[i]);
	}
}

TEST_MAIN(TEST(utf8) TEST(escapes) TEST(shell_words))
