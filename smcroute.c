/* SPDX-License-Identifier: ISC
 *
 * One binary, three programs: the name it was called by, or else the first
 * word, says which.  Nothing but the choice is made here.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "applets/applet.h"

static const struct applet *const applets[] = {
	&smcrouted_applet,
	&smcroutectl_applet,
	&smcroute_check_applet,
};

#define APPLETS (sizeof applets / sizeof *applets)

static const struct applet *find(const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;

	for (unsigned i = 0; i < APPLETS; i++)
		if (!strcmp(applets[i]->name, name))
			return applets[i];
	return NULL;
}

static void usage(FILE *to)
{
	fprintf(to, "Usage: smcroute APPLET [ARGUMENT...]\n"
		    "       smcroute --install [-s] DIR\n"
		    "       smcroute --help | --version\n\n"
		    "Static multicast routing, one binary under several names:\n\n");
	for (unsigned i = 0; i < APPLETS; i++)
		fprintf(to, "  %-15s %s\n", applets[i]->name, applets[i]->summary);
	fprintf(to, "\n--install makes hard links of these names in DIR, -s symbolic ones.\n"
		    "`smcroute APPLET -h` tells more of each.\n");
}

/* Makes one name in DIR for this binary; an older link there is replaced. */
static int install_one(const char *self, const char *dir, const char *name, int symbolic)
{
	char path[PATH_MAX];

	if (snprintf(path, sizeof path, "%s/%s", dir, name) >= (int)sizeof path) {
		fprintf(stderr, "smcroute: %s: %s\n", dir, strerror(ENAMETOOLONG));
		return EXIT_SYSTEM;
	}
	if (unlink(path) < 0 && errno != ENOENT) {
		fprintf(stderr, "smcroute: cannot replace %s: %s\n", path, strerror(errno));
		return EXIT_SYSTEM;
	}
	if ((symbolic ? symlink(self, path) : link(self, path)) < 0) {
		fprintf(stderr, "smcroute: cannot make %s: %s%s\n", path, strerror(errno),
			errno == EXDEV ? "; try --install -s" : "");
		return EXIT_SYSTEM;
	}
	return 0;
}

static int install(int argc, char **argv)
{
	int symbolic = argc > 0 && !strcmp(argv[0], "-s"), status = 0;
	char self[PATH_MAX];
	ssize_t n;

	if (argc != symbolic + 1) {
		fprintf(stderr, "smcroute: --install takes one directory: smcroute --install [-s] DIR\n");
		return EXIT_USAGE;
	}
	n = readlink("/proc/self/exe", self, sizeof self - 1);
	if (n < 0) {
		fprintf(stderr, "smcroute: cannot tell my own path, /proc/self/exe: %s\n", strerror(errno));
		return EXIT_SYSTEM;
	}
	self[n] = '\0';
	for (unsigned i = 0; i < APPLETS && !status; i++)
		status = install_one(self, argv[symbolic], applets[i]->name, symbolic);
	return status;
}

/* Runs an applet; those two options have a long form everywhere. */
static int run(const struct applet *a, int argc, char **argv)
{
	static char help[] = "-h", version[] = "-v";

	if (argc > 1 && !strcmp(argv[1], "--help"))
		argv[1] = help;
	else if (argc > 1 && !strcmp(argv[1], "--version"))
		argv[1] = version;
	return a->main(argc, argv);
}

int main(int argc, char **argv)
{
	const struct applet *a = argc > 0 ? find(argv[0]) : NULL;

	if (a)
		return run(a, argc, argv);
	if (argc > 1 && (a = find(argv[1])))
		return run(a, argc - 1, argv + 1);
	if (argc < 2 || !strcmp(argv[1], "--help") || !strcmp(argv[1], "-h")) {
		usage(stdout);
		return 0;
	}
	if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-v")) {
		printf("smcroute %s\n", applet_version());
		return 0;
	}
	if (!strcmp(argv[1], "--install"))
		return install(argc - 2, argv + 2);
	fprintf(stderr, "smcroute: %s: no such applet\n\n", argv[1]);
	usage(stderr);
	return EXIT_USAGE;
}
