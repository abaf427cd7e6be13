/* SPDX-License-Identifier: ISC
 *
 * The client: its options, and the order in which its parts are called.  Words are
 * checked in ctl_words.c, the daemon is found in ctl_connection.c and spoken with in
 * ctl_conversation.c, and what it says is shown by ctl_print.c.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "applets/applet.h"
#include "applets/ctl_connection.h"
#include "applets/ctl_conversation.h"
#include "applets/ctl_print.h"
#include "applets/ctl_words.h"

#define WAIT_MAX 86400

static const char ctl_usage[] =
	"Usage: smcroutectl [-bdhjptv] [-i NAME] [-u FILE] [-w SEC] [COMMAND [WORDS]]\n"
	"\n"
	"  -b       batch: read commands from standard input, one a line\n"
	"  -d       details: counters, states, reasons\n"
	"  -h       this text\n"
	"  -i NAME  identity of the daemon, default smcroute\n"
	"  -j       JSON\n"
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
	bool is_plain, has_no_headings;
	struct ctl_words words;
};

/* An option was given what it must not be: the exit status. */
static int ctl_wrong_value(int opt, const char *must)
{
	return applet_fail(EXIT_USAGE, "-%c %s: not %s", opt, optarg, must);
}

/* Takes -w: -1 to go on, or the exit status to leave with. */
static int ctl_take_wait(struct ctl_line *l)
{
	size_t digits = strspn(optarg, "0123456789");

	l->place.wait = digits && digits <= 5 && !optarg[digits] ? atoi(optarg) : -1;
	if (l->place.wait >= 0 && l->place.wait <= WAIT_MAX)
		return -1;
	return ctl_wrong_value('w', "a number of seconds from 0 to 86400");
}

/* Takes one option: as ctl_take_wait(). */
static int ctl_take_option(struct ctl_line *l, int opt)
{
	switch (opt) {
	case 'b':
		l->options.batch = true;
		return -1;
	case 'd':
		l->options.detail = true;
		return -1;
	case 'i':
	case 'I':
		l->place.ident = optarg;
		return *optarg && !strchr(optarg, '/') ? -1 : ctl_wrong_value('i', "a name");
	case 'j':
		l->options.json = true;
		return -1;
	case 'p':
		l->is_plain = true;
		return -1;
	case 't':
		l->has_no_headings = true;
		return -1;
	case 'u':
		l->place.path = optarg;
		return -1;
	case 'w':
		return ctl_take_wait(l);
	case '?':
		return applet_fail(EXIT_USAGE, strchr("iIuw", optopt) ? "option -%c needs a value" :
				   "unknown option -%c, see smcroutectl -h", optopt);
	default:
		applet_told(&smcroutectl_applet, opt);
		return 0;
	}
}

/* Takes one word: as ctl_take_wait(). */
static int ctl_take_word(struct ctl_words *w, const char *word)
{
	return ctl_words_add(w, word) ? -1 : applet_fail(EXIT_USAGE, "more than %d words", CTL_WORDS_MAX - 1);
}

/* Options may stand behind words too; "--" ends them.  As ctl_take_wait(). */
static int ctl_parse_options(struct ctl_line *l, int argc, char **argv)
{
	int opt, status = -1;
	bool is_end = false;

	opterr = 0;
	while (optind < argc && status < 0) {
		opt = is_end ? -1 : !strcmp(argv[optind], "--help") ? 'h' : !strcmp(argv[optind], "--version") ? 'v' :
		      getopt(argc, argv, "+bdhi:I:jptu:vw:");
		if (opt != -1) {
			status = ctl_take_option(l, opt);
		} else if (optind < argc) {
			is_end |= !strcmp(argv[optind - 1], "--");
			status = ctl_take_word(&l->words, argv[optind++]);
		}
	}
	return status;
}

static int ctl_run(struct ctl_line *l, struct ctl_printer *printer)
{
	struct ctl_words *w = &l->words;

	if (l->options.batch && w->n)
		return applet_fail(EXIT_USAGE, "-b reads its commands from standard input, not \"%s\"", w->v[1]);
	/* For a batch this is not asked, but no harm. */
	if (!w->n) {
		ctl_words_add(w, "show");
		ctl_words_add(w, "routes");
	}
	if (!ctl_words_check(w))
		return applet_fail(EXIT_USAGE, "%s", w->why);
	if (w->cmd->is_local)
		return ctl_words_run_local(w);

	int fd = ctl_connection_open(&l->place);

	if (fd < 0)
		return -fd;
	/* The end of the process closes the socket: the daemon need not look at that first. */
	return ctl_conversation_run(fd, &l->options, printer, w);
}

static int ctl_main(int argc, char **argv)
{
	struct ctl_line l = { .place.ident = "smcroute" };
	struct ctl_printer printer;
	int status, flushed;

	/* No socket of ours must get the number of a standard stream that is closed; writing there must fail. */
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0)
			open("/dev/null", O_RDONLY);
	/* A reader that leaves early must not end a batch half way. */
	signal(SIGPIPE, SIG_IGN);
	status = ctl_parse_options(&l, argc, argv);
	printer = ctl_print_setup(!l.has_no_headings, l.is_plain);
	if (status < 0)
		status = ctl_run(&l, &printer);
	flushed = ctl_print_flush(&printer);
	return status ? status : flushed;
}

const struct applet smcroutectl_applet = {
	"smcroutectl", "tell a running smcrouted what to route, and see what it does", ctl_usage, ctl_main,
};
