/* SPDX-License-Identifier: ISC
 *
 * The old options of `smcroute`: what each line of a start script means today.
 */
#include "applets/oldline.h"

#include "applets/applet.h"
#include "tests/unit/test.h"

/* What a line means, its words parted by blanks, or the number of an exit status. */
static const char *meaning(const char *line)
{
	static struct buf now;
	char words[256], *argv[32], *at = words;
	int argc = 0, status;

	snprintf(words, sizeof words, "%s", line);
	while ((argv[argc] = strtok_r(at, " ", &at)))
		argc++;
	buf_free(&now);
	status = oldline_rewrite(argc, argv, &now);
	if (status) {
		buf_free(&now);
		buf_printf(&now, "%d", status);
	}
	return buf_cstr(&now);
}

static void commands(void)
{
	CHECK_STR(meaning("smcroute -a eth0 10.0.0.1 225.1.1.1 eth1"), "smcroutectl add eth0 10.0.0.1 225.1.1.1 eth1");
	CHECK_STR(meaning("smcroute -r eth0 10.0.0.1 225.1.1.1"), "smcroutectl remove eth0 10.0.0.1 225.1.1.1");
	CHECK_STR(meaning("smcroute -j eth0 225.1.1.1"), "smcroutectl join eth0 225.1.1.1");
	CHECK_STR(meaning("smcroute -l eth0 225.1.1.1"), "smcroutectl leave eth0 225.1.1.1");
	CHECK_STR(meaning("smcroute -x eth0 10.0.0.1 232.1.1.1"), "smcroutectl join eth0 10.0.0.1 232.1.1.1");
	CHECK_STR(meaning("smcroute -y eth0 10.0.0.1 232.1.1.1"), "smcroutectl leave eth0 10.0.0.1 232.1.1.1");
	CHECK_STR(meaning("smcroute -k"), "smcroutectl kill");
	CHECK_STR(meaning("smcroute -F"), "smcroutectl flush");
	CHECK_STR(meaning("smcroute -v -k"), "smcroutectl kill");
	/* What is wrong with the words of a command is the client's to say. */
	CHECK_STR(meaning("smcroute -l eth0"), "smcroutectl leave eth0");
}

static void starts(void)
{
	CHECK_STR(meaning("smcroute -d"), "smcrouted");
	CHECK_STR(meaning("smcroute -d -n -f /etc/x.conf -e /bin/true"), "smcrouted -n -f /etc/x.conf -e /bin/true");
	CHECK_STR(meaning("smcroute -dnN -f/etc/x.conf"), "smcrouted -n -N -f /etc/x.conf");
	CHECK_STR(meaning("smcroute -n -s -c 5 -p nobody:nogroup"), "smcrouted -n -s -c 5 -p nobody:nogroup");
	CHECK_STR(meaning("smcroute -f x -L debug -d"), "smcrouted -f x -l debug");
	CHECK_STR(meaning("smcroute -d -v"), "smcrouted -l info");
	CHECK_STR(meaning("smcroute -D -d"), "smcrouted -l debug");
	/* The options of smcrouted behind -d, as Debian's script has it. */
	CHECK_STR(meaning("smcroute -d -l debug -t 10 -P x -m 30"), "smcrouted -l debug -t 10 -P x -m 30");
	CHECK_STR(meaning("smcroute -d -d 5 -F x.conf"), "smcrouted -d 5 -F x.conf");
	CHECK_STR(meaning("smcroute -d 5"), "smcrouted -d 5");
	CHECK_STR(meaning("smcroute -d -f it's"), "smcrouted -f 'it'\\''s'");
}

static void several(void)
{
	CHECK_STR(meaning("smcroute -d -j a 225.1.1.1 -a a 10.0.0.1 225.1.1.1 b c -l a 225.1.1.1 -k"),
		  "smcrouted; smcroutectl join a 225.1.1.1; smcroutectl add a 10.0.0.1 225.1.1.1 b c; "
		  "smcroutectl leave a 225.1.1.1; smcroutectl kill");
	CHECK_STR(meaning("smcroute -k -d -f x"), "smcroutectl kill; smcrouted -f x");
	CHECK_STR(meaning("smcroute -a a 225.1.1.1 b -d -f x"), "smcroutectl add a 225.1.1.1 b; smcrouted -f x");
	/* The name of an instance is for both, and may stand between the words of a command. */
	CHECK_STR(meaning("smcroute -I r0 -d -a a 225.1.1.1 b -u s"),
		  "smcrouted -i r0 -u s; smcroutectl -i r0 -u s add a 225.1.1.1 b");
	CHECK_STR(meaning("smcroute -a -i r0 a 225.1.1.1 b"), "smcroutectl -i r0 add a 225.1.1.1 b");
	/* Nothing can follow a daemon in the foreground. */
	CHECK_STR(meaning("smcroute -d -n -j a 225.1.1.1"), "smcrouted -n");
}

static void refused(void)
{
	int usage = EXIT_USAGE;
	char text[8];

	snprintf(text, sizeof text, "%d", usage);
	CHECK_STR(meaning("smcroute -d -q"), text);
	CHECK_STR(meaning("smcroute -d x y"), text);
	CHECK_STR(meaning("smcroute -v"), text);
	CHECK_STR(meaning("smcroute -d -f"), text);
	CHECK_STR(meaning("smcroute -f x -k"), text);
	CHECK_STR(meaning("smcroute -aeth0 225.1.1.1 b"), text);
	CHECK_STR(meaning("smcroute -d -\303\244"), text);
}

static bool is_old(const char *word)
{
	char name[] = "smcroute", copy[32], *argv[] = { name, copy, NULL };

	snprintf(copy, sizeof copy, "%s", word);
	return oldline_is(2, argv);
}

static void first_words(void)
{
	CHECK(is_old("-d") && is_old("-a") && is_old("-kx") && is_old("-I"));
	CHECK(!is_old("-") && !is_old("--install") && !is_old("-q") && !is_old("smcrouted") && !is_old(""));
	CHECK(!is_old("-\344"));
}

TEST_MAIN(TEST(commands) TEST(starts) TEST(several) TEST(refused) TEST(first_words))
