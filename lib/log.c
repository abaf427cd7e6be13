/* SPDX-License-Identifier: ISC
 *
 * Messages to people: level, cleaning, and the three places they can go to.  One message is one write, so that lines of
 * two processes never mix.
 */
#include "lib/log.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <syslog.h>
#include <unistd.h>

#include "lib/fd.h"
#include "lib/text.h"

/* One message; a longer one ends in "...". */
#define LOG_TEXT_BYTES 2048

/* In front of one: priority, ident and pid. */
#define LOG_HEAD_BYTES 96

/* How long one waits for a reader that is behind. */
#define LOG_PATIENCE_MS 100

/* kernel/printk/printk.c, devkmsg_write: a record over 1024 bytes is refused. */
#define LOG_KMSG_BYTES 960

static const struct {
	const char *name;
	int prio;
} log_levels[] = {
	[LOG_LVL_NONE] = { "none", 0 },
	[LOG_LVL_ERR] = { "err", LOG_ERR },
	[LOG_LVL_NOTICE] = { "notice", LOG_NOTICE },
	[LOG_LVL_INFO] = { "info", LOG_INFO },
	[LOG_LVL_DEBUG] = { "debug", LOG_DEBUG },
};

static struct {
	enum log_level shown;
	const char *ident;
	bool console;		/* to stderr */
	bool journal;		/* which belongs to the journal */
	bool system;		/* to syslog, where there is one */
	bool stream;		/* which takes lines, not messages */
	int fd;			/* of syslog, or -1 */
	int kmsg;		/* of the kernel's log, for as long as there is no syslog, or -1 */
} log_to = { .shown = LOG_LVL_NOTICE, .console = true, .fd = -1, .kmsg = -1 };

/* systemd.exec(5): JOURNAL_STREAM is DEVICE:INODE of what it has connected. */
static bool log_is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	char ours[64];
	struct stat st;

	if (!stream || fstat(STDERR_FILENO, &st) < 0)
		return false;
	snprintf(ours, sizeof ours, "%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
	return !strcmp(stream, ours);
}

/* Connects to syslog, anew where that was started again, or leaves log_to.fd at -1. */
static void log_connect(void)
{
	static const struct sockaddr_un to = { .sun_family = AF_UNIX, .sun_path = _PATH_LOG };

	for (int type = SOCK_DGRAM; ; type = SOCK_STREAM) {
		if (log_to.fd >= 0)
			close(log_to.fd);
		log_to.fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		log_to.stream = type == SOCK_STREAM;
		if (connect(log_to.fd, (const struct sockaddr *)&to, sizeof to) == 0)
			return;
		if (errno != EPROTOTYPE || log_to.stream)
			break;
	}
	log_to.fd = fd_fail(log_to.fd);
}

void log_open(const char *ident, enum log_dest dest)
{
	int saved = errno;

	log_to.ident = ident;
	log_to.journal = log_is_journal();
	log_to.console = dest != LOG_TO_SYSLOG;
	log_to.system = dest != LOG_TO_STDERR;
	if (log_to.system && log_to.fd < 0)
		log_connect();
	/* It stays open: once privileges are gone it cannot be opened. */
	if (log_to.system && log_to.fd < 0 && log_to.kmsg < 0)
		log_to.kmsg = open("/dev/kmsg", O_WRONLY | O_CLOEXEC | O_NOCTTY);
	errno = saved;
}

void log_set_level(enum log_level lvl)
{
	log_to.shown = lvl;
}

bool log_shows(enum log_level lvl)
{
	return lvl <= log_to.shown;
}

int log_level_parse(const char *name)
{
	/* Other words for levels, those of syslog(3) among them: each is the nearest of ours. */
	static const struct {
		const char *word;
		enum log_level level;
	} others[] = {
		{ "emerg", LOG_LVL_ERR }, { "panic", LOG_LVL_ERR }, { "alert", LOG_LVL_ERR },
		{ "crit", LOG_LVL_ERR }, { "error", LOG_LVL_ERR },
		{ "warning", LOG_LVL_NOTICE }, { "warn", LOG_LVL_NOTICE },
		{ "0", LOG_LVL_ERR }, { "1", LOG_LVL_ERR }, { "2", LOG_LVL_ERR }, { "3", LOG_LVL_ERR },
		{ "4", LOG_LVL_NOTICE }, { "5", LOG_LVL_NOTICE }, { "6", LOG_LVL_INFO }, { "7", LOG_LVL_DEBUG },
	};

	for (int i = 0; i < (int)(sizeof log_levels / sizeof *log_levels); i++)
		if (!strcasecmp(log_levels[i].name, name))
			return i;
	for (unsigned i = 0; i < sizeof others / sizeof *others; i++)
		if (!strcasecmp(others[i].word, name))
			return others[i].level;
	return -1;
}

/* Writes n bytes to fd, false when that failed.  Where it would have to wait for whoever reads them, they are left out,
 * the first of them after a little patience: routing must go on. */
static bool log_put(int fd, const char *p, size_t n)
{
	static bool is_behind[2];
	bool *behind = &is_behind[fd == STDERR_FILENO];
	struct pollfd to = { .fd = fd, .events = POLLOUT };

	/* The kernel's log always takes them, which poll(2) does not say (kernel/printk/printk.c, devkmsg_poll). */
	*behind = fd >= 0 && fd != log_to.kmsg && !poll(&to, 1, *behind ? 0 : LOG_PATIENCE_MS);
	return *behind || write(fd, p, n) >= 0;
}

/* Hands a message to syslog, or as long as there is none to the kernel's log.  False when syslog has not got it. */
static bool log_put_system(int prio, const char *shown)
{
	char line[LOG_TEXT_BYTES + 2 * LOG_HEAD_BYTES];
	/* No time in it: whoever reads /dev/log knows it, and the time zone too (RFC 3164, section 4.3.2). */
	int n = snprintf(line, sizeof line, "<%d>%.64s[%d]: %s\n", LOG_DAEMON | prio, log_to.ident, (int)getpid(),
			 shown);

	for (int tries = 0; tries < 2; tries++) {
		if (log_put(log_to.fd, line, (size_t)n - !log_to.stream))
			return true;
		log_connect();
	}
	if (n > LOG_KMSG_BYTES) {
		n = LOG_KMSG_BYTES;
		line[n - 1] = '\n';
	}
	log_put(log_to.kmsg, line, (size_t)n);
	return false;
}

/* Nobody is left to be told when writing fails. */
static void log_emit(enum log_level lvl, const char *text)
{
	char shown[LOG_HEAD_BYTES + LOG_TEXT_BYTES], line[sizeof shown + LOG_HEAD_BYTES], head[8] = "";
	int prio = log_levels[lvl].prio, n;

	text_escape(shown, sizeof shown - 1, text, strlen(text), TEXT_KEEP_NONE);
	/* What syslog has not got goes to stderr, so that nobody ends without a word; in the background that is
	 * /dev/null. */
	if ((log_to.system && log_put_system(prio, shown)) && !log_to.console)
		return;
	if (log_to.journal)
		snprintf(head, sizeof head, "<%d>", prio);
	n = snprintf(line, sizeof line, "%s%s\n", head, shown);
	log_put(STDERR_FILENO, line, (size_t)n);
}

/* Logs the message with tail behind it; the tail is kept when the message is cut. */
__attribute__((format(printf, 3, 0)))
static void log_write(enum log_level lvl, const char *tail, const char *fmt, va_list ap)
{
	int saved = errno, n;
	char text[LOG_TEXT_BYTES];
	size_t tail_len = strlen(tail), room = sizeof text - tail_len;

	if (lvl == LOG_LVL_NONE || !log_shows(lvl))
		return;
	n = vsnprintf(text, room, fmt, ap);
	if (n < 0)
		n = 0;
	if ((size_t)n >= room) {
		memcpy(text + room - 4, "...", 3);
		n = (int)room - 1;
	}
	memcpy(text + n, tail, tail_len + 1);
	log_emit(lvl, text);
	errno = saved;
}

void log_at(enum log_level lvl, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_write(lvl, "", fmt, ap);
	va_end(ap);
}

void log_errno(const char *fmt, ...)
{
	char tail[64];		/* the longest texts of errno have 50 bytes */
	va_list ap;

	snprintf(tail, sizeof tail, ": %s", strerror(errno));
	va_start(ap, fmt);
	log_write(LOG_LVL_ERR, tail, fmt, ap);
	va_end(ap);
}

static bool log_limit_is_over(const struct log_limit *lim, int64_t now)
{
	return now - lim->start >= LOG_LIMIT_MS;
}

void log_limited(struct log_limit *lim, int64_t now, enum log_level lvl, const char *fmt, ...)
{
	char tail[64];
	va_list ap;

	if (!log_shows(lvl))
		return;
	*tail = '\0';
	if (!lim->shown || log_limit_is_over(lim, now)) {
		if (lim->dropped)
			snprintf(tail, sizeof tail, " (%lu more left out before)", lim->dropped);
		lim->start = now;
		lim->shown = 0;
		lim->dropped = 0;
	} else if (lim->shown >= (lim->burst ? lim->burst : 5)) {
		lim->dropped++;
		return;
	}
	lim->shown++;
	va_start(ap, fmt);
	log_write(lvl, tail, fmt, ap);
	va_end(ap);
}

void log_limit_flush(struct log_limit *lim, int64_t now, enum log_level lvl, const char *what)
{
	if (!lim->dropped || !log_limit_is_over(lim, now))
		return;
	log_at(lvl, "%s: %lu more left out", what, lim->dropped);
	lim->dropped = 0;
	lim->shown = 0;
}
