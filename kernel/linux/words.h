/* SPDX-License-Identifier: ISC
 *
 * Files of /proc and /sys as words and numbers: all that is needed of sscanf(3),
 * which is larger than the rest of what reads them.  Private to this room.
 */
#ifndef KERNEL_LINUX_WORDS_H
#define KERNEL_LINUX_WORDS_H

#include "lib/lines.h"

/* Cuts a line into at most max words in place; their number. */
unsigned words_cut(char *line, char **word, unsigned max);

/* Cuts the next line that has n words; false at the end. */
bool words_next(struct lines *l, char **word, unsigned n);

/* The number that a file begins with, -1 when it cannot be read. */
long long words_number(const char *path, int base);

#endif
