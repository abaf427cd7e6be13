/* SPDX-License-Identifier: ISC
 *
 * Records of a reply on standard output and standard error.  A terminal is never asked anything: its width comes from
 * the kernel or from COLUMNS.
 */
#include "applets/ctl_print.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "applets/applet.h"
#include "lib/buf.h"
#include "lib/text.h"

#define PLAIN_WIDTH 79
#define WIDTH_MIN 20
#define PLAIN_HEIGHT 24
#define HEIGHT_MIN 4
#define SIZE_MAX_SANE 500	/* of either */
#define NAME_WIDTH 15		/* of the longest name of an interface */
#define INDENT 4		/* of a line that goes on where there is no room under the last column */

#define BOLD "\033[1m"
#define INVERSE "\033[7m"
#define NORMAL "\033[0m"
#define HOME "\033[H"
#define ERASE_LINE "\033[K"	/* from here to its end */
#define ERASE_SCREEN "\033[J"	/* the same */

/* A size that the terminal tells, or else a variable; at least min, or it is the usual one. */
static int ctl_print_size(int told, const char *variable, int min, int usual)
{
	const char *value = getenv(variable);
	int size = told ? told : value ? atoi(value) : usual;

	return size < min || size > SIZE_MAX_SANE ? usual : size;
}

void ctl_print_measure(struct ctl_printer *p)
{
	struct winsize ws = { 0 };

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &ws) < 0)
		ws.ws_col = ws.ws_row = 0;
	p->width = ctl_print_size(ws.ws_col, "COLUMNS", WIDTH_MIN, PLAIN_WIDTH);
	p->height = ctl_print_size(ws.ws_row, "LINES", HEIGHT_MIN, PLAIN_HEIGHT);
}

struct ctl_printer ctl_print_setup(bool has_headings, bool is_plain)
{
	struct ctl_printer p = { .has_headings = has_headings, .width = PLAIN_WIDTH, .height = PLAIN_HEIGHT };
	const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");

	p.is_terminal = isatty(STDOUT_FILENO);
	if (!p.is_terminal)
		return p;
	p.is_dumb = term && !strcmp(term, "dumb");
	p.is_styled = !is_plain && !(no_color && *no_color) && !p.is_dumb;
	ctl_print_measure(&p);
	return p;
}

static void ctl_print_rule(const struct ctl_printer *p, char mark)
{
	for (int i = 0; i < p->width; i++)
		putchar(mark);
	putchar('\n');
}

/* Columns that n bytes of escaped text take: one a character. */
static int ctl_print_columns(const char *s, size_t n)
{
	int columns = 0;

	for (size_t i = 0; i < n; i++)
		columns += ((unsigned char)s[i] & 0xc0) != 0x80;
	return columns;
}

/* Prints a line, escaped and without its newline, that is wider than the terminal: no word is cut.  It goes on under
 * the last column; where there is no room for that, it loses its padding. */
static void ctl_print_wrapped(const struct ctl_printer *p, const char *s, size_t n)
{
	bool is_squeezed = p->last_column + NAME_WIDTH > p->width;
	int indent = is_squeezed ? INDENT : p->last_column, at = 0, begin = 0;

	for (size_t i = 0, len; i < n; i += len) {
		int blanks = 0, columns;

		for (; i < n && s[i] == ' '; i++)
			blanks++;
		for (len = 0; i + len < n && s[i + len] != ' '; len++)
			;
		columns = ctl_print_columns(s + i, len);
		if (is_squeezed && blanks)
			blanks = at > begin;
		if (at > begin && at + blanks + columns > p->width) {
			printf("\n%*s", indent, "");
			at = begin = indent;
			blanks = 0;
		}
		printf("%*s%.*s", blanks, "", (int)len, s + i);
		at += blanks + columns;
	}
}

/* Prints lines; those of a table fit into the terminal. */
static void ctl_print_lines(const struct ctl_printer *p, const char *text, size_t n)
{
	struct buf b = { 0 };

	if (!p->is_terminal)
		fwrite(text, 1, n, stdout);
	else if (!p->last_column)
		applet_put(stdout, text, n);
	if (!p->is_terminal || !p->last_column)
		return;
	buf_escape(&b, text, n, TEXT_KEEP_TAB | TEXT_KEEP_NEWLINE);
	for (size_t at = 0; at < b.len; ) {
		char *line = b.p + at, *end = memchr(line, '\n', b.len - at);
		size_t len = end ? (size_t)(end - line) : b.len - at;

		if (ctl_print_columns(line, len) > p->width)
			ctl_print_wrapped(p, line, len);
		else
			fwrite(line, 1, len, stdout);
		if (end)
			putchar('\n');
		at += len + (end != NULL);
	}
	buf_free(&b);
}

/* Where the last word of a text begins. */
static int ctl_print_last_word(const char *text, size_t n)
{
	while (n && text[n - 1] != ' ')
		n--;
	return (int)n;
}

static void ctl_print_headline(const struct ctl_printer *p, const struct wire_record *rec)
{
	bool is_title = rec->type == WIRE_TITLE;

	if (p->is_styled)
		fputs(is_title ? BOLD : INVERSE, stdout);
	else
		ctl_print_rule(p, is_title ? '_' : '=');
	ctl_print_lines(p, rec->text, rec->len);
	/* The bar of the headings goes on to the edge. */
	if (p->is_styled && !is_title && rec->len < (size_t)p->width)
		printf("%*s", p->width - (int)rec->len, "");
	puts(p->is_styled ? NORMAL : "");
	if (!p->is_styled && !is_title)
		ctl_print_rule(p, '=');
}

/* Bytes of the n of escaped text that fit into so many columns. */
static size_t ctl_print_clip(const char *s, size_t n, int columns)
{
	while (ctl_print_columns(s, n) > columns)
		n--;
	return n;
}

void ctl_print_screen(const struct ctl_printer *p, const char *text, size_t n)
{
	struct buf b = { 0 };
	size_t at = 0;

	buf_escape(&b, text, n, TEXT_KEEP_NEWLINE);
	fputs(HOME, stdout);
	for (int i = 0; i < p->height - 1 && at < b.len; i++) {
		const char *line = b.p + at, *end = memchr(line, '\n', b.len - at);
		size_t len = end ? (size_t)(end - line) : b.len - at;
		const char *style = !p->is_styled || i > 1 ? "" : i ? INVERSE : BOLD;

		printf("%s%.*s%s%s\n", style, (int)ctl_print_clip(line, len, p->width), line, *style ? NORMAL : "",
		       ERASE_LINE);
		at += len + 1;
	}
	fputs(ERASE_SCREEN, stdout);
	buf_free(&b);
}

void ctl_print_record(struct ctl_printer *p, const struct wire_record *rec, uint32_t line)
{
	int len = rec->len < WIRE_MAX ? (int)rec->len : WIRE_MAX;

	if (p->records && (rec->type == WIRE_TITLE || rec->type == WIRE_HEAD || rec->type == WIRE_ROW)) {
		wire_put_record(p->records, rec->type, rec->text, rec->len);
		return;
	}
	switch (rec->type) {
	case WIRE_TITLE:
	case WIRE_HEAD:
		p->last_column = rec->type == WIRE_HEAD ? ctl_print_last_word(rec->text, rec->len) : 0;
		if (p->has_headings)
			ctl_print_headline(p, rec);
		break;
	case WIRE_ROW:
		ctl_print_lines(p, rec->text, rec->len);
		break;
	case WIRE_ERROR:
		ctl_print_error(line, "", rec->text, len);
		break;
	case WIRE_NOTE:
		ctl_print_error(line, "note: ", rec->text, len);
		break;
	case WIRE_DIAG:
		fflush(stdout);
		applet_put(stderr, rec->text, rec->len);
		break;
	case WIRE_END:
		p->last_column = 0;
		break;
	}
}

void ctl_print_error(uint32_t line, const char *what, const char *text, int len)
{
	if (line)
		applet_fail(0, "line %lu: %s%.*s", (unsigned long)line, what, len, text);
	else
		applet_fail(0, "%s%.*s", what, len, text);
}

int ctl_print_flush(struct ctl_printer *p)
{
	if (p->is_deaf || (fflush(stdout) == 0 && !ferror(stdout)))
		return p->status;
	p->is_deaf = true;
	p->status = errno == EPIPE ? 0 : applet_fail(EXIT_SYSTEM, "cannot write: %s", strerror(errno));
	return p->status;
}
