/* SPDX-License-Identifier: ISC
 *
 * memfd_create(2), as Linux 3.17 and FreeBSD 13 have it.
 */
#include "lib/memfile.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/fd.h"

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 8	/* include/uapi/linux/memfd.h, since Linux 6.3 */
#endif

int memfile_new(const char *name)
{
	int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL);

	if (fd < 0 && errno == EINVAL)
		fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd >= 0 && fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK) < 0)
		return fd_fail(fd);
	return fd;
}

bool memfile_is(int fd)
{
	struct stat st;
	int seals = fcntl(fd, F_GET_SEALS), mode = fcntl(fd, F_GETFL);

	return seals >= 0 && (seals & (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)) == F_SEAL_SHRINK && mode >= 0 &&
	       (mode & O_ACCMODE) == O_RDWR && fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
}

void memfile_drop(int fd, int64_t from, int64_t to)
{
#ifdef FALLOC_FL_PUNCH_HOLE
	fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, from, to - from);
#else
	(void)fd;
	(void)from;
	(void)to;
#endif
}
