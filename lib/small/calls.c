/* SPDX-License-Identifier: ISC
 *
 * System calls of the small build, for the machines whose kernel takes the structs
 * of libc as they are: musl's own know of threads that are cancelled, of kernels
 * before Linux 3.2 and of processors where a struct must be converted first.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#if defined __LP64__ && (defined __x86_64__ || defined __AARCH64EL__)

/* The last argument of a variadic function, which all of these have as one word. */
#define LAST(arg, after) do {			\
	va_list ap;				\
						\
	va_start(ap, after);			\
	(arg) = va_arg(ap, unsigned long);	\
	va_end(ap);				\
} while (0)

/* ---- files ---- */

int ioctl(int fd, int request, ...)
{
	unsigned long arg;

	LAST(arg, request);
	return (int)syscall(SYS_ioctl, fd, request, arg);
}

int openat(int fd, const char *path, int flags, ...)
{
	unsigned long mode;

	LAST(mode, flags);
	return (int)syscall(SYS_openat, fd, path, flags | O_LARGEFILE, mode);
}

int open(const char *path, int flags, ...)
{
	unsigned long mode;

	LAST(mode, flags);
	return openat(AT_FDCWD, path, flags, mode);
}

int fcntl(int fd, int cmd, ...)
{
	unsigned long arg;

	LAST(arg, cmd);
	return (int)syscall(SYS_fcntl, fd, cmd, arg);
}

int fstatat(int fd, const char *restrict path, struct stat *restrict st, int flags)
{
	return (int)syscall(SYS_newfstatat, fd, path, st, flags);
}

int stat(const char *restrict path, struct stat *restrict st)
{
	return fstatat(AT_FDCWD, path, st, 0);
}

int lstat(const char *restrict path, struct stat *restrict st)
{
	return fstatat(AT_FDCWD, path, st, AT_SYMLINK_NOFOLLOW);
}

int fstat(int fd, struct stat *st)
{
	return (int)syscall(SYS_fstat, fd, st);
}

int fchmod(int fd, mode_t mode)
{
	return (int)syscall(SYS_fchmod, fd, mode);
}

ssize_t readlinkat(int fd, const char *restrict path, char *restrict buf, size_t len)
{
	return syscall(SYS_readlinkat, fd, path, buf, len);
}

ssize_t readlink(const char *restrict path, char *restrict buf, size_t len)
{
	return readlinkat(AT_FDCWD, path, buf, len);
}

char *getcwd(char *buf, size_t len)
{
	/* Outside our root it begins with "(unreachable)". */
	return syscall(SYS_getcwd, buf, len) < 0 || *buf != '/' ? NULL : buf;
}

int pipe2(int fd[2], int flags)
{
	return (int)syscall(SYS_pipe2, fd, flags);
}

int isatty(int fd)
{
	struct winsize size;

	return ioctl(fd, TIOCGWINSZ, &size) == 0;
}

/* Not by getrandom(2), which early at boot may wait: nobody's file is opened, whatever the name. */
int mkostemp(char *path, int flags)
{
	char *end = path + strlen(path) - 6;
	struct timespec now;
	int fd;

	do {
		clock_gettime(CLOCK_MONOTONIC, &now);
		for (int i = 0; i < 6; i++, now.tv_nsec >>= 4)
			end[i] = (char)('A' + (now.tv_nsec & 15));
		fd = open(path, flags | O_RDWR | O_CREAT | O_EXCL, 0600);
	} while (fd < 0 && errno == EEXIST);
	return fd;
}

/* ---- directories: what getdents64(2) writes is a struct dirent ---- */

struct __dirstream {
	int fd;
	unsigned at, end;
	_Alignas(struct dirent) char buf[2048];
};

DIR *fdopendir(int fd)
{
	DIR *d = calloc(1, sizeof *d);

	if (d)
		d->fd = fd;
	return d;
}

DIR *opendir(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);

	if (fd >= 0 && !d)
		close(fd);
	return d;
}

int dirfd(DIR *d)
{
	return d->fd;
}

struct dirent *readdir(DIR *d)
{
	struct dirent *e;

	if (d->at >= d->end) {
		long n = syscall(SYS_getdents64, d->fd, d->buf, sizeof d->buf);

		if (n <= 0)
			return NULL;
		d->at = 0;
		d->end = (unsigned)n;
	}
	e = (void *)(d->buf + d->at);
	d->at += e->d_reclen;
	return e;
}

int closedir(DIR *d)
{
	int fd = d->fd;

	free(d);
	return close(fd);
}

/* ---- sockets ---- */

int socket(int domain, int type, int protocol)
{
	return (int)syscall(SYS_socket, domain, type, protocol);
}

int accept4(int fd, struct sockaddr *restrict addr, socklen_t *restrict len, int flags)
{
	return (int)syscall(SYS_accept4, fd, addr, len, flags);
}

/* What the kernel has as words, and musl as an int with 4 bytes beside it, is 0 there: see the callers. */
ssize_t sendmsg(int fd, const struct msghdr *m, int flags)
{
	return syscall(SYS_sendmsg, fd, m, flags);
}

ssize_t recvmsg(int fd, struct msghdr *m, int flags)
{
	return syscall(SYS_recvmsg, fd, m, flags);
}

int recvmmsg(int fd, struct mmsghdr *v, unsigned n, unsigned flags, struct timespec *timeout)
{
	return (int)syscall(SYS_recvmmsg, fd, v, n, flags, timeout);
}

/* ---- memory, time, limits ---- */

void *mmap(void *at, size_t len, int prot, int flags, int fd, off_t off)
{
	return (void *)syscall(SYS_mmap, at, len, prot, flags, fd, off);
}

int munmap(void *at, size_t len)
{
	return (int)syscall(SYS_munmap, at, len);
}

/* Without MREMAP_FIXED, which would take an address more. */
void *mremap(void *at, size_t old, size_t len, int flags, ...)
{
	return (void *)syscall(SYS_mremap, at, old, len, flags);
}

int clock_gettime(clockid_t clock, struct timespec *now)
{
	return (int)syscall(SYS_clock_gettime, clock, now);
}

int ppoll(struct pollfd *v, nfds_t n, const struct timespec *timeout, const sigset_t *mask)
{
	struct timespec left;

	/* The kernel writes to it. */
	if (timeout)
		left = *timeout;
	return (int)syscall(SYS_ppoll, v, n, timeout ? &left : NULL, mask, sizeof(unsigned long));
}

int getrlimit(int what, struct rlimit *limit)
{
	return (int)syscall(SYS_prlimit64, 0, what, NULL, limit);
}

#endif
