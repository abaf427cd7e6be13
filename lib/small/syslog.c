/* SPDX-License-Identifier: ISC
 *
 * syslog(3) of the small build.  A message carries no time: whoever reads
 * /dev/log knows it, and the time zone too (RFC 3164, section 4.3.2).
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>
#include <unistd.h>

static struct {
	int fd, facility;
	const char *ident;
} to = { .fd = -1 };

static void reconnect(void)
{
	static const struct sockaddr_un sun = { .sun_family = AF_UNIX, .sun_path = "/dev/log" };

	closelog();
	to.fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (to.fd >= 0 && connect(to.fd, (const struct sockaddr *)&sun, sizeof sun) < 0)
		closelog();
}

void openlog(const char *ident, int options, int facility)
{
	(void)options;		/* LOG_PID and LOG_NDELAY are all that is asked for */
	to.ident = ident;
	to.facility = facility;
	reconnect();
}

void closelog(void)
{
	if (to.fd >= 0)
		close(to.fd);
	to.fd = -1;
}

void syslog(int priority, const char *fmt, ...)
{
	char line[2304];
	int head = snprintf(line, 64, "<%d>%.32s[%d]: ", to.facility | priority, to.ident ? to.ident : "",
			    (int)getpid());
	size_t n;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line + head, sizeof line - (size_t)head, fmt, ap);
	va_end(ap);
	n = strlen(line);
	/* Whoever reads it may have been started again. */
	for (int tries = 2; tries && (to.fd < 0 || send(to.fd, line, n, MSG_NOSIGNAL) < 0); tries--)
		reconnect();
}
