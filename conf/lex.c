/* SPDX-License-Identifier: ISC
 *
 * The lexer: see lex.h.  No allocation, no limit on lines or words, no
 * diagnostics.
 */
#include "conf/lex.h"

void lex_text(struct lex *l, const char *text, size_t n)
{
	l->end = text + n;
	if (!l->no && n >= 3 && !memcmp(text, "\xef\xbb\xbf", 3))
		text += 3;
	l->p = l->line = l->eol = text;
	l->next = text < l->end ? text : NULL;
}

bool lex_line(struct lex *l)
{
	if (!l->next)
		return false;
	const char *nl = memchr(l->next, '\n', (size_t)(l->end - l->next));

	l->line = l->p = l->next;
	l->eol = nl ? nl : l->end;
	l->next = nl && nl + 1 < l->end ? nl + 1 : NULL;
	if (l->eol > l->line && l->eol[-1] == '\r')
		l->eol--;
	l->no++;
	return true;
}

static inline bool blank(char c)
{
	return c == ' ' || c == '\t';
}

/* Most bytes of a word are beyond '#', which is beyond a blank. */
static inline bool in_word(char c)
{
	return c > '#' || (!blank(c) && c != '#');
}

bool lex_word(struct lex *l, struct word *w)
{
	const char *p = l->p, *eol = l->eol;

	while (p < eol && blank(*p))
		p++;
	w->p = p;
	while (p < eol && in_word(*p))
		p++;
	w->n = (size_t)(p - w->p);
	l->p = p < eol && *p == '#' ? eol : p;
	return w->n > 0;
}

int lex_find(const struct word *w, const struct keyword *list, int n)
{
	for (int i = 0; i < n; i++)
		if (word_is(w, list[i].s, list[i].n))
			return i;
	return -1;
}

uint16_t lex_col(const struct lex *l, const char *p)
{
	size_t col = (size_t)(p - l->line) + 1;

	return col < UINT16_MAX ? (uint16_t)col : UINT16_MAX;
}
