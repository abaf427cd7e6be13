/* SPDX-License-Identifier: ISC
 *
 * FreeBSD tells by sysctl(3) where a program is, how many descriptors it has and what others are called, by kqueue(2)
 * when a process ends, and ends one with its parent by procctl(2).
 */
#include "lib/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <sys/param.h>
#include <sys/event.h>
#include <sys/procctl.h>
#include <sys/sysctl.h>
#include <sys/user.h>
#include <unistd.h>

#include "lib/fd.h"

/* rtld has done it. */
void proc_seal(void)
{
}

void proc_close_own(int keep)
{
	if (keep > STDERR_FILENO + 1)
		close_range(STDERR_FILENO + 1, (unsigned)keep - 1, 0);
	close_range((unsigned)(keep > STDERR_FILENO ? keep : STDERR_FILENO) + 1, UINT_MAX, 0);
}

void proc_close_inherited(void)
{
	int mib[] = { CTL_KERN, KERN_PROC, KERN_PROC_NFDS, 0 }, left = 0, flags;
	size_t len = sizeof left;

	if (sysctl(mib, sizeof mib / sizeof *mib, &left, &len, NULL, 0) < 0)
		return;
	for (int fd = 0, end = getdtablesize(); left > 0 && fd < end; fd++) {
		flags = fcntl(fd, F_GETFD);
		left -= flags >= 0;
		if (fd > STDERR_FILENO && flags == 0)
			close(fd);
	}
}

void proc_keep_inherited(void)
{
	close_range(STDERR_FILENO + 1, UINT_MAX, CLOSE_RANGE_CLOEXEC);
}

bool proc_name(pid_t pid, char *name, size_t size)
{
	int mib[] = { CTL_KERN, KERN_PROC, KERN_PROC_PID, (int)pid };
	struct kinfo_proc p;
	size_t len = sizeof p;

	if (pid <= 0 || sysctl(mib, sizeof mib / sizeof *mib, &p, &len, NULL, 0) < 0 || len != sizeof p)
		return false;
	strlcpy(name, p.ki_comm, size);
	return true;
}

/* 0 would be the name of the program. */
void proc_options_anew(void)
{
	optind = optreset = 1;
}

void proc_end_with_parent(void)
{
	int sig = SIGKILL;

	procctl(P_PID, 0, PROC_PDEATHSIG_CTL, &sig);
}

int proc_watch(pid_t pid)
{
	struct kevent ev;
	int fd = kqueue();

	if (fd < 0)
		return -1;
	EV_SET(&ev, (uintptr_t)pid, EVFILT_PROC, EV_ADD, NOTE_EXIT, 0, NULL);
	if (fcntl(fd, F_SETFD, FD_CLOEXEC) < 0 || kevent(fd, &ev, 1, NULL, 0, NULL) < 0)
		return fd_fail(fd);
	return fd;
}

void proc_adopt_orphans(void)
{
	procctl(P_PID, 0, PROC_REAP_ACQUIRE, NULL);
}

const char *proc_program(void)
{
	int mib[] = { CTL_KERN, KERN_PROC, KERN_PROC_PATHNAME, -1 };
	char path[PATH_MAX];
	size_t len = sizeof path;

	return sysctl(mib, sizeof mib / sizeof *mib, path, &len, NULL, 0) < 0 ? NULL : strdup(path);
}
