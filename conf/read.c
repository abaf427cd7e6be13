/* SPDX-License-Identifier: ISC
 *
 * See read.h.  The text of a file lives while its lines are parsed and no longer; whatever is kept of it has been
 * copied into values by then.  The files are a stack, the innermost include on top, so that whoever reads can pause
 * behind each line.
 */
#include "conf/read.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conf/parse.h"
#include "conf/slip.h"
#include "lib/priv.h"

#define READ_LINE 48			/* bytes of a usual line */
#define READ_STEP (1u << 20)		/* bytes read in one go */

/* A file that is being read or parsed; they stack up by include. */
struct read_file {
	struct input in;
	struct read_file *up;		/* the one that includes it */
	char *path;
	int fd;				/* -1: it has been read */
	size_t size;			/* bytes that it probably has */
	struct buf text;
	struct word word;		/* of its last include, which is about ... */
	glob_t found;			/* ... these files, */
	size_t next;			/* of which this is next */
};

struct conf_reader {
	struct parser ps;
	struct read_file *file;		/* the innermost; NULL: all is done */
	int err;			/* why the first one could not be read to its end */
	uint16_t number;		/* of the first one */
	bool waits;			/* more of the innermost file is still to come */
};

/* Appends at most n bytes that can be read from a descriptor, *is_end: all.  0, or an errno: EAGAIN when a pipe has
 * nothing to read now. */
static int read_some(int fd, size_t n, struct buf *text, bool *is_end)
{
	size_t stop = text->len + n;

	while (!*is_end && text->len < stop) {
		struct pollfd pfd = { .fd = fd, .events = POLLIN };
		ssize_t got;

		if (!buf_reserve(text, 1))
			return ENOMEM;
		if (!poll(&pfd, 1, 0))
			return EAGAIN;
		got = read(fd, text->p + text->len, (stop < text->cap ? stop : text->cap) - text->len);
		if (got < 0 && errno != EINTR)
			return errno;
		*is_end = !got;
		text->len += got > 0 ? (size_t)got : 0;
		if (text->len > CONF_MAX_FILE)
			return EFBIG;
	}
	return 0;
}

int read_all(int fd, size_t expected, struct buf *text)
{
	bool is_end = false;

	buf_reserve(text, expected + 1);
	return read_some(fd, CONF_MAX_FILE + (size_t)1, text, &is_end);
}

/* Opens a file for reading, with all rights that there are: the daemon of root reads as root does. */
static int read_open(const char *path, int flags)
{
	int fd;

	priv_raise();
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | flags);
	priv_lower();
	return fd;
}

/* ---- the stack of files ---- */

/* Enters a file, whose number in the configuration is `file`; NULL with ENOMEM. */
static struct read_file *read_push(struct conf_reader *rd, const char *path, int file)
{
	struct read_file *f = calloc(1, sizeof *f);

	if (!f || !(f->path = strdup(path))) {
		free(f);
		return NULL;
	}
	f->fd = -1;
	f->up = rd->file;
	f->in = (struct input){ .up = rd->ps.in, .path = f->path, .file = (uint16_t)file };
	rd->file = f;
	rd->ps.in = &f->in;
	return f;
}

static void read_close(struct read_file *f)
{
	if (f->fd > 0)
		close(f->fd);
	f->fd = -1;
}

static void read_pop(struct conf_reader *rd)
{
	struct read_file *f = rd->file;

	rd->file = f->up;
	rd->ps.in = f->up ? &f->up->in : NULL;
	read_close(f);
	globfree(&f->found);
	buf_free(&f->text);
	free(f->path);
	free(f);
}

/* Says at the include of the innermost file why another one cannot be. */
static void read_not_included(struct conf_reader *rd, const char *path, const char *why)
{
	struct word shown = { path, strlen(path) };

	parser_error(&rd->ps, &rd->file->word, "cannot include \"%s\": %s", lex_show(&shown), why);
}

/* Reads a part of the innermost file. */
static void read_load(struct conf_reader *rd)
{
	struct read_file *f = rd->file;
	bool is_end = false;
	int err = f->size > CONF_MAX_FILE ? EFBIG : read_some(f->fd, READ_STEP, &f->text, &is_end);

	rd->waits = err == EAGAIN;
	if (rd->waits)
		return;
	if (err) {
		char *path = f->path;

		f->path = NULL;
		read_pop(rd);
		if (rd->file)
			read_not_included(rd, path, strerror(err));
		else
			rd->err = err;
		free(path);
	} else if (is_end) {
		read_close(f);
		conf_expect(rd->ps.c, (uint32_t)(f->text.len / READ_LINE));
		lex_text(&f->in.lex, f->text.p, f->text.len);
	}
}

/* Has the innermost file read from a descriptor. */
static void read_from(struct read_file *f, int fd, const struct stat *st)
{
	f->fd = fd;
	f->size = (size_t)st->st_size;
	f->in.dev = st->st_dev;
	f->in.ino = st->st_ino;
	if (f->size <= CONF_MAX_FILE)
		buf_reserve(&f->text, f->size + 1);
}

/* ---- include ---- */

/* Why this file may not be included, or NULL. */
static const char *read_refused(const struct parser *ps, const struct stat *st)
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

static void read_include_file(struct conf_reader *rd, const char *path)
{
	/* Not to hang on a FIFO that nobody writes to. */
	int fd = read_open(path, O_NONBLOCK), file = -1;
	bool is_missing = fd < 0 && (errno == ENOENT || errno == ENOTDIR);
	const struct word *w = &rd->file->word;
	struct word shown = { path, strlen(path) };
	const char *why, *slip;
	struct stat st = { 0 };

	if (is_missing) {
		slip = slip_path(w);
		parser_line_lost(&rd->ps, w, "without effect: there is no file \"%s\"%s%s", lex_show(&shown),
				 slip ? ", " : "", slip ? slip : "");
		return;
	}
	why = fd < 0 || fstat(fd, &st) < 0 ? strerror(errno) : read_refused(&rd->ps, &st);
	if (!why && (file = conf_file(rd->ps.c, path)) < 0)
		why = errno == EMFILE ? "more than 65534 files" : strerror(errno);
	if (!why && read_push(rd, path, file))
		read_from(rd->file, fd, &st);
	else if (fd >= 0)
		close(fd);
	if (why)
		read_not_included(rd, path, why);
	else if (rd->file->fd != fd)
		parser_nomem(&rd->ps);
}

/* The words of a pattern start at the directory of the including file. */
static void read_put_base(struct buf *b, const char *path, bool escape)
{
	const char *slash = strrchr(path, '/');

	for (const char *p = path; slash && p <= slash; p++) {
		if (escape && strchr("*?[]\\", *p))
			buf_chr(b, '\\');
		buf_chr(b, *p);
	}
}

/* A directory that is not there is no match; what cannot be read for another reason is an error. */
static int read_pattern_failed(const char *path, int err)
{
	(void)path;
	return err != ENOENT && err != ENOTDIR;
}

/* Finds the files of a pattern, which come next. */
static void read_include_pattern(struct conf_reader *rd, const char *pattern)
{
	struct read_file *f = rd->file;
	const char *slip;
	int result;

	globfree(&f->found);
	f->found = (glob_t){ .gl_pathc = 0 };
	f->next = 0;
	priv_raise();
	result = glob(pattern, 0, read_pattern_failed, &f->found);
	priv_lower();
	slip = result == GLOB_NOMATCH ? slip_path(&f->word) : NULL;

	if (result == GLOB_NOSPACE)
		parser_nomem(&rd->ps);
	else if (result && result != GLOB_NOMATCH)
		parser_error(&rd->ps, &f->word, "cannot include: a directory of the pattern cannot be read");
	else if (slip)
		parser_line_lost(&rd->ps, &f->word, "without effect: no file matches \"%s\", %s",
				 lex_show(&f->word), slip);
	if (result)
		f->next = f->found.gl_pathc;
}

/* Begins `include PATTERN`. */
static void read_include(struct conf_reader *rd)
{
	struct read_file *f = rd->file;
	const struct word *w = &f->word;
	struct buf b = { 0 };
	bool is_plain = true;

	f->word = rd->ps.include;
	for (size_t i = 0; i < w->n; i++)
		is_plain &= !strchr("*?[", w->p[i]);
	if (w->p[0] != '/')
		read_put_base(&b, f->path, !is_plain);
	buf_add(&b, w->p, w->n);
	if (b.failed)
		parser_nomem(&rd->ps);
	else if (is_plain)
		read_include_file(rd, buf_cstr(&b));
	else
		read_include_pattern(rd, buf_cstr(&b));
	buf_free(&b);
}

/* ---- all of it ---- */

bool conf_read_step(struct conf_reader *rd, unsigned lines)
{
	struct parser *ps = &rd->ps;

	for (; rd->file && lines; lines--) {
		struct read_file *f = rd->file;

		if (f->fd >= 0) {
			read_load(rd);
			break;
		}
		if (!ps->is_over && f->next < f->found.gl_pathc) {
			read_include_file(rd, f->found.gl_pathv[f->next++]);
		} else if (!ps->is_over && lex_line(&f->in.lex)) {
			parse_line(ps);
			if (ps->include.p)
				read_include(rd);
		} else {
			read_pop(rd);
		}
	}
	return rd->file;
}

/* Enters the file that all begins with. */
static void read_first(struct conf_reader *rd, const char *name)
{
	bool is_stdin = !strcmp(name, "-");
	int file = conf_file(rd->ps.c, is_stdin ? "<stdin>" : name), fd = -1;
	struct stat st;

	if (file >= 0) {
		rd->number = (uint16_t)file;
		/* Not to hang on a FIFO that nobody writes to. */
		fd = is_stdin ? 0 : read_open(name, O_NONBLOCK);
	}
	if (fd >= 0 && fstat(fd, &st) == 0 && read_push(rd, is_stdin ? "" : name, file)) {
		read_from(rd->file, fd, &st);
		return;
	}
	rd->err = errno;
	if (fd > 0)
		close(fd);
}

struct conf_reader *conf_read_begin(struct conf *c, struct diags *d, const char *file)
{
	struct conf_reader *rd = calloc(1, sizeof *rd);

	if (!rd)
		return NULL;
	rd->ps = (struct parser){ .c = c, .d = d };
	read_first(rd, file);
	return rd;
}

int conf_read_waits(const struct conf_reader *rd)
{
	return rd->waits ? rd->file->fd : -1;
}

int conf_read_end(struct conf_reader *rd)
{
	int err = rd->err;

	while (rd->file)
		read_pop(rd);
	if (err)
		diag_add(rd->ps.d, (struct where){ .file = rd->number }, true, "cannot read it: %s", strerror(err));
	free(rd->ps.oifs);
	free(rd);
	return err;
}

bool conf_parse_file(struct conf *c, struct diags *d, const char *name)
{
	struct conf_reader *rd = conf_read_begin(c, d, name);

	if (!rd) {
		diag_add(d, (struct where){ 0 }, true, "%s: %s", name, strerror(errno));
		return false;
	}
	while (conf_read_step(rd, UINT_MAX)) {
		struct pollfd pfd = { .fd = conf_read_waits(rd), .events = POLLIN };

		if (pfd.fd >= 0)
			poll(&pfd, 1, -1);
	}
	errno = conf_read_end(rd);
	return !errno;
}

bool conf_parse_text(struct conf *c, struct diags *d, const char *name, const char *p, size_t n)
{
	struct conf_reader rd = { .ps = { .c = c, .d = d } };
	int file = conf_file(c, name);

	if (file < 0 || !read_push(&rd, name, file)) {
		diag_add(d, (struct where){ 0 }, true, "%s: %s", name, strerror(errno));
		return false;
	}
	lex_text(&rd.file->in.lex, p, n);
	while (conf_read_step(&rd, UINT_MAX))
		;
	free(rd.ps.oifs);
	return true;
}
