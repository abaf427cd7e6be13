/* SPDX-License-Identifier: ISC
 *
 * Any bytes as a configuration: parse, warn, print; what was printed must parse
 * without an error to the same text.  Packets of its rules are explained.  Where the first byte is 1, the
 * second one says when memory runs out; where it is 2, the rest are two files.
 */
#include "conf/check.h"
#include "conf/explain.h"
#include "conf/explain_json.h"
#include "conf/print.h"
#include "conf/read.h"
#include "conf/warn.h"

#include "tests/fake/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Says what becomes of the first packet of a rule, on an interface that it means. */
static void explain(const struct conf *c, const struct conf_rule *rule)
{
	const struct ifname *name = &c->names[rule->iif].ifname;
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
	for (uint32_t i = 0; i < c->nmroutes && i < 8; i++)
		explain(c, &c->mroutes[i]);
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

static char dir[] = "/tmp/fuzz-conf-XXXXXX", first[64], second[64];

static void clean(void)
{
	unlink(first);
	unlink(second);
	rmdir(dir);
}

/* Two files that may include each other, and nothing else. */
static void check(const uint8_t *p, size_t n)
{
	const uint8_t *half = memchr(p, '\0', n);
	struct conf *c = conf_new();
	struct diags d = { 0 };
	struct buf text = { 0 };

	if (!*first && (!mkdtemp(dir) || atexit(clean)))
		abort();
	snprintf(first, sizeof first, "%s/one", dir);
	snprintf(second, sizeof second, "%s/two", dir);
	half = half ? half : p + n;
	write_file(first, p, (size_t)(half - p));
	write_file(second, half, (size_t)(p + n - half));
	conf_check(c, &d, first, true);
	diags_print(&text, c, &d, true);
	buf_free(&text);
	diags_free(&d);
	conf_free(c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf one = { 0 }, two = { 0 };
	uint32_t errors = 0;

	if (size > 1 && *data == 2) {
		if (!memchr(data, '/', size))
			check(data + 1, size - 1);
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
