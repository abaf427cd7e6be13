/* SPDX-License-Identifier: ISC
 * See parser.h. */
#include "conf/parser.h"

#include <errno.h>

#include "lib/near.h"

struct where parser_where(const struct parser *ps, const struct word *at)
{
	const struct lex *l = &ps->in->lex;

	return (struct where){ .line = l->no, .col = lex_col(l, at->p), .file = ps->in->file };
}

/* Returns the diagnostic, or NULL when it could only be counted. */
static struct diag * __attribute__((format(printf, 4, 0)))
parser_diag(struct parser *ps, const struct word *at, bool error, const char *fmt, va_list ap)
{
	const struct lex *l = &ps->in->lex;
	struct diag *d = diag_vadd(ps->d, parser_where(ps, at), error, fmt, ap);

	if (d)
		diag_line(d, l->line, (size_t)(l->eol - l->line));
	return d;
}

void parser_error(struct parser *ps, const struct word *at, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	parser_diag(ps, at, true, fmt, ap);
	va_end(ap);
	ps->is_bad = true;
}

void parser_warning(struct parser *ps, const struct word *at, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	parser_diag(ps, at, false, fmt, ap);
	va_end(ap);
}

void parser_line_lost(struct parser *ps, const struct word *at, const char *fmt, ...)
{
	struct diag *d;
	va_list ap;

	va_start(ap, fmt);
	d = parser_diag(ps, at, false, fmt, ap);
	va_end(ap);
	if (d)
		d->is_line_lost = true;
}

void parser_nomem(struct parser *ps)
{
	struct word line = { ps->in->lex.line, 0 };

	if (!ps->is_over)
		parser_error(ps, &line, "out of memory: this line and those after it are left out");
	ps->is_over = ps->is_bad = true;
}

int parser_unknown(struct parser *ps, const struct word *w, const char *const *list, int n)
{
	const char *what = ps->name ? "word" : "directive", *s = lex_show(w);
	int near;

	if (ps->is_lost)
		return -1;
	near = near_find(w->p, w->n, list, n);
	ps->is_lost = near < 0;
	parser_error(ps, w, ps->is_lost ? "unknown %s \"%s\": write %s" : "unknown %s \"%s\", did you mean \"%s\"?",
		     what, s, ps->is_lost ? ps->usage : list[near]);
	return near;
}

uint16_t parser_name(struct parser *ps, const struct word *w)
{
	size_t n = w->n;
	const char *why = ifname_check(w->p, &n);

	if (why) {
		parser_error(ps, w, "\"%s\" is no interface name: %s", lex_show(w), why);
		return CONF_NONE;
	}
	uint16_t id = conf_name(ps->c, w->p, n);

	if (id == CONF_NONE && errno == ENOSPC)
		parser_error(ps, w, "more than %d interface names", CONF_NONE);
	else if (id == CONF_NONE)
		parser_nomem(ps);
	return id;
}
