/* SPDX-License-Identifier: ISC
 *
 * Diagnostics: errors and warnings about a configuration, each with its place and its line.  What they show may
 * come from a hostile file: it is escaped here, and what is kept of a long line or of many errors is bounded.
 */
#ifndef CONF_DIAG_H
#define CONF_DIAG_H

#include <stdarg.h>

#include "conf/conf.h"

struct diag {
	struct where where;
	bool error;		/* or a warning */
	bool is_line_lost;	/* a warning: the line has no effect */
	char *text;		/* one line, escaped, owned */
	char *line;		/* the offending line or a part of it, owned; NULL when not known */
	uint16_t from;		/* column of the first byte of `line` */
};

struct diags {
	struct diag *v;
	uint32_t n, cap;
	uint32_t errors, warnings;	/* counted even when the text is not kept: too many, or no memory */
};

/* Appends a diagnostic, which has no line yet.  Returns it, or NULL when it could only be counted.  So many errors
 * are kept, and as many warnings. */
#define DIAG_MAX 10000u
struct diag *diag_add(struct diags *d, struct where where, bool error, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
struct diag *diag_vadd(struct diags *d, struct where where, bool error, const char *fmt, va_list ap)
	__attribute__((format(printf, 4, 0)));

/* Gives a diagnostic its line (copied), unless it has one. */
void diag_line(struct diag *d, const char *line, size_t len);

/* Appends "FILE:LINE:COL: error: text\n", with the line and a caret below when asked. */
void diag_print(struct buf *out, const struct conf *c, const struct diag *d, bool caret);

/* All of them, and how many were too many to be kept. */
void diags_print(struct buf *out, const struct conf *c, const struct diags *d, bool caret);

/* Just the latter. */
void diags_print_rest(struct buf *out, const struct diags *d);

void diags_free(struct diags *d);

#endif
