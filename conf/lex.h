/* SPDX-License-Identifier: ISC
 *
 * Bytes to words: slices of a text that is never written and needs no NUL at its end.  A line is everything up
 * to '\n' (or "\r\n" or the end of the text), words are parted by blanks and tabs, '#' starts a comment wherever
 * it stands.  What words mean is not known here; that is parse.c.
 */
#ifndef CONF_LEX_H
#define CONF_LEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct word {
	const char *p;
	size_t n;
};

struct lex {
	const char *p;		/* next byte that was not read */
	const char *line, *eol;	/* the present line, without its end */
	const char *next;	/* the line behind it; NULL after the last */
	const char *end;
	uint32_t no;		/* number of the line, from 1; 0 before the first */
};

/* Starts before the first line of n bytes of text; a UTF-8 byte order mark is skipped. */
void lex_text(struct lex *l, const char *text, size_t n);

/* Goes to the next line, whatever was left of this one; false when there is none. */
bool lex_line(struct lex *l);

/* Takes the next word of the line; false at its end. */
bool lex_word(struct lex *l, struct word *w);

/* Column of a byte of the present line, from 1; UINT16_MAX = there or further. */
uint16_t lex_col(const struct lex *l, const char *p);

/* Number of a word in a list of n keywords, or -1. */
int lex_find(const struct word *w, const char *const *list, int n);

/* A word as messages show it: escaped, the end of a long one as "...".  The text stays until the next call. */
const char *lex_show(const struct word *w);

#endif
