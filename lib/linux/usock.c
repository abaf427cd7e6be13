/* SPDX-License-Identifier: ISC
 *
 * Who is at the other end of a socket, as Linux tells (unix(7), SO_PEERCRED and SO_PASSCRED; /proc), and its names
 * without a file.
 */
#include "lib/usock.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "lib/lines.h"

static bool usock_peer(int fd, struct ucred *cred)
{
	socklen_t size = sizeof *cred;

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, cred, &size) == 0;
}

int usock_ask_sender(int fd)
{
	int on = 1;

	return setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof on);
}

pid_t usock_sender(const struct cmsghdr *c)
{
	struct ucred who;

	if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_CREDENTIALS || c->cmsg_len != CMSG_LEN(sizeof who))
		return 0;
	memcpy(&who, CMSG_DATA(c), sizeof who);
	return who.pid;
}

int usock_name(int fd, char *name, size_t size)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	socklen_t len = sizeof a;

	/* No file is needed: for no name at all the kernel chooses an abstract one (unix(7), autobind). */
	if (bind(fd, (struct sockaddr *)&a, sizeof a.sun_family) < 0 ||
	    getsockname(fd, (struct sockaddr *)&a, &len) < 0)
		return -1;
	len -= (socklen_t)offsetof(struct sockaddr_un, sun_path);
	if (len < 2 || len >= size) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(name, a.sun_path, len);
	name[0] = '@';
	name[len] = '\0';
	return 0;
}

pid_t usock_peer_pid(int fd)
{
	struct ucred cred;

	/* The pid is 0 for a process of another PID namespace. */
	return !usock_peer(fd, &cred) || cred.pid < 0 ? 0 : cred.pid;
}

bool usock_peer_may(int fd, uid_t uid)
{
	struct ucred cred;

	return usock_peer(fd, &cred) && (cred.uid == 0 || cred.uid == uid);
}

static bool usock_look(const char *path)
{
	size_t n = strlen(path);
	bool is_listed = false;
	char *line, *w[4];
	struct lines l;

	if (lines_open(&l, "/proc/net/unix") < 0)
		return true;
	while (!is_listed && (line = lines_next(&l))) {
		size_t len = strlen(line);

		/* With the flag __SO_ACCEPTCON; the other end of a connection has the same name and is of where we
		 * are. */
		is_listed = len > n && line[len - n - 1] == ' ' && !strcmp(line + len - n, path) &&
			    lines_words(line, w, 4) == 4 && !strcmp(w[3], "00010000");
	}
	lines_close(&l);
	return is_listed;
}

bool usock_is_listed(const char *path)
{
	/* Between two pieces that are read the kernel counts a socket's place among its neighbours, and leaves one out
	 * when another is closed then (net/unix/af_unix.c, unix_from_bucket()). */
	return usock_look(path) || usock_look(path);
}

bool usock_peer_is_elsewhere(int fd)
{
	pid_t pid = usock_peer_pid(fd);
	struct sockaddr_un at = { 0 };
	socklen_t size = sizeof at - 1;
	struct stat here, there;
	char path[40];

	/* namespaces(7): two processes are in one where device and inode of these files are the same. */
	snprintf(path, sizeof path, "/proc/%d/ns/net", (int)pid);
	if (pid && stat("/proc/self/ns/net", &here) == 0 && stat(path, &there) == 0)
		return here.st_ino != there.st_ino || here.st_dev != there.st_dev;
	return getpeername(fd, (struct sockaddr *)&at, &size) == 0 && at.sun_path[0] && !usock_is_listed(at.sun_path);
}
