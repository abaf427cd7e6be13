/* SPDX-License-Identifier: ISC
 *
 * Descriptors 0 to 2, the step into the background and the PID file.  Privileges
 * are in priv.c, readiness towards the init system in notify.c.
 */
#include "lib/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/fd.h"
#include "lib/status.h"

#define PID_TEXT 16

static int verdict_fd = -1;

int proc_open_std(void)
{
	int fd;

	do {
		fd = open("/dev/null", O_RDWR);
	} while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd < 0)
		return -1;
	return close(fd);
}

/* The last byte before the end of file is the exit status. */
static int wait_verdict(int fd)
{
	unsigned char status = EXIT_SYSTEM;

	while (read(fd, &status, 1) > 0)
		;
	return status;
}

int proc_daemonize(void)
{
	int fd[2];

	if (pipe2(fd, O_CLOEXEC) < 0)
		return -1;
	switch (fork()) {
	case -1:
		fd_fail(fd[0]);
		return fd_fail(fd[1]);
	case 0:
		close(fd[0]);
		verdict_fd = fd[1];
		setsid();
		return 0;
	default:
		close(fd[1]);
		_exit(wait_verdict(fd[0]));
	}
}

void proc_ready(int status)
{
	unsigned char byte = (unsigned char)status;
	int null;

	if (verdict_fd < 0)
		return;
	if (!status) {
		null = open("/dev/null", O_RDWR | O_CLOEXEC);
		for (int fd = 0; null >= 0 && fd <= STDERR_FILENO; fd++)
			dup2(null, fd);
		close(null);
		/* So as not to hold a mount. */
		(void)!chdir("/");
	}
	(void)!write(verdict_fd, &byte, 1);
	/* After a failure the pipe closes with the process: then all is released. */
	if (!status) {
		close(verdict_fd);
		verdict_fd = -1;
	}
}

static int put_pid(int fd)
{
	char text[PID_TEXT];
	int n = snprintf(text, sizeof text, "%d\n", (int)getpid());
	ssize_t done = pwrite(fd, text, (size_t)n, 0);

	if (done == n)
		return 0;
	if (done >= 0)
		errno = ENOSPC;
	return -1;
}

/* Opens what stands at path without following a link; -1 when that is no plain file. */
static int open_old(const char *path, struct stat *st)
{
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	if (fd >= 0 && (fstat(fd, st) < 0 || !S_ISREG(st->st_mode))) {
		errno = ELOOP;
		return fd_fail(fd);
	}
	return fd;
}

/* Puts tmp in the place of path, if no living instance holds that.  0; -1 with
 * errno; EAGAIN when somebody else was there between two steps. */
static int try_place(const char *path, const char *tmp)
{
	struct stat st;
	int old = open_old(path, &st);

	if (old < 0 && errno == ENOENT) {
		/* Unlike rename(2) this never replaces what has come meanwhile. */
		if (!link(tmp, path))
			return unlink(tmp);
		if (errno == EEXIST)
			errno = EAGAIN;
		else if (errno == EPERM || errno == EOPNOTSUPP)	/* no hard links here */
			return rename(tmp, path);
		return -1;
	}
	if (old < 0)
		return errno == ELOOP ? rename(tmp, path) : -1;
	/* The old file's lock keeps everybody else out until ours is in its place. */
	if (flock(old, LOCK_EX | LOCK_NB) < 0)
		errno = errno == EWOULDBLOCK ? EBUSY : errno;
	else if (!fd_is_at(path, st.st_dev, st.st_ino))
		errno = EAGAIN;
	else if (!rename(tmp, path))
		return close(old);
	return fd_fail(old);
}

static int take_place(const char *path, const char *tmp)
{
	int r, tries = 10;

	do
		r = try_place(path, tmp);
	while (r < 0 && errno == EAGAIN && --tries);
	return r;
}

int pidfile_write(struct pidfile *f, const char *path)
{
	char tmp[PATH_MAX];
	int fd, err;

	*f = (struct pidfile){ 0 };
	if (snprintf(tmp, sizeof tmp, "%s.XXXXXX", path) >= PATH_MAX) {
		errno = ENAMETOOLONG;
		return -1;
	}
	fd = mkostemp(tmp, O_CLOEXEC);
	if (fd < 0)
		return -1;
	if (flock(fd, LOCK_EX | LOCK_NB) < 0 || put_pid(fd) < 0 || fchmod(fd, 0644) < 0 || take_place(path, tmp) < 0) {
		err = errno;
		unlink(tmp);
		errno = err;
		return fd_fail(fd);
	}
	*f = (struct pidfile){ path, fd };
	return 0;
}

pid_t pidfile_owner(const char *path)
{
	struct stat st;
	int fd = open_old(path, &st);
	char text[PID_TEXT] = "";
	long pid = 0;

	if (fd < 0)
		return 0;
	if (flock(fd, LOCK_SH | LOCK_NB) < 0 && errno == EWOULDBLOCK && read(fd, text, sizeof text - 1) > 0)
		pid = strtol(text, NULL, 10);
	close(fd);
	return pid > 0 && pid <= INT_MAX ? (pid_t)pid : 0;
}

int pidfile_touch(const struct pidfile *f)
{
	/* Whoever is no longer the owner may still write what is open for writing. */
	return !f->path || !futimens(f->fd, NULL) ? 0 : put_pid(f->fd);
}

void pidfile_remove(struct pidfile *f)
{
	struct stat st;

	if (!f->path)
		return;
	if (!fstat(f->fd, &st) && fd_is_at(f->path, st.st_dev, st.st_ino) && unlink(f->path) < 0)
		(void)!ftruncate(f->fd, 0);
	close(f->fd);
	f->path = NULL;
}
