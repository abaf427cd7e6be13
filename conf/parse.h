/* SPDX-License-Identifier: ISC
 *
 * What the files of the parser share among themselves: its state, the parsers
 * of single fields (field.c) and the reading of files (include.c).  Private to
 * conf/; everybody else includes conf.h.
 */
#ifndef CONF_PARSE_H
#define CONF_PARSE_H

#include <sys/types.h>

#include "conf/conf.h"
#include "conf/lex.h"

/* ---- one field ---- */

/* Shows a word: control bytes as \xXX, the end of a long one as "...".  The text stays until the
 * next call. */
const char *word_show(const struct word *w);

/* Appends n bytes of text, control bytes as \xXX (a tab stays when asked). */
void text_show(struct buf *out, const char *s, size_t n, bool tab);

/* Parses a group or source with an optional length: masked, an any-source in its one form.
 * NULL, or why it is none: a text that stays until the next call. */
const char *field_addr(const struct word *w, bool group, struct addr *a, uint8_t *len);

/* NULL, or says that the two are not of one family. */
const char *field_mixed(const struct addr *source, const struct addr *group);

/* Parses a decimal number from 1 to 255, digits only; 0 when it is none. */
uint8_t field_ttl(const struct word *w);

/* Index of the keyword that was probably meant, or -1. */
int field_near(const struct word *w, const char *const *list, int n);

/* ---- the parser ---- */

/* What the line before said, which most lines say again: the text behind "from" and "to" (p = NULL:
 * none), and what it stood for. */
struct memo {
	struct word from, to;
	uint16_t iif;
	uint32_t oifs;
	uint16_t oifs_iif;		/* the inbound interface of the rule that said "to" */
};

/* A file that is being parsed; they stack up by include. */
struct input {
	struct lex lex;
	const struct input *up;		/* the one that includes it */
	const char *path;		/* its directory is where relative includes start */
	dev_t dev;
	ino_t ino;
	uint16_t file;			/* number in conf->files */
	struct memo memo;
};

struct parser {
	struct conf *c;
	struct diags *d;
	struct input *in;
	struct word at;			/* the directive of the present line, as written ... */
	const char *name, *usage;	/* ... and as it is */
	bool bad;			/* the present line has an error */
	bool lost;			/* nobody understood the word before */
	bool stop;			/* no memory: give up */
	uint16_t *oifs;			/* scratch: names behind "to" */
	uint32_t coifs;
};

/* Tells an error or warning at a word of the present line. */
void parse_error(struct parser *ps, const struct word *at, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void parse_warning(struct parser *ps, const struct word *at, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void parse_nomem(struct parser *ps);

/* Tells of a word that has no place here, unless the one before had none either; returns the one
 * of the list that was meant, or -1. */
int parse_unknown(struct parser *ps, const struct word *w, const char *const *list, int n);

struct where parse_where(const struct parser *ps, const struct word *at);

/* ---- clauses of mroute and mgroup (flow.c) ---- */

enum { C_FROM, C_SOURCE, C_GROUP, C_TO, C_N };

/* What a line of clauses says. */
struct clauses {
	struct conf_rule m;
	bool lost;		/* what nobody understood may have been what is missing */
	struct word at[C_N];	/* the keywords; p = NULL: not there */
	struct word value[C_N];	/* the word behind each */
};

/* Reads an interface name; CONF_NONE when it is none, which has been told then. */
uint16_t parse_name(struct parser *ps, const struct word *w);

/* Reads clauses up to "to" or the end of the line; n is C_N, or C_TO where no "to" may come. */
void parse_clauses(struct parser *ps, struct clauses *f, int n);

/* Checks what must be there and what must fit together; an absent source becomes any. */
void check_clauses(struct parser *ps, struct clauses *f);

/* Reads the names behind "to"; UINT32_MAX when there is no set of them. */
uint32_t parse_oifs(struct parser *ps, const struct clauses *f);

/* ---- files ---- */

/* A file that is read piece by piece, so that its text is in the processor's cache when it is parsed. */
struct pieces {
	int fd;
	struct buf text;		/* the piece, and what was read of the line behind it */
	size_t given, total;		/* bytes of the piece; of all that was read */
	bool end;
};

/* Reads a further piece to f->text: whole lines, but for the last of the file.  Its bytes, 0 at the
 * end, or -1 with errno: EFBIG beyond CONF_MAX_FILE. */
ssize_t piece_next(struct pieces *f);

/* Parses n bytes of text, whole lines, that follow those parsed before. */
void parse_lines(struct parser *ps, struct input *in, const char *text, size_t n);

/* Runs `include PATTERN`. */
void include_pattern(struct parser *ps, const struct word *w);

#endif
