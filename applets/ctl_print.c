/* SPDX-License-Identifier: ISC
 *
 * Records of a reply on standard output and standard error.  A terminal is never
 * asked anything: its width comes from the kernel or from COLUMNS.
 */
#include "applets/smcroutectl.h"

#include <errno.h>
#include <stdio.h>
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

void ctl_print_setup(struct ctl *c)
{
	const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM"), *columns = getenv("COLUMNS");
	struct winsize ws = { 0 };

	c->width = PLAIN_WIDTH;
	if (!isatty(STDOUT_FILENO))
		return;
	c->styled = !(c->options & OPTION('p')) && !(no_color && *no_color) && !(term && !strcmp(term, "dumb"));
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &ws) == 0 && ws.ws_col)
		c->width = ws.ws_col;
	else if (columns)
		c->width = atoi(columns);
	if (c->width < WIDTH_MIN || c->width > WIDTH_MAX)
		c->width = PLAIN_WIDTH;
}

static void rule(const struct ctl *c, char mark)
{
	for (int i = 0; i < c->width; i++)
		putchar(mark);
	putchar('\n');
}

static void headline(const struct ctl *c, const char *text, int len, bool title)
{
	const char *on = "", *off = "";
	int width = 0;

	if (c->styled) {
		on = title ? BOLD : INVERSE;
		off = NORMAL;
		width = title ? 0 : c->width;
	} else {
		rule(c, title ? '_' : '=');
	}
	printf("%s%-*.*s%s\n", on, width, len, text, off);
	if (!c->styled && !title)
		rule(c, '=');
}

void ctl_print(const struct ctl *c, const struct wire_record *rec, uint32_t line)
{
	int len = rec->len < WIRE_MAX ? (int)rec->len : WIRE_MAX;

	switch (rec->type) {
	case WIRE_TITLE:
	case WIRE_HEAD:
		if (!(c->options & OPTION('t')))
			headline(c, rec->text, len, rec->type == WIRE_TITLE);
		break;
	case WIRE_ROW:
		applet_put(stdout, rec->text, rec->len);
		break;
	case WIRE_ERROR:
		ctl_complain(line, "", rec->text, len);
		break;
	case WIRE_NOTE:
		ctl_complain(line, "note: ", rec->text, len);
		break;
	case WIRE_DIAG:
		fflush(stdout);
		applet_put(stderr, rec->text, rec->len);
		break;
	case WIRE_END:
		break;
	}
}

void ctl_complain(uint32_t line, const char *what, const char *text, int max)
{
	if (line)
		applet_fail(0, "line %lu: %s%.*s", (unsigned long)line, what, max, text);
	else
		applet_fail(0, "%s%.*s", what, max, text);
}

int ctl_flush(struct ctl *c)
{
	if (c->deaf || (fflush(stdout) == 0 && !ferror(stdout)))
		return 0;
	c->deaf = true;
	if (errno == EPIPE)
		return 0;
	return applet_fail(EXIT_SYSTEM, "cannot write: %s", strerror(errno));
}
