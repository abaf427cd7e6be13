/* SPDX-License-Identifier: ISC
 *
 * Text files line by line, as /proc is made of them.
 */
#ifndef LIB_LINES_H
#define LIB_LINES_H

#include <stdbool.h>
#include <stdio.h>

struct lines {
	FILE *file;
	char *line;		/* of getline(3) */
	size_t size;
};

/* Opens a file: 0, or -1 with errno. */
int lines_open(struct lines *l, const char *path);

/* Returns the next line without its end, to be written to at will until the next call; NULL at the end, when reading
 * fails, and for a line over LINES_MAX. */
#define LINES_MAX 65536
char *lines_next(struct lines *l);

/* Closes what lines_open() opened. */
void lines_close(struct lines *l);

/* Cuts a line into at most max words, which blanks separate, in place; returns how many. */
unsigned lines_words(char *line, char **word, unsigned max);

/* Reads the first line of a file to text[size]; false when it cannot be read or is empty. */
bool lines_first(const char *path, char *text, size_t size);

#endif
