/* SPDX-License-Identifier: ISC
 *
 * close(2) may change errno, which still says why an earlier call failed.
 */
#include "lib/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* How long another starter is waited for, in steps of 10 ms. */
#define FD_LOCK_TRIES 100

int fd_fail(int fd)
{
	int err = errno;

	if (fd >= 0)
		close(fd);
	errno = err;
	return -1;
}

bool fd_is_at(const char *path, dev_t dev, ino_t ino)
{
	struct stat st;

	return !lstat(path, &st) && st.st_dev == dev && st.st_ino == ino;
}

/* Writes the name of the directory that path is in. */
static void fd_put_parent(const char *path, char parent[PATH_MAX])
{
	const char *slash = strrchr(path, '/');

	snprintf(parent, PATH_MAX, "%.*s.", slash ? (int)(slash + 1 - path) : 0, path);
}

int fd_directory(const char *path)
{
	char parent[PATH_MAX];
	int dir;

	fd_put_parent(path, parent);
	dir = open(parent, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return dir < 0 ? 0 : dir;
}

int fd_lock_directory(const char *path)
{
	char parent[PATH_MAX];
	int fd;

	fd_put_parent(path, parent);
	fd = access(parent, W_OK) < 0 ? -1 : open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (int i = 0; fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) < 0 && i < FD_LOCK_TRIES; i++)
		poll(NULL, 0, 10);
	return fd;
}

int fd_remove(int dir, const char *path, dev_t dev, ino_t ino)
{
	const char *slash = strrchr(path, '/'), *name = dir && slash ? slash + 1 : path;
	int at = dir ? dir : AT_FDCWD;
	struct stat st;

	if (fstatat(at, name, &st, AT_SYMLINK_NOFOLLOW) < 0 || st.st_dev != dev || st.st_ino != ino)
		return 0;
	return unlinkat(at, name, 0);
}

bool fd_is_lost(int dir, const char *path)
{
	char here[PATH_MAX], there[PATH_MAX];
	bool is_lost = false;
	struct stat st;
	int now;

	if (!dir || lstat(path, &st) == 0 || errno != ENOENT)
		return false;
	now = fd_directory(path);
	if (now) {
		is_lost = fd_path(now, here) && fd_path(dir, there) && !strcmp(here, there);
		close(now);
	}
	return is_lost;
}
