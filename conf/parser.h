/* SPDX-License-Identifier: ISC
 *
 * The state of the parser, what it says about a line, and interface names.  Which lines there are is in parse.c,
 * where they come from in read.c.
 */
#ifndef CONF_PARSER_H
#define CONF_PARSER_H

#include <sys/types.h>

#include "conf/diag.h"
#include "conf/lex.h"

/* What the parser remembers of a line, because most lines have the same outputs as the line before them. */
struct memo {
	struct word to;			/* the text behind "to"; p = NULL: none */
	uint16_t iif;			/* the inbound interface of the rule */
	uint32_t oifs;			/* the set that the text stands for */
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
	bool is_bad;			/* the present line has an error */
	bool is_lost;			/* nobody understood the word before */
	bool is_over;			/* no memory: give up */
	struct word include;		/* the file or pattern that the line includes; p = NULL: none */
	uint16_t *oifs;			/* scratch: names behind "to" */
	uint32_t coifs;
};

struct where parser_where(const struct parser *ps, const struct word *at);

/* Appends an error or warning at a word of the present line. */
void parser_error(struct parser *ps, const struct word *at, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void parser_warning(struct parser *ps, const struct word *at, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Appends the warning that the present line has no effect, which stops neither a start nor a reload. */
void parser_line_lost(struct parser *ps, const struct word *at, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void parser_nomem(struct parser *ps);

/* True when a keyword or address has a character that is not ASCII, which is an error then. */
bool parser_foreign(struct parser *ps, const struct word *w);

/* Reports a word that has no place here, unless the one before had none either.  Returns the number of the
 * keyword, of n in the list, that was probably meant, or -1. */
int parser_unknown(struct parser *ps, const struct word *w, const char *const *list, int n);

/* Returns the number of an interface name; CONF_NONE, with the error appended, when it is none.  One that is hardly
 * meant is taken, with a warning. */
uint16_t parser_name(struct parser *ps, const struct word *w);

#endif
