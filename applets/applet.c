/* SPDX-License-Identifier: ISC
 *
 * What all programs have: a name before their messages, a version with what was built in, and the options that ask for
 * it and for help.
 */
#include "applets/applet.h"

#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include "lib/buf.h"
#include "lib/near.h"
#include "lib/proc.h"
#include "lib/text.h"

#ifndef VERSION
#define VERSION "unknown"
#endif

static const char *applet_name = "smcroute";

const char *applet_version(void)
{
	return VERSION " (ipv4 ipv6 " SYSTEM_WORD
	       /* A feature that was left out is named with a minus. */
#if WITH_MRDISC
	       " mrdisc"
#else
	       " -mrdisc"
#endif
#if WITH_HOST
	       " host"
#else
	       " -host"
#endif
	       ")";
}

const char *applet_number(void)
{
	return VERSION;
}

bool applet_told(const struct applet *a, int opt)
{
	if (opt == 'h')
		fputs(a->usage, stdout);
	else if (opt == 'v')
		printf("%s %s\n", a->name, applet_version());
	else
		return false;
	return true;
}

const struct applet *applet_near(const char *name, const struct applet *const *list, unsigned n)
{
	const struct applet *nearest = NULL;
	unsigned least = NEAR_FAR;

	for (unsigned i = 0; i < n; i++) {
		unsigned slips = near_slips(name, strlen(name), list[i]->name);

		if (slips < least) {
			least = slips;
			nearest = list[i];
		}
	}
	return nearest;
}

int applet_run(const struct applet *a, int argc, char **argv)
{
	applet_name = a->name;
	proc_seal();
	return a->main(argc, argv);
}

bool applet_put(FILE *to, const char *text, size_t len)
{
	struct buf shown = { 0 };
	bool ok;

	if (isatty(fileno(to)))
		buf_escape(&shown, text, len, TEXT_KEEP_TAB | TEXT_KEEP_NEWLINE);
	else
		buf_add(&shown, text, len);
	ok = !shown.failed && (!shown.len || fwrite(shown.p, 1, shown.len, to) == shown.len);
	buf_free(&shown);
	return ok;
}

int applet_fail(int status, const char *fmt, ...)
{
	struct buf line = { 0 };
	va_list ap;

	buf_printf(&line, "%s: ", applet_name);
	va_start(ap, fmt);
	buf_vprintf(&line, fmt, ap);
	va_end(ap);
	buf_chr(&line, '\n');
	/* Both may go to one place: keep the order. */
	fflush(stdout);
	applet_put(stderr, line.p, line.len);
	buf_free(&line);
	return status;
}
