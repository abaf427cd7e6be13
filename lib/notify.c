/* SPDX-License-Identifier: ISC
 *
 * The sd_notify(3) protocol: one datagram a message to a socket named in the environment.  What is worth telling is
 * decided elsewhere.
 */
#include "lib/notify.h"

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
#include "lib/number.h"

static struct sockaddr_un notify_to;
static socklen_t notify_to_len;	/* 0: nobody asked */
static int64_t notify_watchdog;

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

	notify_watchdog = usec < 0 || (pid && pid != getpid()) ? 0 : usec;
	notify_to_len = 0;
	if (n > 1 && n < sizeof notify_to.sun_path && (*path == '/' || *path == '@')) {
		notify_to.sun_family = AF_UNIX;
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

void notify_send(const char *fmt, ...)
{
	/* Where the receiver is behind, as it may be at boot, we wait a little, but not so long that routing is held
	 * up. */
	static const struct timeval patience = { .tv_usec = 100000 };
	char text[1024];
	va_list ap;
	int fd;

	if (!notify_to_len)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
	sendto(fd, text, strlen(text), MSG_NOSIGNAL, (struct sockaddr *)&notify_to, notify_to_len);
	close(fd);
}

void notify_reloading(void)
{
	notify_send("RELOADING=1\nMONOTONIC_USEC=%" PRId64, clock_usec(CLOCK_MONOTONIC));
}

uint64_t notify_watchdog_usec(void)
{
	return (uint64_t)notify_watchdog;
}
