/* SPDX-License-Identifier: ISC
 *
 * smcroute-check: says what is wrong with configuration files before a daemon sees them.  Options and output only; the
 * checking itself is conf_check().
 */
#include "applets/smcroute-check.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "applets/applet.h"
#include "applets/doctor/checks.h"
#include "applets/doctor/doctor.h"
#include "conf/check.h"
#include "conf/conf.h"
#include "conf/explain.h"
#include "conf/explain_json.h"
#include "conf/field.h"
#include "conf/print.h"
#include "conf/read.h"
#include "lib/json.h"
#include "lib/near.h"

int smcroute_check_main(int argc, char **argv);

/* What was found in all files. */
struct check_found {
	struct buf files, diags;	/* JSON: elements of the two arrays */
	unsigned errors, warnings;
};

static void check_put_diag(struct buf *b, const struct conf *c, const struct diag *d)
{
	json_open(b);
	json_str(b, "file", d->where.file < c->nfiles ? c->files[d->where.file] : "");
	json_u64(b, "line", d->where.line);
	json_u64(b, "column", d->where.col);
	json_str(b, "severity", d->error ? "error" : "warning");
	json_str(b, "message", d->text);
	buf_chr(b, '}');
}

static void check_collect(struct check_found *f, const struct conf *c, const struct diags *d)
{
	for (uint32_t i = 1; i < c->nfiles; i++)
		json_item(&f->files, c->files[i]);
	for (uint32_t i = 0; i < d->n; i++)
		check_put_diag(&f->diags, c, &d->v[i]);
}

static bool check_write(FILE *to, struct buf *b)
{
	bool ok = !b->failed && applet_put(to, b->p ? b->p : "", b->len);

	buf_free(b);
	return ok;
}

/* Checks one file; false when the output could not be written or memory ran out. */
static bool check_file(const char *file, unsigned options, struct check_found *f)
{
	struct conf *c = conf_new();
	struct diags d = { 0 };
	struct buf out = { 0 };
	bool json = options & OPTION('j'), quiet = options & OPTION('q'), caret = !quiet && !json && isatty(2), ok;

	if (!c)
		return false;
	conf_check(c, &d, file, caret);
	f->errors += d.errors;
	f->warnings += d.warnings;
	if (json)
		check_collect(f, c, &d);
	else if (!quiet)
		diags_print(&out, c, &d, caret);
	/* Whoever asks by -F may have closed standard error: the status is the answer. */
	ok = check_write(stderr, &out) || options & OPTION('F');
	if (options & OPTION('p')) {
		conf_print(&out, c);
		ok &= check_write(stdout, &out);
	}
	diags_free(&d);
	conf_free(c);
	return ok;
}

int check_files(const char *const *files, int n, unsigned options)
{
	struct check_found f = { 0 };
	bool ok = true;

	for (int i = 0; i < n; i++)
		ok &= check_file(files[i], options, &f);
	if ((options & (OPTION('j') | OPTION('q'))) == OPTION('j'))
		ok &= printf("{\"files\":[%s],\"errors\":%u,\"warnings\":%u,\"diagnostics\":[%s]}\n",
			     buf_cstr(&f.files), f.errors, f.warnings, buf_cstr(&f.diags)) > 0 &&
		      !f.files.failed && !f.diags.failed;
	buf_free(&f.files);
	buf_free(&f.diags);
	if (!ok || fflush(stdout))
		return applet_fail(EXIT_SYSTEM, "out of memory, or the output could not be written");
	return f.errors ? EXIT_CONFIG : 0;
}

/* Reads the words to a name, of IFNAME_SIZE bytes, and a packet; 0 or the exit status. */
static int check_explain_words(const char *const words[3], char *iif, struct flow *packet)
{
	struct flow_range range;
	size_t len = strlen(words[0]);
	const char *why = ifname_check(words[0], &len);

	if (why)
		return applet_fail(EXIT_DATA, "%s: %s", words[0], why);
	memcpy(iif, words[0], len);
	iif[len] = '\0';
	why = field_range(words + 1, 2, &range);
	if (!why && !flow_range_is_single(&range))
		why = "a packet has one source and one group: leave the prefix length out";
	*packet = range.flow;
	return why ? applet_fail(EXIT_DATA, "%s", why) : 0;
}

/* Answers from a conf, whose diagnostics are d; of a file that could not be read there is nothing to say in text. */
static int check_explain_answer(const struct conf *c, const struct diags *d, bool is_read, const char *iif,
				const struct flow *packet, enum form form)
{
	struct explanation x;
	struct buf out = { 0 };
	int status = EXIT_SYSTEM;

	if (d->errors && form == FORM_TEXT) {
		diags_print(&out, c, d, false);
		check_write(stderr, &out);
	}
	if (explain_packet(&x, c, iif, packet)) {
		if (form == FORM_JSON)
			explain_json(&out, &x);
		else if (form == FORM_TEXT && is_read)
			explain_text(&out, &x);
		if (form == FORM_JSON)
			buf_chr(&out, '\n');
		if (check_write(stdout, &out) && !fflush(stdout))
			status = d->errors ? EXIT_CONFIG : x.reason != EXPLAIN_FORWARDED;
	}
	explain_free(&x);
	buf_free(&out);
	return status;
}

/* `explain`: answers for the words IIF SOURCE GROUP and a file name.  Returns the exit status: 0 when something comes
 * out, 1 when nothing does, 65 for words that are no address or name, 71 when memory or the output failed, 78 when the
 * file has errors. */
static int check_explain(const char *const words[3], const char *file, enum form form)
{
	struct flow packet;
	struct diags d = { 0 };
	char iif[IFNAME_SIZE];
	int status = check_explain_words(words, iif, &packet);
	struct conf *c;
	bool is_read;

	if (status)
		return status;
	c = conf_new();
	if (!c)
		return applet_fail(EXIT_SYSTEM, "out of memory");
	is_read = conf_parse_file(c, &d, file);
	status = check_explain_answer(c, &d, is_read, iif, &packet, form);
	diags_free(&d);
	conf_free(c);
	return status;
}

/* The command that a word was probably meant to be, when there is no file of its name; or NULL. */
static const char *check_mistyped(const char *word)
{
	static const char *const commands[] = { "explain", "doctor" };
	int near = near_find(word, strlen(word), commands, 2);

	return near >= 0 && strcmp(word, commands[near]) && access(word, F_OK) < 0 ? commands[near] : NULL;
}

/* The words after the options; the exit status. */
static int check_run(char **words, int n, unsigned options)
{
	static char standard[] = SYSCONFDIR "/smcroute.conf";
	static char *fallback[] = { standard };
	enum form form = options & OPTION('q') ? FORM_NONE : options & OPTION('j') ? FORM_JSON : FORM_TEXT;
	const char *near;
	bool host = options & OPTION('H'), doctor = n && !strcmp(words[0], "doctor"), none = !n;

	/* A file of that name is checked as ./explain. */
	if (n && !strcmp(words[0], "explain")) {
		if (n == 4 || n == 5)
			return check_explain((const char *const *)words + 1, n == 5 ? words[4] : standard, form);
		fputs("usage: smcroute-check [-jq] explain IIF SOURCE GROUP [FILE]\n", stderr);
		return EXIT_USAGE;
	}
	if (n && (near = check_mistyped(words[0])))
		return applet_fail(EXIT_USAGE, "there is no file \"%s\", did you mean \"%s\"?", words[0], near);
	if (!WITH_HOST && (doctor || host))
		return applet_fail(EXIT_BUSY, "-H and doctor are not in this build (WITH_HOST=no)");
	if (WITH_HOST && doctor)
		return doctor_main(words + 1, n - 1, form);
	if (none) {
		words = fallback;
		n = 1;
	}
	return WITH_HOST && host ? checks_main(words, n, none, form) :
	       check_files((const char *const *)words, n, options);
}

int smcroute_check_main(int argc, char **argv)
{
	static const struct option long_options[] = {
		{ "help", no_argument, NULL, 'h' }, { "version", no_argument, NULL, 'v' }, { NULL, 0, NULL, 0 },
	};
	unsigned options = 0;
	int opt;

	opterr = 0;
	while ((opt = getopt_long(argc, argv, "hHjpqv", long_options, NULL)) != -1) {
		if (applet_told(&smcroute_check_applet, opt))
			return 0;
		if (opt == '?') {
			const char letter[] = { '-', (char)optopt, '\0' };

			applet_fail(0, "unknown option %s", optopt ? letter : argv[optind - 1]);
			fputs(smcroute_check_applet.usage, stderr);
			return EXIT_USAGE;
		}
		options |= OPTION(opt);
	}
	if (options & OPTION('j') && options & OPTION('p'))
		return applet_fail(EXIT_USAGE, "-j and -p both write to standard output: choose one");
	if (optind < argc && !strcmp(argv[optind], "help") && access("help", F_OK) < 0)
		return !applet_told(&smcroute_check_applet, 'h');
	return check_run(argv + optind, argc - optind, options);
}

const struct applet smcroute_check_applet = {
	.name = "smcroute-check",
	.summary = "tells what is wrong with a configuration",
	.usage =
		"usage: smcroute-check [-hHjpqv] [FILE...]\n"
		"       smcroute-check [-jq] explain IIF SOURCE GROUP [FILE]\n"
		"       smcroute-check [-jq] doctor [GROUP] [SECONDS] [FILE]\n"
		"\n"
		"Checks configuration files, \"-\" for standard input; without FILE\n"
		SYSCONFDIR "/smcroute.conf.  Needs no root, no daemon and no interfaces.\n"
		"`explain` tells which rules match a packet and what comes out.\n"
		"`doctor` watches this host for 5 seconds, or SECONDS, and tells where the\n"
		"packets of GROUP end, or of all groups that the rules are for.  -H and doctor\n"
		"print the commands that mend it.\n"
		"\n"
		"  -h  this help\n"
		"  -H  look at this host: what keeps FILE from working here\n"
		"  -j  the result as one JSON object on standard output\n"
		"  -p  print the configuration in its canonical form\n"
		"  -q  print no diagnostics, only exit\n"
		"  -v  version\n"
		"\n"
		"Exit status: 0 no error (there may be warnings), 78 errors, 64 wrong usage;\n"
		"-H and doctor: 1 when something is in the way, 2 when too little was seen\n"
		"(doctor); explain: 1 when nothing comes out.\n",
	.main = smcroute_check_main,
};
