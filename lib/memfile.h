/* SPDX-License-Identifier: ISC
 *
 * A file without a name, in memory: it lasts as long as a descriptor of it is open anywhere, so it outlives the process
 * that wrote it when another one holds it too.
 */
#ifndef LIB_MEMFILE_H
#define LIB_MEMFILE_H

#include <stdbool.h>
#include <stdint.h>

/* A new one, closed on exec, that nobody can make shorter; `name` is what /proc shows.  -1 with errno, ENOSYS where the
 * system has none. */
int memfile_new(const char *name);

/* True when a descriptor from elsewhere is such a file, to be read and written. */
bool memfile_is(int fd);

/* Gives the memory of these bytes back, as far as the system can do that; they read as 0 then. */
void memfile_drop(int fd, int64_t from, int64_t to);

#endif
