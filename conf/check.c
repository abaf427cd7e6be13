/* SPDX-License-Identifier: ISC
 *
 * Checking a file as a whole: parse, warn, put the diagnostics in the order of
 * the text.  smcroute-check and `smcrouted -F` are this.
 */
#include "conf/conf.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conf/parse.h"

static int by_place(const void *x, const void *y)
{
	const struct diag *a = x, *b = y;

	if (a->where.file != b->where.file)
		return a->where.file < b->where.file ? -1 : 1;
	if (a->where.line != b->where.line)
		return a->where.line < b->where.line ? -1 : 1;
	if (a->where.col != b->where.col)
		return a->where.col < b->where.col ? -1 : 1;
	if (a->error != b->error)
		return a->error ? -1 : 1;
	return strcmp(a->text, b->text);
}

/* Warnings come when the text is gone: fetches the lines of d->v[from] up to `to`, which are of
 * one file, by reading it again.  What cannot be had again stays without. */
static void fetch_lines(const struct conf *c, struct diags *d, uint32_t from, uint32_t to)
{
	int fd = open(c->files[d->v[from].where.file], O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct pieces f = { .fd = fd };
	struct lex l = { 0 };
	struct stat st;
	ssize_t n;

	if (fd >= 0 && (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)))
		f.end = true;
	while (from < to && (n = piece_next(&f)) > 0) {
		lex_text(&l, f.text.p, (size_t)n);
		while (from < to && (d->v[from].where.line <= l.no || lex_line(&l))) {
			if (!d->v[from].line && d->v[from].where.line == l.no)
				diag_line(&d->v[from], l.line, (size_t)(l.eol - l.line));
			from += d->v[from].where.line <= l.no;
		}
	}
	buf_free(&f.text);
	if (fd >= 0)
		close(fd);
}

bool conf_check(struct conf *c, struct diags *d, const char *file, bool lines)
{
	bool ok = conf_parse_file(c, d, file);

	if (ok)
		conf_warn(c, d);
	if (d->n)
		qsort(d->v, d->n, sizeof *d->v, by_place);
	for (uint32_t i = 0, to; lines && i < d->n; i = to) {
		bool want = false;

		for (to = i; to < d->n && d->v[to].where.file == d->v[i].where.file; to++)
			want |= !d->v[to].line && d->v[to].where.line;
		if (want)
			fetch_lines(c, d, i, to);
	}
	return ok;
}

bool conf_check_file(const char *file, struct buf *out, bool caret)
{
	struct conf *c = conf_new();
	struct diags d = { 0 };
	bool ok = false;

	if (c) {
		ok = conf_check(c, &d, file, caret) && !d.errors;
		diags_print(out, c, &d, caret);
	} else {
		buf_str(out, "error: out of memory\n");
	}
	diags_free(&d);
	conf_free(c);
	return ok;
}
