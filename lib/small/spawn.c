/* SPDX-License-Identifier: ISC
 *
 * fork(2) and posix_spawnp(3) of the small build, the latter with what lib/hook.c
 * asks for: default signals, a mask, a process group, one file to open.  For musl,
 * by the fields of its structs.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* musl's takes the locks of its malloc and threads first: we have neither. */
pid_t fork(void)
{
#ifdef SYS_fork
	return (pid_t)syscall(SYS_fork);
#else
	return (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
#endif
}

/* In fa: the descriptor and the flags, and the path, which is not copied. */
#define FA_FD(fa) ((fa)->__pad0[0])
#define FA_FLAGS(fa) ((fa)->__pad0[1])
#define FA_PATH(fa) ((fa)->__actions)

int posix_spawn_file_actions_init(posix_spawn_file_actions_t *fa)
{
	FA_PATH(fa) = NULL;
	return 0;
}

int posix_spawn_file_actions_addopen(posix_spawn_file_actions_t *restrict fa, int fd, const char *restrict path,
				     int flags, mode_t mode)
{
	(void)mode;
	FA_FD(fa) = fd;
	FA_FLAGS(fa) = flags;
	FA_PATH(fa) = (void *)(size_t)path;
	return 0;
}

int posix_spawn_file_actions_destroy(posix_spawn_file_actions_t *fa)
{
	(void)fa;
	return 0;
}

int posix_spawnattr_init(posix_spawnattr_t *at)
{
	*at = (posix_spawnattr_t){ 0 };
	return 0;
}

int posix_spawnattr_destroy(posix_spawnattr_t *at)
{
	(void)at;
	return 0;
}

int posix_spawnattr_setflags(posix_spawnattr_t *at, short flags)
{
	at->__flags = flags;
	return 0;
}

int posix_spawnattr_setpgroup(posix_spawnattr_t *at, pid_t group)
{
	at->__pgrp = group;
	return 0;
}

int posix_spawnattr_setsigdefault(posix_spawnattr_t *restrict at, const sigset_t *restrict set)
{
	at->__def = *set;
	return 0;
}

int posix_spawnattr_setsigmask(posix_spawnattr_t *restrict at, const sigset_t *restrict set)
{
	at->__mask = *set;
	return 0;
}

/* Like execve(2), but looks for a name without a slash in the directories of PATH. */
static void exec_named(const char *file, char *const argv[], char *const env[])
{
	const char *dirs = getenv("PATH");
	int error = ENOENT;

	if (strchr(file, '/')) {
		execve(file, argv, env);
		return;
	}
	for (dirs = dirs ? dirs : "/usr/local/bin:/bin:/usr/bin"; dirs; ) {
		int n = (int)strcspn(dirs, ":");
		char path[PATH_MAX];

		if (snprintf(path, sizeof path, "%.*s%s%s", n, dirs, n ? "/" : "", file) < PATH_MAX) {
			execve(path, argv, env);
			if (errno == EACCES)
				error = EACCES;
			else if (errno != ENOENT && errno != ENOTDIR)
				return;
		}
		dirs = dirs[n] ? dirs + n + 1 : NULL;
	}
	errno = error;
}

/* In the child, which shares the memory until it has become the program.  Returns when it could not. */
static void become(const char *file, const posix_spawn_file_actions_t *fa, const posix_spawnattr_t *at,
		   char *const argv[], char *const env[])
{
	for (int s = 1; at->__flags & POSIX_SPAWN_SETSIGDEF && s < NSIG; s++)
		if (sigismember(&at->__def, s) > 0)
			signal(s, SIG_DFL);
	if (at->__flags & POSIX_SPAWN_SETPGROUP && setpgid(0, at->__pgrp) < 0)
		return;
	if (FA_PATH(fa)) {
		int fd = open(FA_PATH(fa), FA_FLAGS(fa));

		if (fd < 0 || (fd != FA_FD(fa) && (dup2(fd, FA_FD(fa)) < 0 || close(fd) < 0)))
			return;
	}
	if (at->__flags & POSIX_SPAWN_SETSIGMASK)
		sigprocmask(SIG_SETMASK, &at->__mask, NULL);
	exec_named(file, argv, env);
}

int posix_spawnp(pid_t *restrict pid, const char *restrict file, const posix_spawn_file_actions_t *fa,
		 const posix_spawnattr_t *restrict at, char *const argv[restrict], char *const env[restrict])
{
	volatile int error = 0;
	sigset_t all, old;
	pid_t child;

	/* No handler of ours may run in the child. */
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &old);
	child = vfork();
	if (!child) {
		become(file, fa, at, argv, env);
		error = errno;
		_exit(127);
	}
	if (child < 0)
		error = errno;
	sigprocmask(SIG_SETMASK, &old, NULL);
	if (child > 0 && error)
		waitpid(child, NULL, 0);
	*pid = child;
	return error;
}
