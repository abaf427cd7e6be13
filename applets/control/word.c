/* SPDX-License-Identifier: ISC
 *
 * Words against names and blank-separated aliases.
 */
#include "applets/control/word.h"

#include <stdio.h>
#include <string.h>

/* Steps through a blank-separated list: the next word at or behind p and its length, or NULL at the end. */
static const char *word_next(const char *p, size_t *len)
{
	p += strspn(p, " ");
	*len = strcspn(p, " ");
	return *len ? p : NULL;
}

bool word_matches(const char *word, const char *name, const char *aliases)
{
	size_t n = strlen(word), len;

	if (!strcmp(word, name))
		return true;
	for (const char *p = aliases; (p = word_next(p, &len)); p += len)
		if (len == n && !memcmp(p, word, n))
			return true;
	return false;
}

void word_begin(struct word_search *s, const char *word)
{
	*s = (struct word_search){ .word = word, .row = -1 };
}

static void word_append(char *list, size_t size, const char *name, size_t len)
{
	size_t at = strlen(list);

	snprintf(list + at, size - at, "%s%.*s", at ? " " : "", (int)len, name);
}

/* Looks at one name of a row. */
static void word_compare(struct word_search *s, int row, const char *name, size_t len)
{
	size_t n = strlen(s->word);

	if (!n || n > len || strncmp(name, s->word, n))
		return;
	word_append(s->candidates, sizeof s->candidates, name, len);
	s->is_ambiguous |= s->row >= 0 && s->row != row;
	s->row = row;
}

void word_offer(struct word_search *s, int row, const char *name, const char *aliases)
{
	size_t len;

	word_append(s->names, sizeof s->names, name, strlen(name));
	word_compare(s, row, name, strlen(name));
	for (const char *p = aliases; (p = word_next(p, &len)); p += len)
		word_compare(s, row, p, len);
}

int word_end(struct word_search *s)
{
	if (s->row < 0)
		strcpy(s->candidates, s->names);
	return s->is_ambiguous ? -1 : s->row;
}
