/* SPDX-License-Identifier: ISC
 *
 * Characters that cannot be seen or look like others: blanks that are none, typographic quotes and dashes, letters of
 * other scripts.  Editors and web pages put them in.
 */
#ifndef CONF_GLYPH_H
#define CONF_GLYPH_H

#include "conf/lex.h"

/* Looks for a character in a word that cannot be seen or looks like another one: a no-break space, a zero width space,
 * a typographic quote or dash.  Returns what is wrong, and its bytes in *at; NULL when there is none.  The text stays
 * until the next call. */
const char *glyph_odd(const struct word *w, struct word *at);

/* The same for the other characters that are not ASCII, as no keyword and no address has one. */
const char *glyph_not_ascii(const struct word *w, struct word *at);

#endif
