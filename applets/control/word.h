/* SPDX-License-Identifier: ISC
 *
 * Which name of a list a word stands for that may be shortened: a name that is
 * written out wins, otherwise it must begin names of one row only.  Knows no
 * command; used like this:
 *
 *	word_begin(&s, word);
 *	for each row: word_offer(&s, row, name, aliases);
 *	row = word_end(&s);
 */
#ifndef APPLETS_CONTROL_WORD_H
#define APPLETS_CONTROL_WORD_H

#include <stdbool.h>

struct word_search {
	const char *word;
	int exact, begun;		/* the row of that name, the last one with a name that begins so; or -1 */
	bool is_ambiguous;		/* more than one row has such a name */
	char names[256];		/* after word_end(): the candidates, blank-separated; all names where none fits */
	char candidates[256];
};

/* Begins a search.  The word must stay until its end. */
void word_begin(struct word_search *s, const char *word);

/* Offers a row: its name, and other names, blank-separated or "". */
void word_offer(struct word_search *s, int row, const char *name, const char *aliases);

/* The row that is meant, or -1 when there is none or more than one; then s->names says what there is. */
int word_end(struct word_search *s);

#endif
