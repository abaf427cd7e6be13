/* SPDX-License-Identifier: ISC
 *
 * How a smcrouted was started, as its command line tells.
 */
#ifndef APPLETS_DOCTOR_STARTED_H
#define APPLETS_DOCTOR_STARTED_H

#include <limits.h>
#include <stdint.h>

/* Where sockets are: ours, and SMCRoute's or that of a program that was built elsewhere. */
#define STARTED_DIRS 2
extern const char *const started_dirs[STARTED_DIRS];

/* What of the command line matters here; the words are inside of text, NULL where the line has none. */
struct started {
	char text[4096];
	const char *ident, *path, *file;	/* -i, -u, -f */
	uint32_t table;				/* -t, 0 = the default one */
};

/* Reads the command line of process pid; with 0, and where it cannot be read, nothing is known.  Not to be copied
 * afterwards. */
void started_read(struct started *l, int pid);

/* The socket that is meant: that of -u, else the one by its name in started_dirs[i]. */
void started_socket(const struct started *l, unsigned i, char path[PATH_MAX]);

#endif
