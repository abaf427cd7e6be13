/* SPDX-License-Identifier: ISC
 *
 * A path may name a living socket, the leftover of a killed process, or anything else.  Only connect(2) tells the first
 * two apart, and between looking and replacing another instance may come up: a lock on the directory keeps out those
 * that use this code.
 */
#include "lib/usock.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/fd.h"
#include "lib/pidfile.h"
#include "lib/proc.h"

#define USOCK_BACKLOG 128

/* Returns a new socket and fills in the address of path, or -1 with errno. */
static int usock_new(struct sockaddr_un *sun, const char *path)
{
	size_t len = strlen(path);

	*sun = (struct sockaddr_un){ .sun_family = AF_UNIX };
	/* An empty path would be an abstract name of its own. */
	if (!len || len >= sizeof sun->sun_path) {
		errno = len ? ENAMETOOLONG : ENOENT;
		return -1;
	}
	memcpy(sun->sun_path, path, len);
	return socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

int usock_connect(const char *path)
{
	struct sockaddr_un sun;
	int fd = usock_new(&sun, path);

	return fd < 0 || connect(fd, (struct sockaddr *)&sun, sizeof sun) == 0 ? fd : fd_fail(fd);
}

/* Removes a dead socket.  0, or -1 with errno when something else is there. */
static int usock_clear_dead(const char *path)
{
	struct stat st;
	int fd;

	if (lstat(path, &st) < 0)
		return errno == ENOENT ? 0 : -1;
	if (!S_ISSOCK(st.st_mode)) {
		errno = EEXIST;
		return -1;
	}
	fd = usock_connect(path);
	if (fd >= 0)
		close(fd);
	/* EACCES, EPROTOTYPE and a full backlog do not prove that it is dead. */
	if (fd >= 0 || (errno != ECONNREFUSED && errno != ENOENT)) {
		errno = EADDRINUSE;
		return -1;
	}
	return unlink(path) < 0 && errno != ENOENT ? -1 : 0;
}

/* Gives the bound file its owner and remembers it: through a descriptor, so that whatever may be put in its place
 * meanwhile is left alone. */
static int usock_own(const char *path, uid_t uid, gid_t gid, struct usock_id *id)
{
	struct stat st;
	int fd = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0 || fstat(fd, &st) < 0)
		return fd_fail(fd);
	if (!S_ISSOCK(st.st_mode)) {
		errno = EEXIST;
		return fd_fail(fd);
	}
	*id = (struct usock_id){ st.st_dev, st.st_ino, fd_directory(path) };
	if ((uid != (uid_t)-1 || gid != (gid_t)-1) && fchownat(fd, "", uid, gid, AT_EMPTY_PATH) < 0)
		return fd_fail(fd);
	return close(fd);
}

static int usock_bind(int fd, const struct sockaddr_un *sun, mode_t mode, uid_t uid, gid_t gid, struct usock_id *id)
{
	mode_t mask = umask(0777 & ~mode);
	int res = bind(fd, (const struct sockaddr *)sun, sizeof *sun);

	umask(mask);
	if (res < 0)
		return -1;
	if (usock_own(sun->sun_path, uid, gid, id) == 0 && listen(fd, USOCK_BACKLOG) == 0)
		return 0;
	res = errno;
	usock_remove(sun->sun_path, id);
	errno = res;
	return -1;
}

int usock_listen(const char *path, mode_t mode, uid_t uid, gid_t gid, struct usock_id *id)
{
	struct sockaddr_un sun;
	int fd = usock_new(&sun, path), lock;

	*id = (struct usock_id){ 0 };
	if (fd < 0)
		return -1;
	lock = fd_lock_directory(path);
	if (usock_clear_dead(path) < 0 || usock_bind(fd, &sun, mode, uid, gid, id) < 0)
		fd = fd_fail(fd);
	fd_fail(lock);
	return fd;
}

void usock_listen_again(int fd)
{
	listen(fd, USOCK_BACKLOG);
}

bool usock_listens_at(int fd, const char *path, bool is_known, struct usock_id *id)
{
	struct sockaddr_un sun = { 0 };
	socklen_t len = sizeof sun, size = sizeof(int);
	struct stat st;
	int on = 0;

	if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &on, &size) == 0 && on &&
	    getsockname(fd, (struct sockaddr *)&sun, &len) == 0 && sun.sun_family == AF_UNIX &&
	    (is_known || !strncmp(sun.sun_path, path, sizeof sun.sun_path)) &&
	    lstat(path, &st) == 0 && S_ISSOCK(st.st_mode)) {
		*id = (struct usock_id){ st.st_dev, st.st_ino, fd_directory(path) };
		return true;
	}
	errno = EADDRNOTAVAIL;
	return false;
}

void usock_remove(const char *path, struct usock_id *id)
{
	if (id->ino)
		fd_remove(id->dir, path, id->dev, id->ino);
	if (id->dir)
		close(id->dir);
	*id = (struct usock_id){ 0 };
}

ssize_t usock_send(int fd, const char *text, const int *fds, unsigned n, void *address, socklen_t len, int flags)
{
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(USOCK_FDS * sizeof *fds)];
	} control = { .room = "" };
	union {
		const char *sent;
		void *base;
	} bytes = { text };
	struct iovec iov = { .iov_base = bytes.base, .iov_len = strlen(text) };
	struct msghdr m = { .msg_name = address, .msg_namelen = len, .msg_iov = &iov, .msg_iovlen = 1 };

	if (n) {
		control.head = (struct cmsghdr){ .cmsg_len = CMSG_LEN(n * sizeof *fds), .cmsg_level = SOL_SOCKET,
						 .cmsg_type = SCM_RIGHTS };
		memcpy(CMSG_DATA(&control.head), fds, n * sizeof *fds);
		m.msg_control = &control;
		m.msg_controllen = CMSG_SPACE(n * sizeof *fds);
	}
	return sendmsg(fd, &m, flags);
}

ssize_t usock_receive(int fd, void *bytes, size_t size, struct usock_beside *beside)
{
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof beside->fds) + USOCK_SENDER_SPACE];
	} control;
	struct iovec iov = { bytes, size };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control,
			    .msg_controllen = sizeof control };
	ssize_t n = recvmsg(fd, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

	beside->flags = m.msg_flags;
	beside->n = 0;
	beside->pid = 0;
	for (struct cmsghdr *c = n < 0 ? NULL : CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c)) {
		size_t len = c->cmsg_len - CMSG_LEN(0);
		pid_t pid = usock_sender(c);

		if (pid) {
			beside->pid = pid;
		} else if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS) {
			beside->n = (unsigned)(len / sizeof *beside->fds);
			memcpy(beside->fds, CMSG_DATA(c), beside->n * sizeof *beside->fds);
		}
	}
	return n;
}

void usock_unname(const char *name)
{
	if (*name == '/')
		unlink(name);
}

static bool usock_process_is(pid_t pid, const char *begin)
{
	char name[32];

	return proc_name(pid, name, sizeof name) && !strncmp(name, begin, strlen(begin));
}

bool usock_peer_is(int fd, const char *begin)
{
	return usock_process_is(usock_peer_pid(fd), begin);
}

bool usock_may_be(const char *path, const char *begin)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path, *end = strrchr(name, '.');
	char file[PATH_MAX];

	if (!strncmp(name, begin, strlen(begin)))
		return true;
	snprintf(file, sizeof file, "%.*s.pid", (int)((end ? end : name + strlen(name)) - path), path);
	return usock_process_is(pidfile_read(file, false), begin);
}
