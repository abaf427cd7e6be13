/* SPDX-License-Identifier: ISC
 *
 * The places that the messages of fuzz_log.c go to, and a naive reader of text for terminals and shells.
 */
#ifndef TESTS_FUZZ_LOG_H
#define TESTS_FUZZ_LOG_H

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/text.h"
#include "tests/fuzz/input.h"

static int fuzz_connect(int fd, const struct sockaddr *to);
static int fuzz_open_kmsg(void);
static int fuzz_poll(struct pollfd *p);
static int fuzz_console[2];

#undef STDERR_FILENO
#define STDERR_FILENO		fuzz_console[1]
#define connect(fd, a, n)	fuzz_connect(fd, a)
#define open(path, flags)	fuzz_open_kmsg()
#define poll(p, n, ms)		fuzz_poll(p)
#include "lib/log.c"
#undef connect
#undef open
#undef poll

#define STEPS 100
#define LIMITS 3
#define TEXT 3000

enum fuzz_syslog { SYSLOG_NONE, SYSLOG_DATAGRAM, SYSLOG_STREAM };

static enum fuzz_syslog fuzz_syslog;
static int fuzz_datagrams, fuzz_listener, fuzz_stream = -1, fuzz_kmsg[2];
static bool fuzz_has_kmsg;
static unsigned fuzz_dest;
static const char *fuzz_ident;
static int64_t fuzz_now;
static struct log_limit fuzz_limits[LIMITS];
static char fuzz_text[TEXT + 1];

/* ---- the places that messages go to ---- */

static int fuzz_reach(int fd, int to)
{
	struct sockaddr_un a;
	socklen_t size = sizeof a;

	return getsockname(to, (struct sockaddr *)&a, &size) < 0 ? -1 : connect(fd, (struct sockaddr *)&a, size);
}

static int fuzz_connect(int fd, const struct sockaddr *to)
{
	int type = 0;
	socklen_t size = sizeof type;

	if (strcmp(((const struct sockaddr_un *)(const void *)to)->sun_path, _PATH_LOG))
		fuzz_wrong("it is not for syslog");
	getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size);
	if (fuzz_syslog == SYSLOG_DATAGRAM && type == SOCK_DGRAM)
		return fuzz_reach(fd, fuzz_datagrams);
	if (fuzz_syslog == SYSLOG_STREAM && type == SOCK_STREAM && fuzz_reach(fd, fuzz_listener) == 0) {
		if (fuzz_stream >= 0)
			close(fuzz_stream);
		fuzz_stream = accept4(fuzz_listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		return 0;
	}
	errno = fuzz_syslog == SYSLOG_NONE ? ENOENT : EPROTOTYPE;
	return -1;
}

static int fuzz_open_kmsg(void)
{
	errno = ENOENT;
	return fuzz_has_kmsg ? fcntl(fuzz_kmsg[1], F_DUPFD_CLOEXEC, 0) : -1;
}

static int fuzz_poll(struct pollfd *p)
{
	return poll(p, 1, 0);
}

/* All that has come over a descriptor; it is ended by NUL. */
static const char *fuzz_read(int fd, bool is_datagram)
{
	static char all[70000];
	size_t at = 0;
	ssize_t n;

	do {
		n = fd < 0 ? -1 : read(fd, all + at, sizeof all - 2 - at);
		at += n > 0 ? (size_t)n : 0;
		if (n > 0 && is_datagram)
			all[at++] = '\n';
	} while (n > 0);
	all[at] = '\0';
	if (strlen(all) != at)
		fuzz_wrong("there is a NUL");
	return all;
}

static void fuzz_forget(void)
{
	fuzz_read(fuzz_console[0], false);
	fuzz_read(fuzz_datagrams, true);
	fuzz_read(fuzz_stream, false);
	fuzz_read(fuzz_kmsg[0], false);
}

/* ---- what text should look like ---- */

/* The bytes of a character that may be shown, by its number: 0 when there is none. */
static size_t fuzz_shown(const unsigned char *s, size_t n)
{
	static const uint32_t first[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t len = *s < 0x80 ? 1 : *s >> 5 == 6 ? 2 : *s >> 4 == 14 ? 3 : *s >> 3 == 30 ? 4 : 0;
	uint32_t c = len == 1 ? *s : len ? *s & (0xffu >> (len + 1)) : 0;

	if (!len || len > n)
		return 0;
	for (size_t i = 1; i < len; i++) {
		if (s[i] >> 6 != 2)
			return 0;
		c = c << 6 | (s[i] & 0x3f);
	}
	if (c < 0x20 || (c >= 0x7f && c < 0xa0) || c < first[len] || c >> 11 == 0x1b || c > 0x10ffff)
		return 0;
	return len;
}

/* The whole of it, escaped. */
static size_t fuzz_escape(char *out, const char *s, size_t n, unsigned keep)
{
	size_t at = 0;

	for (size_t i = 0, len; i < n; i += len ? len : 1) {
		len = fuzz_shown((const unsigned char *)s + i, n - i);
		if ((s[i] == '\t' && keep & TEXT_KEEP_TAB) || (s[i] == '\n' && keep & TEXT_KEEP_NEWLINE))
			len = 1;
		if (len)
			memcpy(out + at, s + i, len);
		at += len ? len : (size_t)sprintf(out + at, "\\x%02x", (unsigned char)s[i]);
	}
	out[at] = '\0';
	return at;
}

static void fuzz_check_escape(const char *s, size_t n, size_t size, unsigned keep)
{
	static char all[TEXT_ESCAPED_SIZE(TEXT)], out[TEXT_ESCAPED_SIZE(TEXT)];
	size_t whole = fuzz_escape(all, s, n, keep), len = text_escape(out, size, s, n, keep);

	if (len >= size || out[len] || strlen(out) != len || memcmp(out, all, len))
		fuzz_wrong("text is not escaped");
	if (len < whole && len + 5 < size)
		fuzz_wrong("text is cut too early");
	/* Not in the middle of a character. */
	if (len && fuzz_escape(all, out, len, keep) != len)
		fuzz_wrong("a character is cut");
}

/* What a shell makes of a word: its length. */
static size_t fuzz_unquote(char *to, const char *s)
{
	static const char special[] = " \t\n\"$`&|;<>()*?[]{}#~!^";
	static const char begin[] = "\"$(printf '", end[] = "')\"";
	char *at = to;

	while (*s) {
		if (*s == '\'') {
			for (s++; *s != '\''; s++)
				if (!*s)
					fuzz_wrong("a quote is open");
				else
					*at++ = *s;
			s++;
		} else if (*s == '\\') {
			*at++ = s[1];
			s += 2;
		} else if (!strncmp(s, begin, sizeof begin - 1)) {
			s += sizeof begin - 1;
			if (*s == '-')
				fuzz_wrong("it is an option");
			for (; *s && *s != '\''; s++) {
				if (*s == '%')
					fuzz_wrong("it is a format");
				if (*s == '\\') {
					*at++ = (char)((s[1] - '0') << 6 | (s[2] - '0') << 3 | (s[3] - '0'));
					s += 3;
				} else {
					*at++ = *s;
				}
			}
			if (strncmp(s, end, sizeof end - 1))
				fuzz_wrong("a command is open");
			s += sizeof end - 1;
		} else {
			if (strchr(special, *s))
				fuzz_wrong("it is special to a shell");
			*at++ = *s++;
		}
	}
	return (size_t)(at - to);
}

static void fuzz_check_word(const char *s, size_t size)
{
	static char out[TEXT_WORD_SIZE(TEXT)], back[TEXT_WORD_SIZE(TEXT)];
	size_t n = strlen(s), len, body;

	text_shell_word(out, size < 3 ? 3 : size, s);
	if (size < TEXT_WORD_SIZE(n)) {
		if (strcmp(out, "''"))
			fuzz_wrong("a part of a word");
		return;
	}
	len = strlen(out);
	if (len >= TEXT_WORD_SIZE(n) || !len || fuzz_unquote(back, out) != n || memcmp(back, s, n))
		fuzz_wrong("a shell reads another word");
	for (body = n; body && s[body - 1] == '\n'; body--)
		;
	if (fuzz_escape(back, out, len - (body < n ? n - body + 1 : 0), 0) != len - (body < n ? n - body + 1 : 0))
		fuzz_wrong("a byte of control is in a word");
}

#endif
