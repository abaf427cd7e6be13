/* SPDX-License-Identifier: ISC
 * See parser.h. */
#include "conf/parser.h"

#include <errno.h>

#include "conf/glyph.h"
#include "conf/slip.h"
#include "lib/near.h"

struct where parser_where(const struct parser *ps, const struct word *at)
{
	const struct lex *l = &ps->in->lex;

	return (struct where){ .line = l->no, .col = lex_col(l, at->p), .file = ps->in->file };
}

/* What cannot be seen in a word, or should not be: then that is what is wrong.  NULL when there is nothing. */
static const char *parser_slip(const struct parser *ps, const struct word *w, struct word *at)
{
	struct lex rest = ps->in->lex;

	rest.p = w->p + w->n;
	if (w->n && rest.p[-1] == '\\' && !lex_word(&rest, at)) {
		*at = (struct word){ w->p + w->n - 1, 1 };
		return "\"\\\" does not continue a line: all of a rule stands in one";
	}
	return glyph_odd(w, at);
}

/* Returns the diagnostic, or NULL when it could only be counted. */
static struct diag * __attribute__((format(printf, 4, 0)))
parser_diag(struct parser *ps, const struct word *at, bool error, const char *fmt, va_list ap)
{
	const struct lex *l = &ps->in->lex;
	struct word odd;
	const char *slip = parser_slip(ps, at, &odd);
	struct diag *d = slip ? diag_add(ps->d, parser_where(ps, &odd), error, "%s", slip) :
			 diag_vadd(ps->d, parser_where(ps, at), error, fmt, ap);

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

bool parser_foreign(struct parser *ps, const struct word *w)
{
	struct word at;
	const char *why = glyph_not_ascii(w, &at);

	if (why)
		parser_error(ps, &at, "%s", why);
	return why;
}

int parser_unknown(struct parser *ps, const struct word *w, const char *const *list, int n)
{
	const char *slip = ps->name ? NULL : slip_directive(w);
	const char *what = ps->name ? "word" : "directive", *s = lex_show(w);
	int near;

	if (ps->is_lost)
		return -1;
	near = slip ? -1 : near_find(w->p, w->n, list, n);
	ps->is_lost = near < 0;
	if (parser_foreign(ps, w))
		return near;
	parser_error(ps, w, near >= 0 ? "unknown %s \"%s\", did you mean \"%s\"?" : slip ? "unknown %s \"%s\": %s" :
		     "unknown %s \"%s\": write %s", what, s, near >= 0 ? list[near] : slip ? slip : ps->usage);
	return near;
}

/* Warns of a name that is hardly meant as it stands. */
static void parser_check_name(struct parser *ps, const struct word *w, struct conf_name *name)
{
	const char *slip = slip_name(w);
	struct word at;

	if (!slip && !glyph_odd(w, &at))
		return;
	name->is_odd = true;
	parser_warning(ps, w, "\"%s\" is taken as the name of an interface: %s", lex_show(w), slip);
}

uint16_t parser_name(struct parser *ps, const struct word *w)
{
	uint32_t known = ps->c->nnames;
	size_t n = w->n;
	const char *why = ifname_check(w->p, &n), *slip;
	uint16_t id;

	if (why) {
		slip = slip_name(w);
		parser_error(ps, w, "\"%s\" is no interface name: %s", lex_show(w), slip ? slip : why);
		return CONF_NONE;
	}
	id = conf_name(ps->c, w->p, n);
	if (id == CONF_NONE) {
		if (errno == ENOSPC)
			parser_error(ps, w, "more than %d interface names", CONF_NONE);
		else
			parser_nomem(ps);
		return CONF_NONE;
	}
	/* Most names have been looked at in a line before. */
	if (id >= known || n < w->n || ps->c->names[id].is_odd)
		parser_check_name(ps, w, &ps->c->names[id]);
	return id;
}
