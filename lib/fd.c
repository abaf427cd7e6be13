/* SPDX-License-Identifier: ISC
 *
 * close(2) may change errno, which still says why an earlier call failed.
 */
#include "lib/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

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

/* The directory of path: "." when that has none. */
static void fd_parent(const char *path, char parent[PATH_MAX])
{
	const char *slash = strrchr(path, '/');

	snprintf(parent, PATH_MAX, "%.*s.", slash ? (int)(slash + 1 - path) : 0, path);
}

int fd_directory(const char *path)
{
	char parent[PATH_MAX];
	int dir;

	fd_parent(path, parent);
	dir = open(parent, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return dir < 0 ? 0 : dir;
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
	char link[32], parent[PATH_MAX], here[PATH_MAX], there[PATH_MAX];
	struct stat st;
	ssize_t n;

	if (!dir || lstat(path, &st) == 0 || errno != ENOENT)
		return false;
	fd_parent(path, parent);
	snprintf(link, sizeof link, "/proc/self/fd/%d", dir);
	n = readlink(link, there, sizeof there - 1);
	if (n < 0 || !realpath(parent, here))
		return false;
	there[n] = '\0';
	return !strcmp(here, there);
}
