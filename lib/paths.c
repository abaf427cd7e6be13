/* SPDX-License-Identifier: ISC
 *
 * Patterns of paths, part by part: a part without wildcards is taken as it
 * stands, any other is held against the names of its directory.
 */
#include "lib/paths.h"

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/buf.h"
#include "lib/grow.h"

/* The next character of a part, as it stands behind a backslash. */
static unsigned char take(const char **p)
{
	if (**p == '\\' && (*p)[1] && (*p)[1] != '/')
		++*p;
	return (unsigned char)*(*p)++;
}

static bool match_set(const char **p, unsigned char c);

/* Reads a class such as [:alpha:] that *p is at; false when it is none.  *is becomes true when c is of it. */
static bool match_class(const char **p, unsigned char c, bool *is)
{
	/* With the set that each stands for, in ASCII. */
	static const struct { char name[11], set[13]; } classes[] = {
		{ "[:alnum:]", "0-9A-Za-z" }, { "[:alpha:]", "A-Za-z" }, { "[:blank:]", " \t" },
		{ "[:cntrl:]", "\1-\37\177" }, { "[:digit:]", "0-9" }, { "[:graph:]", "!-~" },
		{ "[:lower:]", "a-z" }, { "[:print:]", " -~" }, { "[:punct:]", "!-/:-@[-`{-~" },
		{ "[:space:]", " \t-\r" }, { "[:upper:]", "A-Z" }, { "[:xdigit:]", "0-9A-Fa-f" },
	};

	for (size_t i = 0; i < sizeof classes / sizeof *classes; i++) {
		const char *set = classes[i].set;
		size_t n = strlen(classes[i].name);

		if (!strncmp(*p, classes[i].name, n)) {
			*is |= match_set(&set, c);
			*p += n;
			return true;
		}
	}
	return false;
}

/* Holds c against the ranges and classes from *p on, up to a ']' that is not the first of them; *p is there
 * then, or at the end. */
static bool match_set(const char **p, unsigned char c)
{
	const char *first = *p;
	bool in = false;

	while (**p && (**p != ']' || *p == first)) {
		if (**p == '[' && match_class(p, c, &in))
			continue;
		unsigned char low = take(p), high = low;

		if ((*p)[0] == '-' && (*p)[1] && (*p)[1] != ']') {
			++*p;
			high = take(p);
		}
		in |= low <= c && c <= high;
	}
	return in;
}

/* Holds c against what stands at p, no '*'.  Returns what is behind that, or NULL. */
static const char *match_one(const char *p, unsigned char c)
{
	if (*p == '?')
		return p + 1;
	if (*p == '[') {
		bool not = p[1] == '!' || p[1] == '^';
		const char *set = p + 1 + not;
		bool is = match_set(&set, c) != not;

		/* A set without an end makes '[' an ordinary character. */
		if (*set)
			return is ? set + 1 : NULL;
	}
	return take(&p) == c ? p : NULL;
}

static bool match(const char *p, const char *name)
{
	const char *star = NULL, *from = NULL, *next;

	if (*name == '.' && p[*p == '\\'] != '.')
		return false;
	while (*name) {
		if (*p == '*') {
			star = ++p;
			from = name;
		} else if (*p && (next = match_one(p, (unsigned char)*name))) {
			p = next;
			name++;
		} else if (star) {
			p = star;
			name = ++from;
		} else {
			return false;
		}
	}
	return !p[strspn(p, "*")];
}

static int paths_add(struct paths *out, const char *path)
{
	char **v = grow(out->v, &out->cap, out->n + 1, sizeof *v);

	if (!v)
		return -1;
	out->v = v;
	v[out->n] = strdup(path);
	if (!v[out->n])
		return -1;
	out->n++;
	return 0;
}

static int walk(struct paths *out, struct buf *path, const char *p);

/* Goes on with rest behind each name in the directory at path that the part matches. */
static int walk_names(struct paths *out, struct buf *path, const char *part, const char *rest)
{
	size_t len = path->len;
	DIR *d = opendir(len ? buf_cstr(path) : ".");
	const struct dirent *e;
	int r = 0, saved;

	if (!d)
		return errno == ENOENT || errno == ENOTDIR ? 0 : -1;
	while (!r && (errno = 0, e = readdir(d))) {
		if (!match(part, e->d_name))
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
		size_t n = strcspn(p, "/");

		if (strcspn(p, "*?[") < n) {
			char *part = strdup(p);
			int r = -1;

			if (part) {
				part[n] = '\0';
				r = walk_names(out, path, part, p + n);
			}
			free(part);
			return r;
		}
		for (const char *end = p + n + strspn(p + n, "/"); p < end; )
			buf_chr(path, (char)take(&p));
	}
	/* What cannot be looked at is no match, whatever the reason, as in glob(3). */
	return lstat(buf_cstr(path), &st) < 0 ? -(errno == ENOMEM) : paths_add(out, buf_cstr(path));
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
}
