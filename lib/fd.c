/* SPDX-License-Identifier: ISC
 *
 * close(2) may change errno, which still says why an earlier call failed.
 */
#include "lib/fd.h"

#include <errno.h>
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
