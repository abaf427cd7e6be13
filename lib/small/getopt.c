/* SPDX-License-Identifier: ISC
 *
 * getopt(3) of the small build, as POSIX has it: options end at the first word.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

char *optarg;
int optind = 1, opterr = 1, optopt;

static int wrong(char *const argv[], const char *why)
{
	if (opterr)
		fprintf(stderr, "%s: %s -- '%c'\n", argv[0], why, optopt);
	return '?';
}

int getopt(int argc, char *const argv[], const char *options)
{
	static int at = 1;
	const char *known;
	char *word = optind < argc ? argv[optind] : NULL;

	if (at == 1 && (!word || word[0] != '-' || !word[1]))
		return -1;
	if (at == 1 && !strcmp(word, "--")) {
		optind++;
		return -1;
	}
	optopt = (unsigned char)word[at++];
	known = optopt == ':' || optopt == '+' ? NULL : strchr(options, optopt);
	optarg = NULL;
	if (known && known[1] == ':') {
		optarg = word[at] ? word + at : argv[++optind];
		at = 0;
	}
	if (!at || !word[at]) {
		at = 1;
		optind++;
	}
	if (!known)
		return wrong(argv, "invalid option");
	if (known[1] != ':' || optarg)
		return optopt;
	optind = argc;
	return wrong(argv, "option requires an argument");
}
