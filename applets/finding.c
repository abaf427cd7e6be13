/* SPDX-License-Identifier: ISC
 *
 * The list of findings and its two forms of output.  Nothing is looked at here.
 */
#include "applets/finding.h"

#include <stdlib.h>
#include <string.h>

#include "lib/grow.h"

static const char *const severity_names[] = { "error", "warning", "note", "not seen", "good" };

static void finding_free(struct finding *g)
{
	buf_free(&g->text);
	buf_free(&g->fix);
	buf_free(&g->or);
}

/* True when this has been said, or enough of its kind. */
static bool superfluous(struct findings *f, const struct finding *g)
{
	unsigned same = 0;

	for (uint32_t i = 0; i < f->n; i++) {
		if (f->v[i].text.len == g->text.len && !memcmp(f->v[i].text.p, g->text.p, g->text.len))
			return true;
		same += !strcmp(f->v[i].what, g->what);
	}
	f->dropped += same >= FINDING_MAX;
	return same >= FINDING_MAX;
}

void finding_add(struct findings *f, enum severity severity, const char *what, const char *fmt, ...)
{
	struct finding g = { .severity = severity, .what = what, .rank = f->n }, *v;
	va_list ap;

	va_start(ap, fmt);
	buf_vprintf(&g.text, fmt, ap);
	va_end(ap);
	f->skip = true;
	f->failed |= g.text.failed;
	v = grow(f->v, &f->cap, f->n + 1, sizeof *v);
	if (v)
		f->v = v;
	else
		f->failed = true;
	if (f->failed || superfluous(f, &g)) {
		finding_free(&g);
		return;
	}
	f->v[f->n++] = g;
	f->skip = false;
}

static void __attribute__((format(printf, 3, 0)))
command(struct findings *f, struct buf *to, const char *fmt, va_list ap)
{
	buf_vprintf(to, fmt, ap);
	buf_chr(to, '\0');
	f->failed |= to->failed;
}

void finding_fix(struct findings *f, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	if (!f->skip)
		command(f, &f->v[f->n - 1].fix, fmt, ap);
	va_end(ap);
}

void finding_or(struct findings *f, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	if (!f->skip)
		command(f, &f->v[f->n - 1].or, fmt, ap);
	va_end(ap);
}

uint32_t findings_count(const struct findings *f, enum severity severity)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < f->n; i++)
		n += f->v[i].severity == severity;
	return n;
}

static int by_severity(const void *x, const void *y)
{
	const struct finding *a = x, *b = y;

	if (a->severity != b->severity)
		return a->severity < b->severity ? -1 : 1;
	return a->rank < b->rank ? -1 : a->rank > b->rank;
}

void findings_sort(struct findings *f)
{
	if (f->n)
		qsort(f->v, f->n, sizeof *f->v, by_severity);
	f->skip = true;
}

static void print_commands(struct buf *out, const char *label, const struct buf *b)
{
	for (size_t at = 0; at < b->len; at += strlen(b->p + at) + 1)
		buf_printf(out, "  %s: %s\n", label, b->p + at);
}

void findings_print(struct buf *out, const struct findings *f)
{
	for (uint32_t i = 0; i < f->n; i++) {
		const struct finding *g = &f->v[i];

		buf_printf(out, "%s: ", severity_names[g->severity]);
		buf_add(out, g->text.p, g->text.len);
		buf_chr(out, '\n');
		print_commands(out, "fix", &g->fix);
		print_commands(out, "or", &g->or);
	}
}

static void json_commands(struct buf *out, const char *key, const struct buf *b)
{
	buf_printf(out, ",\"%s\":[", key);
	for (size_t at = 0; at < b->len; at += strlen(b->p + at) + 1) {
		buf_str(out, at ? "," : "");
		buf_json(out, b->p + at, strlen(b->p + at));
	}
	buf_chr(out, ']');
}

void findings_json(struct buf *out, const struct findings *f)
{
	buf_chr(out, '[');
	for (uint32_t i = 0; i < f->n; i++) {
		const struct finding *g = &f->v[i];

		buf_printf(out, "%s{\"severity\":\"%s\",\"what\":\"%s\",\"text\":", i ? "," : "",
			   severity_names[g->severity], g->what);
		buf_json(out, g->text.p ? g->text.p : "", g->text.len);
		json_commands(out, "fix", &g->fix);
		json_commands(out, "or", &g->or);
		buf_chr(out, '}');
	}
	buf_chr(out, ']');
}

void findings_free(struct findings *f)
{
	for (uint32_t i = 0; i < f->n; i++)
		finding_free(&f->v[i]);
	free(f->v);
	*f = (struct findings){ 0 };
}

const char *shell_word(const char *name, char *buf)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._:@%+,/=-";
	size_t n = 0;

	if (*name && !name[strspn(name, plain)] && strlen(name) < WORD_LEN)
		return strcpy(buf, name);
	buf[n++] = '\'';
	for (; *name && n < WORD_LEN - 6; name++) {
		if (*name == '\'') {
			memcpy(buf + n, "'\\''", 4);
			n += 4;
		} else {
			buf[n++] = *name;
		}
	}
	buf[n++] = '\'';
	buf[n] = '\0';
	return buf;
}
