/* SPDX-License-Identifier: ISC
 *
 * close(2) may change errno, which still says why an earlier call failed.
 */
#include "lib/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
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

int fd_directory(const char *path)
{
	const char *slash = strrchr(path, '/');
	char parent[PATH_MAX];
	int dir;

	snprintf(parent, sizeof parent, "%.*s.", slash ? (int)(slash + 1 - path) : 0, path);
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
