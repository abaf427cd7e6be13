/* SPDX-License-Identifier: ISC
 *
 * The PID file.  It belongs to a living instance exactly while somebody holds flock(2) on it.  The kernel drops the
 * lock with the process, however that ends, and a lock cannot be mistaken as a number can, when PIDs are used again or
 * come from another container's name space.
 */
#ifndef LIB_PIDFILE_H
#define LIB_PIDFILE_H

#include <stdbool.h>
#include <sys/types.h>

struct pidfile {
	const char *path;	/* NULL when nothing is held */
	int fd;			/* holds the lock, for reading alone: who gets hold of this process writes no number */
	int dir;		/* of fd_directory() */
	int out;		/* gives the number of the process before back, until pidfile_settle(); 0 = none */
	pid_t before;		/* that number */
};

/* Writes this process's PID to path, which is not copied, and holds it until pidfile_remove().  The file is made beside
 * it and renamed: readers see it whole and no link is followed.  0, or -1 with errno: EBUSY when a living instance
 * holds it. */
int pidfile_write(struct pidfile *f, const char *path);

/* The PID in the file at path when a living instance holds it, otherwise 0. */
pid_t pidfile_owner(const char *path);

/* The same of a file of any program, which need not hold it; without is_held.  Only a plain file is read. */
pid_t pidfile_read(const char *path, bool is_held);

/* Sets the file's times to now.  0, or -1 with errno, as where it belongs to another user than this one by now. */
int pidfile_touch(const struct pidfile *f);

/* Takes the file at path over, which is not copied, by the descriptor of the process that holds it, and has it say the
 * PID of this one: a right to write the file is needed for that, unless it does so already; none to the directory.  0,
 * or -1 with errno and fd is still the caller's; ESTALE when it is no PID file, or not what is at path. */
int pidfile_adopt(struct pidfile *f, const char *path, int fd);

/* Writes this process's PID to its file again, when who was to take it over did not.  0, or -1 with errno. */
int pidfile_retake(const struct pidfile *f);

/* True when no process with our rights may write another number to the file. */
bool pidfile_is_fixed(const struct pidfile *f);

/* The process before is gone for good, or none was. */
void pidfile_settle(struct pidfile *f);

/* Lets go of the file, which another process holds: the next one, or the one before, whose number it has again where
 * pidfile_settle() was not called. */
void pidfile_release(struct pidfile *f);

/* True when nothing is at its path any more: see fd_is_lost(). */
bool pidfile_is_lost(const struct pidfile *f);

/* Removes the file, wherever it is now, if it is still ours; where that is not permitted any more it stays, and nobody
 * holds it. */
void pidfile_remove(struct pidfile *f);

#endif
