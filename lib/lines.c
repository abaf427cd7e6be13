/* SPDX-License-Identifier: ISC
 *
 * Lines out of a growable buffer, which is moved up when it holds no whole one.
 */
#include "lib/lines.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define CHUNK 1024

int lines_open(struct lines *l, const char *path)
{
	*l = (struct lines){ .fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY) };
	return l->fd < 0 ? -1 : 0;
}

/* Cuts the line of n bytes that is next. */
static char *cut(struct lines *l, size_t n)
{
	char *line = l->text.p + l->at;

	line[n] = '\0';
	l->at += n + 1;
	return line;
}

char *lines_next(struct lines *l)
{
	for (;;) {
		size_t left = l->text.len - l->at;
		char *nl = left ? memchr(l->text.p + l->at, '\n', left) : NULL;
		ssize_t n;

		if (nl)
			return cut(l, (size_t)(nl - l->text.p) - l->at);
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
	close(l->fd);
	buf_free(&l->text);
}

bool lines_first(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	ssize_t n = fd < 0 ? -1 : read(fd, text, size - 1);

	if (fd >= 0)
		close(fd);
	text[n > 0 ? n : 0] = '\0';
	text[strcspn(text, "\n")] = '\0';
	return *text;
}
