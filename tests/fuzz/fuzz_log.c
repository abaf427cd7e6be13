/* SPDX-License-Identifier: ISC
 *
 * What the daemon says: any bytes as messages of every level, over any limits, to stderr, syslog and the kernel's log,
 * which come, go, and do not read; and any bytes as text for a terminal and as a word for a shell.  Each byte is a
 * step, with bytes behind it that the step wants.
 *
 * A naive reader takes it all apart again: each message is one line at each place that it is for, no byte of control is
 * in it, it says what was said, and what a limit has kept back is counted.
 */
#include "tests/fuzz/log.h"

/* ---- messages ---- */

/* Some bytes of the input, several times; without NUL, as text has none. */
static size_t fuzz_take(void)
{
	unsigned k = fuzz_byte(), times = k >= 252 ? 100 : 1 + k / 128;
	size_t n = k % 32, left = (size_t)(fuzz_end - fuzz_at), at = 0;

	n = n < left ? n : left;
	while (times-- && at + n < TEXT) {
		memcpy(fuzz_text + at, fuzz_at, n);
		at += n;
	}
	for (size_t i = 0; i < at; i++)
		if (!fuzz_text[i])
			fuzz_text[i] = (char)0x80;
	fuzz_text[at] = '\0';
	fuzz_at += n;
	return at;
}

/* One line: what stands in front of it, the text, and nothing else.  A long one has no end; then the tail. */
static void fuzz_check_line(const char *line, const char *head, const char *text, const char *tail, const char *end)
{
	static char want[TEXT_ESCAPED_SIZE(TEXT + 128)], whole[TEXT + 256];
	size_t n = strlen(line), heads = strlen(head), len;

	if (strncmp(line, head, heads))
		fuzz_wrong("something else stands in front");
	if (n > 2 * LOG_HEAD_BYTES + LOG_TEXT_BYTES || strchr(line, '\n') != line + n - strlen(end))
		fuzz_wrong("it is not one line");
	len = (size_t)snprintf(whole, sizeof whole, "%s%s", text, tail);
	fuzz_escape(want, whole, len, TEXT_KEEP_NONE);
	if (strlen(want) < LOG_TEXT_BYTES - 1) {
		if (strncmp(line + heads, want, strlen(want)) || strcmp(line + heads + strlen(want), end))
			fuzz_wrong("it says something else");
	}
	fuzz_escape(want, line, n - strlen(end), TEXT_KEEP_NONE);
	if (strncmp(want, line, n - strlen(end)))
		fuzz_wrong("a byte of control is in it");
}

/* What was said with a level came to where it should. */
static void fuzz_check_said(enum log_level lvl, const char *text, const char *tail, bool is_shown)
{
	char head[128] = "", system[160];
	bool to_system = fuzz_dest != LOG_TO_STDERR, has_got = false;
	const char *s;

	snprintf(system, sizeof system, "<%d>%.64s[%d]: ", LOG_DAEMON | log_levels[lvl].prio, fuzz_ident,
		 (int)getpid());
	s = fuzz_read(fuzz_datagrams, true);
	if (*s && (!is_shown || !to_system))
		fuzz_wrong("nothing was to be said to syslog");
	if (*s)
		fuzz_check_line(s, system, text, tail, "\n");
	has_got = *s;
	s = fuzz_read(fuzz_stream, false);
	if (*s)
		fuzz_check_line(s, system, text, tail, "\n");
	has_got |= *s != 0;
	if (is_shown && to_system && !has_got && fuzz_syslog != SYSLOG_NONE)
		fuzz_wrong("syslog has not got it");
	s = fuzz_read(fuzz_kmsg[0], false);
	if (*s && (has_got || !to_system || !is_shown || strlen(s) > 1024 || s[strlen(s) - 1] != '\n'))
		fuzz_wrong("the kernel has got it");
	s = fuzz_read(fuzz_console[0], false);
	if (!*s != (!is_shown || (has_got && fuzz_dest == LOG_TO_SYSLOG)))
		fuzz_wrong("stderr has a message that it should not have, or lacks one");
	if (log_to.journal)
		snprintf(head, sizeof head, "<%d>", log_levels[lvl].prio);
	if (*s)
		fuzz_check_line(s, head, text, tail, "\n");
}

static void fuzz_say(unsigned k)
{
	enum log_level lvl = k % 5;
	bool is_shown = lvl != LOG_LVL_NONE && log_shows(lvl);
	char tail[80];

	fuzz_take();
	errno = ERANGE;
	if (k & 128) {
		log_errno("%s", fuzz_text);
		snprintf(tail, sizeof tail, ": %s", strerror(ERANGE));
		lvl = LOG_LVL_ERR;
		is_shown = log_shows(lvl);
	} else {
		log_at(lvl, "%s", fuzz_text);
		*tail = '\0';
	}
	if (errno != ERANGE)
		fuzz_wrong("errno is another one");
	fuzz_check_said(lvl, fuzz_text, tail, is_shown);
}

/* No more than there may be in a period; how many were left out is told. */
static void fuzz_say_limited(unsigned k)
{
	struct log_limit *lim = &fuzz_limits[k % LIMITS], was;
	enum log_level lvl = 1 + k / 4 % 4;
	bool is_over, is_said;
	char tail[80] = "";

	fuzz_now += k & 64 ? LOG_LIMIT_MS / 2 : 1;
	was = *lim;
	is_over = !was.shown || fuzz_now - was.start >= LOG_LIMIT_MS;
	if (k & 128) {
		is_said = was.dropped && fuzz_now - was.start >= LOG_LIMIT_MS;
		log_limit_flush(lim, fuzz_now, lvl, "lost");
		snprintf(tail, sizeof tail, ": %lu more left out", was.dropped);
		fuzz_check_said(lvl, "lost", tail, is_said && log_shows(lvl));
		if (lim->dropped != (is_said ? 0 : was.dropped))
			fuzz_wrong("what was left out is not counted");
		return;
	}
	fuzz_take();
	log_limited(lim, fuzz_now, lvl, "%s", fuzz_text);
	is_said = log_shows(lvl) && (is_over || was.shown < (lim->burst ? lim->burst : 5));
	if (is_over && was.dropped)
		snprintf(tail, sizeof tail, " (%lu more left out before)", was.dropped);
	fuzz_check_said(lvl, fuzz_text, tail, is_said);
	if (log_shows(lvl) && lim->dropped != (is_said ? (is_over ? 0 : was.dropped) : was.dropped + 1))
		fuzz_wrong("what is left out is not counted");
}

static void fuzz_begin_log(unsigned k)
{
	static char ident[101];
	char stream[64];
	struct stat st;

	memset(ident, 'i', sizeof ident - 1);
	fuzz_ident = k & 16 ? ident : "smcrouted";
	fuzz_dest = k % 3;
	fstat(STDERR_FILENO, &st);
	snprintf(stream, sizeof stream, "%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino + (k & 64 ? 1 : 0));
	if (k & 32)
		setenv("JOURNAL_STREAM", stream, 1);
	else
		unsetenv("JOURNAL_STREAM");
	log_open(fuzz_ident, fuzz_dest);
	if (log_to.journal != ((k & 32) && !(k & 64)))
		fuzz_wrong("stderr is not known as the journal, or wrongly taken for it");
	unsetenv("JOURNAL_STREAM");
}

/* The places change: who reads, who is there. */
static void fuzz_change(unsigned k)
{
	fuzz_has_kmsg = k & 8;
	fuzz_syslog = k % 3;
	if (k & 16 && fuzz_stream >= 0) {
		close(fuzz_stream);
		fuzz_stream = -1;
	}
	/* What the one before has may not be what is there now. */
	if (log_to.fd >= 0)
		close(log_to.fd);
	log_to.fd = -1;
	fuzz_forget();
}

/* Nobody reads any more: it is left out, and nobody waits for long. */
static void fuzz_flood(unsigned k)
{
	char line[] = "0123456789012345678901234567890123456789012345678901234567890123456789";

	log_set_level(LOG_LVL_DEBUG);
	for (unsigned i = 0; i < 1200; i++)
		log_at(1 + k % 4, "%s", line);
	fuzz_forget();
	/* They read again: what is behind is known by the next one. */
	log_at(LOG_LVL_ERR, "again");
	fuzz_forget();
}

static void fuzz_parse(void)
{
	char upper[64];
	int lvl;

	fuzz_take();
	fuzz_text[sizeof upper - 1] = '\0';
	lvl = log_level_parse(fuzz_text);
	for (size_t i = 0; (upper[i] = fuzz_text[i]); i++)
		if (upper[i] >= 'a' && upper[i] <= 'z')
			upper[i] -= 'a' - 'A';
	if (lvl < -1 || lvl > LOG_LVL_DEBUG || log_level_parse(upper) != lvl)
		fuzz_wrong("it is no level");
}

static void fuzz_step(void)
{
	unsigned what = fuzz_byte() % 16, k = fuzz_byte();

	switch (what) {
	case 0: case 1: fuzz_begin_log(k); break;
	case 2: log_set_level(k % 5); break;
	case 3: case 4: fuzz_change(k); break;
	case 5: case 6: case 7: fuzz_say(k); break;
	case 8: case 9: case 10: fuzz_say_limited(k); break;
	case 11: fuzz_parse(); break;
	case 12: if (k == 12) fuzz_flood(fuzz_byte()); break;
	case 13: {
		size_t n = fuzz_take();

		fuzz_check_escape(fuzz_text, n, 1 + k * 4, fuzz_byte() % 4);
		break;
	}
	default:
		fuzz_take();
		fuzz_check_word(fuzz_text, k & 1 ? sizeof fuzz_text * 5 : k);
	}
}

/* ---- beginning and end ---- */

static int fuzz_socket(int type)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	/* Without a name it gets one that is no file. */
	if (bind(fd, (struct sockaddr *)&a, sizeof a.sun_family) < 0 || (type == SOCK_STREAM && listen(fd, 16) < 0))
		fuzz_wrong(strerror(errno));
	return fd;
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	if (!fuzz_listener) {
		signal(SIGPIPE, SIG_IGN);	/* as the daemon has it */
		if (pipe2(fuzz_console, O_CLOEXEC | O_NONBLOCK) < 0 || pipe2(fuzz_kmsg, O_CLOEXEC | O_NONBLOCK) < 0)
			fuzz_wrong(strerror(errno));
		fuzz_datagrams = fuzz_socket(SOCK_DGRAM);
		fuzz_listener = fuzz_socket(SOCK_STREAM);
	}
	fuzz_at = p;
	fuzz_end = p + n;
	fuzz_now = 1000;
	fuzz_syslog = SYSLOG_NONE;
	fuzz_has_kmsg = false;
	for (int k = 0; k < LIMITS; k++)
		fuzz_limits[k] = (struct log_limit){ .burst = k };
	log_set_level(LOG_LVL_NOTICE);
	fuzz_begin_log(0);
	for (unsigned steps = 0; fuzz_at < fuzz_end && steps < STEPS; steps++)
		fuzz_step();
	fuzz_change(16);
	if (log_to.kmsg >= 0)
		close(log_to.kmsg);
	log_to.kmsg = -1;
	return 0;
}
