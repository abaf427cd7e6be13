/* SPDX-License-Identifier: ISC
 *
 * A search by the beginning of a word.
 */
#include "applets/control/word.h"

#include <stdio.h>
#include <string.h>

void word_begin(struct word_search *s, const char *word)
{
	*s = (struct word_search){ .word = word, .exact = -1, .begun = -1 };
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
	if (len == n)
		s->exact = row;
	word_append(s->candidates, sizeof s->candidates, name, len);
	s->is_ambiguous |= s->begun >= 0 && s->begun != row;
	s->begun = row;
}

void word_offer(struct word_search *s, int row, const char *name, const char *aliases)
{
	word_append(s->names, sizeof s->names, name, strlen(name));
	word_compare(s, row, name, strlen(name));
	for (size_t len; *aliases; aliases += len, aliases += strspn(aliases, " ")) {
		len = strcspn(aliases, " ");
		word_compare(s, row, aliases, len);
	}
}

int word_end(struct word_search *s)
{
	if (s->exact >= 0)
		return s->exact;
	if (s->begun >= 0)
		strcpy(s->names, s->candidates);
	return s->is_ambiguous ? -1 : s->begun;
}
