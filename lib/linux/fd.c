/* SPDX-License-Identifier: ISC
 *
 * /proc tells where a descriptor is.
 */
#include "lib/fd.h"

#include <stdio.h>
#include <unistd.h>

bool fd_path(int fd, char path[PATH_MAX])
{
	char link[32];
	ssize_t n;

	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	n = readlink(link, path, PATH_MAX - 1);
	path[n > 0 ? n : 0] = '\0';
	return n > 0;
}
