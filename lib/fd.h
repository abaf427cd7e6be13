/* SPDX-License-Identifier: ISC
 *
 * Closing a descriptor after a failure, and whether a path still names the same file.
 */
#ifndef LIB_FD_H
#define LIB_FD_H

#include <stdbool.h>
#include <sys/types.h>

/* Closes fd, unless it is negative; -1, with errno as it was. */
int fd_fail(int fd);

/* True when path itself, no link followed, is the file that these two numbers of stat(2) are of. */
bool fd_is_at(const char *path, dev_t dev, ino_t ino);

#endif
