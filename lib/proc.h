/* SPDX-License-Identifier: ISC
 *
 * The daemon as a process: standard descriptors, and going to the background with an exit status for the parent.
 */
#ifndef LIB_PROC_H
#define LIB_PROC_H

#include <sys/types.h>

/* Opens /dev/null on each of the descriptors 0 to 2 that is closed, so that no socket takes its place.  Call before
 * opening anything.  0, or -1 with errno. */
int proc_open_std(void);

/* Goes on in a child with a session of its own.  The parent never returns: it waits for proc_ready() and exits with its
 * status, or with EXIT_SYSTEM when the child ends without it.  0 in the child, or -1 with errno. */
int proc_daemonize(void);

/* Returns a descriptor that poll(2) finds readable once process pid has ended, reaped or not; or -1 with errno, ENOSYS
 * before Linux 5.3 (pidfd_open(2)). */
int proc_watch(pid_t pid);

/* Tells the parent of a daemon its exit status.  With 0 it exits at once, and here 0 to 2 become /dev/null and "/" the
 * working directory, so paths must be absolute from then on; with another status it exits when this process does.  Does
 * nothing without proc_daemonize() before, and the second time. */
void proc_ready(int status);

#endif
