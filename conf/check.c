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

/* Grows with the place in the text. */
static uint64_t place(const struct where *w)
{
	return (uint64_t)w->file << 48 | (uint64_t)w->line << 16 | w->col;
}

static int by_place(const void *x, const void *y)
{
	const struct diag *a = x, *b = y;
	uint64_t p = place(&a->where), q = place(&b->where);

	if (p != q)
		return p < q ? -1 : 1;
	return a->error == b->error ? strcmp(a->text, b->text) : b->error - a->error;
}

/* Warnings come when the text is gone: fetches the lines of diagnostics from `v` on to `end`, as far as
 * they are of one file, by reading it again.  What cannot be had again stays without.  Returns where the
 * next file starts. */
static struct diag *fetch_lines(const struct conf *c, struct diag *v, const struct diag *end)
{
	int file = v->where.file, fd = open(c->files[file], O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct pieces f = { .fd = fd };
	struct lex l = { 0 };
	struct stat st;
	ssize_t n;

	if (fd >= 0 && (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)))
		f.end = true;
	while ((n = piece_next(&f)) > 0) {
		lex_text(&l, f.text.p, (size_t)n);
		while (lex_line(&l))
			for (; v < end && v->where.file == file && v->where.line <= l.no; v++)
				if (v->where.line == l.no)
					diag_line(v, l.line, (size_t)(l.eol - l.line));
	}
	buf_free(&f.text);
	if (fd >= 0)
		close(fd);
	while (v < end && v->where.file == file)
		v++;
	return v;
}

bool conf_check(struct conf *c, struct diags *d, const char *file, bool lines)
{
	bool ok = conf_parse_file(c, d, file);

	if (ok)
		conf_warn(c, d);
	if (!d->n)
		return ok;
	qsort(d->v, d->n, sizeof *d->v, by_place);
	for (struct diag *v = d->v; lines && v < d->v + d->n;)
		v = fetch_lines(c, v, d->v + d->n);
	return ok;
}
