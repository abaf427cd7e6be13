/* SPDX-License-Identifier: ISC
 *
 * Descriptors 0 to 2 and the step into the background.  Privileges are in priv.c, the PID file in pidfile.c, readiness
 * towards the init system in notify.c.  What each system has calls of its own for is in its folder.
 */
#include "lib/proc.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/fd.h"
#include "lib/status.h"

/* To the parent, or -1. */
static int proc_status_fd = -1;

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
	int null;

	/* One of them that is closed would be the descriptor itself, which is closed in the end. */
	proc_open_std();
	null = proc_open_null();
	for (int fd = 0; null >= 0 && fd <= STDERR_FILENO; fd++)
		dup2(null, fd);
	fd_fail(null);
	/* So as not to hold a mount. */
	(void)!chdir("/");
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
		proc_end_with_parent();
		/* It may have ended before that. */
		if (getppid() != parent)
			_exit(EXIT_SYSTEM);
		proc_close_own(*fd);
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
