/* SPDX-License-Identifier: ISC
 *
 * Linux has calls of its own to watch a process, pidfd_open(2), and to end with the parent (prctl(2)), lists
 * descriptors in /proc, and tells a program by which path it was run (getauxval(3)).
 */
#include "lib/proc.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <link.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/lines.h"
#include "lib/number.h"

/* Of one program or library: the part of it that is only written to by relocation. */
static int proc_seal_part(struct dl_phdr_info *info, size_t size, void *ctx)
{
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);

	(void)size;
	(void)ctx;
	for (unsigned i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *ph = &info->dlpi_phdr[i];
		uintptr_t from = (info->dlpi_addr + ph->p_vaddr) & -page;
		uintptr_t to = (info->dlpi_addr + ph->p_vaddr + ph->p_memsz) & -page;

		if (ph->p_type == PT_GNU_RELRO && to > from)
			syscall(SYS_mprotect, from, to - from, PROT_READ);
	}
	/* The first one is the program. */
	return 1;
}

void proc_seal(void)
{
	dl_iterate_phdr(proc_seal_part, NULL);
}

/* Closes all from 3 on that are closed on exec, or all others; but `keep`. */
static void proc_close(int ours, int keep)
{
	DIR *dir = opendir("/proc/self/fd");
	const struct dirent *e;

	while (dir && (e = readdir(dir))) {
		int fd = (int)number_parse(e->d_name, INT_MAX);

		if (fd > STDERR_FILENO && fd != keep && fd != dirfd(dir) && fcntl(fd, F_GETFD) == ours)
			close(fd);
	}
	if (dir)
		closedir(dir);
}

void proc_close_own(int keep)
{
	proc_close(FD_CLOEXEC, keep);
}

void proc_close_inherited(void)
{
	proc_close(0, -1);
}

void proc_keep_inherited(void)
{
	DIR *dir = opendir("/proc/self/fd");
	const struct dirent *e;

	while (dir && (e = readdir(dir))) {
		int fd = (int)number_parse(e->d_name, INT_MAX);

		if (fd > STDERR_FILENO)
			fcntl(fd, F_SETFD, FD_CLOEXEC);
	}
	if (dir)
		closedir(dir);
}

bool proc_name(pid_t pid, char *name, size_t size)
{
	char path[40];

	snprintf(path, sizeof path, "/proc/%d/comm", (int)pid);
	return pid > 0 && lines_first(path, name, size);
}

void proc_options_anew(void)
{
	optind = 0;
}

void proc_end_with_parent(void)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
}

int proc_watch(pid_t pid)
{
#ifdef SYS_pidfd_open
	/* It is closed on exec from the start. */
	return (int)syscall(SYS_pidfd_open, pid, 0);
#else
	(void)pid;
	errno = ENOSYS;
	return -1;
#endif
}

void proc_adopt_orphans(void)
{
	prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
}

const char *proc_program(void)
{
	unsigned long v = getauxval(AT_EXECFN);
	char path[PATH_MAX], cwd[PATH_MAX];
	const char *name = "";
	ssize_t n;

	/* The path that execve(2) was called with. */
	memcpy(&name, &v, sizeof name);
	if (!v || !strcmp(name, "") || !strncmp(name, "/dev/fd/", 8)) {
		n = readlink("/proc/self/exe", path, sizeof path - 1);
		path[n > 0 ? n : 0] = '\0';
		return n > 0 ? strdup(path) : NULL;
	}
	if (*name == '/')
		return strdup(name);
	if (!getcwd(cwd, sizeof cwd) || snprintf(path, sizeof path, "%s/%s", cwd, name) >= PATH_MAX)
		return NULL;
	return strdup(path);
}
