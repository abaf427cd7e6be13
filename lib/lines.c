/* SPDX-License-Identifier: ISC
 *
 * Lines out of a growable buffer, which is moved up when it holds no whole one.
 */
#include "lib/lines.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define CHUNK 1024

int lines_open(struct lines *l, const char *path)
{
	*l = (struct lines){ .fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY) };
	return l->fd < 0 ? -1 : 0;
}

char *lines_next(struct lines *l)
{
	for (;;) {
		size_t left = l->text.len - l->at;
		char *nl = left ? memchr(l->text.p + l->at, '\n', left) : NULL;
		ssize_t n;

		if (nl) {
			char *line = l->text.p + l->at;

			*nl = '\0';
			l->at += (size_t)(nl + 1 - line);
			return line;
		}
		buf_consume(&l->text, l->at);
		l->at = 0;
		if (left > LINES_MAX || !buf_reserve(&l->text, CHUNK))
			return NULL;
		n = read(l->fd, l->text.p + left, CHUNK - 1);
		if (n > 0)
			l->text.len += (size_t)n;
		else if (n == 0 && left)
			l->text.p[l->text.len++] = '\n';	/* the last one may lack it */
		else
			return NULL;
	}
}

void lines_close(struct lines *l)
{
	if (l->fd >= 0)
		close(l->fd);
	buf_free(&l->text);
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
	const char *line = lines_open(&l, path) < 0 ? NULL : lines_next(&l);

	snprintf(text, size, "%s", line ? line : "");
	lines_close(&l);
	return *text;
}
