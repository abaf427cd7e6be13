/* SPDX-License-Identifier: ISC
 *
 * Files are the same as the text that is in them, however long; warnings find their lines; include by patterns.
 */
#include "conf/check.h"
#include "conf/print.h"
#include "conf/read.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/fake/memory.h"
#include "tests/unit/test.h"

static char path[] = "/tmp/read.XXXXXX";

/* Lines of many lengths, among them ones with errors and warnings, no end of line at the end. */
static void write_text(struct buf *b, int seed, size_t longest)
{
	buf_str(b, "\xef\xbb\xbf# after a byte order mark\r\n");
	for (int i = 0; i < 4500; i++) {
		unsigned k = (unsigned)(i * 31 + seed);

		if (k % 97 == 0)
			buf_printf(b, "mroute from eth%d source 10.0.0.%d group 10.1.1.1 to eth1\n", i % 7, k % 300);
		else if (k % 89 == 0)
			buf_printf(b, "mroute from eth1 group 225.1.%d.1 to eth1 eth2 eth2\r\n", k % 256);
		else
			buf_printf(b, "mroute from eth%d source 10.%d.%d.1 group 225.1.2.%d to eth8%*s\n", i % 7,
				   i >> 8 & 255, i & 255, k % 256, (int)(k % 40), "");
		if (k % 577 == 0) {
			buf_chr(b, '#');
			buf_fill(b, 'x', (size_t)k * 7919 % longest);
			buf_chr(b, '\n');
		}
		if (k % 1009 == 0)
			buf_add(b, "mgroup from\0eth0\n", 17);
	}
	buf_str(b, "mgroup from eth0 group 225.9.9.9");
}

/* Everything that came of a text: canonical, then what was said of it, all but the name of the file. */
static char *told(struct conf *c, const struct diags *d)
{
	struct buf b = { 0 };

	conf_print(&b, c);
	for (uint32_t i = 0; i < d->n; i++)
		buf_printf(&b, "%u:%u: %s\n%s\n", (unsigned)d->v[i].where.line, d->v[i].where.col, d->v[i].text,
			   d->v[i].line ? d->v[i].line : "-");
	buf_printf(&b, "%u errors, %u warnings\n", d->errors, d->warnings);
	buf_cstr(&b);
	return b.p;
}

/* Reads the file so many lines at a time: true when it could be. */
static bool read_slowly(struct conf *c, struct diags *d, unsigned lines)
{
	struct conf_reader *rd = conf_read_begin(c, d, path, true);

	while (conf_read_step(rd, lines))
		;
	return !conf_read_end(rd);
}

/* Reads a text as one, as a file, and as a file in pieces. */
static void compare(struct buf *text, uint32_t errors, uint32_t rules)
{
	struct conf *one = conf_new(), *many = conf_new(), *slow = conf_new();
	struct diags d1 = { 0 }, d2 = { 0 }, d3 = { 0 };
	FILE *f = fopen(path, "w");

	CHECK(f && fwrite(text->p, 1, text->len, f) == text->len);
	if (f)
		fclose(f);
	CHECK(conf_parse_text(one, &d1, "one", text->p, text->len));
	CHECK(conf_parse_file(many, &d2, path));
	CHECK(read_slowly(slow, &d3, 1 + text->len % 100));
	char *a = told(one, &d1), *b = told(many, &d2), *z = told(slow, &d3);

	CHECK(d1.errors >= errors && one->nmroutes >= rules);
	CHECK(!strcmp(a, b));
	CHECK(!strcmp(a, z));
	free(a);
	free(b);
	free(z);
	diags_free(&d1);
	diags_free(&d2);
	diags_free(&d3);
	conf_free(one);
	conf_free(many);
	conf_free(slow);
	buf_free(text);
}

static void as_one_text(void)
{
	for (int seed = 0; seed < 40; seed++) {
		struct buf text = { 0 };

		write_text(&text, seed, seed % 4 ? 200 : 150000);
		compare(&text, 10, 1000);
	}
}

/* Warnings of the whole get their lines, wherever in the file these are. */
static void lines_of_warnings(void)
{
	struct conf *c = conf_new();
	struct diags d = { 0 };
	unsigned with = 0;
	FILE *f = fopen(path, "w");

	CHECK(f != NULL);
	for (int i = 0; f && i < 4000; i++)
		fprintf(f, "mroute from eth0 source 10.0.%d.%d group 225.1.1.1 to eth1\n", i / 2 >> 8, i / 2 & 255);
	if (f)
		fclose(f);
	CHECK(conf_check(c, &d, path, true));
	for (uint32_t i = 0; i < d.n; i++) {
		char want[64];
		int k = (int)d.v[i].where.line - 1;

		snprintf(want, sizeof want, "source 10.0.%d.%d group", k / 2 >> 8, k / 2 & 255);
		with += d.v[i].line && strstr(d.v[i].line, want);
	}
	CHECK(d.n > 0);
	CHECK_INT(with, d.n);
	diags_free(&d);
	conf_free(c);
}

static void write_file(const char *dir, const char *name, const char *text)
{
	char file[128];
	FILE *f;

	snprintf(file, sizeof file, "%s/%s", dir, name);
	f = fopen(file, "w");
	CHECK(f && fputs(text, f) >= 0);
	if (f)
		fclose(f);
}

/* A reader can be let go of after any step, in the middle of included files too; afterwards it has read all. */
static void stopped_anywhere(const char *file)
{
	bool has_more = true;

	for (int steps = 0; has_more; steps++) {
		struct conf *c = conf_new();
		struct diags d = { 0 };
		struct conf_reader *rd = conf_read_begin(c, &d, file, steps & 1);

		has_more = true;
		for (int i = 0; has_more && i < steps; i++)
			has_more = conf_read_step(rd, 1);
		CHECK_INT(conf_read_end(rd), 0);
		CHECK(has_more || c->nmroutes == 3);
		diags_free(&d);
		conf_free(c);
	}
}

/* Without memory for what the child has read that is said, and nothing is taken for what was asked for next. */
static void without_memory(void)
{
	char dir[] = "/tmp/scarce.XXXXXX", file[128];
	bool was_refused = true;

	CHECK(mkdtemp(dir) != NULL);
	write_file(dir, "main", "include a\ninclude b*\ninclude c\n");
	write_file(dir, "a", "mroute from eth0 group 225.1.1.1 to eth1\nmroute from eth0 group 225.1.1.2 to eth1\n");
	write_file(dir, "b1", "mroute from eth0 group 225.1.1.3 to eth1\n");
	write_file(dir, "c", "mroute from eth0 group 225.1.1.4 to eth1\n");
	snprintf(file, sizeof file, "%s/main", dir);
	for (unsigned first = 0; was_refused; first++) {
		struct conf *c = conf_new();
		struct diags d = { 0 };
		struct conf_reader *rd = conf_read_begin(c, &d, file, true);

		memory_scarce(first, 1);
		while (conf_read_step(rd, 1))
			;
		conf_read_end(rd);
		was_refused = memory_plenty();
		CHECK(!d.n || strstr(d.v[0].text, "memory"));
		for (uint32_t i = 0; i < d.n; i++)
			CHECK(!strstr(d.v[i].text, "file"));
		CHECK(was_refused || (c->nmroutes == 4 && !d.n));
		diags_free(&d);
		conf_free(c);
	}
	for (const char *name = "main\0a\0b1\0c\0"; *name; name += strlen(name) + 1) {
		snprintf(file, sizeof file, "%s/%s", dir, name);
		CHECK_INT(unlink(file), 0);
	}
	CHECK_INT(rmdir(dir), 0);
}

/* Files of a pattern come in the order of their names; the directory of the file that includes them is
 * taken as it stands, whatever its name holds; hidden files are left out. */
static void include_pattern_files(void)
{
	static const char *const names[] = { "main", ".b4.conf", "b10.conf", "b2.conf", "B.conf", "c.conf", "b" };
	char dir[] = "/tmp/in[a]*?\\.XXXXXX", file[128];
	struct conf *c = conf_new();
	struct diags d = { 0 };
	struct buf out = { 0 };

	CHECK(mkdtemp(dir) != NULL);
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		snprintf(file, sizeof file, "mroute from %s group 225.1.1.1\n", names[i]);
		write_file(dir, names[i], i ? file : "include [bB]*.con[a-f]\ninclude no*\ninclude b*/x\n");
	}
	snprintf(file, sizeof file, "%s/main", dir);
	CHECK(conf_parse_file(c, &d, file));
	conf_print(&out, c);
	CHECK_STR(buf_cstr(&out), "mroute from B.conf group 225.1.1.1\nmroute from b10.conf group 225.1.1.1\n"
				  "mroute from b2.conf group 225.1.1.1\n");
	CHECK_INT(d.n, 0);
	snprintf(file, sizeof file, "%s/main", dir);
	stopped_anywhere(file);
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		snprintf(file, sizeof file, "%s/%s", dir, names[i]);
		CHECK_INT(unlink(file), 0);
	}
	CHECK_INT(rmdir(dir), 0);
	buf_free(&out);
	diags_free(&d);
	conf_free(c);
}

static void setup(void)
{
	int fd = mkstemp(path);

	CHECK(fd >= 0);
	close(fd);
}

static void cleanup(void)
{
	CHECK_INT(unlink(path), 0);
}

TEST_MAIN(TEST(setup) TEST(as_one_text) TEST(lines_of_warnings)
	  TEST(without_memory) TEST(include_pattern_files) TEST(cleanup))
