/* SPDX-License-Identifier: ISC
 *
 * For LD_PRELOAD: sends a signal to the old or the new process of a handover at its n-th call of the system: "kill",
 * "term" or "stop".
 *
 * FAULT names a file.  As soon as it says "PID N SIGNAL" the process of that number counts its calls, "new N SIGNAL" is
 * for one that was started to take over.  With "at TEXT" behind that it counts what it sends with that text in it.  The
 * count ends when the old one exits, or when the new one has said "done": then an empty file FAULT.over is made.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static struct {
	const char *file;		/* NULL: nothing is to be done */
	pid_t pid;			/* of the program; a child that it makes is not meant */
	bool is_new, is_over, is_armed;
	int left;			/* calls until the signal, 0 = none */
	int sig;
	char text[64];			/* "" = all calls are counted */
} fault;

/* As the functions of this name, but not counted. */
static long fault_open(const char *path, int flags)
{
	return syscall(SYS_openat, AT_FDCWD, path, flags | O_CLOEXEC, 0600);
}

static void __attribute__((constructor)) fault_start(void)
{
	char line[4096] = "";
	long fd = fault_open("/proc/self/cmdline", O_RDONLY), n = syscall(SYS_read, fd, line, sizeof line - 1);

	syscall(SYS_close, fd);
	/* Words are parted by NUL. */
	for (long i = 1; i < n && strstr(line, "smcroute"); i++)
		fault.is_new |= !line[i - 1] && !strcmp(line + i, "-T");
	fault.file = strstr(line, "smcroute") ? getenv("FAULT") : NULL;
	fault.pid = getpid();
}

static void fault_arm(void)
{
	char text[128] = "", *rest = text, *at;
	long fd = fault_open(fault.file, O_RDONLY);

	if (fd < 0)
		return;
	syscall(SYS_read, fd, text, sizeof text - 1);
	syscall(SYS_close, fd);
	fault.is_armed = (fault.is_new && !strncmp(text, "new ", 4)) || strtol(text, &rest, 10) == getpid();
	fault.left = atoi(rest + strspn(rest, "new "));
	fault.sig = strstr(rest, "stop") ? SIGSTOP : strstr(rest, "term") ? SIGTERM : SIGKILL;
	at = strstr(rest, " at ");
	snprintf(fault.text, sizeof fault.text, "%.*s", at ? (int)strcspn(at + 4, "\n") : 0, at ? at + 4 : "");
}

/* The count ends. */
static void fault_stop(void)
{
	char path[4096];

	if (!fault.file || !fault.is_armed || fault.is_over || getpid() != fault.pid)
		return;
	fault.is_over = !fault.is_new;
	fault.is_new = fault.is_armed = false;
	fault.left = 0;
	snprintf(path, sizeof path, "%s.over", fault.file);
	syscall(SYS_close, fault_open(path, O_CREAT | O_WRONLY));
}

static void __attribute__((destructor)) fault_exit(void)
{
	fault_stop();
}

/* Before a call; what it sends, if it does. */
static void fault_count_sent(const void *p, size_t n)
{
	int err = errno;

	if (getpid() != fault.pid)
		return;
	if (fault.file && !fault.is_over && !fault.is_armed)
		fault_arm();
	if (fault.file && !fault.is_over && fault.is_armed && fault.left &&
	    (!*fault.text || (p && memmem(p, n, fault.text, strlen(fault.text)))) && !--fault.left) {
		fault.is_over = true;
		kill(getpid(), fault.sig);
	}
	errno = err;
}

static void fault_count(void)
{
	fault_count_sent(NULL, 0);
}

/* The function of libc behind ours. */
static void *fault_next(const char *name)
{
	return dlsym(RTLD_NEXT, name);
}

#define FAULT(type, name, params, args) \
type name params; \
type name params \
{ \
	static type (*next) params; \
	void *sym_; \
	if (!next && (sym_ = fault_next(#name))) \
		memcpy(&next, &sym_, sizeof next); \
	fault_count(); \
	return next args; \
}

FAULT(ssize_t, recvmsg, (int fd, struct msghdr *m, int flags), (fd, m, flags))
FAULT(ssize_t, send, (int fd, const void *p, size_t n, int flags), (fd, p, n, flags))
FAULT(int, setsockopt, (int fd, int level, int name, const void *p, socklen_t n), (fd, level, name, p, n))
FAULT(ssize_t, pwrite, (int fd, const void *p, size_t n, off_t at), (fd, p, n, at))
FAULT(int, bind, (int fd, const struct sockaddr *a, socklen_t n), (fd, a, n))
FAULT(int, listen, (int fd, int n), (fd, n))
FAULT(int, unlink, (const char *path), (path))
FAULT(int, rename, (const char *from, const char *to), (from, to))
FAULT(int, close, (int fd), (fd))
FAULT(int, dup2, (int fd, int to), (fd, to))
FAULT(ssize_t, read, (int fd, void *p, size_t n), (fd, p, n))

ssize_t sendmsg(int fd, const struct msghdr *m, int flags)
{
	static ssize_t (*next)(int fd, const struct msghdr *m, int flags);
	void *p;
	ssize_t n;

	if (!next && (p = fault_next("sendmsg")))
		memcpy(&next, &p, sizeof next);
	fault_count_sent(m->msg_iovlen ? m->msg_iov->iov_base : NULL, m->msg_iovlen ? m->msg_iov->iov_len : 0);
	n = next(fd, m, flags);
	if (fault.is_new && m->msg_iovlen == 1 && m->msg_iov->iov_len > 4 && !memcmp(m->msg_iov->iov_base, "done", 4))
		fault_stop();
	return n;
}
