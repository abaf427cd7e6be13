/* SPDX-License-Identifier: ISC
 *
 * Lines of /proc as words: all that is needed of sscanf(3), which is larger than
 * the rest of what reads them.  Private to this room.
 */
#ifndef KERNEL_WORDS_H
#define KERNEL_WORDS_H

#include <string.h>

/* Cuts a line into at most max words in place; their number. */
static inline unsigned words_cut(char *line, char **word, unsigned max)
{
	unsigned n = 0;
	char *end;

	for (char *w = strtok_r(line, " \t\n", &end); w && n < max; w = strtok_r(NULL, " \t\n", &end))
		word[n++] = w;
	return n;
}

#endif
