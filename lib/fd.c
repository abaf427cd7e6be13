/* SPDX-License-Identifier: ISC
 *
 * close(2) may fail too, and what it says then is not what went wrong.
 */
#include "lib/fd.h"

#include <errno.h>
#include <unistd.h>

int fd_fail(int fd)
{
	int err = errno;

	close(fd);
	errno = err;
	return -1;
}
