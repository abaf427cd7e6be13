/* SPDX-License-Identifier: ISC
 *
 * What comes out of stderr: levels, cleaning of hostile bytes, the journal's
 * prefixes, cutting, and the limit.
 */
#include "lib/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/test.h"

static int pipe_fd[2], old_stderr;

/* Turns stderr into a pipe of ours. */
static void capture(void)
{
	CHECK_INT(pipe2(pipe_fd, O_NONBLOCK | O_CLOEXEC), 0);
	old_stderr = dup(STDERR_FILENO);
	dup2(pipe_fd[1], STDERR_FILENO);
}

static void release(void)
{
	dup2(old_stderr, STDERR_FILENO);
	close(old_stderr);
	close(pipe_fd[0]);
	close(pipe_fd[1]);
}

/* What was written since the last call. */
static const char *written(void)
{
	static char text[20000];
	ssize_t n = read(pipe_fd[0], text, sizeof text - 1);

	text[n > 0 ? n : 0] = '\0';
	return text;
}

static void levels(void)
{
	capture();
	log_open("test", LOG_TO_STDERR);
	log_err("one %d", 1);
	log_notice("two");
	log_info("three");
	log_debug("four");
	CHECK_STR(written(), "one 1\ntwo\n");
	log_set_level(LOG_LVL_DEBUG);
	CHECK(log_shows(LOG_LVL_DEBUG));
	log_info("three");
	log_debug("four");
	CHECK_STR(written(), "three\nfour\n");
	log_set_level(LOG_LVL_NONE);
	CHECK(!log_shows(LOG_LVL_ERR));
	log_err("no");
	log_errno("no");
	log_at(LOG_LVL_NONE, "no");
	CHECK_STR(written(), "");
	log_set_level(LOG_LVL_NOTICE);
	release();
	/* Each word of ours and of syslog(3), in both cases, and each number. */
	static const struct { const char *words; enum log_level level; } rows[] = {
		{ "none NONE", LOG_LVL_NONE },
		{ "err ERR error ERROR crit CRIT alert ALERT emerg EMERG panic 0 1 2 3", LOG_LVL_ERR },
		{ "notice NOTICE warn WARN warning WARNING Warning 4 5", LOG_LVL_NOTICE },
		{ "info INFO 6", LOG_LVL_INFO },
		{ "debug DEBUG 7", LOG_LVL_DEBUG },
	};
	for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
		char copy[128], *at = copy;

		snprintf(copy, sizeof copy, "%s", rows[i].words);
		for (char *word; (word = strtok_r(at, " ", &at)); )
			if (log_level_parse(word) != (int)rows[i].level)
				CHECK_STR(word, "of another level");
	}
	CHECK_INT(log_level_parse("8"), -1);
	CHECK_INT(log_level_parse(""), -1);
	CHECK_INT(log_level_parse(""), -1);
	CHECK_INT(log_level_parse("debu"), -1);
}

static void errors(void)
{
	char want[256];

	capture();
	snprintf(want, sizeof want, "cannot open f: %s\n", strerror(ENOENT));
	errno = ENOENT;
	log_errno("cannot open %s", "f");
	CHECK_INT(errno, ENOENT);
	CHECK_STR(written(), want);
	errno = EBUSY;
	log_notice("plain");
	log_open("test", LOG_TO_STDERR);
	CHECK_INT(errno, EBUSY);
	written();
	close(STDERR_FILENO);
	log_err("into the void");
	CHECK_INT(errno, EBUSY);
	release();
}

static void hostile_bytes(void)
{
	capture();
	log_err("a\nb\x1b[2Jc\td\x7f");
	CHECK_STR(written(), "a\\x0ab\\x1b[2Jc\\x09d\\x7f\n");
	log_err("%s", "e\xc3\xa9 \xe2\x82\xac \xc2\x9b" "31m \xc2\xa0");
	CHECK_STR(written(), "e\xc3\xa9 \xe2\x82\xac \\xc2\\x9b31m \xc2\xa0\n");
	log_err("%s", "\x9b" "31m \xed\xa0\x80 \xe2\x82");
	CHECK_STR(written(), "\\x9b31m \\xed\\xa0\\x80 \\xe2\\x82\n");
	log_err("%s", "100% %s %n");
	CHECK_STR(written(), "100% %s %n\n");
	release();
}

static void long_lines(void)
{
	static char s[100000];
	const char *got;

	capture();
	memset(s, 'x', sizeof s - 1);
	log_err("%s", s);
	got = written();
	CHECK(strlen(got) > 1000 && strlen(got) < 4000);
	CHECK_STR(got + strlen(got) - 5, "x...\n");
	errno = ENOENT;
	log_errno("%s", s);
	got = written();
	CHECK(strstr(got, "x...: "));
	CHECK(strstr(got, strerror(ENOENT)));
	memset(s, '\n', sizeof s - 1);
	log_err("%s", s);
	got = written();
	CHECK(strlen(got) > 1000 && strlen(got) < 4000);
	CHECK(strchr(got, '\n') == got + strlen(got) - 1);
	release();
}

static void journal(void)
{
	struct stat st;
	char stream[64];

	capture();
	fstat(STDERR_FILENO, &st);
	snprintf(stream, sizeof stream, "%llu:%llu", (unsigned long long)st.st_dev,
		 (unsigned long long)st.st_ino);
	setenv("JOURNAL_STREAM", stream, 1);
	log_open("test", LOG_TO_STDERR);
	log_set_level(LOG_LVL_DEBUG);
	log_err("a");
	log_notice("b");
	log_info("c");
	log_debug("d");
	CHECK_STR(written(), "<3>a\n<5>b\n<6>c\n<7>d\n");
	setenv("JOURNAL_STREAM", "1:1", 1);		/* somebody else's */
	log_open("test", LOG_TO_STDERR);
	log_err("a");
	setenv("JOURNAL_STREAM", "nonsense", 1);
	log_open("test", LOG_TO_STDERR);
	log_err("b");
	CHECK_STR(written(), "a\nb\n");
	unsetenv("JOURNAL_STREAM");
	log_open("test", LOG_TO_STDERR);
	log_set_level(LOG_LVL_NOTICE);
	release();
}

/* A pipe that nobody reads from is full after a while, and this must come back all the same. */
static void reader_is_behind(void)
{
	static char s[1000];
	int flags;

	capture();
	flags = fcntl(pipe_fd[1], F_GETFL);
	fcntl(pipe_fd[1], F_SETFL, flags & ~O_NONBLOCK);
	memset(s, 'x', sizeof s - 1);
	alarm(60);
	for (int i = 0; i < 1000; i++)
		log_err("%s", s);
	CHECK(strlen(written()) > 1000);
	while (*written())
		;
	log_err("again");
	CHECK_STR(written(), "again\n");
	alarm(0);
	release();
}

static void limit(void)
{
	struct log_limit lim = { .burst = 2 }, usual = { 0 };

	capture();
	for (int64_t now = 5000; now < 5900; now += 100)
		log_limited(&lim, now, LOG_LVL_ERR, "n %d", (int)now);
	CHECK_STR(written(), "n 5000\nn 5100\n");
	CHECK_INT(lim.dropped, 7);
	errno = EBUSY;
	log_limited(&lim, 5000 + LOG_LIMIT_MS, LOG_LVL_ERR, "again");
	CHECK_INT(errno, EBUSY);
	CHECK_STR(written(), "again (7 more left out before)\n");
	log_limited(&lim, 65001, LOG_LVL_ERR, "b");
	log_limited(&lim, 65002, LOG_LVL_ERR, "c");
	CHECK_STR(written(), "b\n");
	log_limit_flush(&lim, 124999, LOG_LVL_ERR, "too early");
	CHECK_STR(written(), "");
	log_limit_flush(&lim, 125000, LOG_LVL_ERR, "packets");
	CHECK_STR(written(), "packets: 1 more left out\n");
	log_limit_flush(&lim, 190000, LOG_LVL_ERR, "packets");
	CHECK_STR(written(), "");
	log_limited(&lim, 190000, LOG_LVL_DEBUG, "not shown");
	CHECK_STR(written(), "");
	for (int i = 0; i < 9; i++)
		log_limited(&usual, 1, LOG_LVL_ERR, "x");
	CHECK_STR(written(), "x\nx\nx\nx\nx\n");
	log_limited(&usual, 60000, LOG_LVL_ERR, "x");
	CHECK_STR(written(), "");
	log_limited(&usual, 60001, LOG_LVL_ERR, "x");
	CHECK_STR(written(), "x (5 more left out before)\n");
	release();
}

TEST_MAIN(
	TEST(levels)
	TEST(errors)
	TEST(hostile_bytes)
	TEST(long_lines)
	TEST(journal)
	TEST(reader_is_behind)
	TEST(limit)
)
