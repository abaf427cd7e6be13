/* SPDX-License-Identifier: ISC
 *
 * Files: reading them piece by piece, and the include directive with its guards.
 * The text of a file lives while its lines are parsed and no longer; whatever is
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

#define PIECE (64 * 1024)
#define LINE 48			/* bytes of a usual line */

ssize_t piece_next(struct pieces *f)
{
	struct buf *b = &f->text;

	buf_consume(b, f->given);
	f->given = 0;
	while (!f->end && !f->given) {
		/* The beginning of a line that is left is short: the rest of the room is read into. */
		if (!buf_reserve(b, b->cap ? 1 : PIECE)) {
			errno = ENOMEM;
			return -1;
		}
		ssize_t n = read(f->fd, b->p + b->len, b->cap - b->len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		const char *from = b->p + b->len, *nl = memrchr(from, '\n', (size_t)n);

		b->len += (size_t)n;
		f->total += (size_t)n;
		f->end = !n;
		if (f->total > CONF_MAX_FILE) {
			errno = EFBIG;
			return -1;
		}
		if (nl)
			f->given = (size_t)(nl + 1 - b->p);
	}
	if (f->end)
		f->given = b->len;
	return (ssize_t)f->given;
}

/* Parses all of a file.  0, or the errno of what kept it from being read to its end. */
static int parse_file(struct parser *ps, struct input *in, int fd, const struct stat *st)
{
	struct pieces f = { .fd = fd };
	ssize_t n = 0;
	int err = 0;

	in->dev = st->st_dev;
	in->ino = st->st_ino;
	while (!ps->stop && (n = piece_next(&f)) > 0)
		parse_lines(ps, in, f.text.p, (size_t)n);
	if (n < 0)
		err = errno;
	buf_free(&f.text);
	return err;
}

bool conf_parse_text(struct conf *c, struct diags *d, const char *name, const char *p, size_t n)
{
	int file = conf_file(c, name);
	struct parser ps = { .c = c, .d = d };
	struct input in = { .path = name, .file = (uint16_t)file };

	if (file < 0) {
		diag_add(d, (struct where){ 0 }, true, "%s: %s", name, strerror(errno));
		return false;
	}
	parse_lines(&ps, &in, p, n);
	free(ps.oifs);
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

	if (fd < 0 || file < 0 || fstat(fd, &st) < 0) {
		err = errno;
	} else if (st.st_size > (off_t)CONF_MAX_FILE) {
		err = EFBIG;
	} else {
		conf_expect(c, (uint32_t)st.st_size / LINE);
		err = parse_file(&ps, &in, fd, &st);
	}
	if (fd >= 0 && !is_stdin)
		close(fd);
	free(ps.oifs);
	if (err)
		diag_add(d, (struct where){ .file = in.file }, true, "cannot read it: %s", strerror(err));
	errno = err;
	return !err;
}

/* Why this file may not be included, or NULL. */
static const char *refused(const struct parser *ps, const struct stat *st)
{
	int depth = 1;

	if (!S_ISREG(st->st_mode))
		return S_ISDIR(st->st_mode) ? "it is a directory: write its name with /*.conf behind it"
					    : "it is no regular file";
	for (const struct input *in = ps->in; in; in = in->up, depth++)
		if (in->ino == st->st_ino && in->dev == st->st_dev)
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
	const char *why;
	struct stat st;
	int file = -1, err;

	why = fd < 0 || fstat(fd, &st) < 0 ? strerror(errno) : refused(ps, &st);
	if (!why && (file = conf_file(ps->c, path)) < 0)
		why = errno == EMFILE ? "more than 65534 files" : strerror(errno);
	if (!why) {
		in.file = (uint16_t)file;
		err = parse_file(ps, &in, fd, &st);
		if (err)
			why = strerror(err);
		ps->in = up;
	}
	if (fd >= 0)
		close(fd);
	if (why)
		parse_error(ps, w, "cannot include \"%s\": %s", word_show(&shown), why);
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
