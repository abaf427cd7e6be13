/* SPDX-License-Identifier: ISC
 *
 * The list of findings: order, what is said twice, both outputs, and words that
 * a shell would take apart.
 */
#include "applets/doctor/finding.h"

#include "tests/unit/test.h"


static void text_and_json(void)
{
	struct findings f = { 0 };
	struct buf out = { 0 };

	f.what = "one";
	finding_add(&f, FINDING_NOTE, "first %d", 1);
	f.what = "two";
	finding_add(&f, FINDING_ERROR, "second \"%s\"", "x");
	finding_fix(&f, "cmd %d", 1);
	finding_fix(&f, "cmd '%d'", 2);
	finding_or(&f);
	finding_fix(&f, "else");
	f.what = "three";
	finding_add(&f, FINDING_WARNING, "third");
	f.what = "four";
	finding_add(&f, FINDING_ERROR, "third");
	finding_fix(&f, "of the one that was left out");
	CHECK_INT(f.n, 3);
	CHECK_INT(f.count[FINDING_ERROR], 1);
	findings_print(&out, &f, FORM_TEXT);
	CHECK_STR(buf_cstr(&out), "error: second \"x\"\n  fix: cmd 1\n  fix: cmd '2'\n  or: else\n"
				  "warning: third\nnote: first 1\n");
	buf_free(&out);
	findings_print(&out, &f, FORM_JSON);
	CHECK_STR(buf_cstr(&out),
		  "[{\"severity\":\"error\",\"what\":\"two\",\"text\":\"second \\\"x\\\"\",\"fix\":[\"cmd 1\",\"cmd '2'\"],"
		  "\"or\":[\"else\"]},{\"severity\":\"warning\",\"what\":\"three\",\"text\":\"third\",\"fix\":[],\"or\":[]},"
		  "{\"severity\":\"note\",\"what\":\"one\",\"text\":\"first 1\",\"fix\":[],\"or\":[]}]");
	buf_free(&out);
	findings_free(&f);
	findings_print(&out, &f, FORM_JSON);
	CHECK_STR(buf_cstr(&out), "[]");
	buf_free(&out);
}

static void many(void)
{
	struct findings f = { 0 };

	for (int i = 0; i < 100; i++) {
		f.what = i & 1 ? "odd" : "even";
		finding_add(&f, FINDING_ERROR, "number %d", i);
		finding_fix(&f, "command %d", i);
	}
	CHECK_INT(f.n, 2 * FINDING_MAX);
	CHECK_INT(f.dropped, 100 - 2 * FINDING_MAX);
	findings_free(&f);
}

static void words(void)
{
	char buf[WORD_LEN];

	CHECK_STR(shell_word("eth0.10", buf), "eth0.10");
	CHECK_STR(shell_word("a b", buf), "'a b'");
	CHECK_STR(shell_word("$(id)", buf), "'$(id)'");
	CHECK_STR(shell_word("", buf), "''");
	CHECK_STR(shell_word("it's", buf), "'it'\\''s'");
	CHECK_INT(strlen(shell_word("'''''''''''''''", buf)), 15 * 4 + 2);
}

static void plain(void)
{
	CHECK(word_plain("eth0-10", "_-"));
	CHECK(!word_plain("eth0.10", "_-"));
	CHECK(!word_plain("\xc3\xa9", "_-"));
	CHECK(!word_plain("", "_-"));
}

TEST_MAIN(TEST(text_and_json) TEST(many) TEST(words) TEST(plain))
