/* SPDX-License-Identifier: ISC
 *
 * Descriptors 0 to 2 and the step into the background.  Privileges are in priv.c, the PID file in pidfile.c, readiness
 * towards the init system in notify.c.  Linux has a call of its own to watch a process, pidfd_open(2), and
 * tells a program by which path it was run (getauxval(3)).
 */
#include "lib/proc.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <link.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/fd.h"
#include "lib/number.h"
#include "lib/status.h"

/* To the parent, or -1. */
static int proc_status_fd = -1;

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

/* Opens what takes everything and gives nothing: where there is no /dev yet, as in an initramfs, a descriptor that can
 * be neither read nor written does as well. */
static int proc_open_null(void)
{
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	return fd < 0 ? open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC) : fd;
}

int proc_open_std(void)
{
	int fd;

	do {
		fd = proc_open_null();
		if (fd >= 0 && fd <= STDERR_FILENO)
			fcntl(fd, F_SETFD, 0);
	} while (fd >= 0 && fd <= STDERR_FILENO);
	return fd < 0 ? -1 : close(fd);
}

void proc_leave(void)
{
	int null = proc_open_null();

	for (int fd = 0; null >= 0 && fd <= STDERR_FILENO; fd++)
		dup2(null, fd);
	fd_fail(null);
	/* So as not to hold a mount. */
	(void)!chdir("/");
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

void proc_close_inherited(void)
{
	proc_close(0, -1);
}

pid_t proc_fork(int *fd)
{
	pid_t parent = getpid(), pid;
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return -1;
	pid = fork();
	*fd = pair[!pid];
	fd_fail(pair[pid != 0]);
	if (pid < 0)
		return fd_fail(*fd);
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
		/* It may have ended before that. */
		if (getppid() != parent)
			_exit(EXIT_SYSTEM);
		proc_close(FD_CLOEXEC, *fd);
	}
	return pid;
}

/* The last byte before the end of file is the exit status. */
static int proc_wait_status(int fd)
{
	unsigned char status = EXIT_SYSTEM;

	while (read(fd, &status, 1) > 0)
		;
	return status;
}

int proc_daemonize(void)
{
	int fd[2];

	if (pipe2(fd, O_CLOEXEC) < 0)
		return -1;
	switch (fork()) {
	case -1:
		fd_fail(fd[0]);
		return fd_fail(fd[1]);
	case 0:
		close(fd[0]);
		proc_status_fd = fd[1];
		setsid();
		return 0;
	default:
		close(fd[1]);
		_exit(proc_wait_status(fd[0]));
	}
}

int proc_spawn(pid_t *pid, const char *program, const posix_spawn_file_actions_t *fa, bool has_group, char *const *argv,
	       char *const *env)
{
	posix_spawnattr_t at;
	sigset_t set;
	int e = posix_spawnattr_init(&at);

	if (e)
		return e;
	sigemptyset(&set);
	posix_spawnattr_setsigmask(&at, &set);
	sigfillset(&set);
	posix_spawnattr_setsigdefault(&at, &set);
	/* The number of the group begins as 0, for a new one. */
	posix_spawnattr_setflags(&at, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK |
				      (has_group ? POSIX_SPAWN_SETPGROUP : 0));
	e = posix_spawnp(pid, program, fa, &at, argv, env);
	posix_spawnattr_destroy(&at);
	return e;
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

unsigned long proc_raise_descriptors(void)
{
	struct rlimit r = { 0 };
	rlim_t limit;

	getrlimit(RLIMIT_NOFILE, &r);
	limit = r.rlim_cur;
	r.rlim_cur = r.rlim_max;
	return setrlimit(RLIMIT_NOFILE, &r) == 0 ? r.rlim_max : limit;
}

void proc_ready(int status)
{
	unsigned char byte = (unsigned char)status;

	if (proc_status_fd < 0)
		return;
	if (!status)
		proc_leave();
	(void)!write(proc_status_fd, &byte, 1);
	/* After a failure the pipe closes with the process: then all is released. */
	if (!status)
		proc_leave_verdict();
}

void proc_leave_verdict(void)
{
	fd_fail(proc_status_fd);
	proc_status_fd = -1;
}
