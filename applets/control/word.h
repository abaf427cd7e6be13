/* SPDX-License-Identifier: ISC
 *
 * Which row of a table a word stands for.  A name that is written out wins;
 * otherwise the word must begin names of one row only.  Knows no command; used so:
 *
 *	for each row: if (word_matches(word, name, aliases)) return row;
 *	word_begin(&s, word);
 *	for each row: word_offer(&s, row, name, aliases);
 *	return word_end(&s);
 */
#ifndef APPLETS_CONTROL_WORD_H
#define APPLETS_CONTROL_WORD_H

#include <stdbool.h>

/* A search by the beginning of a word. */
struct word_search {
	const char *word;
	int row;			/* the last one with a name that begins so, -1 = none yet */
	bool is_ambiguous;		/* there are more */
	char names[256];		/* the names of all rows, blank-separated */
	char candidates[256];		/* those that begin so; after word_end() all names where none does */
};

/* True when the word is the name, or one of the aliases, which are blank-separated or "". */
bool word_matches(const char *word, const char *name, const char *aliases);

/* Begins a search.  The word must stay until its end. */
void word_begin(struct word_search *s, const char *word);

/* Offers a row. */
void word_offer(struct word_search *s, int row, const char *name, const char *aliases);

/* The row that is meant, or -1 when there is none or more than one; then s->candidates says what there is. */
int word_end(struct word_search *s);

#endif
