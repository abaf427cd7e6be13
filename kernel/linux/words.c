/* SPDX-License-Identifier: ISC
 *
 * Words are what stands between blanks.
 */
#include "kernel/linux/words.h"

#include <stdlib.h>
#include <string.h>

unsigned words_cut(char *line, char **word, unsigned max)
{
	unsigned n = 0;
	char *end;

	while (n < max && (word[n] = strtok_r(line, " \t\n", &end))) {
		line = NULL;
		n++;
	}
	return n;
}

bool words_next(struct lines *l, char **word, unsigned n)
{
	char *line;

	while ((line = lines_next(l)))
		if (words_cut(line, word, n) == n)
			return true;
	return false;
}

long long words_number(const char *path, int base)
{
	char text[32];

	return lines_first(path, text, sizeof text) ? strtoll(text, NULL, base) : -1;
}
