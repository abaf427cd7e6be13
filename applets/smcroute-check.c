/* SPDX-License-Identifier: ISC
 *
 * smcroute-check: tells what is wrong with configuration files before a daemon
 * sees them.  Options and output only; the checking itself is conf/check.c.
 */
#include "applets/applet.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "applets/doctor.h"
#include "applets/explain.h"
#include "applets/host.h"
#include "conf/conf.h"

int smcroute_check_main(int argc, char **argv);

struct options {
	bool quiet, print, json, host;
};

/* What was found in all files. */
struct found {
	struct buf files, diags;	/* JSON: elements of the two arrays */
	unsigned long errors, warnings;
};

static void put_json(struct buf *b, const char *s)
{
	buf_json(b, s, strlen(s));
}

static void collect_json(struct found *f, const struct conf *c, const struct diags *d)
{
	for (uint32_t i = 1; i < c->nfiles; i++) {
		buf_str(&f->files, f->files.len ? "," : "");
		put_json(&f->files, c->files[i]);
	}
	for (uint32_t i = 0; i < d->n; i++) {
		const struct diag *g = &d->v[i];

		buf_str(&f->diags, f->diags.len ? "," : "");
		buf_str(&f->diags, "{\"file\":");
		put_json(&f->diags, g->where.file < c->nfiles ? c->files[g->where.file] : "");
		buf_printf(&f->diags, ",\"line\":%lu,\"column\":%u,\"severity\":\"%s\",\"message\":",
			   (unsigned long)g->where.line, g->where.col, g->error ? "error" : "warning");
		put_json(&f->diags, g->text);
		buf_chr(&f->diags, '}');
	}
}

static bool write_out(FILE *to, struct buf *b)
{
	bool ok = !b->failed && fwrite(b->p ? b->p : "", 1, b->len, to) == b->len;

	buf_free(b);
	return ok;
}

/* Checks one file; false when the output could not be written or memory ran out. */
static bool check(const char *file, const struct options *o, struct found *f)
{
	struct conf *c = conf_new();
	struct diags d = { 0 };
	struct buf out = { 0 };
	bool caret = !o->quiet && !o->json && isatty(2), ok = true;

	if (!c)
		return false;
	conf_check(c, &d, file, caret);
	f->errors += d.errors;
	f->warnings += d.warnings;
	if (o->json)
		collect_json(f, c, &d);
	else if (!o->quiet)
		diags_print(&out, c, &d, caret);
	ok = write_out(stderr, &out);
	if (o->print) {
		conf_print(&out, c);
		ok &= write_out(stdout, &out);
	}
	diags_free(&d);
	conf_free(c);
	return ok;
}

static bool finish(const struct options *o, struct found *f)
{
	struct buf out = { 0 };
	bool ok = true;

	if (o->json && !o->quiet) {
		buf_str(&out, "{\"files\":[");
		buf_add(&out, f->files.p, f->files.len);
		buf_printf(&out, "],\"errors\":%lu,\"warnings\":%lu,\"diagnostics\":[", f->errors,
			   f->warnings);
		buf_add(&out, f->diags.p, f->diags.len);
		buf_str(&out, "]}\n");
		out.failed |= f->files.failed || f->diags.failed;
		ok = write_out(stdout, &out);
	}
	buf_free(&f->files);
	buf_free(&f->diags);
	return !fflush(stdout) && ok;
}

/* A file of that name is checked as ./explain. */
static int explain(int argc, char **argv, const char *standard)
{
	if (argc != 3 && argc != 4) {
		fputs("usage: smcroute-check explain IIF SOURCE GROUP [FILE]\n", stderr);
		return EXIT_USAGE;
	}
	return explain_main((const char *const[]){ argv[0], argv[1], argv[2] }, argc == 4 ? argv[3] : standard);
}

/* Checks n files; the exit status. */
static int check_all(char **files, int n, const struct options *o)
{
	struct found f = { 0 };
	bool ok = true;

	for (int i = 0; i < n; i++)
		ok &= check(files[i], o, &f);
	ok &= finish(o, &f);
	if (!ok) {
		fputs("smcroute-check: out of memory, or the output could not be written\n", stderr);
		return EXIT_SYSTEM;
	}
	return f.errors ? EXIT_CONFIG : 0;
}

int smcroute_check_main(int argc, char **argv)
{
	static char standard[] = SYSCONFDIR "/smcroute.conf";
	static char *fallback[] = { standard };
	struct options o = { 0 };
	int opt;

	while ((opt = getopt(argc, argv, "hHjpqv")) != -1) {
		switch (opt) {
		case 'h':
			fputs(smcroute_check_applet.usage, stdout);
			return 0;
		case 'H':
			o.host = true;
			break;
		case 'j':
			o.json = true;
			break;
		case 'p':
			o.print = true;
			break;
		case 'q':
			o.quiet = true;
			break;
		case 'v':
			printf("smcroute-check %s\n", applet_version());
			return 0;
		default:
			fputs(smcroute_check_applet.usage, stderr);
			return EXIT_USAGE;
		}
	}
	if (o.json && o.print) {
		fputs("smcroute-check: -j and -p both write to standard output: choose one\n", stderr);
		return EXIT_USAGE;
	}
	if (argc > optind && !strcmp(argv[optind], "explain"))
		return explain(argc - optind - 1, argv + optind + 1, standard);
	int n = argc > optind ? argc - optind : 1;
	char **files = argc > optind ? argv + optind : fallback;
	enum form form = o.quiet ? FORM_NONE : o.json ? FORM_JSON : FORM_TEXT;
	bool doctor = argc > optind && !strcmp(argv[optind], "doctor");

	if (!WITH_HOST && (doctor || o.host)) {
		fputs("smcroute-check: -H and doctor are not in this build (WITH_HOST=no)\n", stderr);
		return EXIT_BUSY;
	}
	if (doctor)
		return doctor_main(argv + optind + 1, argc - optind - 1, form);
	if (o.host)
		return host_main(files, n, argc <= optind, form);
	return check_all(files, n, &o);
}

const struct applet smcroute_check_applet = {
	.name = "smcroute-check",
	.summary = "tells what is wrong with a configuration",
	.usage =
		"usage: smcroute-check [-hHjpqv] [FILE...]\n"
		"       smcroute-check explain IIF SOURCE GROUP [FILE]\n"
		"       smcroute-check [-jq] doctor GROUP [SECONDS] [FILE]\n"
		"\n"
		"Checks configuration files, \"-\" for standard input; without FILE\n"
		SYSCONFDIR "/smcroute.conf.  Needs no root, no daemon and no interfaces.\n"
		"`explain` tells which rules match a packet and what comes out.\n"
		"`doctor` watches this host for 5 seconds, or SECONDS, and tells where the\n"
		"packets of GROUP end.  -H and doctor print the commands that mend it.\n"
		"\n"
		"  -h  this help\n"
		"  -H  look at this host: what keeps FILE from working here\n"
		"  -j  diagnostics as one JSON object on standard output\n"
		"  -p  print the configuration in its canonical form\n"
		"  -q  print no diagnostics, only exit\n"
		"  -v  version\n"
		"\n"
		"Exit status: 0 no error (there may be warnings), 78 errors, 64 wrong usage;\n"
		"-H and doctor: 1 when something is in the way.\n",
	.main = smcroute_check_main,
};
