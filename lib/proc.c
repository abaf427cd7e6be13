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
	ssize_t n;

	do {
		n = read(fd, &status, 1);
	} while (n > 0 || (n < 0 && errno == EINTR));
	return status;
}

int proc_daemonize(void)
{
	int fd[2];

	if (pipe2(fd, O_CLOEXEC) < 0)
		return -1;
	switch (fork()) {
	case -1: {
		int saved = errno;

		close(fd[0]);
		close(fd[1]);
		errno = saved;
		return -1;
	}
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
		if (null > STDERR_FILENO)
			close(null);
		/* So as not to hold a mount. */
		(void)!chdir("/");
	}
	while (write(verdict_fd, &byte, 1) < 0 && errno == EINTR)
		;
	/* After a failure the pipe closes with the process: then all is released. */
	if (!status) {
		close(verdict_fd);
		verdict_fd = -1;
	}
}

static bool same_file(const struct stat *st, const char *path)
{
	struct stat other;

	return !lstat(path, &other) && st->st_dev == other.st_dev && st->st_ino == other.st_ino;
}

static ssize_t put_pid(int fd)
{
	char text[PID_TEXT];
	int n = snprintf(text, sizeof text, "%d\n", (int)getpid());
	ssize_t done = pwrite(fd, text, (size_t)n, 0);

	if (done >= 0 && done < n) {
		errno = ENOSPC;
		return -1;
	}
	return done;
}

/* Makes and locks a new file beside path; its descriptor, its name in tmp, or -1. */
static int make_beside(const char *path, char *tmp, size_t size)
{
	int n = snprintf(tmp, size, "%s.XXXXXX", path), fd;

	if (n < 0 || (size_t)n >= size) {
		errno = ENAMETOOLONG;
		return -1;
	}
	fd = mkostemp(tmp, O_CLOEXEC);
	if (fd < 0)
		return -1;
	if (flock(fd, LOCK_EX | LOCK_NB) < 0 || put_pid(fd) < 0 || fchmod(fd, 0644) < 0) {
		int saved = errno;

		unlink(tmp);
		close(fd);
		errno = saved;
		return -1;
	}
	return fd;
}

/* Opens what stands at path without following a link; -1 when that is no plain file. */
static int open_old(const char *path)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	if (fd >= 0 && (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))) {
		close(fd);
		fd = -1;
		errno = ELOOP;
	}
	return fd;
}

/* Puts tmp in the place of path, if no living instance holds that.  0; -1 with
 * errno; EAGAIN when somebody else was there between two steps. */
static int take_place(const char *path, const char *tmp)
{
	struct stat st;
	int old = open_old(path), r, saved;

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
	if (flock(old, LOCK_EX | LOCK_NB) < 0) {
		if (errno == EWOULDBLOCK)
			errno = EBUSY;
		r = -1;
	} else if (fstat(old, &st) < 0 || !same_file(&st, path)) {
		errno = EAGAIN;
		r = -1;
	} else {
		r = rename(tmp, path);
	}
	saved = errno;
	close(old);
	errno = saved;
	return r;
}

int pidfile_write(struct pidfile *f, const char *path)
{
	char tmp[PATH_MAX];
	int r = -1, saved;

	*f = (struct pidfile){ .path = strdup(path), .fd = -1 };
	if (!f->path)
		return -1;
	f->fd = make_beside(path, tmp, sizeof tmp);
	for (int tries = 10; f->fd >= 0 && tries; tries--) {
		r = take_place(path, tmp);
		if (!r)
			return 0;
		if (errno != EAGAIN)
			break;
	}
	saved = errno;
	if (f->fd >= 0) {
		unlink(tmp);
		close(f->fd);
	}
	free(f->path);
	*f = (struct pidfile){ .fd = -1 };
	errno = saved;
	return -1;
}

pid_t pidfile_owner(const char *path)
{
	int fd = open_old(path);
	char text[PID_TEXT];
	ssize_t n;
	long pid = 0;

	if (fd < 0)
		return 0;
	if (flock(fd, LOCK_SH | LOCK_NB) < 0 && errno == EWOULDBLOCK) {
		n = read(fd, text, sizeof text - 1);
		text[n > 0 ? n : 0] = '\0';
		pid = strtol(text, NULL, 10);
	}
	close(fd);
	return pid > 0 && pid <= INT_MAX ? (pid_t)pid : 0;
}

int pidfile_touch(const struct pidfile *f)
{
	if (!f->path)
		return 0;
	/* Whoever is no longer the owner may still write what is open for writing. */
	if (!futimens(f->fd, NULL))
		return 0;
	return put_pid(f->fd) < 0 ? -1 : 0;
}

void pidfile_remove(struct pidfile *f)
{
	struct stat st;

	if (!f->path)
		return;
	if (!fstat(f->fd, &st) && same_file(&st, f->path) && unlink(f->path) < 0)
		(void)!ftruncate(f->fd, 0);
	close(f->fd);
	free(f->path);
	*f = (struct pidfile){ .fd = -1 };
}
