/* SPDX-License-Identifier: ISC
 *
 * Patterns of paths, held against what glob(3) finds.
 */
#include "lib/paths.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/test.h"

static char dir[] = "/tmp/test_paths.XXXXXX";

static void cleanup(void)
{
	char cmd[64];

	snprintf(cmd, sizeof cmd, "rm -rf %s", dir);
	CHECK_INT(system(cmd), 0);
}

static void setup(void)
{
	static const char *const names[] = {
		"a.conf", "b.conf", "B.conf", "a-b.conf", ".hidden.conf", "a]", "a[b", "a\\b", "x*y", "10", "9",
		"d/1.conf", "d/2.conf", "d-e/1.conf", "e/.x", "\303\244.conf", "a", "aab", "aaab", "-",
		"\t", "\v", "\r", " ", "\1", "\37", "\177", "!", "[", "`", "{", "~", "G", "g", "Z", "z", "f", "F", "@",
	};

	memcpy(dir, "/tmp/test_paths.XXXXXX", sizeof dir);
	CHECK(mkdtemp(dir) && !chdir(dir));
	CHECK(!mkdir("d", 0755) && !mkdir("d-e", 0755) && !mkdir("e", 0755) && !symlink("nowhere", "dangling"));
	for (unsigned i = 0; i < sizeof names / sizeof *names; i++)
		close(open(names[i], O_CREAT | O_WRONLY, 0644));
}

/* Both find the same, in the same order. */
static void same(const char *pattern)
{
	struct paths p;
	glob_t g = { 0 };
	int r = glob(pattern, 0, NULL, &g);

	CHECK_INT(paths_find(&p, pattern), 0);
	if (p.n != g.gl_pathc || (r && r != GLOB_NOMATCH))
		printf("# %s\n", pattern);
	CHECK_INT(p.n, g.gl_pathc);
	for (size_t i = 0; i < p.n && i < g.gl_pathc; i++)
		CHECK_STR(p.v[i], g.gl_pathv[i]);
	globfree(&g);
	paths_free(&p);
}

static void as_glob(void)
{
	static const char *const patterns[] = {
		"*", "*.conf", "?.conf", "[a-b].conf", "[!a].conf", "[^a].conf", "[]a]*", "a[]]", "a[[]b", "a[b", "a[*",
		"[b-a]*", "[a", "a\\[*", "a\\\\*", "x\\*y*", "x[*]y", "[*]", "a*b", "a*a*b", "*a*a*a*", "**", "***b",
		"a?b", ".*.conf", ".h*", "[.]h*", "d/*", "d*/*.conf", "*/1.conf", "*/nothing", "d/./[12].conf",
		"./*.conf", "nowhere/*", "a.conf/*", "*/", "dang*", "[0-9]", "[0-9]*", "[-]", "[a-]*", "[!-a]*",
		"[\\]a]", "e/*",
		"*/*", "?", "??", "[a\\-b]*", "d//*.conf", "*[", "[[:digit:]]*", "[![:alpha:]]*",
		"[[:upper:][:digit:]]*", "[x[:lower:]]*", "d/[[:xdigit:]].conf", "[[:punct:]]", "[[:alnum:]]",
		"[[:blank:]]",
		"[[:cntrl:]]", "[[:graph:]]", "[[:print:]]", "[[:space:]]", "[[:xdigit:]]", "[[:nothing:]]",
		"[[:alpha]", "[![:punct:][:cntrl:]]", "\\.h*", "d/\\1*",
	};
	char whole[128];

	setup();
	for (unsigned i = 0; i < sizeof patterns / sizeof *patterns; i++) {
		same(patterns[i]);
		snprintf(whole, sizeof whole, "%s/%s", dir, patterns[i]);
		same(whole);
		snprintf(whole, sizeof whole, "/t?p/%s/%s", dir + 5, patterns[i]);
		same(whole);
	}
	cleanup();
}

static void hard(void)
{
	struct paths p;
	char pattern[300] = "";

	setup();
	close(open("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", O_CREAT, 0644));
	for (unsigned i = 0; i < 100; i++)
		memcpy(pattern + 2 * i, "*a", 3);
	strcat(pattern, "b");
	CHECK_INT(paths_find(&p, pattern), 0);
	CHECK_INT(p.n, 0);
	paths_free(&p);
	cleanup();
}

/* What is there but cannot be read is no mere "no match". */
static void unreadable(void)
{
	struct paths p;

	setup();
	CHECK(!symlink("loop", "loop"));
	CHECK_INT(paths_find(&p, "loop/*"), -1);
	CHECK_INT(errno, ELOOP);
	paths_free(&p);
	/* A path that cannot be looked at is none. */
	CHECK(!symlink("self", "d/self"));
	close(open("d-e/m.conf", O_CREAT | O_WRONLY, 0644));
	CHECK(!rename("d/self", "e/self"));
	same("*/m.conf");
	same("e/*/m.conf");
	same("loop/m.conf");
	cleanup();
}

TEST_MAIN(TEST(as_glob) TEST(hard) TEST(unreadable))
