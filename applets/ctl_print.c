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

#define PLAIN_WIDTH 79
#define WIDTH_MIN 20
#define WIDTH_MAX 500

#define BOLD "\033[1m"
#define INVERSE "\033[7m"
#define NORMAL "\033[0m"

struct ctl_printer ctl_print_setup(bool has_headings, bool is_plain)
{
	struct ctl_printer p = { .has_headings = has_headings, .width = PLAIN_WIDTH };
	const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM"), *columns = getenv("COLUMNS");
	struct winsize ws = { 0 };

	if (!isatty(STDOUT_FILENO))
		return p;
	p.is_styled = !is_plain && !(no_color && *no_color) && !(term && !strcmp(term, "dumb"));
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &ws) == 0 && ws.ws_col)
		p.width = ws.ws_col;
	else if (columns)
		p.width = atoi(columns);
	if (p.width < WIDTH_MIN || p.width > WIDTH_MAX)
		p.width = PLAIN_WIDTH;
	return p;
}

static void ctl_print_rule(const struct ctl_printer *p, char mark)
{
	for (int i = 0; i < p->width; i++)
		putchar(mark);
	putchar('\n');
}

static void ctl_print_headline(const struct ctl_printer *p, const struct wire_record *rec)
{
	bool is_title = rec->type == WIRE_TITLE;

	if (p->is_styled)
		fputs(is_title ? BOLD : INVERSE, stdout);
	else
		ctl_print_rule(p, is_title ? '_' : '=');
	applet_put(stdout, rec->text, rec->len);
	/* The bar of the headings goes on to the edge. */
	if (p->is_styled && !is_title && rec->len < (size_t)p->width)
		printf("%*s", p->width - (int)rec->len, "");
	puts(p->is_styled ? NORMAL : "");
	if (!p->is_styled && !is_title)
		ctl_print_rule(p, '=');
}

void ctl_print_record(const struct ctl_printer *p, const struct wire_record *rec, uint32_t line)
{
	int len = rec->len < WIRE_MAX ? (int)rec->len : WIRE_MAX;

	switch (rec->type) {
	case WIRE_TITLE:
	case WIRE_HEAD:
		if (p->has_headings)
			ctl_print_headline(p, rec);
		break;
	case WIRE_ROW:
		applet_put(stdout, rec->text, rec->len);
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
		return 0;
	p->is_deaf = true;
	return errno == EPIPE ? 0 : applet_fail(EXIT_SYSTEM, "cannot write: %s", strerror(errno));
}
