/* SPDX-License-Identifier: ISC
 *
 * Lines by getline(3).
 */
#include "lib/lines.h"

#include <stdlib.h>
#include <string.h>

int lines_open(struct lines *l, const char *path)
{
	*l = (struct lines){ .file = fopen(path, "re") };
	return l->file ? 0 : -1;
}

char *lines_next(struct lines *l)
{
	ssize_t n = getline(&l->line, &l->size, l->file);

	if (n < 0 || n > LINES_MAX)
		return NULL;
	if (n && l->line[n - 1] == '\n')
		l->line[n - 1] = '\0';
	return l->line;
}

void lines_close(struct lines *l)
{
	fclose(l->file);
	free(l->line);
}

unsigned lines_words(char *line, char **word, unsigned max)
{
	unsigned n = 0;
	char *rest = line;

	while (n < max && (word[n] = strtok_r(NULL, " \t\n", &rest)))
		n++;
	return n;
}

bool lines_first(const char *path, char *text, size_t size)
{
	struct lines l;
	const char *line;

	*text = '\0';
	if (lines_open(&l, path) < 0)
		return false;
	line = lines_next(&l);
	snprintf(text, size, "%s", line ? line : "");
	lines_close(&l);
	return *text;
}
