/* SPDX-License-Identifier: ISC
 *
 * The list of findings and its two forms of output.  Nothing is looked at here.
 */
#include "applets/doctor/finding.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/grow.h"

static const char severity_names[][9] = { "error", "warning", "note", "not seen", "good" };
static const char labels[2][4] = { "fix", "or" };

static void finding_free(struct finding *g)
{
	buf_free(&g->text);
	for (int or = 0; or < 2; or++)
		buf_free(&g->commands[or]);
}

/* True when this has been said, or enough of its kind. */
static bool superfluous(struct findings *f, const struct finding *g)
{
	unsigned same = 0;

	for (const struct finding *old = f->v; old < g; old++) {
		if (!strcmp(old->text.p, g->text.p))
			return true;
		same += !strcmp(old->what, g->what);
	}
	f->dropped += same >= FINDING_MAX;
	return same >= FINDING_MAX;
}

static void __attribute__((format(printf, 3, 0)))
append(struct findings *f, struct buf *to, const char *fmt, va_list ap)
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
	append(f, &g->text, fmt, ap);
	va_end(ap);
	if (f->failed || superfluous(f, g)) {
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
		append(f, &f->last->commands[f->or], fmt, ap);
	va_end(ap);
}

/* ---- output ---- */

static void print(struct buf *out, const struct finding *g, bool json)
{
	const char *severity = severity_names[g->severity];

	if (json) {
		buf_printf(out, "{\"severity\":\"%s\",\"what\":\"%s\",\"text\":", severity, g->what);
		buf_json(out, g->text.p, g->text.len - 1);
	} else {
		buf_printf(out, "%s: %s\n", severity, g->text.p);
	}
	for (int or = 0; or < 2; or++) {
		const struct buf *b = &g->commands[or];

		if (json)
			buf_printf(out, ",\"%s\":[", labels[or]);
		for (size_t at = 0; at < b->len; at += strlen(b->p + at) + 1)
			if (json) {
				buf_str(out, at ? "," : "");
				buf_json(out, b->p + at, strlen(b->p + at));
			} else {
				buf_printf(out, "  %s: %s\n", labels[or], b->p + at);
			}
		if (json)
			buf_chr(out, ']');
	}
	if (json)
		buf_chr(out, '}');
}

void findings_print(struct buf *out, const struct findings *f, enum form form)
{
	const char *before = "[";

	for (enum severity s = FINDING_ERROR; s <= FINDING_GOOD && form != FORM_NONE; s++)
		for (uint32_t i = 0; i < f->n; i++) {
			if (f->v[i].severity != s)
				continue;
			if (form == FORM_JSON)
				buf_str(out, before);
			before = ",";
			print(out, &f->v[i], form == FORM_JSON);
		}
	if (form == FORM_JSON)
		buf_str(out, f->n ? "]" : "[]");
}

bool findings_tell(const struct findings *f, enum form form, const char *head, const char *tail)
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

void findings_free(struct findings *f)
{
	for (uint32_t i = 0; i < f->n; i++)
		finding_free(&f->v[i]);
	free(f->v);
	*f = (struct findings){ 0 };
}

/* ---- words of commands ---- */

bool word_plain(const char *s, const char *others)
{
	const char *at = s;

	while (*at && (isalnum((unsigned char)*at) || strchr(others, *at)))
		at++;
	return at != s && !*at;
}

const char *shell_word(const char *name, char *buf)
{
	char *end = buf + WORD_LEN - 6, *to = buf;

	if (word_plain(name, "._:@%+,/=-") && strlen(name) < WORD_LEN)
		return strcpy(buf, name);
	*to++ = '\'';
	for (; *name && to < end; name++) {
		if (*name == '\'')
			to = stpcpy(to, "'\\'");
		*to++ = *name;
	}
	strcpy(to, "'");
	return buf;
}
