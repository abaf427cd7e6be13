/* SPDX-License-Identifier: ISC
 * See diag.h. */
#include "conf/diag.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/grow.h"
#include "lib/text.h"

#define DIAG_LINE_MAX 200u		/* bytes of a line around the column */

void diag_line(struct diag *d, const char *line, size_t len)
{
	size_t from = 0;

	if (d->line || !d->where.col || d->where.col == UINT16_MAX)
		return;
	if (len > DIAG_LINE_MAX) {
		if (d->where.col > DIAG_LINE_MAX / 2)
			from = d->where.col - DIAG_LINE_MAX / 2;
		if (from > len - DIAG_LINE_MAX)
			from = len - DIAG_LINE_MAX;
		len = DIAG_LINE_MAX;
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
	char text[1024], shown[TEXT_ESCAPED_SIZE(sizeof text)];
	uint32_t *count = error ? &d->errors : &d->warnings;
	struct diag *v;

	if (++*count > DIAG_MAX || !(v = grow(d->v, &d->cap, d->n + 1, sizeof *v)))
		return NULL;
	d->v = v;
	vsnprintf(text, sizeof text, fmt, ap);
	/* Names of files and interfaces may hold anything. */
	text_escape(shown, sizeof shown, text, strlen(text), TEXT_KEEP_NONE);
	v[d->n] = (struct diag){ .where = where, .error = error, .text = strdup(shown) };
	return v[d->n].text ? &v[d->n++] : NULL;
}

struct diag *diag_add(struct diags *d, struct where where, bool error, const char *fmt, ...)
{
	struct diag *v;
	va_list ap;

	va_start(ap, fmt);
	v = diag_vadd(d, where, error, fmt, ap);
	va_end(ap);
	return v;
}

void diag_print(struct buf *out, const struct conf *c, const struct diag *d, bool caret)
{
	const char *file = d->where.file < c->nfiles ? c->files[d->where.file] : "?";

	buf_escape(out, file, strlen(file), TEXT_KEEP_NONE);
	if (d->where.line)
		buf_printf(out, ":%lu:%u", (unsigned long)d->where.line, d->where.col);
	buf_printf(out, ": %s: %s\n", d->error ? "error" : "warning", d->text);
	if (!caret || !d->line)
		return;

	struct buf pad = { 0 };
	size_t len = strlen(d->line), at = (size_t)d->where.col - d->from, i = out->len;

	if (at > len)
		at = len;
	buf_escape(out, d->line, at, TEXT_KEEP_TAB);
	/* As wide as what is shown: nothing for the bytes that continue a character of UTF-8. */
	for (; i < out->len; i++)
		if ((out->p[i] & 0xc0) != 0x80)
			buf_chr(&pad, out->p[i] == '\t' ? '\t' : ' ');
	buf_escape(out, d->line + at, len - at, TEXT_KEEP_TAB);
	buf_printf(out, "\n%s^\n", buf_cstr(&pad));
	buf_free(&pad);
}

void diags_print(struct buf *out, const struct conf *c, const struct diags *d, bool caret)
{
	for (uint32_t i = 0; i < d->n; i++)
		diag_print(out, c, &d->v[i], caret);
	diags_print_rest(out, d);
}

void diags_print_rest(struct buf *out, const struct diags *d)
{
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
