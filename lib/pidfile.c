/* SPDX-License-Identifier: ISC
 *
 * Making, asking and removing the PID file, also while other instances do the same.
 */
#include "lib/pidfile.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/fd.h"

#define PIDFILE_SIZE 16

/* In one write, over what is there; a shorter number stands whole before the rest is cut off. */
static int pidfile_put_pid(int fd, pid_t pid)
{
	char text[PIDFILE_SIZE];
	int n = snprintf(text, sizeof text, "%d\n", (int)pid);

	return pwrite(fd, text, (size_t)n, 0) < n ? -1 : ftruncate(fd, n);
}

/* Takes the lock of an open file; false with errno when somebody has it.  NFS locks only what is open for writing
 * (flock(2)): there nobody has one, and it is the socket that tells a living instance. */
static bool pidfile_lock(int fd)
{
	return flock(fd, LOCK_EX | LOCK_NB) == 0 || errno == EBADF;
}

/* The number in an open file; 0 when there is none. */
static pid_t pidfile_get_pid(int fd)
{
	char text[PIDFILE_SIZE] = "";
	long pid = 0;

	if (pread(fd, text, sizeof text - 1, 0) > 0)
		pid = strtol(text, NULL, 10);
	return pid > 0 && pid <= INT_MAX ? (pid_t)pid : 0;
}

/* What was opened by a name, when it is the file that fd has: else it is closed, and -1 with errno.  ESTALE: somebody
 * has put another one there. */
static int pidfile_only(int opened, int fd)
{
	struct stat st, now;

	if (opened >= 0 && (fstat(fd, &st) < 0 || fstat(opened, &now) < 0 || st.st_dev != now.st_dev ||
			    st.st_ino != now.st_ino)) {
		errno = ESTALE;
		return fd_fail(opened);
	}
	return opened;
}

/* Opens what fd has for writing, for this once, when path still leads there.  -1 with errno; ESTALE when it does
 * not. */
static int pidfile_open_to_write(const char *path, int fd)
{
	return pidfile_only(open(path, O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC), fd);
}

/* Writes our number to the file that fd has, unless it has that number already.  The descriptor it was written by, 0
 * when none was needed, or -1 with errno. */
static int pidfile_follow(const char *path, int fd)
{
	int out;

	if (pidfile_get_pid(fd) == getpid())
		return 0;
	out = pidfile_open_to_write(path, fd);
	return out < 0 || pidfile_put_pid(out, getpid()) < 0 ? fd_fail(out) : out;
}

/* Opens what stands at path without following a link; -1 when that is no plain file. */
static int pidfile_open(const char *path, struct stat *st)
{
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	if (fd >= 0 && (fstat(fd, st) < 0 || !S_ISREG(st->st_mode))) {
		errno = ELOOP;
		return fd_fail(fd);
	}
	return fd;
}

/* Puts tmp in the place of path, which was not there (why is ENOENT) or no plain file (ELOOP), and still is so.  EAGAIN
 * when it is not: another instance may do the same, whose file must not be replaced then. */
static int pidfile_replace(const char *path, const char *tmp, int why)
{
	int lock = fd_lock_directory(path), r = -1, old;
	struct stat st;

	old = pidfile_open(path, &st);
	if (old < 0 && errno == why)
		r = rename(tmp, path);
	else
		errno = EAGAIN;
	fd_fail(old);
	fd_fail(lock);
	return r;
}

/* Puts tmp in the place of path, if no living instance holds that.  0, or -1 with errno: EAGAIN when somebody else was
 * there between two steps. */
static int pidfile_try_place(const char *path, const char *tmp)
{
	struct stat st;
	int old = pidfile_open(path, &st);

	if (old < 0 && errno == ENOENT) {
		/* Unlike rename(2) this never replaces what has come meanwhile. */
		if (!link(tmp, path))
			return unlink(tmp);
		if (errno == EPERM || errno == EOPNOTSUPP)	/* no hard links here */
			return pidfile_replace(path, tmp, ENOENT);
		errno = errno == EEXIST ? EAGAIN : errno;
		return -1;
	}
	if (old < 0)
		return errno == ELOOP ? pidfile_replace(path, tmp, ELOOP) : -1;
	/* The old file's lock keeps everybody else out until ours is in its place. */
	if (!pidfile_lock(old))
		errno = errno == EWOULDBLOCK ? EBUSY : errno;
	else if (!fd_is_at(path, st.st_dev, st.st_ino))
		errno = EAGAIN;
	else if (!rename(tmp, path))
		return close(old);
	return fd_fail(old);
}

static int pidfile_place(const char *path, const char *tmp)
{
	int r, tries = 10;

	do
		r = pidfile_try_place(path, tmp);
	while (r < 0 && errno == EAGAIN && --tries);
	return r;
}

/* Removes the file of an instance that is dead, for want of space to write ours beside it. */
static bool pidfile_make_room(const char *path)
{
	struct stat st;
	int old = pidfile_open(path, &st);
	bool is_dead = old >= 0 && pidfile_lock(old) && fd_is_at(path, st.st_dev, st.st_ino);
	bool is_removed = is_dead && unlink(path) == 0;

	fd_fail(old);
	return is_removed;
}

/* Makes a file with our number, whose name mkstemp(3) completes, and opens it for reading. */
static int pidfile_make(char *tmp)
{
	int fd = mkostemp(tmp, O_CLOEXEC), held = -1, err;
	struct stat st;

	if (fd < 0)
		return -1;
	if (pidfile_put_pid(fd, getpid()) == 0 && fchmod(fd, 0644) == 0)
		held = pidfile_only(pidfile_open(tmp, &st), fd);
	err = errno;
	close(fd);
	if (held < 0)
		unlink(tmp);
	errno = err;
	return held;
}

static int pidfile_try_write(struct pidfile *f, const char *path)
{
	char tmp[PATH_MAX];
	int fd, dir, err;

	*f = (struct pidfile){ 0 };
	if (snprintf(tmp, sizeof tmp, "%s.XXXXXX", path) >= PATH_MAX) {
		errno = ENAMETOOLONG;
		return -1;
	}
	fd = pidfile_make(tmp);
	if (fd < 0)
		return -1;
	/* Once the file is seen, its file system may be moved. */
	dir = fd_directory(path);
	if (pidfile_lock(fd) && pidfile_place(path, tmp) == 0) {
		*f = (struct pidfile){ path, fd, dir, 0, 0 };
		return 0;
	}
	err = errno;
	if (dir)
		close(dir);
	unlink(tmp);
	errno = err;
	return fd_fail(fd);
}

int pidfile_write(struct pidfile *f, const char *path)
{
	int res = pidfile_try_write(f, path), err = errno;

	if (res < 0 && (err == ENOSPC || err == EDQUOT) && pidfile_make_room(path))
		return pidfile_try_write(f, path);
	errno = err;
	return res;
}

pid_t pidfile_read(const char *path, bool is_held)
{
	struct stat st;
	int fd = pidfile_open(path, &st);
	pid_t pid = 0;

	if (fd < 0)
		return 0;
	if (!is_held || (flock(fd, LOCK_SH | LOCK_NB) < 0 && errno == EWOULDBLOCK))
		pid = pidfile_get_pid(fd);
	close(fd);
	return pid;
}

pid_t pidfile_owner(const char *path)
{
	return pidfile_read(path, true);
}

int pidfile_touch(const struct pidfile *f)
{
	return f->path ? futimens(f->fd, NULL) : 0;
}

int pidfile_adopt(struct pidfile *f, const char *path, int fd)
{
	pid_t before = pidfile_get_pid(fd);
	struct stat st;
	int out;

	/* Whoever hands it over may have given another file of ours this name, too. */
	if (!before || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_nlink != 1 || st.st_size > PIDFILE_SIZE ||
	    !fd_is_at(path, st.st_dev, st.st_ino)) {
		errno = ESTALE;
		return -1;
	}
	/* The lock is that of the open file, which two processes have now: this asks whether it is held by it. */
	if (!pidfile_lock(fd) || (out = pidfile_follow(path, fd)) < 0)
		return -1;
	*f = (struct pidfile){ path, fd, fd_directory(path), out, before };
	return 0;
}

int pidfile_retake(const struct pidfile *f)
{
	int out = f->path ? pidfile_follow(f->path, f->fd) : 0;

	if (out > 0)
		close(out);
	return out < 0 ? -1 : 0;
}

bool pidfile_is_fixed(const struct pidfile *f)
{
	int out = f->path ? pidfile_open_to_write(f->path, f->fd) : -1, err = errno;

	fd_fail(out);
	return f->path && out < 0 && (err == EACCES || err == EPERM || err == EROFS);
}

void pidfile_settle(struct pidfile *f)
{
	if (f->path && f->out)
		close(f->out);
	f->out = 0;
}

void pidfile_release(struct pidfile *f)
{
	if (f->path && f->out)
		(void)!pidfile_put_pid(f->out, f->before);
	pidfile_settle(f);
	if (f->path)
		close(f->fd);
	if (f->path && f->dir)
		close(f->dir);
	f->path = NULL;
}

bool pidfile_is_lost(const struct pidfile *f)
{
	return f->path && fd_is_lost(f->dir, f->path);
}

void pidfile_remove(struct pidfile *f)
{
	struct stat st;

	if (!f->path)
		return;
	if (!fstat(f->fd, &st))
		fd_remove(f->dir, f->path, st.st_dev, st.st_ino);
	pidfile_release(f);
}
