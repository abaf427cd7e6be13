/* SPDX-License-Identifier: ISC
 *
 * Files as /proc has them, and as it may have them one day.
 */
#include "lib/lines.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/unit/test.h"

static char path[] = "/tmp/test_lines.XXXXXX";

/* Gives the file n bytes. */
static void write_file(const char *bytes, size_t n)
{
	FILE *f = fopen(path, "we");

	CHECK(f && fwrite(bytes, 1, n, f) == n && !fclose(f));
}

static void one_by_one(void)
{
	struct lines l;

	CHECK_INT(close(mkstemp(path)), 0);
	write_file("one\n\n three \r\nlast", 18);
	CHECK_INT(lines_open(&l, path), 0);
	CHECK_STR(lines_next(&l), "one");
	CHECK_STR(lines_next(&l), "");
	CHECK_STR(lines_next(&l), " three \r");
	CHECK_STR(lines_next(&l), "last");
	CHECK(!lines_next(&l));
	CHECK(!lines_next(&l));
	lines_close(&l);
	write_file("a\0b\nc\n", 6);
	CHECK_INT(lines_open(&l, path), 0);
	CHECK_STR(lines_next(&l), "a");
	CHECK_STR(lines_next(&l), "c");
	lines_close(&l);
}

/* The longest line that is read, and one that is longer: it is the end of the file. */
static void too_long(void)
{
	char *text = malloc(LINES_MAX + 8);
	struct lines l;

	memset(text, 'x', LINES_MAX + 8);
	text[LINES_MAX - 1] = '\n';
	write_file(text, LINES_MAX + 2);
	CHECK_INT(lines_open(&l, path), 0);
	CHECK_INT(strlen(lines_next(&l)), LINES_MAX - 1);
	CHECK_STR(lines_next(&l), "xx");
	lines_close(&l);
	text[LINES_MAX - 1] = 'x';
	text[LINES_MAX] = '\n';
	write_file(text, LINES_MAX + 2);
	CHECK_INT(lines_open(&l, path), 0);
	CHECK(!lines_next(&l));
	lines_close(&l);
	free(text);
}

static void words(void)
{
	char line[] = "\t one two\t\tthree  four\n", none[] = " \t\n", *w[4];

	CHECK_INT(lines_words(line, w, 3), 3);
	CHECK_STR(w[0], "one");
	CHECK_STR(w[1], "two");
	CHECK_STR(w[2], "three");
	CHECK_INT(lines_words(none, w, 4), 0);
	strcpy(line, "a b");
	CHECK_INT(lines_words(line, w, 4), 2);
	CHECK_STR(w[1], "b");
}

static void first(void)
{
	char text[6] = "....";

	write_file("12\n34\n", 6);
	CHECK(lines_first(path, text, sizeof text));
	CHECK_STR(text, "12");
	/* As much as there is room for. */
	write_file("1234567\n", 8);
	CHECK(lines_first(path, text, sizeof text));
	CHECK_STR(text, "12345");
	write_file("\nx", 2);
	CHECK(!lines_first(path, text, sizeof text));
	write_file("", 0);
	CHECK(!lines_first(path, text, sizeof text));
	CHECK_STR(text, "");
	unlink(path);
	strcpy(text, "left");
	errno = 0;
	CHECK(!lines_first(path, text, sizeof text) && errno == ENOENT);
	CHECK_STR(text, "");
}

TEST_MAIN(TEST(one_by_one) TEST(too_long) TEST(words) TEST(first))
