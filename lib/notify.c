/* SPDX-License-Identifier: ISC
 *
 * The sd_notify(3) protocol: one datagram a message to a socket named in the
 * environment.  What is worth telling is decided elsewhere.
 */
#include "lib/notify.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "lib/fd.h"

#define PATIENCE_MS 100

static struct sockaddr_un to;
static socklen_t to_len;	/* 0: nobody asked */
static uint64_t watchdog;

/* A whole decimal number, or 0. */
static uint64_t number(const char *s)
{
	char *end;
	unsigned long long v;

	if (!s || *s < '0' || *s > '9')
		return 0;
	errno = 0;
	v = strtoull(s, &end, 10);
	return errno || *end ? 0 : v;
}

void notify_init(void)
{
	const char *path = getenv("NOTIFY_SOCKET"), *pid = getenv("WATCHDOG_PID");
	size_t n = path ? strlen(path) : 0;

	to_len = 0;
	if (n > 1 && n < sizeof to.sun_path && (*path == '/' || *path == '@')) {
		to = (struct sockaddr_un){ .sun_family = AF_UNIX };
		memcpy(to.sun_path, path, n);
		to_len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n);
		/* unix(7): an abstract name starts with NUL and ends with its length. */
		if (*path == '@')
			to.sun_path[0] = '\0';
		else
			to_len++;
	}
	watchdog = pid && number(pid) != (uint64_t)getpid() ? 0 : number(getenv("WATCHDOG_USEC"));
	unsetenv("NOTIFY_SOCKET");
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
}

/* Sends one datagram; waits a little where the receiver is behind, as it may be at
 * boot, but not so long that routing is held up. */
static int send_text(int fd, const char *text, size_t n)
{
	struct pollfd p = { .fd = fd, .events = POLLOUT };
	bool waited = false;

	if (connect(fd, (struct sockaddr *)&to, to_len) < 0)
		return -1;
	while (send(fd, text, n, MSG_NOSIGNAL | MSG_DONTWAIT) < 0) {
		if (errno != EAGAIN || waited)
			return -1;
		poll(&p, 1, PATIENCE_MS);
		waited = true;
	}
	return 0;
}

int notify_send(const char *fmt, ...)
{
	char text[1024];
	va_list ap;
	int fd, n;

	if (!to_len)
		return 0;
	va_start(ap, fmt);
	n = vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	if (n < 0 || n >= (int)sizeof text) {
		errno = EMSGSIZE;
		return -1;
	}
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	if (send_text(fd, text, (size_t)n) < 0)
		return fd_fail(fd);
	close(fd);
	return 0;
}

int notify_reloading(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return notify_send("RELOADING=1\nMONOTONIC_USEC=%" PRIu64,
			   (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000);
}

uint64_t notify_watchdog_usec(void)
{
	return watchdog;
}
