/* SPDX-License-Identifier: ISC
 *
 * See read.h; the files themselves are read in source.c.  The text of a file lives while its lines are parsed and no
 * longer; whatever is kept of it has been copied into values by then.  The files are a stack, the innermost include on
 * top, so that whoever reads can pause behind each line.
 */
#include "conf/read.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conf/parse.h"
#include "conf/slip.h"
#include "conf/source.h"
#include "lib/fd.h"

#define READ_LINE 48			/* bytes of a usual line */

/* A file that is being parsed; they stack up by include. */
struct read_file {
	struct input in;
	struct read_file *up;		/* the one that includes it */
	char *path;
	struct buf text;		/* an answer, see source.h */
	struct word word;		/* of its last include, which is about ... */
	struct buf found;		/* ... these files, an answer too, */
	size_t next;			/* of which this is next */
};

struct conf_reader {
	struct parser ps;
	struct read_file *file;		/* the innermost; NULL: before the first one, or all is done */
	char *asked;			/* the file or pattern that is being read; NULL: none */
	bool is_pattern;
	struct buf got;			/* of the answer to it, so far */
	int child;			/* who reads, or -1 */
	bool waits;			/* for the child */
	int err;			/* why the first one could not be read to its end */
	uint16_t number;		/* of the first one */
};

/* ---- the stack of files ---- */

static void read_nomem(struct conf_reader *rd)
{
	if (rd->file)
		parser_nomem(&rd->ps);
	else
		rd->err = ENOMEM;
}

/* Begins to read a file, or to look for the files of a pattern. */
static void read_ask(struct conf_reader *rd, const char *path, bool is_pattern)
{
	rd->asked = strdup(path);
	rd->is_pattern = is_pattern;
	if (rd->asked)
		source_ask(rd->child, path, is_pattern, &rd->got);
	else
		read_nomem(rd);
}

/* Enters the file that was asked for, whose number in the configuration is `file`: its n bytes of text stay where they
 * are. */
static void read_push(struct conf_reader *rd, int file, const char *text, size_t n)
{
	struct source_head h = source_head(&rd->got);
	struct read_file *f = calloc(1, sizeof *f);

	if (!f) {
		read_nomem(rd);
		return;
	}
	f->up = rd->file;
	f->path = rd->asked;
	f->text = rd->got;
	rd->asked = NULL;
	rd->got = (struct buf){ 0 };
	f->in = (struct input){
		.up = rd->ps.in, .path = f->path, .file = (uint16_t)file, .dev = h.dev, .ino = h.ino,
	};
	rd->file = f;
	rd->ps.in = &f->in;
	rd->ps.c->is_private |= h.is_private;
	conf_expect(rd->ps.c, (uint32_t)(n / READ_LINE));
	lex_text(&f->in.lex, text, n);
}

static void read_pop(struct conf_reader *rd)
{
	struct read_file *f = rd->file;

	rd->file = f->up;
	rd->ps.in = f->up ? &f->up->in : NULL;
	buf_free(&f->found);
	buf_free(&f->text);
	free(f->path);
	free(f);
}

/* ---- include ---- */

/* Why this file may not be included, or NULL. */
static const char *read_refused(const struct parser *ps, const struct source_head *h)
{
	int depth = 1;

	if (h->err)
		return h->err == EISDIR ? "it is a directory: write its name with /*.conf behind it" :
					  source_why(h->err);
	for (const struct input *in = ps->in; in; in = in->up, depth++)
		if (in->ino == h->ino && in->dev == h->dev)
			return "it is being read already, it would include itself";
	return depth > CONF_MAX_DEPTH + 1 ? "more than 16 levels of include" : NULL;
}

/* Includes a file that has been read. */
static void read_included(struct conf_reader *rd)
{
	struct source_head h = source_head(&rd->got);
	const struct word *w = &rd->file->word;
	struct word shown = { rd->asked, strlen(rd->asked) };
	const char *why, *slip;
	int file = -1;

	if (h.err == ENOENT || h.err == ENOTDIR) {
		slip = slip_path(w);
		parser_line_lost(&rd->ps, w, "without effect: there is no file \"%s\"%s%s", lex_show(&shown),
				 slip ? ", " : "", slip ? slip : "");
		return;
	}
	why = read_refused(&rd->ps, &h);
	if (!why && (file = conf_file(rd->ps.c, rd->asked)) < 0)
		why = errno == EMFILE ? "more than 65534 files" : strerror(errno);
	if (why)
		parser_error(&rd->ps, w, "cannot include \"%s\": %s", lex_show(&shown), why);
	else
		read_push(rd, file, rd->got.p + sizeof h, h.n);
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

/* Takes the files of a pattern, which come next. */
static void read_matched(struct conf_reader *rd)
{
	struct source_head h = source_head(&rd->got);
	struct read_file *f = rd->file;
	const char *slip = !h.err && !h.n ? slip_path(&f->word) : NULL;

	if (h.err)
		parser_error(&rd->ps, &f->word, "cannot include: %s", h.err == EACCES ?
			     "a directory of the pattern cannot be read" : source_why(h.err));
	else if (slip)
		parser_line_lost(&rd->ps, &f->word, "without effect: no file matches \"%s\", %s",
				 lex_show(&f->word), slip);
	f->found = rd->got;
	f->next = sizeof h;
	rd->got = (struct buf){ 0 };
}

/* Begins `include PATTERN`. */
static void read_include(struct conf_reader *rd)
{
	struct read_file *f = rd->file;
	const struct word *w = &f->word;
	struct buf b = { 0 };
	const char *path;
	bool is_plain = true;

	f->word = rd->ps.include;
	buf_free(&f->found);
	for (size_t i = 0; i < w->n; i++)
		is_plain &= !strchr("*?[", w->p[i]);
	if (w->p[0] != '/')
		read_put_base(&b, f->path, !is_plain);
	buf_add(&b, w->p, w->n);
	path = buf_cstr(&b);
	if (b.failed)
		parser_nomem(&rd->ps);
	else
		read_ask(rd, path, !is_plain);
	buf_free(&b);
}

/* ---- all of it ---- */

/* Goes on with what is being read. */
static void read_load(struct conf_reader *rd)
{
	struct source_head h;

	rd->waits = !source_answer(rd->child, &rd->got);
	if (rd->waits)
		return;
	h = source_head(&rd->got);
	/* What the child sends all the same would be taken for its next answer. */
	if (h.err == ENOMEM)
		read_nomem(rd);
	else if (rd->is_pattern)
		read_matched(rd);
	else if (rd->file)
		read_included(rd);
	else if (!(rd->err = h.err))
		read_push(rd, rd->number, rd->got.p + sizeof h, h.n);
	free(rd->asked);
	rd->asked = NULL;
	buf_free(&rd->got);
}

bool conf_read_step(struct conf_reader *rd, unsigned lines)
{
	struct parser *ps = &rd->ps;

	for (; (rd->file || rd->asked) && lines; lines--) {
		struct read_file *f = rd->file;

		if (rd->asked) {
			read_load(rd);
			break;
		}
		if (!ps->is_over && f->next < f->found.len) {
			const char *path = f->found.p + f->next;

			f->next += strlen(path) + 1;
			read_ask(rd, path, false);
		} else if (!ps->is_over && lex_line(&f->in.lex)) {
			parse_line(ps);
			if (ps->include.p)
				read_include(rd);
		} else {
			read_pop(rd);
		}
	}
	return rd->file || rd->asked;
}

struct conf_reader *conf_read_begin(struct conf *c, struct diags *d, const char *name, bool apart)
{
	struct conf_reader *rd = calloc(1, sizeof *rd);
	int file;

	if (!rd)
		return NULL;
	rd->ps = (struct parser){ .c = c, .d = d };
	rd->child = apart ? source_start() : -1;
	file = conf_file(c, strcmp(name, "-") ? name : "<stdin>");
	rd->number = (uint16_t)file;
	rd->err = file < 0 ? errno : 0;
	if (file >= 0)
		read_ask(rd, name, false);
	return rd;
}

int conf_read_waits(const struct conf_reader *rd)
{
	return rd->waits ? rd->child : -1;
}

int conf_read_end(struct conf_reader *rd)
{
	int err = rd->err;

	fd_fail(rd->child);
	while (rd->file)
		read_pop(rd);
	if (err)
		diag_add(rd->ps.d, (struct where){ .file = rd->number }, true, "cannot read it: %s", source_why(err));
	free(rd->asked);
	buf_free(&rd->got);
	free(rd->ps.oifs);
	free(rd);
	return err;
}

bool conf_parse_file(struct conf *c, struct diags *d, const char *name)
{
	struct conf_reader *rd = conf_read_begin(c, d, name, false);

	if (!rd) {
		diag_add(d, (struct where){ 0 }, true, "%s: %s", name, strerror(errno));
		return false;
	}
	while (conf_read_step(rd, UINT_MAX))
		;
	errno = conf_read_end(rd);
	return !errno;
}

bool conf_parse_text(struct conf *c, struct diags *d, const char *name, const char *p, size_t n)
{
	struct conf_reader rd = { .ps = { .c = c, .d = d }, .child = -1, .asked = strdup(name) };
	int file = rd.asked ? conf_file(c, name) : -1;

	if (file >= 0)
		read_push(&rd, file, p, n);
	free(rd.asked);
	rd.asked = NULL;
	if (!rd.file) {
		diag_add(d, (struct where){ 0 }, true, "%s: %s", name, strerror(errno));
		return false;
	}
	while (conf_read_step(&rd, UINT_MAX))
		;
	free(rd.ps.oifs);
	return true;
}
