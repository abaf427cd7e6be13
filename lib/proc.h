/* SPDX-License-Identifier: ISC
 *
 * The daemon as a process: standard descriptors, and going to the background with an exit status for the parent.
 */
#ifndef LIB_PROC_H
#define LIB_PROC_H

#include <spawn.h>
#include <stdbool.h>
#include <sys/types.h>

/* Not every libc declares it (POSIX leaves that to the program). */
extern char **environ;

/* Makes read-only what the program needs to write at its start alone, its tables of pointers: in a static program that
 * can be loaded anywhere musl leaves that to us (static_init_tls()), elsewhere it has been done. */
void proc_seal(void);

/* Opens /dev/null, or where there is none something as good, on each of the descriptors 0 to 2 that is closed, so that
 * no socket takes its place.  Call before opening anything.  0, or -1 with errno. */
int proc_open_std(void);

/* Closes what whoever started us has left open by mistake: all but 0 to 2 that is not closed on exec, as everything of
 * ours is.  Where Linux has no /proc it stays. */
void proc_close_inherited(void);

/* Programs that are started from now on do not get it either. */
void proc_keep_inherited(void);

/* Has getopt(3) begin with another list of words. */
void proc_options_anew(void);

/* All that is closed on exec from 3 on is closed now, but `keep`. */
void proc_close_own(int keep);

/* Has this process killed when its parent ends, from now on. */
void proc_end_with_parent(void);

/* Forks a child that works for this process, by a pair of sockets of which each gets one end in *fd.  It has no other
 * descriptor of ours, where there is a /proc, and is killed when this process ends.  As fork(2). */
pid_t proc_fork(int *fd);

/* Parts from the terminal and the directory: 0 to 2 become /dev/null and "/" the working directory, so paths must be
 * absolute from then on. */
void proc_leave(void);

/* Goes on in a child with a session of its own.  The parent never returns: it waits for proc_ready() and exits with its
 * status, or with EXIT_SYSTEM when the child ends without it.  0 in the child, or -1 with errno. */
int proc_daemonize(void);

/* Runs a program with default signals, none of them blocked, and with has_group in a process group of its own.  A name
 * without a slash is looked up in PATH.  0, or an errno. */
int proc_spawn(pid_t *pid, const char *program, const posix_spawn_file_actions_t *fa, bool has_group, char *const *argv,
	       char *const *env);

/* Reads the name of the program that a process runs, cut to what the system keeps of it; false when there is no such
 * process, or it cannot be seen. */
bool proc_name(pid_t pid, char *name, size_t size);

/* Returns a descriptor that poll(2) finds readable once process pid has ended, reaped or not; or -1 with errno, ENOSYS
 * before Linux 5.3 (pidfd_open(2)). */
int proc_watch(pid_t pid);

/* The absolute path of this program as it was named at its start, links not followed, so that another one that has
 * been put there since is found; for as long as the process lives.  NULL when it cannot be told.  To be called before
 * the working directory changes. */
const char *proc_program(void);

/* Raises the limit of descriptors as far as allowed; that limit. */
unsigned long proc_raise_descriptors(void);

/* Has descendants whose parent ends become children of this process, as those of process 1 do anyhow; where the system
 * cannot do that they do not. */
void proc_adopt_orphans(void);

/* Tells the parent of a daemon its exit status.  With 0 it exits at once, and here proc_leave() is done; with another
 * status it exits when this process does.  Does nothing without proc_daemonize() before, and the second time. */
void proc_ready(int status);

/* Leaves it to a child of this process to tell the parent. */
void proc_leave_verdict(void);

#endif
