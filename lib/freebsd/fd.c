/* SPDX-License-Identifier: ISC
 *
 * The kernel tells where a descriptor is, since FreeBSD 13.1 (fcntl(2), F_KINFO).
 */
#include "lib/fd.h"

#include <sys/types.h>

#include <fcntl.h>
#include <string.h>
#include <sys/user.h>

bool fd_path(int fd, char path[PATH_MAX])
{
	struct kinfo_file file = { .kf_structsize = sizeof file };

	if (fcntl(fd, F_KINFO, &file) < 0)
		return false;
	strlcpy(path, file.kf_path, PATH_MAX);
	return *path != '\0';
}
