/* SPDX-License-Identifier: ISC
 *
 * The options of the daemon: words in, struct settings out.  What it does with them is in daemon.c.
 */
#include "applets/smcrouted.h"

#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "applets/ctl_words.h"
#include "applets/daemon.h"
#include "applets/keeper.h"
#include "applets/smcroute-check.h"
#include "applets/takeover.h"
#include "kernel/kernel.h"
#include "lib/number.h"
#include "lib/proc.h"
#include "lib/status.h"

static const char smcrouted_usage[] =
	"Usage: smcrouted [-hknNsTv] [-c SEC] [-d SEC] [-D SEC] [-e CMD] [-f FILE] [-F FILE] [-i NAME]\n"
	"                 [-l LVL] [-m SEC] [-M NUM] [-p USER[:GROUP]] [-P FILE] [-t ID] [-u FILE]\n\n"
	"  -c SEC     forget learned entries that were not used for SEC seconds, default 60, 0 = never\n"
	"  -d SEC     wait SEC seconds before interfaces are probed and the config is read\n"
	"  -D SEC     leave after SEC seconds, for tests\n"
	"  -e CMD     run CMD with `reload` at start and reload, `install` when an entry is learned\n"
	"  -f FILE    config file, default " SYSCONFDIR "/NAME.conf; - = standard input\n"
	"  -F FILE    check FILE and exit: 0, or 78 when it has errors\n"
	"  -h         this text\n"
	"  -i NAME    names the config, PID file, socket and log, default smcroute; also -I\n"
	"  -k         keep it: a small parent starts it again when it dies, and no route is lost\n"
	"  -l LVL     none, err, notice, info or debug, default notice\n"
	"  -m SEC     seconds between multicast router advertisements, 4-180, default 20\n"
	"  -M NUM     learned and blocked entries there may be, in fair shares, default 65536\n"
	"  -n         stay in the foreground and log to stderr\n"
	"  -N         no effect: interfaces are taken only when something refers to them\n"
	"  -p USER[:GROUP]  give up all privileges after the start\n"
	"  -P FILE    PID file, a path or just a name, default NAME.pid\n"
	"  -s         log to syslog even with -n\n"
	"  -t ID      multicast routing table, default the main one\n"
	"  -T         take over from the instance that runs, without the loss of a packet\n"
	"  -u FILE    control socket, default NAME.sock\n"
	"  -v         version and features\n";

static int smcrouted_refuse(int opt, const char *arg, const char *why)
{
	return applet_fail(EXIT_USAGE, "option -%c: \"%s\" %s; see smcrouted -h", opt, arg, why);
}

/* A path that lasts as long as the process. */
static const char *smcrouted_join(const char *dir, const char *name, const char *suffix)
{
	char *out;

	if (asprintf(&out, "%s/%s%s", dir, name, suffix) < 0)
		exit(applet_fail(EXIT_SYSTEM, "out of memory"));
	return out;
}

static bool smcrouted_is_path(const char *s)
{
	return s && strchr(s, '/');
}

/* The value of an option as it is to be kept: a path in its absolute form, as the daemon will not stay in this
 * directory.  Of PID file and hook a bare name has a meaning of its own. */
static const char *smcrouted_absolute(int opt, const char *arg)
{
	bool is_path = opt == 'u' || (opt == 'f' && strcmp(arg, "-")) ||
		       ((opt == 'P' || opt == 'e') && smcrouted_is_path(arg));
	char cwd[PATH_MAX];

	return !is_path || *arg == '/' || !getcwd(cwd, sizeof cwd) ? arg : smcrouted_join(cwd, arg, "");
}

/* Takes a number of decimal digits alone from min to max; 0, or an exit status. */
static int smcrouted_take_number(int opt, const char *arg, unsigned min, unsigned max, unsigned *to)
{
	int64_t v = number_parse(arg, max);
	char why[64];

	if (v < min) {
		snprintf(why, sizeof why, "is not a number from %u to %u", min, max);
		return smcrouted_refuse(opt, arg, why);
	}
	*to = (unsigned)v;
	return 0;
}

/* Takes one option; 0, or an exit status. */
static int smcrouted_take(int opt, const char *arg, struct settings *s)
{
	int lvl;

	switch (opt) {
	case 'c': return smcrouted_take_number(opt, arg, 0, 31536000, &s->expire);
	case 'd': return smcrouted_take_number(opt, arg, 0, 86400, &s->delay);
	case 'D': return smcrouted_take_number(opt, arg, 1, 31536000, &s->lifetime);
	case 'm': return smcrouted_take_number(opt, arg, 4, 180, &s->mrdisc);
	case 'M': return smcrouted_take_number(opt, arg, 1, 16777216, &s->max_dynamic);
	case 't':
		if (!kernel_has_tables())
			return smcrouted_refuse(opt, arg, "cannot be: this system has one table only");
		return smcrouted_take_number(opt, arg, 0, 999999999, &s->table);
	case 'e': s->hook = arg; break;
	case 'f': s->conf = arg; s->conf_given = true; break;
	case 'F': s->check = arg; break;
	case 'p': s->user = arg; break;
	case 'P': s->pidfile = arg; break;
	case 'u': s->socket = arg; break;
	case 'n': s->foreground = true; break;
	case 'N': break;
	case 'k': s->has_keeper = true; break;
	case 's': s->syslog = true; break;
	case 'T': s->takes_over = true; break;
	case 'i': case 'I':
		if (!*arg || strchr(arg, '/') || strlen(arg) > 64)
			return smcrouted_refuse(opt, arg, "is no name: 1 to 64 bytes without a slash");
		s->ident = arg;
		break;
	case 'l':
		lvl = log_level_parse(arg);
		if (lvl < 0)
			return smcrouted_refuse(opt, arg, "is none of none, err, notice, info, debug");
		s->level = (enum log_level)lvl;
		break;
	default:
		break;
	}
	return 0;
}

/* Refuses the option in a word, or one without what belongs to it. */
static int smcrouted_refuse_option(int opt, const char *word)
{
	if (opt == ':')
		return applet_fail(EXIT_USAGE, "option -%c needs a value; see smcrouted -h", optopt);
	if (!optopt)
		return applet_fail(EXIT_USAGE, "unknown option %s; see smcrouted -h", word);
	return applet_fail(EXIT_USAGE, "unknown option -%c; see smcrouted -h", optopt);
}

/* Refuses a word that is no option: those of the client are the likely ones. */
static int smcrouted_refuse_word(const char *word)
{
	if (ctl_words_refuse_command(word))
		return EXIT_USAGE;
	return applet_fail(EXIT_USAGE, "\"%s\" is one word too many; see smcrouted -h", word);
}

/* RUNSTATEDIR, or /run in small images that do not have it. */
static const char *smcrouted_run_dir(void)
{
	return access(RUNSTATEDIR, F_OK) < 0 && !access("/run", F_OK) ? "/run" : RUNSTATEDIR;
}

/* Makes the paths out of what the options say. */
static void smcrouted_set_paths(struct settings *s)
{
	if (!s->conf)
		s->conf = smcrouted_join(SYSCONFDIR, s->ident, ".conf");
	if (!s->socket)
		s->socket = smcrouted_join(smcrouted_run_dir(), s->ident, ".sock");
	/* A bare name goes to the run directory and gets its suffix, a path is taken as it is. */
	if (!smcrouted_is_path(s->pidfile))
		s->pidfile = smcrouted_join(smcrouted_run_dir(), s->pidfile ? s->pidfile : s->ident,
				  s->pidfile && strchr(s->pidfile, '.') ? "" : ".pid");
}

/* Keeps an option and its value, if it has one, for the program that is started by an upgrade. */
static void smcrouted_keep(struct settings *s, int opt, const char *arg)
{
	static char letters[128][3];
	const char **words = realloc(s->words, (s->n_words + 3) * sizeof *words);

	if (!words)
		exit(applet_fail(EXIT_SYSTEM, "out of memory"));
	s->words = words;
	snprintf(letters[opt & 127], sizeof letters[0], "-%c", opt);
	words[s->n_words++] = letters[opt & 127];
	if (arg)
		words[s->n_words++] = arg;
	words[s->n_words] = NULL;
}

static int smcrouted_main(int argc, char **argv)
{
	static struct settings s = {
		.ident = "smcroute", .level = LOG_LVL_NOTICE, .expire = 60, .mrdisc = 20, .max_dynamic = 65536,
	};
	static const struct option long_options[] = {
		{ "help", no_argument, NULL, 'h' }, { "version", no_argument, NULL, 'v' }, { NULL, 0, NULL, 0 },
	};
	struct handover handed = { 0 };
	const char *arg;
	int opt, status;

	opterr = 0;
	while ((opt = getopt_long(argc, argv, ":c:d:D:e:f:F:hi:I:kl:m:M:nNp:P:st:Tu:v", long_options, NULL)) != -1) {
		if (opt == '?' || opt == ':')
			return smcrouted_refuse_option(opt, argv[optind - 1]);
		if (applet_told(&smcrouted_applet, opt))
			return 0;
		arg = optarg ? smcrouted_absolute(opt, optarg) : NULL;
		if ((status = smcrouted_take(opt, arg ? arg : "", &s)))
			return status;
		smcrouted_keep(&s, opt, arg);
	}
	if (optind < argc)
		return smcrouted_refuse_word(argv[optind]);
	if (s.check)
		return check_files(&s.check, 1, OPTION('F'));
	if (s.has_keeper && s.conf && !strcmp(s.conf, "-"))
		return applet_fail(EXIT_USAGE, "option -k: the configuration of standard input cannot be read again by "
				   "the next daemon; name a file");
	smcrouted_set_paths(&s);
	s.program = proc_program();
	/* The end of process 1 is the end of its container, or of the system. */
	s.foreground |= getpid() == 1;
	handover_take_environment(&handed);
	/* What an upgrade starts is kept already. */
	s.keeper = keeper_pid();
	if (s.has_keeper && !s.keeper && !takeover_is_child())
		keeper_run(&s, &handed);
	return daemon_run(&s, &handed);
}

const struct applet smcrouted_applet = {
	.name = "smcrouted",
	.summary = "daemon: keeps multicast routes in the kernel",
	.usage = smcrouted_usage,
	.main = smcrouted_main,
};
