/* SPDX-License-Identifier: ISC
 * See check.h. */
#include "conf/check.h"

#include <stdlib.h>
#include <string.h>

#include "conf/lex.h"
#include "conf/read.h"
#include "conf/source.h"
#include "conf/warn.h"

/* Grows with the place in the text. */
static uint64_t check_place(const struct diag *d)
{
	return (uint64_t)d->where.file << 48 | (uint64_t)d->where.line << 16 | d->where.col;
}

static int check_compare(const void *x, const void *y)
{
	const struct diag *a = x, *b = y;
	uint64_t p = check_place(a), q = check_place(b);

	if (p != q)
		return p < q ? -1 : 1;
	return a->error == b->error ? strcmp(a->text, b->text) : b->error - a->error;
}

/* Warnings come when the text is gone: fetches the lines of the diagnostics from v on, all of one file, up to end, by
 * reading it again.  What cannot be had again stays without. */
static void check_fetch_lines(const struct conf *c, struct diag *v, const struct diag *end)
{
	struct buf text = { 0 };
	struct source_head h;
	struct lex l;

	source_ask(-1, c->files[v->where.file], false, &text);
	h = source_head(&text);
	if (!h.err)
		lex_text(&l, text.p + sizeof h, h.n);
	while (!h.err && v < end && lex_line(&l))
		for (; v < end && v->where.line <= l.no; v++)
			if (v->where.line == l.no)
				diag_line(v, l.line, (size_t)(l.eol - l.line));
	buf_free(&text);
}

bool conf_check(struct conf *c, struct diags *d, const char *file, bool lines)
{
	bool ok = conf_parse_file(c, d, file);

	if (ok)
		conf_warn(c, d);
	if (!d->n)
		return ok;
	qsort(d->v, d->n, sizeof *d->v, check_compare);
	for (struct diag *v = d->v, *end = v; lines && v < d->v + d->n; v = end) {
		while (end < d->v + d->n && end->where.file == v->where.file)
			end++;
		check_fetch_lines(c, v, end);
	}
	return ok;
}
