/* SPDX-License-Identifier: ISC
 *
 * Patterns of paths, part by part: a part without wildcards is taken as it
 * stands, any other is held against the names of its directory.
 */
#include "lib/paths.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/buf.h"

static unsigned char take(const char **p, const char *end)
{
	if (**p == '\\' && *p + 1 < end)
		++*p;
	return (unsigned char)*(*p)++;
}

/* Reads a class such as [:alpha:] whose '[' is at p: what is behind it, or NULL when it is none.  *is
 * becomes true when c is of it. */
static const char *match_class(const char *p, const char *end, unsigned char c, bool *is)
{
	static const struct { const char *name; int (*fn)(int c); } classes[] = {
		{ "alnum", isalnum }, { "alpha", isalpha }, { "blank", isblank }, { "cntrl", iscntrl },
		{ "digit", isdigit }, { "graph", isgraph }, { "lower", islower }, { "print", isprint },
		{ "punct", ispunct }, { "space", isspace }, { "upper", isupper }, { "xdigit", isxdigit },
	};

	for (size_t i = 0; i < sizeof classes / sizeof *classes; i++) {
		size_t n = strlen(classes[i].name);

		if ((size_t)(end - p) >= n + 4 && p[1] == ':' && !strncmp(p + 2, classes[i].name, n) &&
		    p[n + 2] == ':' && p[n + 3] == ']') {
			*is |= classes[i].fn(c) != 0;
			return p + n + 4;
		}
	}
	return NULL;
}

/* Holds c against the set that starts at p, behind '['.  Returns what is behind the set, or NULL when it
 * has no end, which makes '[' an ordinary character. */
static const char *match_set(const char *p, const char *end, unsigned char c, bool *is)
{
	bool not = p < end && (*p == '!' || *p == '^'), in = false;
	const char *first = p += not, *behind;

	while (p < end && (*p != ']' || p == first)) {
		if (*p == '[' && (behind = match_class(p, end, c, &in))) {
			p = behind;
			continue;
		}
		unsigned char low = take(&p, end), high = low;

		if (p + 1 < end && p[0] == '-' && p[1] != ']') {
			p++;
			high = take(&p, end);
		}
		in |= low <= c && c <= high;
	}
	*is = in != not;
	return p < end ? p + 1 : NULL;
}

/* Holds c against what stands at p, no '*'.  Returns what is behind that, or NULL. */
static const char *match_one(const char *p, const char *end, unsigned char c)
{
	const char *behind;
	bool is;

	if (*p == '?')
		return p + 1;
	if (*p == '[' && (behind = match_set(p + 1, end, c, &is)))
		return is ? behind : NULL;
	return take(&p, end) == c ? p : NULL;
}

static bool match(const char *p, const char *end, const char *name)
{
	const char *star = NULL, *from = NULL, *next;

	if (*name == '.' && p[*p == '\\'] != '.')
		return false;
	while (*name) {
		if (p < end && *p == '*') {
			star = ++p;
			from = name;
		} else if (p < end && (next = match_one(p, end, (unsigned char)*name))) {
			p = next;
			name++;
		} else if (star) {
			p = star;
			name = ++from;
		} else {
			return false;
		}
	}
	while (p < end && *p == '*')
		p++;
	return p == end;
}

static int add(struct paths *out, const char *path)
{
	if (out->n == out->cap) {
		size_t cap = out->cap ? 2 * out->cap : 16;
		char **v = realloc(out->v, cap * sizeof *v);

		if (!v)
			return -1;
		out->v = v;
		out->cap = cap;
	}
	out->v[out->n] = strdup(path);
	if (!out->v[out->n])
		return -1;
	out->n++;
	return 0;
}

static bool absent(void)
{
	return errno == ENOENT || errno == ENOTDIR;
}

static int walk(struct paths *out, struct buf *path, const char *p);

/* Goes on with rest behind each name in the directory at path that the part p matches. */
static int walk_names(struct paths *out, struct buf *path, const char *p, const char *rest)
{
	size_t len = path->len;
	DIR *d = opendir(len ? buf_cstr(path) : ".");
	const struct dirent *e;
	int r = 0, saved;

	if (!d)
		return absent() ? 0 : -1;
	while (!r && (errno = 0, e = readdir(d))) {
		if (!match(p, rest, e->d_name))
			continue;
		buf_str(path, e->d_name);
		r = walk(out, path, rest);
		path->len = len;
	}
	saved = errno;
	closedir(d);
	errno = saved;
	return r || saved ? -1 : 0;
}

/* Adds what matches the pattern p below path. */
static int walk(struct paths *out, struct buf *path, const char *p)
{
	struct stat st;

	while (*p) {
		const char *end = p + strcspn(p, "/");

		if (strcspn(p, "*?[") < (size_t)(end - p))
			return walk_names(out, path, p, end);
		while (p < end)
			buf_chr(path, (char)take(&p, end));
		for (; *p == '/'; p++)
			buf_chr(path, '/');
	}
	/* What cannot be looked at is no match, whatever the reason, as in glob(3). */
	return lstat(buf_cstr(path), &st) < 0 ? -(errno == ENOMEM) : add(out, buf_cstr(path));
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

int paths_find(struct paths *out, const char *pattern)
{
	struct buf path = { 0 };
	int r;

	*out = (struct paths){ 0 };
	r = walk(out, &path, pattern);
	if (path.failed) {
		errno = ENOMEM;
		r = -1;
	}
	buf_free(&path);
	if (out->n)
		qsort(out->v, out->n, sizeof *out->v, compare);
	return r;
}

void paths_free(struct paths *p)
{
	for (size_t i = 0; i < p->n; i++)
		free(p->v[i]);
	free(p->v);
	*p = (struct paths){ 0 };
}
