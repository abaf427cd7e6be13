/* SPDX-License-Identifier: ISC
 *
 * Closing a descriptor after a failure, and files that we made: whether they are still where they were, and how they
 * are found again when the file system that they are in was moved, as /run is when the real root takes over.
 */
#ifndef LIB_FD_H
#define LIB_FD_H

#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>

/* Closes fd, unless it is negative; -1, with errno as it was. */
int fd_fail(int fd);

/* True when path itself, no link followed, is the file that these two numbers of stat(2) are of. */
bool fd_is_at(const char *path, dev_t dev, ino_t ino);

/* Returns a descriptor of the directory that path is in, to be closed, or 0 where that cannot be had. */
int fd_directory(const char *path);

/* Locks the directory that path is in, for who looks at what is at the path before he takes its place: a descriptor, to
 * be closed, or -1 where we may not write.  It waits for a second at most and goes on without then, as whoever may read
 * the directory may hold the lock for ever. */
int fd_lock_directory(const char *path);

/* Removes the file of these two numbers, which was made at path in the directory dir of fd_directory(), wherever that
 * is mounted now.  What else may be there is left.  0, or -1 with errno when it is there and cannot be removed. */
int fd_remove(int dir, const char *path, dev_t dev, ino_t ino);

/* Where an open file or directory is now; false when that cannot be told (linux/fd.c, freebsd/fd.c). */
bool fd_path(int fd, char path[PATH_MAX]);

/* True when nothing is at path, where something was made, because it was removed or another file system was mounted
 * over dir.  False when the directory is gone, or dir is at another place now and the file with it. */
bool fd_is_lost(int dir, const char *path);

#endif
