/* SPDX-License-Identifier: ISC
 *
 * The list of findings: order, what is said twice, both outputs, and text that a terminal would obey.
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
		  "[{\"severity\":\"error\",\"what\":\"two\",\"text\":\"second \\\"x\\\"\","
		  "\"fix\":[\"cmd 1\",\"cmd '2'\"],\"or\":[\"else\"],\"keep\":[]},"
		  "{\"severity\":\"warning\",\"what\":\"three\",\"text\":\"third\",\"fix\":[],"
		  "\"or\":[],\"keep\":[]},"
		  "{\"severity\":\"note\",\"what\":\"one\",\"text\":\"first 1\",\"fix\":[],\"or\":[],\"keep\":[]}]");
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

/* Names from outside: each text is escaped once, commands keep their newlines, JSON is JSON. */
static void names_from_outside(void)
{
	struct findings f = { .what = "w" };
	struct buf out = { 0 };

	finding_add(&f, FINDING_ERROR, "%s is down", "e\033[31m\xc2\x9b\xff\xc3\xa9\n");
	finding_fix(&f, "ip link set dev %s up", "'a b'");
	finding_fix(&f, "cat 'x\ny\033'");
	findings_print(&out, &f, FORM_TEXT);
	CHECK_STR(buf_cstr(&out), "error: e\\x1b[31m\\xc2\\x9b\\xff\xc3\xa9\\x0a is down\n"
				  "  fix: ip link set dev 'a b' up\n  fix: cat 'x\ny\\x1b'\n");
	buf_free(&out);
	findings_print(&out, &f, FORM_JSON);
	CHECK(strstr(buf_cstr(&out), "\"e\\u001b[31m"));
	buf_free(&out);
	findings_free(&f);
}

TEST_MAIN(TEST(text_and_json) TEST(many) TEST(names_from_outside))
