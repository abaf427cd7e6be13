/* SPDX-License-Identifier: ISC
 *
 * Any bytes as a configuration: parse, warn, print; what was printed must parse
 * without an error to the same text.  Files are not included.
 */
#include "conf/print.h"
#include "conf/read.h"
#include "conf/warn.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void print(struct buf *out, const char *p, size_t n, uint32_t *errors)
{
	struct conf *c = conf_new();
	struct diags d = { 0 };
	struct buf text = { 0 };

	conf_parse_text(c, &d, "fuzz", p, n);
	conf_warn(c, &d);
	conf_print(out, c);
	diags_print(&text, c, &d, true);
	*errors = d.errors;
	buf_free(&text);
	diags_free(&d);
	conf_free(c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf one = { 0 }, two = { 0 };
	uint32_t errors;

	if (memmem(data, size, "include", 7))
		return 0;
	print(&one, (const char *)data, size, &errors);
	print(&two, one.p ? one.p : "", one.len, &errors);
	if (errors || one.len != two.len || (one.len && memcmp(one.p, two.p, one.len)))
		abort();
	buf_free(&one);
	buf_free(&two);
	return 0;
}
