/* SPDX-License-Identifier: ISC
 *
 * The options of the daemon: words in, struct settings out.  What it does with
 * them is in daemon.c.
 */
#include "applets/applet.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "applets/daemon.h"
#include "conf/conf.h"
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

/* What the options say before paths are made of them. */
struct options {
	const char *pidfile, *socket, *check;
};

static int bad(int opt, const char *arg, const char *why)
{
	fprintf(stderr, "smcrouted: option -%c: \"%s\" %s; see smcrouted -h\n", opt, arg, why);
	return EXIT_USAGE;
}

/* A number of decimal digits alone within bounds; false after saying what is wrong. */
static bool number(int opt, const char *s, unsigned min, unsigned max, unsigned *out)
{
	int64_t v = number_parse(s, max);

	if (v < min) {
		fprintf(stderr, "smcrouted: option -%c: \"%s\" is not a number from %u to %u; see smcrouted -h\n",
			opt, s, min, max);
		return false;
	}
	*out = (unsigned)v;
	return true;
}

/* The absolute form of a path, as the daemon will not stay in this directory. */
static char *absolute(const char *path)
{
	char cwd[PATH_MAX], *out;

	if (*path == '/' || !getcwd(cwd, sizeof cwd))
		return strdup(path);
	return asprintf(&out, "%s/%s", cwd, path) < 0 ? NULL : out;
}

/* RUNSTATEDIR, or /run in small images that do not have it. */
static const char *run_dir(void)
{
	struct stat st;

	return stat(RUNSTATEDIR, &st) < 0 && !stat("/run", &st) ? "/run" : RUNSTATEDIR;
}

static char *default_path(const char *dir, const char *name, const char *suffix)
{
	char *out;

	return asprintf(&out, "%s/%s%s", dir, name, suffix) < 0 ? NULL : out;
}

static int check(const char *file)
{
	struct buf out = { 0 };
	bool ok = conf_check_file(file, &out, isatty(STDERR_FILENO));

	fputs(buf_cstr(&out), stderr);
	buf_free(&out);
	return ok ? 0 : EXIT_CONFIG;
}

/* Takes one option; 0, or an exit status. */
static int take(int opt, const char *arg, struct settings *s, struct options *o)
{
	int lvl;

	switch (opt) {
	case 'c': return number(opt, arg, 0, 31536000, &s->expire) ? 0 : EXIT_USAGE;
	case 'd': return number(opt, arg, 0, 86400, &s->delay) ? 0 : EXIT_USAGE;
	case 'D': return number(opt, arg, 1, 31536000, &s->lifetime) ? 0 : EXIT_USAGE;
	case 'm': return number(opt, arg, 4, 180, &s->mrdisc) ? 0 : EXIT_USAGE;
	case 'M': return number(opt, arg, 1, 16777216, &s->max_dynamic) ? 0 : EXIT_USAGE;
	case 't': return number(opt, arg, 0, 999999999, &s->table) ? 0 : EXIT_USAGE;
	case 'e': s->hook = arg; break;
	case 'f': s->conf = arg; s->conf_given = true; break;
	case 'F': o->check = arg; break;
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
	case 'p': s->user = arg; break;
	case 'P': o->pidfile = arg; break;
	case 's': s->syslog = true; break;
	case 'u': o->socket = arg; break;
	default: return EXIT_USAGE;
	}
	return 0;
}

static int run(struct settings *s, const struct options *o)
{
	char *conf = s->conf ? strcmp(s->conf, "-") ? absolute(s->conf) : strdup("-")
			     : default_path(SYSCONFDIR, s->ident, ".conf");
	char *socket = o->socket ? absolute(o->socket) : default_path(run_dir(), s->ident, ".sock");
	/* A bare name goes to the run directory and gets its suffix, a path is taken as it is. */
	char *pidfile = o->pidfile && strchr(o->pidfile, '/') ? absolute(o->pidfile)
			: default_path(run_dir(), o->pidfile ? o->pidfile : s->ident,
				       o->pidfile && strchr(o->pidfile, '.') ? "" : ".pid");
	/* A program with a path is looked for from here, one without in PATH. */
	char *hook = s->hook && strchr(s->hook, '/') ? absolute(s->hook) : strdup(s->hook ? s->hook : "");
	int status = EXIT_SYSTEM;

	if (conf && socket && pidfile && hook) {
		s->hook = s->hook ? hook : NULL;
		s->conf = conf;
		s->socket = socket;
		s->pidfile = pidfile;
		status = daemon_run(s);
	} else {
		fputs("smcrouted: out of memory\n", stderr);
	}
	free(conf);
	free(socket);
	free(pidfile);
	free(hook);
	return status;
}

static int smcrouted_main(int argc, char **argv)
{
	struct settings s = {
		.ident = "smcroute", .level = LOG_LVL_NOTICE, .expire = 60, .mrdisc = 20, .max_dynamic = 65536,
	};
	struct options o = { NULL, NULL, NULL };
	int opt;

	while ((opt = getopt(argc, argv, "c:d:D:e:f:F:hi:I:l:m:M:nNp:P:st:u:v")) != -1) {
		if (opt == 'h') {
			fputs(usage, stdout);
			return 0;
		}
		if (opt == 'v') {
			printf("smcrouted %s\n", applet_version());
			return 0;
		}
		int status = take(opt, optarg, &s, &o);
		if (status) {
			if (opt == '?')
				fprintf(stderr, "see smcrouted -h\n");
			return status;
		}
	}
	if (optind < argc) {
		fprintf(stderr, "smcrouted: \"%s\" is one word too many; see smcrouted -h\n", argv[optind]);
		return EXIT_USAGE;
	}
	return o.check ? check(o.check) : run(&s, &o);
}

const struct applet smcrouted_applet = {
	.name = "smcrouted",
	.summary = "daemon: keeps multicast routes in the kernel",
	.usage = usage,
	.main = smcrouted_main,
};
