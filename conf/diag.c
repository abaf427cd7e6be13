/* SPDX-License-Identifier: ISC
 *
 * Diagnostics: where, how bad, what, and the line itself.  Everything shown
 * here may come from a hostile file, so control bytes never reach a terminal
 * and what is kept of a line and of a file full of errors is bounded.
 */
#include "conf/conf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/parse.h"
#include "lib/grow.h"

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

struct diag *diag_vadd(struct diags *d, struct where where, bool error, const char *fmt, va_list ap)
{
	struct diag *v = d->v;
	struct buf shown = { 0 };
	char text[1024];

	*(error ? &d->errors : &d->warnings) += 1;
	if (d->n >= DIAGS_KEEP || !(v = grow(v, &d->cap, d->n + 1, sizeof *v)))
		return NULL;
	d->v = v;
	v += d->n;
	vsnprintf(text, sizeof text, fmt, ap);
	/* Names of files and interfaces may hold anything. */
	text_show(&shown, text, strlen(text), false);
	*v = (struct diag){ .where = where, .error = error, .text = strdup(buf_cstr(&shown)) };
	buf_free(&shown);
	if (!v->text)
		return NULL;
	d->n++;
	return v;
}

void diag_add(struct diags *d, struct where where, bool error, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	diag_vadd(d, where, error, fmt, ap);
	va_end(ap);
}

/* Bytes of the printable character at s, in ASCII or UTF-8; 0 when there is none.  C1 controls
 * (RFC 3629 has them as c2 80 to c2 9f) steer terminals too. */
static size_t printable(const char *s, size_t n)
{
	const unsigned char *u = (const unsigned char *)s;
	size_t len = u[0] < 0xe0 ? 2 : u[0] < 0xf0 ? 3 : 4;

	if (u[0] < 0x80)
		return u[0] >= 0x20 && u[0] != 0x7f;
	if (u[0] < 0xc2 || u[0] > 0xf4 || len > n || (u[0] == 0xc2 && u[1] < 0xa0) ||
	    (u[0] == 0xe0 && u[1] < 0xa0) || (u[0] == 0xf0 && u[1] < 0x90))
		return 0;
	for (size_t i = 1; i < len; i++)
		if ((u[i] & 0xc0) != 0x80)
			return 0;
	return len;
}

void text_show(struct buf *out, const char *s, size_t n, bool tab)
{
	for (size_t i = 0, len; i < n; i += len) {
		len = tab && s[i] == '\t' ? 1 : printable(s + i, n - i);
		if (len) {
			buf_add(out, s + i, len);
		} else {
			buf_printf(out, "\\x%02x", (unsigned char)s[i]);
			len = 1;
		}
	}
}

void diag_print(struct buf *out, const struct conf *c, const struct diag *d, bool caret)
{
	const char *file = d->where.file < c->nfiles ? c->files[d->where.file] : "?";

	text_show(out, file, strlen(file), false);
	if (d->where.line)
		buf_printf(out, ":%lu:%u", (unsigned long)d->where.line, d->where.col);
	buf_printf(out, ": %s: %s\n", d->error ? "error" : "warning", d->text);
	if (!caret || !d->line)
		return;

	struct buf pad = { 0 };
	size_t len = strlen(d->line), at = (size_t)d->where.col - d->from, i = out->len;

	if (at > len)
		at = len;
	text_show(out, d->line, at, true);
	/* As wide as what is shown: nothing for the bytes that continue a character of UTF-8. */
	for (; i < out->len; i++)
		if ((out->p[i] & 0xc0) != 0x80)
			buf_chr(&pad, out->p[i] == '\t' ? '\t' : ' ');
	text_show(out, d->line + at, len - at, true);
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
