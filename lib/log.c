/* SPDX-License-Identifier: ISC
 *
 * Messages to people: level, cleaning, and the three places they can go to.
 * One message is one write, so that lines of two processes never mix.
 */
#include "lib/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

/* One message; a longer one ends in "...". */
#define LINE_MAX_BYTES 2048

/* kernel/printk/printk.c, devkmsg_write: a record over 1024 bytes is refused. */
#define KMSG_MAX_BYTES 960

static const struct {
	const char *name;
	int prio;
} levels[] = {
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
	bool syslog;
	int kmsg;
} log_to = { .shown = LOG_LVL_NOTICE, .console = true, .kmsg = -1 };

/* systemd.exec(5): JOURNAL_STREAM is DEVICE:INODE of what it has connected. */
static bool stderr_is_journal(void)
{
	const char *s = getenv("JOURNAL_STREAM");
	struct stat st;
	char *end;

	return s && !fstat(STDERR_FILENO, &st) && strtoull(s, &end, 10) == st.st_dev && *end == ':' &&
	       strtoull(end + 1, NULL, 10) == st.st_ino;
}

void log_open(const char *ident, enum log_dest dest)
{
	int saved = errno;

	if (log_to.syslog)
		closelog();
	if (log_to.kmsg >= 0)
		close(log_to.kmsg);
	log_to.ident = ident;
	log_to.syslog = false;
	log_to.kmsg = -1;
	log_to.journal = stderr_is_journal();
	log_to.console = dest != LOG_TO_SYSLOG;
	if (dest != LOG_TO_STDERR && !access("/dev/log", F_OK)) {
		openlog(ident, LOG_PID | LOG_NDELAY, LOG_DAEMON);
		log_to.syslog = true;
	} else if (dest != LOG_TO_STDERR) {
		log_to.kmsg = open("/dev/kmsg", O_WRONLY | O_CLOEXEC | O_NOCTTY);
	}
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
	for (int i = 0; i < (int)(sizeof levels / sizeof *levels); i++)
		if (!strcmp(levels[i].name, name))
			return i;
	return -1;
}

/* Copies text to out[size] with control bytes made visible, those of the C1 set
 * (U+0080 to U+009F) included, because terminals obey them too. */
static size_t clean(char *out, size_t size, const char *text)
{
	static const char hex[] = "0123456789abcdef";
	size_t n = 0;
	bool c1 = false;

	for (const unsigned char *p = (const unsigned char *)text; *p && n + 5 < size; p++) {
		bool starts_c1 = p[0] == 0xc2 && p[1] >= 0x80 && p[1] <= 0x9f;

		if (*p < 0x20 || *p == 0x7f || starts_c1 || c1) {
			out[n++] = '\\';
			out[n++] = 'x';
			out[n++] = hex[*p >> 4];
			out[n++] = hex[*p & 15];
		} else {
			out[n++] = (char)*p;
		}
		c1 = starts_c1;
	}
	out[n] = '\0';
	return n;
}

/* Writes one line of text to fd behind n bytes that stand in line already. */
static void put(int fd, char *line, size_t n, size_t size, const char *text)
{
	n += clean(line + n, size - 1 - n, text);
	line[n++] = '\n';
	/* Nobody is left to be told when this fails. */
	if (write(fd, line, n) < 0)
		return;
}

static void emit(enum log_level lvl, const char *text)
{
	char line[LINE_MAX_BYTES + 64];
	int n;

	if (log_to.console) {
		n = log_to.journal ? snprintf(line, 64, "<%d>", levels[lvl].prio) : 0;
		put(STDERR_FILENO, line, (size_t)n, sizeof line, text);
	}
	if (log_to.kmsg >= 0) {
		n = snprintf(line, 64, "<%d>%.32s[%d]: ", LOG_DAEMON | levels[lvl].prio,
			     log_to.ident ? log_to.ident : "", (int)getpid());
		put(log_to.kmsg, line, (size_t)n, KMSG_MAX_BYTES + 1, text);
	}
	if (log_to.syslog) {
		clean(line, sizeof line, text);
		syslog(levels[lvl].prio, "%s", line);
	}
}

static void vlog(enum log_level lvl, const char *tail, const char *fmt, va_list ap)
	__attribute__((format(printf, 3, 0)));

/* Logs the message with tail behind it; the tail is kept when the message is cut. */
static void vlog(enum log_level lvl, const char *tail, const char *fmt, va_list ap)
{
	char text[LINE_MAX_BYTES];
	size_t tail_len = strnlen(tail, 256), room = sizeof text - tail_len;
	int n = vsnprintf(text, room, fmt, ap);

	if (n < 0)
		return;
	if ((size_t)n >= room) {
		memcpy(text + room - 4, "...", 3);
		n = (int)room - 1;
	}
	memcpy(text + n, tail, tail_len);
	text[(size_t)n + tail_len] = '\0';
	emit(lvl, text);
}

void log_at(enum log_level lvl, const char *fmt, ...)
{
	int saved = errno;
	va_list ap;

	if (lvl == LOG_LVL_NONE || !log_shows(lvl))
		return;
	va_start(ap, fmt);
	vlog(lvl, "", fmt, ap);
	va_end(ap);
	errno = saved;
}

void log_errno(const char *fmt, ...)
{
	int saved = errno;
	char tail[256];
	va_list ap;

	if (!log_shows(LOG_LVL_ERR))
		return;
	snprintf(tail, sizeof tail, ": %s", strerror(saved));
	va_start(ap, fmt);
	vlog(LOG_LVL_ERR, tail, fmt, ap);
	va_end(ap);
	errno = saved;
}

static bool period_over(const struct log_limit *lim, int64_t now)
{
	return now - lim->start >= (lim->ms ? lim->ms : 60000);
}

void log_limited(struct log_limit *lim, int64_t now, enum log_level lvl, const char *fmt, ...)
{
	int saved = errno;
	char tail[64] = "";
	va_list ap;

	if (lvl == LOG_LVL_NONE || !log_shows(lvl))
		return;
	if (!lim->shown || period_over(lim, now)) {
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
	vlog(lvl, tail, fmt, ap);
	va_end(ap);
	errno = saved;
}

void log_limit_flush(struct log_limit *lim, int64_t now, enum log_level lvl, const char *what)
{
	if (!lim->dropped || !period_over(lim, now))
		return;
	log_at(lvl, "%s: %lu more left out", what, lim->dropped);
	lim->dropped = 0;
	lim->shown = 0;
}
