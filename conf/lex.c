/* SPDX-License-Identifier: ISC
 *
 * The lexer: see lex.h.  No allocation, no limit on lines or words.
 */
#include "conf/lex.h"

#include <string.h>

#include "lib/text.h"

#define LEX_SHOWN 36		/* bytes of a word that are worth showing */

void lex_text(struct lex *l, const char *text, size_t n)
{
	const char *end = text + n;

	if (n >= 3 && !memcmp(text, "\xef\xbb\xbf", 3))
		text += 3;
	*l = (struct lex){ .p = text, .line = text, .eol = text, .next = text < end ? text : NULL, .end = end };
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

static inline bool lex_is_blank(char c)
{
	return c == ' ' || c == '\t';
}

bool lex_word(struct lex *l, struct word *w)
{
	const char *p = l->p, *eol = l->eol;

	while (p < eol && lex_is_blank(*p))
		p++;
	w->p = p;
	while (p < eol && (*p > '#' || (!lex_is_blank(*p) && *p != '#')))
		p++;
	w->n = (size_t)(p - w->p);
	l->p = p < eol && *p == '#' ? eol : p;
	return w->n > 0;
}

static bool lex_is(const struct word *w, const char *s)
{
	size_t i = 0;

	while (i < w->n && s[i] && s[i] == w->p[i])
		i++;
	return i == w->n && !s[i];
}

int lex_find(const struct word *w, const char *const *list, int n)
{
	for (int i = 0; i < n; i++)
		if (lex_is(w, list[i]))
			return i;
	return -1;
}

uint16_t lex_col(const struct lex *l, const char *p)
{
	size_t col = (size_t)(p - l->line) + 1;

	return col < UINT16_MAX ? (uint16_t)col : UINT16_MAX;
}

const char *lex_show(const struct word *w)
{
	static char shown[TEXT_ESCAPED_SIZE(LEX_SHOWN) + sizeof "..."];
	size_t n = text_escape(shown, sizeof shown, w->p, w->n < LEX_SHOWN ? w->n : LEX_SHOWN, TEXT_KEEP_NONE);

	if (w->n > LEX_SHOWN)
		strcpy(shown + n, "...");
	return shown;
}
