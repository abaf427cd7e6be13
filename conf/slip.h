/* SPDX-License-Identifier: ISC
 *
 * Slips: text that the grammar takes, or refuses for a reason that does not help, and that was surely meant otherwise.
 * A comma between names, a quoted name, an address where a name belongs, a command of the shell.
 * What is returned says what to write instead.
 */
#ifndef CONF_SLIP_H
#define CONF_SLIP_H

#include "conf/lex.h"

/* Returns why a word, which may be the name of an interface, is hardly meant as one; NULL when it looks like one.
 * The text stays until the next call. */
const char *slip_name(const struct word *w);

/* Returns what is wrong with a word that is no address as it is written elsewhere, and what to write: quoted, with a
 * comma, a port, zeros in front, as any, 239.1.1.*, from-to.  NULL when it is not such a word.  The text stays until
 * the next call. */
const char *slip_address(const struct word *w, bool is_group);

/* Returns what to write for a word that is the name of no file; NULL when that does not show.  The text stays until the
 * next call. */
const char *slip_path(const struct word *w);

/* Returns what a word was probably meant to be that begins a line and is no directive: a constant text, or NULL. */
const char *slip_directive(const struct word *w);

#endif
