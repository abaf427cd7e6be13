/* SPDX-License-Identifier: ISC */
#include "applets/doctor/finding.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/grow.h"
#include "lib/json.h"
#include "lib/text.h"

static const char *const finding_severities[] = { "error", "warning", "note", "good", "not seen" };
static const char *const finding_labels[FINDING_LISTS] = { "fix", "or", "keep" };

static void finding_free(struct finding *g)
{
	buf_free(&g->text);
	for (int i = 0; i < FINDING_LISTS; i++)
		buf_free(&g->commands[i]);
}

bool finding_is_full(const struct findings *f, const char *what)
{
	unsigned same = 0;

	for (const struct finding *old = f->v; old < f->v + f->n; old++)
		same += !strcmp(old->what, what);
	return same >= FINDING_MAX;
}

/* True when this has been said, or enough of its kind. */
static bool finding_is_one_more(struct findings *f, const struct finding *g)
{
	unsigned same = 0;

	for (const struct finding *old = f->v; old < f->v + f->n; old++) {
		if (!strcmp(old->text.p, g->text.p))
			return true;
		same += !strcmp(old->what, g->what);
	}
	f->dropped += same >= FINDING_MAX;
	return same >= FINDING_MAX;
}

static void __attribute__((format(printf, 3, 0)))
finding_append(struct findings *f, struct buf *to, const char *fmt, va_list ap)
{
	buf_vprintf(to, fmt, ap);
	buf_chr(to, '\0');
	f->failed |= to->failed;
}

void finding_add(struct findings *f, enum severity severity, const char *fmt, ...)
{
	struct finding *v = grow(f->v, &f->cap, f->n + 1, sizeof *v), *g;
	va_list ap;

	f->last = NULL;
	if (!v) {
		f->failed = true;
		return;
	}
	f->v = v;
	g = &v[f->n];
	*g = (struct finding){ .severity = severity, .what = f->what };
	va_start(ap, fmt);
	finding_append(f, &g->text, fmt, ap);
	va_end(ap);
	if (f->failed || finding_is_one_more(f, g)) {
		finding_free(g);
		return;
	}
	f->n++;
	f->count[severity]++;
	f->last = g;
	f->or = false;
}

void finding_fix(struct findings *f, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	if (f->last)
		finding_append(f, &f->last->commands[f->or], fmt, ap);
	va_end(ap);
}

void finding_keep(struct findings *f, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	if (f->last && !f->or)
		finding_append(f, &f->last->commands[FINDING_KEEP], fmt, ap);
	va_end(ap);
}

void finding_or(struct findings *f)
{
	f->or = true;
}

static void finding_print(struct buf *out, const struct finding *g)
{
	buf_printf(out, "%s: ", finding_severities[g->severity]);
	buf_escape(out, g->text.p, g->text.len - 1, TEXT_KEEP_NONE);
	buf_chr(out, '\n');
	for (int list = 0; list < FINDING_LISTS; list++) {
		const struct buf *b = &g->commands[list];

		for (size_t at = 0, n; at < b->len; at += n + 1) {
			n = strlen(b->p + at);
			buf_printf(out, "  %s: ", finding_labels[list]);
			buf_escape(out, b->p + at, n, TEXT_KEEP_NEWLINE);
			buf_chr(out, '\n');
		}
	}
}

static void finding_print_json(struct buf *out, const struct finding *g)
{
	json_open(out);
	json_str(out, "severity", finding_severities[g->severity]);
	json_str(out, "what", g->what);
	json_str(out, "text", g->text.p);
	for (int list = 0; list < FINDING_LISTS; list++) {
		const struct buf *b = &g->commands[list];

		json_list(out, finding_labels[list]);
		for (size_t at = 0; at < b->len; at += strlen(b->p + at) + 1)
			json_item(out, b->p + at);
		buf_chr(out, ']');
	}
	buf_chr(out, '}');
}

void findings_print(struct buf *out, const struct findings *f, enum form form)
{
	if (form == FORM_NONE)
		return;
	if (form == FORM_JSON)
		buf_chr(out, '[');
	for (enum severity s = FINDING_ERROR; s <= FINDING_UNSEEN; s++)
		for (const struct finding *g = f->v; g < f->v + f->n; g++)
			if (g->severity == s)
				(form == FORM_JSON ? finding_print_json : finding_print)(out, g);
	if (form == FORM_JSON)
		buf_chr(out, ']');
}

bool findings_write(const struct findings *f, enum form form, const char *head, const char *tail)
{
	struct buf out = { 0 };
	const char *text;
	bool ok;

	if (form == FORM_JSON)
		buf_printf(&out, "{%s\"findings\":", head);
	findings_print(&out, f, form);
	buf_str(&out, tail);
	text = buf_cstr(&out);
	ok = !f->failed && !out.failed && fputs(text, stdout) >= 0 && !fflush(stdout);
	buf_free(&out);
	return ok;
}

void findings_move(struct findings *to, struct findings *from)
{
	struct finding *v = from->n ? grow(to->v, &to->cap, (uint64_t)to->n + from->n, sizeof *v) : to->v;

	to->failed |= from->failed || (from->n && !v);
	to->dropped += from->dropped;
	if (!v)
		return;
	to->v = v;
	for (uint32_t i = 0; i < from->n; i++) {
		if (finding_is_one_more(to, &from->v[i])) {
			finding_free(&from->v[i]);
			continue;
		}
		v[to->n++] = from->v[i];
		to->count[from->v[i].severity]++;
	}
	free(from->v);
	*from = (struct findings){ 0 };
}

void findings_free(struct findings *f)
{
	for (uint32_t i = 0; i < f->n; i++)
		finding_free(&f->v[i]);
	free(f->v);
	*f = (struct findings){ 0 };
}
