/* SPDX-License-Identifier: ISC
 *
 * Messages to people.  Foreground: stderr without a time, with <N> in front when stderr is the journal's
 * (JOURNAL_STREAM, sd-daemon(3)).  Background: /dev/log, and stderr as well as long as somebody may be looking at it.
 * Where no syslog listens: the kernel's log and stderr, until one does.  errno survives every call.  Control characters
 * and broken UTF-8 in what is logged are shown as \xXX (text_escape()).  A reader that stands still loses messages and
 * holds nothing up.
 */
#ifndef LIB_LOG_H
#define LIB_LOG_H

#include <stdbool.h>
#include <stdint.h>

enum log_level { LOG_LVL_NONE, LOG_LVL_ERR, LOG_LVL_NOTICE, LOG_LVL_INFO, LOG_LVL_DEBUG };

enum log_dest { LOG_TO_STDERR, LOG_TO_SYSLOG, LOG_TO_BOTH };

/* Sets where messages go and their ident, which is not copied; 64 bytes of it are shown. */
void log_open(const char *ident, enum log_dest dest);

/* The last level that is shown; LOG_LVL_NOTICE at first. */
void log_set_level(enum log_level lvl);
bool log_shows(enum log_level lvl);

/* Returns the level of that name, or nearest to that word or number of syslog(3), in capitals or not; or -1. */
int log_level_parse(const char *name);

void log_at(enum log_level lvl, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* As log_at(LOG_LVL_ERR), with ": " and the text of errno behind it. */
void log_errno(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#define log_err(...) log_at(LOG_LVL_ERR, __VA_ARGS__)
#define log_notice(...) log_at(LOG_LVL_NOTICE, __VA_ARGS__)
#define log_info(...) log_at(LOG_LVL_INFO, __VA_ARGS__)
#define log_debug(...) log_at(LOG_LVL_DEBUG, __VA_ARGS__)

/* For whatever a packet or a client can trigger: at most `burst` lines each LOG_LIMIT_MS milliseconds; the first line
 * of a new period tells how many were left out. */
#define LOG_LIMIT_MS 60000
struct log_limit {
	int burst;		/* set by the owner; 0 means 5 */
	int64_t start;
	int shown;
	unsigned long dropped;
};
void log_limited(struct log_limit *lim, int64_t now, enum log_level lvl, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* Tells what is still untold: call when the period of a limit has surely ended. */
void log_limit_flush(struct log_limit *lim, int64_t now, enum log_level lvl, const char *what);

#endif
