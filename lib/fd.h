/* SPDX-License-Identifier: ISC
 *
 * The way out of what failed with a descriptor open.
 */
#ifndef LIB_FD_H
#define LIB_FD_H

/* Closes fd; -1, with errno as it was. */
int fd_fail(int fd);

#endif
