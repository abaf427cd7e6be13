/* SPDX-License-Identifier: ISC
 *
 * The files that a pattern means, as glob(3) finds them in the C locale: `*`,
 * `?` and `[...]`, with classes such as [:digit:], in any part of the path, a
 * backslash before what is meant as it stands, no hidden file unless its dot is
 * spelled out.
 */
#ifndef LIB_PATHS_H
#define LIB_PATHS_H

#include <stdint.h>

struct paths {
	char **v;		/* owned, as are the paths */
	uint32_t n, cap;
};

/* Fills in the paths that match, in the order of strcmp(3).  A directory that is not there is no
 * match.  0, or -1 with errno: another reason why one cannot be read.  paths_free() in either case. */
int paths_find(struct paths *out, const char *pattern);
void paths_free(struct paths *p);

#endif
