/* SPDX-License-Identifier: ISC
 *
 * Which row of a table a word stands for.  A name that is written out wins; otherwise the word must begin names of one
 * row only.  Knows no command.
 */
#ifndef APPLETS_CONTROL_WORD_H
#define APPLETS_CONTROL_WORD_H

#include <stdbool.h>

struct word_names {
	const char *name;
	const char *aliases;		/* blank-separated, "" = none */
	const char *tried;		/* words that people try for it: no names, but it was meant; NULL = none */
};

/* Tells the names of a row of the table, which are constants; false behind the last row. */
typedef bool word_row(int row, struct word_names *names);

/* Why a word stands for nothing. */
struct word_miss {
	bool is_ambiguous;		/* names of more than one row begin so */
	char candidates[256];		/* these names, or where no name begins so the names of all rows */
	char near[32];			/* the name that was probably meant; "" = none is near */
};

/* Returns the row that a word stands for, or -1 and sets *miss. */
int word_find(const char *word, word_row *names_of, struct word_miss *miss);

#endif
