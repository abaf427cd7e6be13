/* SPDX-License-Identifier: ISC
 *
 * The command `show`: which table is asked for, and its turns.  A long table is written in several turns of the loop,
 * so that routing never waits for it.
 */
#ifndef APPLETS_CONTROL_SHOW_H
#define APPLETS_CONTROL_SHOW_H

#include <stddef.h>

#include "applets/control/call.h"
#include "applets/control/word.h"

/* Runs `show` with its words, as struct command's run.  When the table is long, call->show is set: the function is to
 * be called again, in a later turn, until it is NULL. */
int show_run(struct call *call);

/* Gives a table up.  NULL is fine. */
void show_free(struct show *s);

/* Bytes that a table holds while it is written; 0 for NULL. */
size_t show_size(const struct show *s);

/* Finds a table by its name or an unambiguous beginning of it: its name, or NULL and sets *miss. */
const char *show_find(const char *word, struct word_miss *miss);

/* The name of a table by the letter that SMCRoute's protocol has for it, "routes" for any other. */
const char *show_find_letter(char letter);

#endif
