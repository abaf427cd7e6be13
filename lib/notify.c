/* SPDX-License-Identifier: ISC
 *
 * The sd_notify(3) protocol: one datagram a message to a socket named in the environment.  What is worth telling is
 * decided elsewhere.
 */
#include "lib/notify.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/fd.h"
#include "lib/number.h"
#include "lib/usock.h"

#define NOTIFY_IN_VAIN 5

static struct sockaddr_un notify_to;
static socklen_t notify_to_len;	/* 0: nobody asked */
static int64_t notify_watchdog;
static int64_t notify_store;	/* descriptors that it takes */
static bool notify_is_mute;
static unsigned notify_in_vain;	/* messages in a row that nobody had room for */
static char notify_name[sizeof notify_to.sun_path];

/* Takes a number out of the environment: 0 when there is none, -1 when it is something else. */
static int64_t notify_take_number(const char *name)
{
	const char *s = getenv(name);
	int64_t v = s ? number_parse(s, INT64_MAX) : 0;

	unsetenv(name);
	return v;
}

void notify_init(void)
{
	int64_t usec = notify_take_number("WATCHDOG_USEC"), pid = notify_take_number("WATCHDOG_PID");
	const char *path = getenv("NOTIFY_SOCKET");
	size_t n = path ? strlen(path) : 0;

	notify_store = notify_take_number("FDSTORE");
	notify_watchdog = usec < 0 || (pid && pid != getpid()) ? 0 : usec;
	notify_to_len = 0;
	if (n > 1 && n < sizeof notify_to.sun_path && (*path == '/' || *path == '@')) {
		notify_to.sun_family = AF_UNIX;
		memcpy(notify_name, path, n + 1);
		memcpy(notify_to.sun_path, path, n + 1);
		notify_to_len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n);
		/* unix(7): an abstract name starts with NUL and ends with its length. */
		if (*path == '@')
			notify_to.sun_path[0] = '\0';
		else
			notify_to_len++;
	}
	unsetenv("NOTIFY_SOCKET");
}

void notify_mute(bool on)
{
	notify_is_mute = on;
}

void notify_leave(void)
{
	notify_to_len = 0;
}

bool notify_is_heard(void)
{
	return notify_to_len;
}

bool notify_has_store(void)
{
	return notify_is_heard() && notify_store > 0;
}

/* True for a message that is worth waiting for.  There may be one for each of hundreds of sockets, and a receiver that
 * has stopped reads none of them: after some in vain we wait only with those without which it takes us for dead. */
static bool notify_is_worth(const char *text)
{
	return notify_in_vain < NOTIFY_IN_VAIN || !strncmp(text, "READY=1", 7) || !strncmp(text, "MAINPID=", 8);
}

/* Sends a text, with a descriptor unless that is -1: 0, or -1 with errno. */
static int __attribute__((format(printf, 2, 0))) notify_send_text(int passed, const char *fmt, va_list ap)
{
	/* Where the receiver is behind, as it may be at boot, we wait a little, but not so long that routing is held
	 * up.  Whoever says MAINPID has given routing away, and the next one would be nobody's without it. */
	struct timeval patience = { .tv_usec = 100000 };
	char text[1024];
	int fd, res;

	if (!notify_to_len || notify_is_mute)
		return 0;
	vsnprintf(text, sizeof text, fmt, ap);
	if (!strncmp(text, "MAINPID=", 8))
		patience.tv_sec = 2;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
	res = usock_send(fd, text, &passed, passed >= 0, &notify_to, notify_to_len,
			 MSG_NOSIGNAL | (notify_is_worth(text) ? 0 : MSG_DONTWAIT)) < 0 ? -1 : 0;
	notify_in_vain = res < 0 && errno == EAGAIN ? notify_in_vain + 1 : 0;
	fd_fail(fd);
	return res;
}

void notify_send(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	notify_send_text(-1, fmt, ap);
	va_end(ap);
}

int notify_send_fd(int fd, const char *fmt, ...)
{
	va_list ap;
	int res;

	va_start(ap, fmt);
	res = notify_send_text(fd, fmt, ap);
	va_end(ap);
	return res;
}

void notify_reloading(void)
{
	notify_send("RELOADING=1\nMONOTONIC_USEC=%" PRId64, clock_usec(CLOCK_MONOTONIC));
}

const char *notify_socket(void)
{
	return notify_to_len ? notify_name : NULL;
}

int64_t notify_store_size(void)
{
	return notify_store;
}

uint64_t notify_watchdog_usec(void)
{
	return (uint64_t)notify_watchdog;
}
