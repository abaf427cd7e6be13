/* SPDX-License-Identifier: ISC
 *
 * See read.h.  The text of a file lives while its lines are parsed and no longer; whatever is kept of it has been
 * copied into values by then.
 */
#include "conf/read.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conf/parse.h"
#include "conf/slip.h"
#include "lib/priv.h"

#define READ_LINE 48			/* bytes of a usual line */

int read_all(int fd, size_t expected, struct buf *text)
{
	ssize_t n;

	buf_reserve(text, expected + 1);
	do {
		if (!buf_reserve(text, 1))
			return ENOMEM;
		n = read(fd, text->p + text->len, text->cap - text->len);
		text->len += n > 0 ? (size_t)n : 0;
		if (text->len > CONF_MAX_FILE)
			return EFBIG;
	} while (n > 0 || (n < 0 && errno == EINTR));
	return n < 0 ? errno : 0;
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

static void read_include(struct parser *ps, const struct word *w);

/* Parses n bytes of text, which `in` is about. */
static void read_lines(struct parser *ps, struct input *in, const char *text, size_t n)
{
	struct input *up = ps->in;

	ps->in = in;
	lex_text(&in->lex, text, n);
	while (!ps->is_over && lex_line(&in->lex)) {
		parse_line(ps);
		if (ps->include.p)
			read_include(ps, &(struct word){ ps->include.p, ps->include.n });
	}
	ps->in = up;
}

/* Parses all of a file.  0, or the errno of what kept it from being read to its end. */
static int read_file_lines(struct parser *ps, struct input *in, int fd, const struct stat *st)
{
	struct buf text = { 0 };
	int err = st->st_size > (off_t)CONF_MAX_FILE ? EFBIG : read_all(fd, (size_t)st->st_size, &text);

	in->dev = st->st_dev;
	in->ino = st->st_ino;
	if (!err) {
		conf_expect(ps->c, (uint32_t)(text.len / READ_LINE));
		read_lines(ps, in, text.p, text.len);
	}
	buf_free(&text);
	return err;
}

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

static void read_include_file(struct parser *ps, const struct word *w, const char *path)
{
	/* Not to hang on a FIFO that nobody writes to. */
	int fd = read_open(path, O_NONBLOCK);
	struct input in = { .up = ps->in, .path = path };
	struct word shown = { path, strlen(path) };
	bool is_missing = fd < 0 && (errno == ENOENT || errno == ENOTDIR);
	const char *why, *slip;
	struct stat st;
	int file = -1, err;

	if (is_missing) {
		slip = slip_path(w);
		parser_line_lost(ps, w, "without effect: there is no file \"%s\"%s%s", lex_show(&shown),
				 slip ? ", " : "", slip ? slip : "");
		return;
	}
	why = fd < 0 || fstat(fd, &st) < 0 ? strerror(errno) : read_refused(ps, &st);
	if (!why && (file = conf_file(ps->c, path)) < 0)
		why = errno == EMFILE ? "more than 65534 files" : strerror(errno);
	if (!why) {
		in.file = (uint16_t)file;
		err = read_file_lines(ps, &in, fd, &st);
		why = err ? strerror(err) : NULL;
	}
	if (fd >= 0)
		close(fd);
	if (why)
		parser_error(ps, w, "cannot include \"%s\": %s", lex_show(&shown), why);
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

static void read_include_pattern(struct parser *ps, const struct word *w, const char *pattern)
{
	glob_t found = { .gl_pathc = 0 };
	const char *slip;
	int result;

	priv_raise();
	result = glob(pattern, 0, read_pattern_failed, &found);
	priv_lower();
	slip = result == GLOB_NOMATCH ? slip_path(w) : NULL;
	if (result == GLOB_NOSPACE)
		parser_nomem(ps);
	else if (result && result != GLOB_NOMATCH)
		parser_error(ps, w, "cannot include: a directory of the pattern cannot be read");
	else if (slip)
		parser_line_lost(ps, w, "without effect: no file matches \"%s\", %s", lex_show(w), slip);
	for (size_t i = 0; !result && i < found.gl_pathc && !ps->is_over; i++)
		read_include_file(ps, w, found.gl_pathv[i]);
	globfree(&found);
}

/* Runs `include PATTERN`. */
static void read_include(struct parser *ps, const struct word *w)
{
	struct buf b = { 0 };
	bool is_plain = true;

	for (size_t i = 0; i < w->n; i++)
		is_plain &= !strchr("*?[", w->p[i]);
	if (w->p[0] != '/')
		read_put_base(&b, ps->in->path, !is_plain);
	buf_add(&b, w->p, w->n);
	if (b.failed)
		parser_nomem(ps);
	else if (is_plain)
		read_include_file(ps, w, buf_cstr(&b));
	else
		read_include_pattern(ps, w, buf_cstr(&b));
	buf_free(&b);
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
	read_lines(&ps, &in, p, n);
	free(ps.oifs);
	return true;
}

bool conf_parse_file(struct conf *c, struct diags *d, const char *name)
{
	bool is_stdin = !strcmp(name, "-");
	int err, file = conf_file(c, is_stdin ? "<stdin>" : name);
	int fd = is_stdin ? 0 : read_open(name, 0);
	struct parser ps = { .c = c, .d = d };
	struct input in = { .path = is_stdin ? "" : name, .file = (uint16_t)(file < 0 ? 0 : file) };
	struct stat st;

	if (fd < 0 || file < 0 || fstat(fd, &st) < 0)
		err = errno;
	else
		err = read_file_lines(&ps, &in, fd, &st);
	if (fd >= 0 && !is_stdin)
		close(fd);
	free(ps.oifs);
	if (err)
		diag_add(d, (struct where){ .file = in.file }, true, "cannot read it: %s", strerror(err));
	errno = err;
	return !err;
}
