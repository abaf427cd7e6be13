/* SPDX-License-Identifier: ISC
 *
 * Any bytes as a configuration: parse, warn, print; what was printed must parse without an error to the same text.
 * Packets are explained that its rules are about, on their interfaces and others.  Where the first byte is 1, the
 * second one says when memory runs out; where it is 2, the rest are two files, which may include each other and what
 * else is in their folder; where it is 3, another process reads these, so many lines at once as the second byte says,
 * and what is found must be the same; where it is 4, both.
 */
#include "conf/check.h"
#include "conf/explain.h"
#include "conf/explain_json.h"
#include "conf/print.h"
#include "conf/read.h"
#include "conf/warn.h"

#include "tests/fake/memory.h"

#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Says what becomes of the first packet of a rule, on an interface that another one means, or the same. */
static void explain(const struct conf *c, const struct conf_rule *where, const struct conf_rule *rule)
{
	const struct ifname *name = &c->names[where->iif].ifname;
	struct explanation x = { 0 };
	struct buf text = { 0 };
	char iif[IFNAME_SIZE + 1];

	snprintf(iif, sizeof iif, "%.*s%s", (int)name->len, name->text, name->is_wildcard ? "0" : "");
	if (explain_packet(&x, c, iif, &rule->range.flow)) {
		explain_text(&text, &x);
		explain_json(&text, &x);
	}
	explain_free(&x);
	buf_free(&text);
}

static void print(struct buf *out, const char *p, size_t n, uint32_t *errors)
{
	struct conf *c = conf_new();
	struct diags d = { 0 };
	struct buf text = { 0 };

	if (!c)
		return;
	conf_parse_text(c, &d, "fuzz", p, n);
	conf_warn(c, &d);
	conf_print(out, c);
	for (uint32_t i = 0; i < c->nmroutes && i < 8; i++) {
		explain(c, &c->mroutes[i], &c->mroutes[i]);
		explain(c, &c->mroutes[i], &c->mroutes[c->nmroutes - 1 - i]);
	}
	diags_print(&text, c, &d, true);
	*errors = d.errors;
	buf_free(&text);
	diags_free(&d);
	conf_free(c);
}

static void write_file(const char *path, const uint8_t *p, size_t n)
{
	FILE *f = fopen(path, "we");

	if (!f || fwrite(p, 1, n, f) != n || fclose(f))
		abort();
}

/* ---- files ---- */

#define LEVELS 18
static const char *const names[] = { "one", "two", "pipe", "loop", "gone" };
static char dir[] = "/tmp/fuzz-conf-XXXXXX", first[64];

static const char *path_of(const char *name)
{
	static char path[64];

	snprintf(path, sizeof path, "%s/%s", dir, name);
	return path;
}

static void clean(void)
{
	char name[8];

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		unlink(path_of(names[i]));
	for (unsigned i = 0; i < LEVELS; i++) {
		snprintf(name, sizeof name, "d%u", i);
		unlink(path_of(name));
	}
	rmdir(path_of("folder"));
	rmdir(dir);
}

/* What includes may meet: a FIFO, a folder, links that lead nowhere, files that include each other in a long row. */
static void make_folder(void)
{
	char name[8], text[16];

	if (!mkdtemp(dir) || atexit(clean) || mkfifo(path_of("pipe"), 0600) < 0 || mkdir(path_of("folder"), 0700) < 0 ||
	    symlink("loop", path_of("loop")) < 0 || symlink("/nonexistent/file", path_of("gone")) < 0)
		abort();
	for (unsigned i = 0; i < LEVELS; i++) {
		snprintf(name, sizeof name, "d%u", i);
		snprintf(text, sizeof text, "include d%u\n", i + 1);
		write_file(path_of(name), (const uint8_t *)text, strlen(text));
	}
	snprintf(first, sizeof first, "%s", path_of("one"));
}

/* Two files that may include each other, and what is in the folder. */
static void write_files(const uint8_t *p, size_t n)
{
	const uint8_t *half = memchr(p, '\0', n);

	if (!*first)
		make_folder();
	half = half ? half : p + n;
	write_file(first, p, (size_t)(half - p));
	write_file(path_of("two"), half, (size_t)(p + n - half));
}

static void check(void)
{
	struct conf *c = conf_new();
	struct diags d = { 0 };
	struct buf text = { 0 };

	if (c) {
		conf_check(c, &d, first, true);
		diags_print(&text, c, &d, true);
	}
	buf_free(&text);
	diags_free(&d);
	conf_free(c);
}

/* Reads the first file, by a child so many lines at once or without, and appends what is in it and what is wrong. */
static void read_files(struct buf *out, unsigned lines)
{
	struct conf *c = conf_new();
	struct diags d = { 0 };
	struct conf_reader *rd = c ? conf_read_begin(c, &d, first, lines) : NULL;

	while (rd && conf_read_step(rd, lines ? lines : UINT_MAX)) {
		struct pollfd answer = { .fd = conf_read_waits(rd), .events = POLLIN };

		if (answer.fd >= 0 && poll(&answer, 1, 10000) == 0)
			abort();
	}
	if (rd) {
		conf_read_end(rd);
		conf_print(out, c);
		diags_print(out, c, &d, true);
	}
	/* The last one may still be about to end; a sanitizer may have a child of its own, which does not. */
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
	diags_free(&d);
	conf_free(c);
}

/* Whoever reads, the same is found. */
static void check_apart(unsigned lines)
{
	struct buf alone = { 0 }, apart = { 0 };

	read_files(&alone, 0);
	read_files(&apart, lines + 1);
	if (strcmp(buf_cstr(&alone), buf_cstr(&apart))) {
		fprintf(stderr, "%s-- and by a child --\n%s", buf_cstr(&alone), buf_cstr(&apart));
		abort();
	}
	buf_free(&alone);
	buf_free(&apart);
}

static void check_scarce(unsigned first_lacking)
{
	struct buf out = { 0 };

	memory_scarce(first_lacking, 2);
	check();
	memory_scarce(first_lacking, 2);
	read_files(&out, 8);
	memory_plenty();
	buf_free(&out);
}

/* What the first byte says of files. */
static void check_files(const uint8_t *data, size_t size)
{
	unsigned skip = *data == 2 ? 1 : 2;

	if (memchr(data, '/', size))
		return;
	write_files(data + skip, size - skip);
	if (*data == 2)
		check();
	else if (*data == 3)
		check_apart(data[1]);
	else
		check_scarce(data[1]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf one = { 0 }, two = { 0 };
	uint32_t errors = 0;

	if (size > 2 && *data >= 2 && *data <= 4) {
		check_files(data, size);
		return 0;
	}
	if (memmem(data, size, "include", 7))
		return 0;
	if (size > 2 && *data == 1) {
		memory_scarce(data[1], 2);
		print(&one, (const char *)data + 2, size - 2, &errors);
		memory_plenty();
		buf_free(&one);
		return 0;
	}
	print(&one, (const char *)data, size, &errors);
	print(&two, one.p ? one.p : "", one.len, &errors);
	if (errors || one.len != two.len || (one.len && memcmp(one.p, two.p, one.len)))
		abort();
	buf_free(&one);
	buf_free(&two);
	return 0;
}
