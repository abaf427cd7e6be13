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
#include "lib/status.h"

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

static int unknown(const char *what, const char *word, const char *candidates, char *why, size_t len)
{
	bool some = *word && !strncmp(candidates, word, strlen(word));

	snprintf(why, len, some ? "%s \"%s\" is ambiguous: %s" : "no %s \"%s\", there are: %s", what, word, candidates);
	return EXIT_USAGE;
}

int ctl_check(int n, const char **words, const struct command **cmd, char *why, size_t len)
{
	char list[256];
	const struct command *c = command_find(words[0], list, sizeof list);

	if (!c)
		return unknown("command", words[0], list, why, len);
	if (n - 1 < c->min || n - 1 > c->max) {
		snprintf(why, len, "too %s words, usage: smcroutectl %s%s%s", n - 1 < c->min ? "few" : "many",
			 c->name, *c->words ? " " : "", c->words);
		return EXIT_USAGE;
	}
	if (!strcmp(c->name, "show") && n > 1) {
		int i = word_find(show_words, words[1], list, sizeof list);

		if (i < 0)
			return unknown("table", words[1], list, why, len);
		words[1] = show_words[i];
	}
	words[0] = c->name;
	*cmd = c;
	return 0;
}

static int help(const char *word)
{
	char list[256], why[512];
	const struct command *c;

	if (!word) {
		for (c = commands; c < commands + COMMANDS; c++)
			printf("%s%s%s\n    %s\n", c->name, *c->words ? " " : "", c->words, c->help);
		return 0;
	}
	c = command_find(word, list, sizeof list);
	if (!c) {
		int status = unknown("command", word, list, why, sizeof why);

		ctl_complain(0, "%s", why);
		return status;
	}
	printf("Usage: smcroutectl %s%s%s\n", c->name, *c->words ? " " : "", c->words);
	printf("  %s\n", c->help);
	if (*c->aliases)
		printf("  also called: %s\n", c->aliases);
	printf("Example: smcroutectl %s\n", c->example);
	return 0;
}

int ctl_local(const struct command *cmd, int n, const char *const *words)
{
	if (!strcmp(cmd->name, "help"))
		return help(n > 1 ? words[1] : NULL);
	printf("smcroutectl %s\n", applet_version());
	return 0;
}

/* ---- options ---- */

static int bad_option(int opt)
{
	if (strchr("iIuw", opt))
		ctl_complain(0, "option -%c needs a value", opt);
	else
		ctl_complain(0, "unknown option -%c, see smcroutectl -h", opt);
	return EXIT_USAGE;
}

static int set_wait(struct ctl *c, const char *s)
{
	size_t n = strlen(s);

	c->wait = n && n <= 5 && strspn(s, "0123456789") == n ? atoi(s) : -1;
	if (c->wait >= 0 && c->wait <= WAIT_MAX)
		return 0;
	ctl_complain(0, "-w %s: not a number of seconds from 0 to %d", s, WAIT_MAX);
	return EXIT_USAGE;
}

static int set_ident(struct ctl *c, const char *s)
{
	c->ident = s;
	if (*s && !strchr(s, '/'))
		return 0;
	ctl_complain(0, "-i %s: not a name", s);
	return EXIT_USAGE;
}

/* Takes one option: 0 to go on, an exit status + 1 to leave with. */
static int take_option(struct ctl *c, int opt)
{
	int status = 0;

	switch (opt) {
	case 'b': c->batch = true; break;
	case 'd': c->detail = true; break;
	case 'i':
	case 'I': status = set_ident(c, optarg); break;
	case 'j': c->json = true; break;
	case 'p': c->plain = true; break;
	case 't': c->bare = true; break;
	case 'u': c->path = optarg; break;
	case 'w': status = set_wait(c, optarg); break;
	case 'h':
		fputs(usage, stdout);
		return 1;
	case 'v':
		printf("smcroutectl %s\n", applet_version());
		return 1;
	default:
		status = bad_option(optopt);
	}
	return status ? status + 1 : 0;
}

/* Options may stand behind words too; "--" ends them.  Returns the number of words, or minus
 * what take_option() said. */
static int parse_options(struct ctl *c, int argc, char **argv, const char **words)
{
	int n = 0, opt, left;

	optind = 1;
	opterr = 0;
	for (;;) {
		if (optind < argc && !strcmp(argv[optind], "--help"))
			opt = 'h';
		else if (optind < argc && !strcmp(argv[optind], "--version"))
			opt = 'v';
		else
			opt = getopt(argc, argv, "+bdhi:I:jptu:vw:");
		if (opt != -1) {
			left = take_option(c, opt);
			if (left)
				return -left;
			continue;
		}
		bool end = optind > 1 && !strcmp(argv[optind - 1], "--");
		while (optind < argc) {
			if (n == CTL_WORDS) {
				ctl_complain(0, "more than %d words", CTL_WORDS);
				return -(EXIT_USAGE + 1);
			}
			words[n++] = argv[optind++];
			if (!end)
				break;
		}
		if (optind >= argc)
			return n;
	}
}

static int run(struct ctl *c, int n, const char **words)
{
	const struct command *cmd = NULL;
	char why[512];
	int status, fd;

	if (c->batch && n) {
		ctl_complain(0, "-b reads its commands from standard input, not \"%s\"", words[0]);
		return EXIT_USAGE;
	}
	if (!c->batch && !n) {
		words[n++] = "show";
		words[n++] = "routes";
	}
	if (!c->batch) {
		status = ctl_check(n, words, &cmd, why, sizeof why);
		if (status) {
			ctl_complain(0, "%s", why);
			return status;
		}
		if (cmd->flags & CMD_LOCAL)
			return ctl_local(cmd, n, words);
	}
	fd = ctl_connect(c);
	if (fd < 0)
		return -fd;
	ctl_print_setup(c);
	/* The end of the process closes the socket: the daemon need not look at that first. */
	return c->batch ? ctl_batch(c, fd) : ctl_single(c, fd, cmd, n, words);
}

static int ctl_main(int argc, char **argv)
{
	const char *words[1 + CTL_WORDS + 2];
	struct ctl c = { .ident = "smcroute" };
	int status, n;

	/* No socket of ours must get the number of a standard stream that is closed; writing there must fail. */
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0)
			open("/dev/null", O_RDONLY);
	/* A reader that leaves early must not end a batch half way. */
	signal(SIGPIPE, SIG_IGN);
	n = parse_options(&c, argc, argv, words + 1);
	status = n < 0 ? -n - 1 : run(&c, n, words + 1);
	n = ctl_flush(&c);
	return status ? status : n;
}

const struct applet smcroutectl_applet = {
	"smcroutectl", "tell a running smcrouted what to route, and see what it does", usage, ctl_main,
};
