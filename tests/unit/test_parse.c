/* SPDX-License-Identifier: ISC
 *
 * The parser where a file of examples does not reach: sizes, the same input in
 * odd clothes, and random configurations that must come back as they were
 * printed.  What each line means and which errors there are is in tests/conf.
 */
#include "conf/print.h"
#include "conf/read.h"
#include "conf/warn.h"

#include <stdlib.h>

#include "tests/unit/test.h"

static struct conf *parse(const char *text, size_t n, struct diags *d)
{
	struct conf *c = conf_new();
	char *copy = malloc(n ? n : 1);

	memcpy(copy, text, n);
	*d = (struct diags){ 0 };
	conf_parse_text(c, d, "test", copy, n);
	free(copy);
	return c;
}

static void finish(struct conf *c, struct diags *d)
{
	diags_free(d);
	conf_free(c);
}

/* Parses and prints; returns the canonical text, to be freed by the next call. */
static const char *canon(const char *text, size_t n, unsigned *errors)
{
	static struct buf out;
	struct diags d;
	struct conf *c = parse(text, n, &d);

	buf_free(&out);
	conf_print(&out, c);
	*errors = d.errors;
	finish(c, &d);
	return buf_cstr(&out);
}

static void odd_clothes(void)
{
	static const char rule[] = "mroute from a group 225.1.2.3 to b\n";
	static const char *const same[] = {
		"mroute from a group 225.1.2.3 to b", "mroute from a group 225.1.2.3 to b\r\n",
		"mroute from a group 225.1.2.3 to b\r", "\n\n mroute\tfrom a group 225.1.2.3 to b #\n",
		"\xef\xbb\xbfmroute from a group 225.1.2.3 to b",
		"mroute group 225.1.2.3/32 source 0.0.0.0 from a:7 to b",
		"mroute from a group 225.1.2.3 to b b b",
	};
	unsigned errors;

	for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
		CHECK_STR(canon(same[i], strlen(same[i]), &errors), rule);
		CHECK_INT(errors, 0);
	}
	CHECK_STR(canon("mroute from a group 225.1.2.3 to b\n", 10, &errors), "");
	CHECK_INT(errors, 2);
}

/* Each beginning of a line is read without a byte behind its end. */
static void cut_anywhere(void)
{
	static const char text[] = "phyint a enable mrdisc refresh 12 ttl-threshold 9\n"
		"mgroup from a source 10.0.0.0/24 group 232.1.2.3\n"
		"mroute from a source 2001:db8::/64 group ff05::/32 to b c+\n";
	unsigned errors;

	for (size_t n = 0; n < sizeof text; n++)
		canon(text, n, &errors);
	CHECK_STR(canon(text, sizeof text - 1, &errors), text);
}

static void origins(void)
{
	static const char text[] = "# one\n\n  mroute from a group 225.1.2.3\n\tmgroup from a group 225.1.2.3";
	struct diags d;
	struct conf *c = parse(text, sizeof text - 1, &d);

	CHECK_INT(c->nmroutes, 1);
	CHECK_INT(c->mroutes[0].where.line, 3);
	CHECK_INT(c->mroutes[0].where.col, 3);
	CHECK_STR(c->files[c->mroutes[0].where.file], "test");
	CHECK_INT(c->mgroups[0].where.line, 4);
	CHECK_INT(c->mgroups[0].where.col, 2);
	finish(c, &d);
}

static void many_outputs(void)
{
	struct buf text = { 0 };
	struct diags d;

	buf_str(&text, "mroute from in group 225.1.2.3 to");
	for (int i = 0; i < 5000; i++)
		buf_printf(&text, " o%d", i);
	buf_str(&text, "\nmroute from in group ff05::1 to");
	for (int i = 0; i < 5000; i++)
		buf_printf(&text, " o%d o%d", i, i);
	struct conf *c = parse(text.p, text.len, &d);

	CHECK_INT(d.errors, 0);
	CHECK_INT(d.warnings, 5000);
	CHECK_INT(c->nmroutes, 2);
	CHECK_INT(c->sets[c->mroutes[0].oifs].n, 5000);
	CHECK_INT(c->mroutes[1].oifs, c->mroutes[0].oifs);
	CHECK_INT(c->nsets, 2);
	finish(c, &d);
	buf_free(&text);
}

static void long_lines(void)
{
	struct buf text = { 0 };
	struct diags d;

	buf_str(&text, "mroute");
	buf_fill(&text, ' ', 1 << 20);
	buf_str(&text, "from a group 225.1.2.3 to b");
	buf_fill(&text, '\t', 1 << 20);
	buf_str(&text, "#");
	buf_fill(&text, 'x', 1 << 20);
	buf_str(&text, "\nmroute from a group 225.1.2.4 to ");
	buf_fill(&text, 'y', 1 << 20);
	struct conf *c = parse(text.p, text.len, &d);

	CHECK_INT(c->nmroutes, 1);
	CHECK_INT(c->mroutes[0].where.col, 1);
	CHECK_INT(d.errors, 1);
	CHECK_INT(d.v[0].where.line, 2);
	CHECK_INT(d.v[0].where.col, 34);
	CHECK(strlen(d.v[0].text) < 200 && strlen(d.v[0].line) <= 200);
	struct buf out = { 0 };

	diag_print(&out, c, &d.v[0], true);
	CHECK(out.len < 800);
	buf_free(&out);
	finish(c, &d);
	buf_free(&text);
}

/* All are counted, and memory for them is bounded. */
static void many_errors(void)
{
	struct buf text = { 0 };
	struct diags d;

	for (int i = 0; i < 200000; i++)
		buf_str(&text, "x\n");
	struct conf *c = parse(text.p, text.len, &d);

	CHECK_INT(d.errors, 200000);
	CHECK_INT(d.n, DIAG_MAX);
	finish(c, &d);
	buf_free(&text);
}

static uint32_t state = 4711;

static unsigned rnd(unsigned n)
{
	state ^= state << 13;
	state ^= state >> 17;
	state ^= state << 5;
	return state % n;
}

static void put_rnd_name(struct buf *b)
{
	static const char *const names[] = {
		"eth0", "eth1", "eth+", "wg0", "+", "br-lan", "q\"u\\o", "from", "to", "group",
		"abcdefghijklmno", "lan+", "1.2.3.4", "source", "mroute", "eth0:1",
	};

	buf_str(b, names[rnd(16)]);
}

static void put_rnd_flow(struct buf *b, bool join)
{
	bool v6 = rnd(2);

	buf_str(b, " from ");
	put_rnd_name(b);
	if (rnd(2)) {
		buf_printf(b, v6 ? " source 2001:db8::%x" : " source 10.0.0.%u", rnd(200));
		if (rnd(3) == 0)
			buf_printf(b, "/%u", v6 ? 120 + rnd(9) : join ? 24 + rnd(9) : rnd(33));
	}
	buf_printf(b, v6 ? " group ff05::%x" : " group 225.1.2.%u", rnd(200));
	if (rnd(3) == 0)
		buf_printf(b, "/%u", v6 ? 120 + rnd(9) : join ? 24 + rnd(9) : 4 + rnd(29));
}

static void put_rnd_line(struct buf *b)
{
	switch (rnd(4)) {
	case 0:
		buf_str(b, "phyint ");
		put_rnd_name(b);
		buf_str(b, rnd(2) ? " mrdisc" : " ttl-threshold 9");
		break;
	case 1:
		buf_str(b, "mgroup");
		put_rnd_flow(b, true);
		break;
	default:
		buf_str(b, "mroute");
		put_rnd_flow(b, false);
		for (unsigned n = rnd(4), i = 0; i < n; i++) {
			buf_str(b, i ? " " : " to ");
			put_rnd_name(b);
		}
	}
	buf_chr(b, '\n');
}

static void print_and_parse(void)
{
	struct buf text = { 0 };
	unsigned errors, again;

	for (int round = 0; round < 300; round++) {
		text.len = 0;
		for (unsigned n = rnd(40), i = 0; i < n; i++)
			put_rnd_line(&text);
		char *first = strdup(canon(buf_cstr(&text), text.len, &errors));

		CHECK_STR(canon(first, strlen(first), &again), first);
		CHECK_INT(again, 0);
		free(first);
		/* The only wrong thing about such a line is a name that looks like a clause. */
		if (errors > 40)
			test_failed++;
	}
	buf_free(&text);
}

/* Noise from the words of the grammar: no crash, and what is accepted comes back. */
static void noise(void)
{
	static const char *const words[] = {
		"mroute", "mgroup", "phyint", "from", "source", "group", "to", "enable", "disable", "mrdisc", "refresh",
		"ttl-threshold", "225.1.2.3", "10.0.0.1/8", "ff05::1", "eth0", "+", "\n", "\n", "\r\n", "#",
		"7", "ssmgroup", "::", "/", "form", "\x01", "\xef\xbb\xbf", "/99",
	};
	struct buf text = { 0 };
	unsigned errors, again;

	for (int round = 0; round < 3000; round++) {
		text.len = 0;
		for (unsigned n = rnd(60), i = 0; i < n; i++) {
			buf_str(&text, words[rnd(sizeof words / sizeof *words)]);
			buf_str(&text, rnd(20) ? " " : "");
		}
		char *first = strdup(canon(buf_cstr(&text), text.len, &errors));

		CHECK_STR(canon(first, strlen(first), &again), first);
		CHECK_INT(again, 0);
		free(first);
	}
	buf_free(&text);
	canon("", 0, &errors);
}

/* The look-ups of conf_warn() grow with the rules, not with their square. */
static void warn_many(void)
{
	struct buf text = { 0 };
	struct diags d;

	for (unsigned i = 0; i < 60000; i++)
		buf_printf(&text, "mroute from e%u group 239.%u.%u.%u/%u to e%u\n", i % 2, i >> 16, i >> 8 & 255,
			   i & 255, 20 + i % 13, (i + 1) % 2);
	for (unsigned i = 0; i < 20000; i++)
		buf_printf(&text, "mroute from e0 group 225.1.1.1 to o%u\n", i);
	struct conf *c = parse(text.p, text.len, &d);

	conf_warn(c, &d);
	CHECK_INT(d.errors, 0);
	CHECK(d.warnings > 50000);
	finish(c, &d);
	buf_free(&text);
}

TEST_MAIN(TEST(odd_clothes) TEST(cut_anywhere) TEST(origins) TEST(many_outputs) TEST(long_lines)
	  TEST(many_errors) TEST(print_and_parse) TEST(noise) TEST(warn_many))
