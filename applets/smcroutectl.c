/* SPDX-License-Identifier: ISC
 *
 * The client: its options, and the order in which its parts are called.  Words are checked in ctl_words.c, the daemon
 * is found in ctl_connection.c and spoken with in ctl_conversation.c, and what it says is shown by ctl_print.c.  For
 * `top` ctl_top.c does so again and again.
 */
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "applets/applet.h"
#include "applets/ctl_connection.h"
#include "applets/ctl_conversation.h"
#include "applets/ctl_top.h"
#include "applets/ctl_legacy.h"
#include "lib/number.h"
#include "router/owners.h"

#define WAIT_MAX 86400

static const char ctl_usage[] =
	"Usage: smcroutectl [-bdhjptv] [-i NAME] [-o OWNER] [-u FILE] [-w SEC] [COMMAND [WORDS]]\n"
	"\n"
	"  -b       batch: read commands from standard input, one a line\n"
	"  -d       details: counters, reasons; -dd: states of entries, too\n"
	"  -h       this text, or that of the command\n"
	"  -i NAME  identity of the daemon, default smcroute\n"
	"  -j       JSON\n"
	"  -o OWNER in whose name rules and memberships are added, removed, joined, left\n"
	"  -p       plain headings\n"
	"  -t       no headings\n"
	"  -u FILE  socket of the daemon, default " RUNSTATEDIR "/NAME.sock\n"
	"  -v       version\n"
	"  -w SEC   wait that long for a daemon to come up\n"
	"\n"
	"Commands may be shortened; without one it is `show routes`.  `help` lists them.\n";

/* The command line. */
struct ctl_line {
	struct ctl_place place;
	struct ctl_options options;
	bool is_plain, has_no_headings, wants_help;
	struct ctl_words words;
};

/* Takes one option, which is in that word: -1 to go on, or the exit status to leave with. */
static int ctl_take_option(struct ctl_line *l, int opt, const char *word)
{
	bool *const switches[] = {
		['b'] = &l->options.batch, ['j'] = &l->options.json, ['p'] = &l->is_plain,
		['t'] = &l->has_no_headings,
	};

	switch (opt) {
	case 'i':
	case 'I':
		l->place.ident = optarg;
		return *optarg && !strchr(optarg, '/') ? -1 : applet_fail(EXIT_USAGE, "-i %s: not a name", optarg);
	case 'o':
		l->words.owner = optarg;
		return -1;
	case 'u':
		l->place.path = optarg;
		return -1;
	case 'w':
		l->place.wait = number_parse(optarg, WAIT_MAX);
		return l->place.wait >= 0 ? -1 :
		       applet_fail(EXIT_USAGE, "-w %s: not a number of seconds from 0 to %d", optarg, WAIT_MAX);
	case '?':
		if (!optopt)
			return applet_fail(EXIT_USAGE, "unknown option %s, see smcroutectl -h", word);
		return applet_fail(EXIT_USAGE, strchr("iIouw", optopt) ? "option -%c needs a value" :
				   "unknown option -%c, see smcroutectl -h", optopt);
	case 'd':
		l->options.detail++;
		return -1;
	case 'h':
		l->wants_help = true;
		return -1;
	case 'v':
		applet_told(&smcroutectl_applet, opt);
		return 0;
	default:
		*switches[opt] = true;
		return -1;
	}
}

/* Takes options and words in any order, as ctl_take_option(). */
static int ctl_take_line(struct ctl_line *l, int argc, char **argv)
{
	static const struct option long_options[] = {
		{ "help", no_argument, NULL, 'h' }, { "version", no_argument, NULL, 'v' }, { NULL, 0, NULL, 0 },
	};
	int opt, status = -1;

	opterr = 0;
	while (status < 0 && (opt = getopt_long(argc, argv, "bdhi:I:jo:ptu:vw:", long_options, NULL)) != -1)
		status = ctl_take_option(l, opt, argv[optind - 1]);
	for (; status < 0 && optind < argc; optind++)
		if (!ctl_words_add(&l->words, argv[optind]))
			status = applet_fail(EXIT_USAGE, "more than %d words", CTL_WORDS_MAX - 1);
	return status;
}

/* Has the words, or those of a batch, done by the daemon.  A batch asks first who that is, a single command finds out
 * by its answer.  The end of the process closes the socket: the daemon need not look at that first. */
static int ctl_run_remote(struct ctl_line *l, struct ctl_printer *printer)
{
	int fd = ctl_connection_open(&l->place), status = CTL_NOT_OURS;

	if (fd < 0)
		return -fd;
	if (!l->options.batch) {
		status = ctl_conversation_run(fd, &l->options, printer, &l->words);
		if (status != CTL_NOT_OURS)
			return status;
		close(fd);
		fd = -1;
	}
	status = ctl_legacy_recognise(&l->place, &fd);
	if (status == CTL_LEGACY)
		return ctl_legacy_run(&l->place, &l->options, printer, &l->words);
	if (status)
		return status;
	if (!l->options.batch)
		return applet_fail(EXIT_BUSY, "the daemon has closed the connection without an answer");
	return ctl_conversation_run(fd, &l->options, printer, &l->words);
}

static int ctl_run(struct ctl_line *l, struct ctl_printer *printer)
{
	struct ctl_words *w = &l->words;

	if (l->wants_help && w->n) {
		w->v[2] = w->v[1];
		w->v[1] = "help";
		w->n = 2;
	} else if (l->wants_help) {
		applet_told(&smcroutectl_applet, 'h');
		return 0;
	}
	if (l->options.batch && w->n)
		return applet_fail(EXIT_USAGE, "-b reads its commands from standard input, not \"%s\"", w->v[1]);
	if (l->options.batch) {
		w->batch_owner = w->owner;
		w->owner = NULL;
		if (w->batch_owner && owner_check(w->batch_owner))
			return applet_fail(EXIT_USAGE, "-o %s: %s", w->batch_owner, owner_check(w->batch_owner));
	}
	/* For a batch this is not asked, but no harm. */
	if (!w->n) {
		ctl_words_add(w, "show");
		ctl_words_add(w, "routes");
	}
	if (!ctl_words_check(w))
		return applet_fail(EXIT_USAGE, "%s", w->why);
	if (w->cmd->is_local)
		return ctl_words_run_local(w);
	if (w->cmd->is_repeated)
		return ctl_top_run(&l->place, &l->options, printer, w->n > 1 ? w->v[2] : NULL);

	return ctl_run_remote(l, printer);
}

static int ctl_main(int argc, char **argv)
{
	struct ctl_line l = { .place.ident = "smcroute" };

	/* No socket of ours must get the number of a standard stream that is closed; writing there must fail. */
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0)
			open("/dev/null", O_RDONLY);
	/* A reader that leaves early must not end a batch half way. */
	signal(SIGPIPE, SIG_IGN);

	int status = ctl_take_line(&l, argc, argv);
	struct ctl_printer printer = ctl_print_setup(!l.has_no_headings, l.is_plain);

	if (status < 0)
		status = ctl_run(&l, &printer);

	int flushed = ctl_print_flush(&printer);

	return status ? status : flushed;
}

const struct applet smcroutectl_applet = {
	"smcroutectl", "tell a running smcrouted what to route, and see what it does", ctl_usage, ctl_main,
};
