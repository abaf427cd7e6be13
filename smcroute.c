/* SPDX-License-Identifier: ISC
 *
 * One binary, three programs: the name it was called by, or else the first word, says which.  Nothing but the choice is
 * made here.
 */
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "applets/applet.h"
#include "applets/ctl_words.h"
#include "applets/oldline.h"
#include "applets/smcrouted.h"

static const struct applet *const applets[] = {
	&smcrouted_applet,
	&smcroutectl_applet,
	&smcroute_check_applet,
};

#define APPLETS (sizeof applets / sizeof *applets)

static const struct applet *smcroute_find_applet(const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;

	for (unsigned i = 0; i < APPLETS; i++)
		if (!strcmp(applets[i]->name, name))
			return applets[i];
	return NULL;
}

static void smcroute_print_usage(FILE *to)
{
	fprintf(to, "Usage: smcroute APPLET [ARGUMENT...]\n"
		    "       smcroute --install [-s] DIR\n"
		    "       smcroute --help | --version\n\n"
		    "Static multicast routing, one binary under several names:\n\n");
	for (unsigned i = 0; i < APPLETS; i++)
		fprintf(to, "  %-15s %s\n", applets[i]->name, applets[i]->summary);
	fprintf(to, "\n--install makes hard links of these names in DIR, -s symbolic ones.\n"
		    "`smcroute APPLET -h` tells more of each.\n\n"
		    "Options of SMCRoute 0.9 to 2.5, for old scripts; several are run in order:\n\n"
		    "  -d [OPTION...]  smcrouted [OPTION...]\n"
		    "  -k              smcroutectl kill\n"
		    "  -a, -r WORDS    smcroutectl add, remove WORDS\n"
		    "  -j, -l WORDS    smcroutectl join, leave WORDS\n");
}

/* Makes one name in DIR for this binary; an older link there is replaced. */
static int smcroute_install_link(const char *self, const char *dir, const char *name, bool symbolic)
{
	const char *what = "cannot make ", *where;
	char path[PATH_MAX];

	where = path;
	if (snprintf(path, sizeof path, "%s/%s", dir, name) >= (int)sizeof path) {
		errno = ENAMETOOLONG;
		what = "";
		where = dir;
	} else if (unlink(path) < 0 && errno != ENOENT) {
		what = "cannot replace ";
	} else if ((symbolic ? symlink : link)(self, path) == 0) {
		return 0;
	}
	return applet_fail(EXIT_SYSTEM, "%s%s: %s%s", what, where, strerror(errno),
			   errno == EXDEV ? "; try --install -s" : "");
}

static int smcroute_install(int argc, char **argv)
{
	bool symbolic = argc > 0 && !strcmp(argv[0], "-s");
	char self[PATH_MAX];
	int status = 0;
	ssize_t n;

	if (argc != symbolic + 1)
		return applet_fail(EXIT_USAGE, "--install takes one directory: smcroute --install [-s] DIR");
	n = readlink("/proc/self/exe", self, sizeof self - 1);
	if (n < 0)
		return applet_fail(EXIT_SYSTEM, "cannot tell my own path, /proc/self/exe: %s", strerror(errno));
	self[n] = '\0';
	for (unsigned i = 0; i < APPLETS && !status; i++)
		status = smcroute_install_link(self, argv[symbolic], applets[i]->name, symbolic);
	return status;
}

/* Two options have a long form everywhere: returns the short one, or the word as it is. */
static char *smcroute_short_option(char *word)
{
	static char help[] = "-h", version[] = "-v";

	return !strcmp(word, "--help") ? help : !strcmp(word, "--version") ? version : word;
}

/* Says that a first word is none of ours, and which may have been meant. */
static int smcroute_refuse(const char *word)
{
	const struct applet *near = applet_near(word, applets, APPLETS);

	if (near)
		return applet_fail(EXIT_USAGE, "%s: no such applet, did you mean \"%s\"?", word, near->name);
	if (ctl_words_refuse_command(word))
		return EXIT_USAGE;
	applet_fail(EXIT_USAGE, *word == '-' ? "unknown option %s\n" : "%s: no such applet\n", word);
	smcroute_print_usage(stderr);
	return EXIT_USAGE;
}

int main(int argc, char **argv)
{
	const struct applet *a = argc > 0 ? smcroute_find_applet(argv[0]) : NULL;

	if (!a && argc > 1 && (a = smcroute_find_applet(argv[1]))) {
		argc--;
		argv++;
	}
	if (argc > 1)
		argv[1] = smcroute_short_option(argv[1]);
	if (a)
		return applet_run(a, argc, argv);
	const char *word = argc > 1 ? argv[1] : "-h";
	if (!strcmp(word, "-h")) {
		smcroute_print_usage(stdout);
		return 0;
	}
	if (!strcmp(word, "-v") && argc == 2) {
		printf("smcroute %s\n", applet_version());
		return 0;
	}
	if (!strcmp(word, "--install"))
		return smcroute_install(argc - 2, argv + 2);
	if (oldline_is(argc, argv))
		return oldline_run(argc, argv);
	return smcroute_refuse(word);
}
