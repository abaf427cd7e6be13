/* SPDX-License-Identifier: ISC
 *
 * Who is at the other end of a socket, as FreeBSD tells (unix(4), LOCAL_PEERCRED and LOCAL_CREDS_PERSISTENT).
 * There are no names without a file, and a jail cannot be told from another by a socket.
 */
#include "lib/usock.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/param.h>
#include <sys/stat.h>
#include <sys/ucred.h>
#include <sys/un.h>
#include <unistd.h>

/* The level of options of Unix sockets, as unix(4) has it. */
#define USOCK_LEVEL 0

static bool usock_peer(int fd, struct xucred *cred)
{
	socklen_t size = sizeof *cred;

	return getsockopt(fd, USOCK_LEVEL, LOCAL_PEERCRED, cred, &size) == 0 && cred->cr_version == XUCRED_VERSION;
}

int usock_ask_sender(int fd)
{
	int on = 1;

	return setsockopt(fd, USOCK_LEVEL, LOCAL_CREDS_PERSISTENT, &on, sizeof on);
}

pid_t usock_sender(const struct cmsghdr *c)
{
	struct sockcred2 who;

	if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_CREDS2 || c->cmsg_len < CMSG_LEN(sizeof who))
		return 0;
	memcpy(&who, (const unsigned char *)c + CMSG_LEN(0), sizeof who);
	return who.sc_pid;
}

int usock_name(int fd, char *name, size_t size)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	mode_t mask;
	int res;

	if ((size_t)snprintf(name, size, RUNSTATEDIR "/smcroute.%d", (int)getpid()) >= size ||
	    size > sizeof a.sun_path) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(a.sun_path, name, strlen(name) + 1);
	/* One of this pid that is left of a process that ended. */
	unlink(name);
	mask = umask(0177);
	res = bind(fd, (struct sockaddr *)&a, sizeof a);
	umask(mask);
	return res;
}

pid_t usock_peer_pid(int fd)
{
	struct xucred cred;

	return usock_peer(fd, &cred) && cred.cr_pid > 0 ? cred.cr_pid : 0;
}

bool usock_peer_may(int fd, uid_t uid)
{
	struct xucred cred;

	return usock_peer(fd, &cred) && (cred.cr_uid == 0 || cred.cr_uid == uid);
}

bool usock_is_listed(const char *path)
{
	(void)path;
	return true;
}

bool usock_peer_is_elsewhere(int fd)
{
	(void)fd;
	return false;
}
