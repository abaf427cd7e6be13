/* SPDX-License-Identifier: ISC
 *
 * For LD_PRELOAD: so many in a thousand of all calls of the system, and of all pieces of memory that are asked for,
 * fail, each with an error that the call may meet.
 *
 * FAIL names a file of four numbers of 32 bits, in the order of the machine: how many in a thousand, a seed, and, to be
 * read, how many calls there were and how many failed.  It is shared by all processes that have it, children too, and
 * may be written at any time.
 */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* The types of two arguments, which no standard has. */
#ifdef __GLIBC__
typedef unsigned long fail_request;
typedef int fail_flags;
#else
typedef int fail_request;
typedef unsigned fail_flags;
#endif

static volatile struct fail {
	uint32_t permille, seed, calls, failed;
} *fail;

static void __attribute__((constructor)) fail_start(void)
{
	const char *path = getenv("FAIL");
	int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
	void *p = fd >= 0 ? mmap(NULL, sizeof *fail, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) : MAP_FAILED;

	if (fd >= 0)
		close(fd);
	if (p != MAP_FAILED)
		fail = p;
}

/* The next number of a sequence: George Marsaglia, Xorshift RNGs, 2003. */
static uint32_t fail_random(void)
{
	uint32_t x = fail->seed ? fail->seed : 1;

	x ^= x << 13;
	x ^= x >> 17;
	x ^= x << 5;
	return fail->seed = x;
}

/* Whether a call is to fail, with one of n errors in errno then. */
static bool fail_now(const int *errors, unsigned n)
{
	if (!fail)
		return false;
	fail->calls++;
	if (!fail->permille || fail_random() % 1000 >= fail->permille)
		return false;
	fail->failed++;
	errno = errors[fail_random() % n];
	return true;
}

#define FAIL_ERRORS(...) (const int[]){ __VA_ARGS__ }, sizeof (int[]){ __VA_ARGS__ } / sizeof(int)

/* The function of libc behind ours. */
static void fail_find(void *next, const char *name)
{
	void *p = dlsym(RTLD_NEXT, name);

	memcpy(next, &p, sizeof p);
}

#define FAIL(type, name, params, args, bad, ...) \
type name params; \
type name params \
{ \
	static type (*next) params; \
	if (fail_now(FAIL_ERRORS(__VA_ARGS__))) \
		return bad; \
	if (!next) \
		fail_find(&next, #name); \
	return next args; \
}

#define FAIL_OPEN EMFILE, ENFILE, ENOMEM
#define FAIL_FILE EIO, ENOSPC, ENOMEM

FAIL(int, socket, (int domain, int type, int protocol), (domain, type, protocol), -1, FAIL_OPEN, ENOBUFS)
FAIL(int, socketpair, (int domain, int type, int protocol, int fd[2]), (domain, type, protocol, fd), -1, FAIL_OPEN)
FAIL(int, pipe2, (int fd[2], int flags), (fd, flags), -1, FAIL_OPEN)
FAIL(int, memfd_create, (const char *name, unsigned flags), (name, flags), -1, FAIL_OPEN)
FAIL(int, dup2, (int fd, int to), (fd, to), -1, EMFILE, EINTR)
FAIL(int, bind, (int fd, const struct sockaddr *a, socklen_t n), (fd, a, n), -1, ENOMEM, EADDRINUSE)
FAIL(int, connect, (int fd, const struct sockaddr *a, socklen_t n), (fd, a, n), -1, EAGAIN, ENOBUFS)
FAIL(int, listen, (int fd, int n), (fd, n), -1, ENOMEM, EADDRINUSE)
FAIL(int, accept4, (int fd, struct sockaddr *a, socklen_t *n, int flags), (fd, a, n, flags), -1, FAIL_OPEN, EAGAIN,
     ECONNABORTED, EINTR)
FAIL(int, setsockopt, (int fd, int level, int name, const void *p, socklen_t n), (fd, level, name, p, n), -1, ENOMEM,
     ENOBUFS)
FAIL(int, getsockopt, (int fd, int level, int name, void *p, socklen_t *n), (fd, level, name, p, n), -1, ENOMEM,
     ENOBUFS)
FAIL(int, getsockname, (int fd, struct sockaddr *a, socklen_t *n), (fd, a, n), -1, ENOBUFS)
FAIL(int, getpeername, (int fd, struct sockaddr *a, socklen_t *n), (fd, a, n), -1, ENOBUFS)
FAIL(ssize_t, send, (int fd, const void *p, size_t n, int flags), (fd, p, n, flags), -1, EAGAIN, EINTR, ENOBUFS, ENOMEM)
FAIL(ssize_t, sendmsg, (int fd, const struct msghdr *m, int flags), (fd, m, flags), -1, EAGAIN, EINTR, ENOBUFS, ENOMEM)
FAIL(ssize_t, recv, (int fd, void *p, size_t n, int flags), (fd, p, n, flags), -1, EAGAIN, EINTR, ENOBUFS, ENOMEM)
FAIL(ssize_t, recvmsg, (int fd, struct msghdr *m, int flags), (fd, m, flags), -1, EAGAIN, EINTR, ENOBUFS, ENOMEM)
FAIL(int, recvmmsg, (int fd, struct mmsghdr *m, unsigned n, fail_flags flags, struct timespec *t),
     (fd, m, n, flags, t), -1, EAGAIN, EINTR, ENOBUFS, ENOMEM)
FAIL(ssize_t, read, (int fd, void *p, size_t n), (fd, p, n), -1, EINTR, EIO, ENOMEM)
FAIL(ssize_t, pread, (int fd, void *p, size_t n, off_t at), (fd, p, n, at), -1, EINTR, EIO, ENOMEM)
FAIL(ssize_t, write, (int fd, const void *p, size_t n), (fd, p, n), -1, EINTR, FAIL_FILE)
FAIL(ssize_t, pwrite, (int fd, const void *p, size_t n, off_t at), (fd, p, n, at), -1, EINTR, FAIL_FILE)
FAIL(int, ftruncate, (int fd, off_t n), (fd, n), -1, EINTR, FAIL_FILE)
FAIL(int, fallocate, (int fd, int mode, off_t at, off_t n), (fd, mode, at, n), -1, EINTR, FAIL_FILE)
FAIL(int, mkostemp, (char *path, int flags), (path, flags), -1, FAIL_OPEN, FAIL_FILE)
FAIL(int, link, (const char *from, const char *to), (from, to), -1, FAIL_FILE)
FAIL(int, rename, (const char *from, const char *to), (from, to), -1, FAIL_FILE)
FAIL(int, unlink, (const char *path), (path), -1, EIO, ENOMEM)
FAIL(int, unlinkat, (int dir, const char *path, int flags), (dir, path, flags), -1, EIO, ENOMEM)
FAIL(int, fchmod, (int fd, mode_t mode), (fd, mode), -1, EIO, EPERM)
FAIL(int, fchownat, (int dir, const char *path, uid_t u, gid_t g, int flags), (dir, path, u, g, flags), -1, EIO, EPERM)
FAIL(int, futimens, (int fd, const struct timespec t[2]), (fd, t), -1, EIO, EPERM)
FAIL(int, flock, (int fd, int how), (fd, how), -1, EINTR, ENOLCK)
FAIL(int, fstat, (int fd, struct stat *st), (fd, st), -1, EIO, ENOMEM)
FAIL(int, lstat, (const char *path, struct stat *st), (path, st), -1, EIO, ENOMEM)
FAIL(int, fstatat, (int dir, const char *path, struct stat *st, int flags), (dir, path, st, flags), -1, EIO, ENOMEM)
FAIL(ssize_t, readlink, (const char *path, char *p, size_t n), (path, p, n), -1, EIO, ENOMEM)
FAIL(pid_t, fork, (void), (), -1, EAGAIN, ENOMEM)
FAIL(pid_t, waitpid, (pid_t pid, int *status, int options), (pid, status, options), -1, EINTR)
FAIL(int, poll, (struct pollfd *p, nfds_t n, int ms), (p, n, ms), -1, EINTR, ENOMEM)
FAIL(int, ppoll, (struct pollfd *p, nfds_t n, const struct timespec *t, const sigset_t *mask), (p, n, t, mask), -1,
     EINTR, ENOMEM)
FAIL(FILE *, fopen, (const char *path, const char *mode), (path, mode), NULL, FAIL_OPEN, EIO)
FAIL(DIR *, opendir, (const char *path), (path), NULL, FAIL_OPEN, EIO)
FAIL(unsigned, if_nametoindex, (const char *name), (name), 0, FAIL_OPEN)
FAIL(int, __open_2, (const char *path, int flags), (path, flags), -1, FAIL_OPEN, EIO, EINTR)

/* It is closed all the same (close(2), "Dealing with error returns from close()"). */
int close(int fd)
{
	static int (*next)(int fd);
	bool fails = fail_now(FAIL_ERRORS(EIO, EINTR));
	int err = errno, res;

	if (!next)
		fail_find(&next, "close");
	res = next(fd);
	errno = fails ? err : errno;
	return fails ? -1 : res;
}

/* Those whose last argument may be missing. */
#define FAIL_VARIADIC(name, params, last, type, args, ...) \
int name params; \
int name params \
{ \
	static int (*next) params; \
	va_list ap; \
	if (fail_now(FAIL_ERRORS(__VA_ARGS__))) \
		return -1; \
	va_start(ap, last); \
	type value = va_arg(ap, type); \
	va_end(ap); \
	if (!next) \
		fail_find(&next, #name); \
	return next args; \
}

FAIL_VARIADIC(open, (const char *path, int flags, ...), flags, unsigned, (path, flags, value), FAIL_OPEN, EIO, EINTR)
FAIL_VARIADIC(ioctl, (int fd, fail_request request, ...), request, void *, (fd, request, value), ENOMEM, ENOBUFS)
FAIL_VARIADIC(fcntl, (int fd, int command, ...), command, long, (fd, command, value), ENOMEM, ENOLCK)

/* ---- memory ---- */

#ifdef __GLIBC__
/* These are called before there is any other function, so by the names of glibc. */
void *__libc_malloc(size_t n);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t n);

void *malloc(size_t n)
{
	return fail_now(FAIL_ERRORS(ENOMEM)) ? NULL : __libc_malloc(n);
}

void *calloc(size_t n, size_t size)
{
	return fail_now(FAIL_ERRORS(ENOMEM)) ? NULL : __libc_calloc(n, size);
}

void *realloc(void *p, size_t n)
{
	return fail_now(FAIL_ERRORS(ENOMEM)) ? NULL : __libc_realloc(p, n);
}
#else
/* musl's dlsym() asks for no memory (do_dlsym of its dynamic linker). */
FAIL(void *, malloc, (size_t n), (n), NULL, ENOMEM)
FAIL(void *, calloc, (size_t n, size_t size), (n, size), NULL, ENOMEM)
FAIL(void *, realloc, (void *p, size_t n), (p, n), NULL, ENOMEM)
#endif
