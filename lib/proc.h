/* SPDX-License-Identifier: ISC
 *
 * The daemon as a process: standard descriptors, going to the background with a
 * verdict for the parent, and the PID file.
 *
 * A PID file belongs to a living instance exactly while somebody holds flock(2)
 * on it.  The kernel drops the lock with the process, however that ends, and a
 * lock cannot be mistaken as a number can, when PIDs are used again or come from
 * another container's name space.
 */
#ifndef LIB_PROC_H
#define LIB_PROC_H

#include <stdbool.h>
#include <sys/types.h>

/* Opens /dev/null on each of the descriptors 0 to 2 that is closed, so that no
 * socket takes its place.  Call before opening anything.  0, or -1 with errno. */
int proc_open_std(void);

/* Goes on in a child with a session of its own.  The parent never returns: it
 * waits for proc_ready() and exits with its status, or with EXIT_SYSTEM when
 * the child ends without it.  0 in the child, or -1 with errno. */
int proc_daemonize(void);

/* Tells the parent of a daemon its exit status.  With 0 it exits at once, and
 * here 0 to 2 become /dev/null and "/" the working directory, so paths must be
 * absolute from then on; with another status it exits when this process does.
 * Does nothing without proc_daemonize() before. */
void proc_ready(int status);

struct pidfile {
	const char *path;	/* NULL when nothing is held */
	int fd;			/* holds the lock */
};

/* Writes this process's PID to path, which is not copied, and holds it until
 * pidfile_remove().  The file is made beside it and renamed: readers see it whole
 * and no link is followed.  0, or -1 with errno: EBUSY when a living instance
 * holds it. */
int pidfile_write(struct pidfile *f, const char *path);

/* The PID in the file at path when a living instance holds it, otherwise 0. */
pid_t pidfile_owner(const char *path);

/* Sets the file's times to now, after privileges were dropped too. */
int pidfile_touch(const struct pidfile *f);

/* Removes the file if it is still ours; where that is not permitted any more it
 * is left empty. */
void pidfile_remove(struct pidfile *f);

#endif
