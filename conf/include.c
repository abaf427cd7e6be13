/* SPDX-License-Identifier: ISC
 *
 * Files: reading one whole, and the include directive with its guards.  The
 * text of a file lives while its lines are parsed and no longer; whatever is
 * kept of it has been copied into values by then.
 */
#include "conf/parse.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/paths.h"

char *read_all(int fd, off_t guess, size_t *len)
{
	size_t cap = guess > 0 && guess < CONF_MAX_FILE ? (size_t)guess + 1 : 65536, n = 0;
	char *p = malloc(cap);

	while (p) {
		ssize_t r = read(fd, p + n, cap - n);

		if (!r)
			break;
		if (r < 0 && errno == EINTR)
			continue;
		n += r > 0 ? (size_t)r : 0;
		if (r < 0 || n > CONF_MAX_FILE) {
			int err = r < 0 ? errno : EFBIG;

			free(p);
			errno = err;
			return NULL;
		}
		if (n == cap) {
			char *q = realloc(p, cap *= 2);

			if (!q)
				free(p);
			p = q;
		}
	}
	*len = n;
	return p;
}

static void free_parser(struct parser *ps)
{
	free(ps->oifs);
	free(ps->seen);
}

bool conf_parse_text(struct conf *c, struct diags *d, const char *name, const char *p, size_t n)
{
	int file = conf_file(c, name);
	struct parser ps = { .c = c, .d = d };
	struct input in = { .path = name, .file = (uint16_t)file };

	if (file < 0) {
		diag_add(d, (struct where){ 0 }, true, NULL, 0, "%s: %s", name, strerror(errno));
		return false;
	}
	parse_lines(&ps, &in, p, n);
	free_parser(&ps);
	return true;
}

bool conf_parse_file(struct conf *c, struct diags *d, const char *name)
{
	bool is_stdin = !strcmp(name, "-");
	int err, file = conf_file(c, is_stdin ? "<stdin>" : name);
	int fd = is_stdin ? 0 : open(name, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	struct parser ps = { .c = c, .d = d };
	struct input in = { .path = is_stdin ? "" : name, .file = (uint16_t)(file < 0 ? 0 : file) };
	struct stat st;
	size_t len = 0;
	char *text = NULL;

	if (fd >= 0 && file >= 0 && !fstat(fd, &st))
		text = read_all(fd, S_ISREG(st.st_mode) ? st.st_size : 0, &len);
	err = errno;
	if (fd >= 0 && !is_stdin)
		close(fd);
	if (!text) {
		diag_add(d, (struct where){ .file = in.file }, true, NULL, 0, "cannot read it: %s",
			 strerror(err));
		errno = err;
		return false;
	}
	in.dev = st.st_dev;
	in.ino = S_ISREG(st.st_mode) ? st.st_ino : 0;
	parse_lines(&ps, &in, text, len);
	free(text);
	free_parser(&ps);
	return true;
}

/* Why this file may not be included, or NULL. */
static const char *refused(const struct parser *ps, const struct stat *st)
{
	int depth = 1;

	if (!S_ISREG(st->st_mode))
		return S_ISDIR(st->st_mode) ? "it is a directory: write its name with /*.conf behind it"
					    : "it is no regular file";
	for (const struct input *in = ps->in; in; in = in->up, depth++)
		if (in->ino == st->st_ino && in->dev == st->st_dev && in->ino)
			return "it is being read already, it would include itself";
	if (depth > CONF_MAX_DEPTH + 1)
		return "more than 16 levels of include";
	return NULL;
}

static void include_file(struct parser *ps, const struct word *w, const char *path)
{
	/* Not to hang on a FIFO that nobody writes to. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct input *up = ps->in, in = { .up = up, .path = path };
	struct word shown = { path, strlen(path) };
	char s[WORD_SHOW], *text = NULL;
	const char *why = NULL;
	struct stat st;
	size_t len = 0;

	if (fd >= 0 && !fstat(fd, &st)) {
		why = refused(ps, &st);
		if (!why)
			text = read_all(fd, st.st_size, &len);
	}
	if (!text && !why)
		why = strerror(errno);
	if (fd >= 0)
		close(fd);
	if (text) {
		int file = conf_file(ps->c, path);

		if (file < 0)
			why = errno == EMFILE ? "more than 65534 files" : strerror(errno);
		in.file = (uint16_t)file;
	}
	if (why) {
		parse_error(ps, w, "cannot include \"%s\": %s", word_show(&shown, s), why);
	} else {
		in.dev = st.st_dev;
		in.ino = st.st_ino;
		ps->in = &in;
		parse_lines(ps, &in, text, len);
		ps->in = up;
	}
	free(text);
}

/* The words of a pattern start at the directory of the including file. */
static void put_base(struct buf *b, const char *path, bool escape)
{
	const char *slash = strrchr(path, '/');

	for (const char *p = path; slash && p <= slash; p++) {
		if (escape && strchr("*?[]\\", *p))
			buf_chr(b, '\\');
		buf_chr(b, *p);
	}
}

void include_pattern(struct parser *ps, const struct word *w)
{
	struct buf b = { 0 };
	bool plain = true;
	struct paths found;

	for (size_t i = 0; i < w->n; i++)
		plain &= !strchr("*?[", w->p[i]);
	if (w->p[0] != '/')
		put_base(&b, ps->in->path, !plain);
	buf_add(&b, w->p, w->n);
	if (b.failed) {
		parse_nomem(ps);
	} else if (plain) {
		include_file(ps, w, buf_cstr(&b));
	} else {
		if (!paths_find(&found, buf_cstr(&b)))
			for (size_t i = 0; i < found.n && !ps->stop; i++)
				include_file(ps, w, found.v[i]);
		else if (errno == ENOMEM)
			parse_nomem(ps);
		else
			parse_error(ps, w, "cannot include: a directory of the pattern cannot be read");
		paths_free(&found);
	}
	buf_free(&b);
}
