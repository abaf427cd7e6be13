/* SPDX-License-Identifier: ISC
 *
 * Diagnostics: where, how bad, what, and the line itself.  Everything shown
 * here may come from a hostile file, so control bytes never reach a terminal
 * and what is kept of a line and of a file full of errors is bounded.
 */
#include "conf/conf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/parse.h"

#define DIAGS_KEEP 65536u	/* more are only counted */
#define LINE_KEEP 200u		/* bytes of a line around the column */

void diag_line(struct diag *d, const char *line, size_t len)
{
	size_t from = 0;

	if (d->line || !d->where.col || d->where.col == UINT16_MAX)
		return;
	if (len > LINE_KEEP) {
		if (d->where.col > LINE_KEEP / 2)
			from = d->where.col - LINE_KEEP / 2;
		if (from > len - LINE_KEEP)
			from = len - LINE_KEEP;
		len = LINE_KEEP;
	}
	d->line = malloc(len + 1);
	if (!d->line)
		return;
	for (size_t i = 0; i < len; i++)
		d->line[i] = line[from + i] ? line[from + i] : ' ';
	d->line[len] = 0;
	d->from = (uint16_t)(from + 1);
}

void diag_add(struct diags *d, struct where where, bool error, const char *line, size_t len,
	      const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	if (error)
		d->errors++;
	else
		d->warnings++;
	if (d->n >= DIAGS_KEEP)
		return;
	if (d->n == d->cap) {
		uint32_t cap = d->cap ? d->cap * 2 : 8;
		struct diag *v = realloc(d->v, cap * sizeof *v);

		if (!v)
			return;
		d->v = v;
		d->cap = cap;
	}
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);

	struct diag g = { .where = where, .error = error, .text = strdup(text) };

	if (!g.text)
		return;
	if (line)
		diag_line(&g, line, len);
	d->v[d->n++] = g;
}

static bool is_control(const unsigned char *s, size_t n)
{
	if (s[0] < 0x20 || s[0] == 0x7f)
		return true;
	return s[0] == 0xc2 && n > 1 && s[1] >= 0x80 && s[1] < 0xa0;	/* C1 in UTF-8 */
}

void text_show(struct buf *out, struct buf *pad, const char *s, size_t n, bool tab)
{
	for (size_t i = 0; i < n; i++) {
		unsigned char ch = (unsigned char)s[i];
		size_t width = (ch & 0xc0) != 0x80;	/* the tail of a UTF-8 character has none */

		if (tab && ch == '\t') {
			buf_chr(out, '\t');
			if (pad)
				buf_chr(pad, '\t');
			continue;
		}
		if (is_control((const unsigned char *)s + i, n - i)) {
			buf_printf(out, "\\x%02x", ch);
			width = 4;
		} else {
			buf_chr(out, s[i]);
		}
		if (pad)
			buf_fill(pad, ' ', width);
	}
}

void diag_print(struct buf *out, const struct conf *c, const struct diag *d, bool caret)
{
	const char *file = d->where.file < c->nfiles ? c->files[d->where.file] : "?";

	text_show(out, NULL, file, strlen(file), false);
	if (d->where.line)
		buf_printf(out, ":%lu:%u", (unsigned long)d->where.line, d->where.col);
	buf_str(out, d->error ? ": error: " : ": warning: ");
	buf_str(out, d->text);
	buf_chr(out, '\n');
	if (!caret || !d->line)
		return;

	struct buf pad = { 0 };
	size_t len = strlen(d->line), at = (size_t)d->where.col - d->from;

	if (at > len)
		at = len;
	text_show(out, &pad, d->line, at, true);
	text_show(out, NULL, d->line + at, len - at, true);
	buf_printf(out, "\n%s^\n", buf_cstr(&pad));
	buf_free(&pad);
}

void diags_print(struct buf *out, const struct conf *c, const struct diags *d, bool caret)
{
	for (uint32_t i = 0; i < d->n; i++)
		diag_print(out, c, &d->v[i], caret);
	if (d->errors + d->warnings > d->n)
		buf_printf(out, "and %lu more\n", (unsigned long)(d->errors + d->warnings - d->n));
}

void diags_free(struct diags *d)
{
	for (uint32_t i = 0; i < d->n; i++) {
		free(d->v[i].text);
		free(d->v[i].line);
	}
	free(d->v);
	*d = (struct diags){ 0 };
}
