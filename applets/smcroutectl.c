/* SPDX-License-Identifier: ISC
 *
 * The client: options, the words of a command, help.  What commands there are is
 * read from router/command.h, the table that the daemon uses.
 */
#include "applets/smcroutectl.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "applets/applet.h"
#include "applets/control/show.h"

#define WAIT_MAX 86400

static const char usage[] =
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

/* ---- words ---- */

static void unknown(const char *what, const char *word, const char *candidates, char *why, size_t len)
{
	bool some = *word && !strncmp(candidates, word, strlen(word));

	snprintf(why, len, some ? "%s \"%s\" is ambiguous: %s" : "no %s \"%s\", there are: %s", what, word, candidates);
}

/* What stands between a command and its words. */
static const char *blank(const struct command *c)
{
	return *c->usage ? " " : "";
}

/* Returns the command of that name, or NULL with the reason in why[len]. */
static const struct command *find(const char *word, char *why, size_t len)
{
	struct word_search s;
	const struct command *c = command_find(word, &s);

	if (!c)
		unknown("command", word, s.names, why, len);
	return c;
}

bool ctl_check(struct request *q)
{
	const struct command *c = find(q->words[1], q->why, sizeof q->why);
	int more = q->n - 1;

	if (!c)
		return false;
	if (more < c->min_words || more > c->max_words) {
		snprintf(q->why, sizeof q->why, "too %s words, usage: smcroutectl %s%s%s",
			 more < c->min_words ? "few" : "many", c->name, blank(c), c->usage);
		return false;
	}
	if (!strcmp(c->name, "show") && more) {
		struct word_search s;
		const char *table = show_find(q->words[2], &s);

		if (!table) {
			unknown("table", q->words[2], s.names, q->why, sizeof q->why);
			return false;
		}
		q->words[2] = table;
	}
	q->words[1] = c->name;
	q->cmd = c;
	return true;
}

static int help(const char *word)
{
	char why[512];
	const struct command *c = commands;

	if (!word) {
		for (; c < commands + commands_n; c++)
			printf("%s%s%s\n    %s\n", c->name, blank(c), c->usage, c->help);
		return 0;
	}
	c = find(word, why, sizeof why);
	if (!c)
		return applet_fail(EXIT_USAGE, "%s", why);
	printf("Usage: smcroutectl %s%s%s\n  %s\n", c->name, blank(c), c->usage, c->help);
	if (*c->aliases)
		printf("  also called: %s\n", c->aliases);
	printf("Example: smcroutectl %s\n", c->example);
	return 0;
}

int ctl_local(const struct request *q)
{
	if (!strcmp(q->cmd->name, "help"))
		return help(q->n > 1 ? q->words[2] : NULL);
	applet_told(&smcroutectl_applet, 'v');
	return 0;
}

/* ---- options ---- */

/* What an option was given is not what it must be: the exit status. */
static int wrong(int opt, const char *must)
{
	return applet_fail(EXIT_USAGE, "-%c %s: not %s", opt, optarg, must);
}

/* Takes one option: -1 to go on, or the exit status to leave with. */
static int take_option(struct ctl *c, int opt)
{
	size_t digits;

	switch (opt) {
	case '?':
		return applet_fail(EXIT_USAGE, strchr("iIuw", optopt) ? "option -%c needs a value" :
				   "unknown option -%c, see smcroutectl -h", optopt);
	case 'i':
	case 'I':
		c->ident = optarg;
		return *optarg && !strchr(optarg, '/') ? -1 : wrong('i', "a name");
	case 'u':
		c->path = optarg;
		return -1;
	case 'w':
		digits = strspn(optarg, "0123456789");
		c->wait = digits && digits <= 5 && !optarg[digits] ? atoi(optarg) : -1;
		return c->wait >= 0 && c->wait <= WAIT_MAX ? -1 : wrong('w', "a number of seconds from 0 to 86400");
	default:
		if (applet_told(&smcroutectl_applet, opt))
			return 0;
		c->options |= OPTION(opt);
		return -1;
	}
}

/* Takes one word; as take_option(). */
static int take_word(struct request *q, const char *word)
{
	if (q->n == CTL_WORDS)
		return applet_fail(EXIT_USAGE, "more than %d words", CTL_WORDS);
	q->words[++q->n] = word;
	return -1;
}

/* Options may stand behind words too; "--" ends them.  Returns as take_option(). */
static int parse_options(struct ctl *c, int argc, char **argv, struct request *q)
{
	int opt, status = -1;
	bool end = false;

	opterr = 0;
	while (optind < argc && status < 0) {
		opt = end ? -1 : !strcmp(argv[optind], "--help") ? 'h' : !strcmp(argv[optind], "--version") ? 'v' :
		      getopt(argc, argv, "+bdhi:I:jptu:vw:");
		if (opt != -1) {
			status = take_option(c, opt);
		} else if (optind < argc) {
			end |= !strcmp(argv[optind - 1], "--");
			status = take_word(q, argv[optind++]);
		}
	}
	return status;
}

static int run(struct ctl *c, struct request *q)
{
	bool batch = c->options & OPTION('b');
	int fd;

	if (batch && q->n)
		return applet_fail(EXIT_USAGE, "-b reads its commands from standard input, not \"%s\"", q->words[1]);
	/* For a batch this is not asked, but no harm. */
	if (!q->n) {
		q->words[1] = "show";
		q->words[2] = "routes";
		q->n = 2;
	}
	if (!ctl_check(q))
		return applet_fail(EXIT_USAGE, "%s", q->why);
	if (q->cmd->is_local)
		return ctl_local(q);
	fd = ctl_connect(c);
	if (fd < 0)
		return -fd;
	ctl_print_setup(c);
	/* The end of the process closes the socket: the daemon need not look at that first. */
	return ctl_talk(c, fd, q);
}

static int ctl_main(int argc, char **argv)
{
	struct ctl c = { .ident = "smcroute" };
	struct request q;
	int status, flushed;

	/* No socket of ours must get the number of a standard stream that is closed; writing there must fail. */
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0)
			open("/dev/null", O_RDONLY);
	/* A reader that leaves early must not end a batch half way. */
	signal(SIGPIPE, SIG_IGN);
	q.n = 0;
	status = parse_options(&c, argc, argv, &q);
	if (status < 0)
		status = run(&c, &q);
	flushed = ctl_flush(&c);
	return status ? status : flushed;
}

const struct applet smcroutectl_applet = {
	"smcroutectl", "tell a running smcrouted what to route, and see what it does", usage, ctl_main,
};
