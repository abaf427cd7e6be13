/* SPDX-License-Identifier: ISC
 *
 * The options of the daemon: words in, struct settings out.  What it does with
 * them is in daemon.c.
 */
#include "applets/applet.h"

#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "applets/daemon.h"
#include "applets/smcroute-check.h"
#include "lib/number.h"
#include "lib/status.h"

static const char usage[] =
	"Usage: smcrouted [-hnNsv] [-c SEC] [-d SEC] [-D SEC] [-e CMD] [-f FILE] [-F FILE] [-i NAME]\n"
	"                 [-l LVL] [-m SEC] [-M NUM] [-p USER[:GROUP]] [-P FILE] [-t ID] [-u FILE]\n\n"
	"  -c SEC     forget learned entries that were not used for SEC seconds, default 60, 0 = never\n"
	"  -d SEC     wait SEC seconds before interfaces are probed and the config is read\n"
	"  -D SEC     leave after SEC seconds, for tests\n"
	"  -e CMD     run CMD with `reload` at start and reload, `install` when an entry is learned\n"
	"  -f FILE    config file, default " SYSCONFDIR "/NAME.conf; - = standard input\n"
	"  -F FILE    check FILE and exit: 0, or 78 when it has errors\n"
	"  -h         this text\n"
	"  -i NAME    names the config, PID file, socket and log, default smcroute; also -I\n"
	"  -l LVL     none, err, notice, info or debug, default notice\n"
	"  -m SEC     seconds between multicast router advertisements, 4-180, default 20\n"
	"  -M NUM     cap on learned and blocked entries, default 65536\n"
	"  -n         stay in the foreground and log to stderr\n"
	"  -N         no effect: interfaces are taken only when something refers to them\n"
	"  -p USER[:GROUP]  give up all privileges after the start\n"
	"  -P FILE    PID file, a path or just a name, default NAME.pid\n"
	"  -s         log to syslog even with -n\n"
	"  -t ID      multicast routing table, default the main one\n"
	"  -u FILE    control socket, default NAME.sock\n"
	"  -v         version and features\n";

static int bad(int opt, const char *arg, const char *why)
{
	return applet_fail(EXIT_USAGE, "option -%c: \"%s\" %s; see smcrouted -h", opt, arg, why);
}

/* Options that take a value, and where it goes: a number within bounds, or, without them, a text. */
static const struct value {
	char opt;
	uint8_t at, min;
	unsigned max;
} values[] = {
	{ 'c', offsetof(struct settings, expire), 0, 31536000 },
	{ 'd', offsetof(struct settings, delay), 0, 86400 },
	{ 'D', offsetof(struct settings, lifetime), 1, 31536000 },
	{ 'e', offsetof(struct settings, hook), 0, 0 },
	{ 'f', offsetof(struct settings, conf), 0, 0 },
	{ 'F', offsetof(struct settings, check), 0, 0 },
	{ 'm', offsetof(struct settings, mrdisc), 4, 180 },
	{ 'M', offsetof(struct settings, max_dynamic), 1, 16777216 },
	{ 'p', offsetof(struct settings, user), 0, 0 },
	{ 'P', offsetof(struct settings, pidfile), 0, 0 },
	{ 't', offsetof(struct settings, table), 0, 999999999 },
	{ 'u', offsetof(struct settings, socket), 0, 0 },
};

/* Takes a value, a number of decimal digits alone; 0, or an exit status. */
static int take_value(const struct value *row, const char *s, struct settings *to)
{
	void *at = (char *)to + row->at;
	int64_t v;
	char why[64];

	if (!row->max) {
		*(const char **)at = s;
		return 0;
	}
	v = number_parse(s, row->max);
	if (v < row->min) {
		snprintf(why, sizeof why, "is not a number from %u to %u", row->min, row->max);
		return bad(row->opt, s, why);
	}
	*(unsigned *)at = (unsigned)v;
	return 0;
}

/* A path that lasts as long as the process. */
static const char *join(const char *dir, const char *name, const char *suffix)
{
	char *out;

	if (asprintf(&out, "%s/%s%s", dir, name, suffix) < 0)
		exit(applet_fail(EXIT_SYSTEM, "out of memory"));
	return out;
}

/* The absolute form of a path, as the daemon will not stay in this directory. */
static const char *absolute(const char *path)
{
	char cwd[PATH_MAX];

	return *path == '/' || !getcwd(cwd, sizeof cwd) ? path : join(cwd, path, "");
}

static bool is_path(const char *s)
{
	return s && strchr(s, '/');
}

/* RUNSTATEDIR, or /run in small images that do not have it. */
static const char *run_dir(void)
{
	return access(RUNSTATEDIR, F_OK) < 0 && !access("/run", F_OK) ? "/run" : RUNSTATEDIR;
}

/* Takes one option; 0, or an exit status. */
static int take(int opt, const char *arg, struct settings *s)
{
	int lvl;

	switch (opt) {
	case 'i': case 'I':
		if (!*arg || strchr(arg, '/') || strlen(arg) > 64)
			return bad(opt, arg, "is no name: 1 to 64 bytes without a slash");
		s->ident = arg;
		break;
	case 'l':
		lvl = log_level_parse(arg);
		if (lvl < 0)
			return bad(opt, arg, "is none of none, err, notice, info, debug");
		s->level = (enum log_level)lvl;
		break;
	case 'n': s->foreground = true; break;
	case 'N': break;
	case 's': s->syslog = true; break;
	case '?':
		fputs("see smcrouted -h\n", stderr);
		return EXIT_USAGE;
	default:
		for (unsigned i = 0; i < sizeof values / sizeof *values; i++)
			if (values[i].opt == opt)
				return take_value(&values[i], arg, s);
	}
	return 0;
}

/* Makes the paths out of what the options say. */
static void set_paths(struct settings *s)
{
	s->conf_given = s->conf != NULL;
	if (!s->conf)
		s->conf = join(SYSCONFDIR, s->ident, ".conf");
	else if (strcmp(s->conf, "-"))
		s->conf = absolute(s->conf);
	s->socket = s->socket ? absolute(s->socket) : join(run_dir(), s->ident, ".sock");
	/* A bare name goes to the run directory and gets its suffix, a path is taken as it is. */
	if (is_path(s->pidfile))
		s->pidfile = absolute(s->pidfile);
	else
		s->pidfile = join(run_dir(), s->pidfile ? s->pidfile : s->ident,
				  s->pidfile && strchr(s->pidfile, '.') ? "" : ".pid");
	/* A program with a path is looked for from here, one without in PATH. */
	if (is_path(s->hook))
		s->hook = absolute(s->hook);
}

static int smcrouted_main(int argc, char **argv)
{
	struct settings s = {
		.ident = "smcroute", .level = LOG_LVL_NOTICE, .expire = 60, .mrdisc = 20, .max_dynamic = 65536,
	};
	int opt, status = 0;

	while ((opt = getopt(argc, argv, "c:d:D:e:f:F:hi:I:l:m:M:nNp:P:st:u:v")) != -1)
		if (applet_told(&smcrouted_applet, opt) || (status = take(opt, optarg, &s)))
			return status;
	if (optind < argc)
		return applet_fail(EXIT_USAGE, "\"%s\" is one word too many; see smcrouted -h", argv[optind]);
	if (s.check)
		return check_files(&s.check, 1, OPTION('F'));
	set_paths(&s);
	/* No return, so that the paths stay where they are. */
	exit(daemon_run(&s));
}

const struct applet smcrouted_applet = {
	.name = "smcrouted",
	.summary = "daemon: keeps multicast routes in the kernel",
	.usage = usage,
	.main = smcrouted_main,
};
