/* SPDX-License-Identifier: ISC
 *
 * The directory of fuzz_files.c: calls of the system in front of which somebody comes, or that fail, what is there, and
 * what somebody else does.
 */
#ifndef TESTS_FUZZ_FILES_H
#define TESTS_FUZZ_FILES_H

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/fuzz/input.h"

static bool fuzz_fails(void);
static int fuzz_make(char *name, int flags);
static pid_t fuzz_pid;
static int fuzz_waited;

#define FUZZ_CALL(call)		(fuzz_fails() ? -1 : (call))
#define open(path, flags)	FUZZ_CALL((open)(path, flags))
#define mkostemp(name, flags)	FUZZ_CALL(fuzz_make(name, flags))
#define link(from, to)		FUZZ_CALL((link)(from, to))
#define rename(from, to)	FUZZ_CALL((rename)(from, to))
#define unlink(path)		FUZZ_CALL((unlink)(path))
#define unlinkat(dir, name, f)	FUZZ_CALL((unlinkat)(dir, name, f))
#define flock(fd, how)		FUZZ_CALL((flock)(fd, how))
#define fchmod(fd, mode)	FUZZ_CALL((fchmod)(fd, mode))
#define pwrite(fd, p, n, at)	FUZZ_CALL((pwrite)(fd, p, n, at))
#define ftruncate(fd, n)	FUZZ_CALL((ftruncate)(fd, n))
#define lstat(path, st)		FUZZ_CALL((lstat)(path, st))
#define fstat(fd, st)		FUZZ_CALL((fstat)(fd, st))
#define bind(fd, a, n)		FUZZ_CALL((bind)(fd, a, n))
#define listen(fd, n)		FUZZ_CALL((listen)(fd, n))
#define connect(fd, a, n)	FUZZ_CALL((connect)(fd, a, n))
#define poll(p, n, ms)		(fuzz_waited += (ms))
#define getpid()		fuzz_pid
#include "lib/fd.c"
#include "lib/pidfile.c"
#include "lib/usock.c"
#undef open
#undef mkostemp
#undef link
#undef rename
#undef unlink
#undef unlinkat
#undef flock
#undef fchmod
#undef pwrite
#undef ftruncate
#undef lstat
#undef fstat
#undef bind
#undef listen
#undef connect
#undef poll
#undef getpid

#define INSTANCES 3
#define FOREIGN 3
#define OTHERS 12
#define STEPS 64

static struct instance {
	pid_t pid;
	struct pidfile f;
	bool is_busy;			/* in the middle of a step */
	bool is_safe;			/* its file is at the path, and nobody can say that it is not alive */
	int listener;			/* or -1 */
	struct usock_id id;
} fuzz_instances[INSTANCES];

/* What somebody else has open: a file with these bytes, a lock, a socket. */
static struct {
	int fd;
	bool is_file;
	size_t n;
	char text[24];
} fuzz_others[OTHERS];
static unsigned fuzz_others_n;

/* Files elsewhere, which have a second name here at times. */
static const char *const fuzz_foreign[FOREIGN] = { "precious\n", "1\n", "" };
static int fuzz_foreign_fd[FOREIGN];

static char fuzz_program[32];					/* what we are called */
static char fuzz_dir[32];
static char fuzz_here[64], fuzz_there[64];			/* the directory, and where it is moved to */
static char fuzz_pidfile[64], fuzz_socket[64], fuzz_name[64];	/* the last is nobody's */
static char fuzz_new[80];					/* the new PID file, before it has its name */

/* Kept for later: after so many calls, a step or an error. */
static struct {
	unsigned calls, step;
	int error;
	bool is_on;
} fuzz_later;
static bool fuzz_is_alone;		/* nobody came between, nothing failed */
static bool fuzz_has_failed, fuzz_is_moved;

static void fuzz_do(unsigned step);

static bool fuzz_fails(void)
{
	if (!fuzz_later.is_on || fuzz_later.calls--)
		return false;
	fuzz_later.is_on = false;
	fuzz_is_alone = false;
	if (!fuzz_later.error) {
		pid_t pid = fuzz_pid;

		fuzz_do(fuzz_later.step);
		fuzz_pid = pid;
		fuzz_is_alone = false;
		return false;
	}
	fuzz_has_failed = true;
	errno = fuzz_later.error;
	return true;
}

static int fuzz_make(char *name, int flags)
{
	int fd = mkostemp(name, flags);

	snprintf(fuzz_new, sizeof fuzz_new, "%s", name);
	return fd;
}

/* ---- what is there ---- */

struct look {
	ino_t ino;		/* 0: nothing */
	mode_t kind;
	nlink_t names;
	off_t size;
	bool is_locked;
	pid_t pid;
};

static struct look fuzz_look(const char *path)
{
	struct look l = { 0 };
	struct stat st;
	int fd;

	if (lstat(path, &st) < 0)
		return l;
	l = (struct look){ st.st_ino, st.st_mode & S_IFMT, st.st_nlink, st.st_size, false, 0 };
	if (!S_ISREG(st.st_mode))
		return l;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	l.is_locked = flock(fd, LOCK_SH | LOCK_NB) < 0;
	l.pid = pidfile_get_pid(fd);
	close(fd);
	return l;
}

static ino_t fuzz_ino(int fd)
{
	struct stat st = { 0 };

	return fd >= 0 && fstat(fd, &st) == 0 ? st.st_ino : 0;
}

/* Its directory, of fd_directory(), is not another one by now. */
static bool fuzz_is_here(int dir)
{
	return !dir || fuzz_ino(dir) == fuzz_look(fuzz_here).ino;
}

static ino_t fuzz_ino_of(const struct instance *i)
{
	return i->f.path ? fuzz_ino(i->f.fd) : 0;
}

static bool fuzz_has_text(int fd, const char *text, size_t n)
{
	char now[64];

	return pread(fd, now, sizeof now, 0) == (ssize_t)n && !memcmp(now, text, n);
}

static bool fuzz_is_of_others(ino_t ino)
{
	bool is = false;

	for (unsigned k = 0; k < FOREIGN; k++)
		is |= fuzz_ino(fuzz_foreign_fd[k]) == ino;
	for (unsigned k = 0; k < fuzz_others_n; k++)
		is |= fuzz_others[k].is_file && fuzz_ino(fuzz_others[k].fd) == ino;
	return is;
}

/* What is not ours is as it was. */
static void fuzz_check_others(void)
{
	for (unsigned k = 0; k < FOREIGN; k++)
		if (!fuzz_has_text(fuzz_foreign_fd[k], fuzz_foreign[k], strlen(fuzz_foreign[k])))
			fuzz_wrong("a file elsewhere was written to");
	for (unsigned k = 0; k < fuzz_others_n; k++)
		if (fuzz_others[k].is_file && !fuzz_has_text(fuzz_others[k].fd, fuzz_others[k].text, fuzz_others[k].n))
			fuzz_wrong("a file of somebody else was written to");
}

/* Who holds the file that is at the path. */
static void fuzz_see_safe(void)
{
	struct look l = fuzz_look(fuzz_pidfile);

	for (struct instance *i = fuzz_instances; i < fuzz_instances + INSTANCES; i++)
		i->is_safe = l.is_locked && fuzz_ino_of(i) == l.ino;
}

/* ---- somebody else ---- */

static void fuzz_keep(int fd, const char *text, size_t n)
{
	if (fd < 0)
		return;
	if (fuzz_others_n == OTHERS)
		fuzz_wrong("too many");
	fuzz_others[fuzz_others_n].fd = fd;
	fuzz_others[fuzz_others_n].is_file = text;
	fuzz_others[fuzz_others_n].n = n;
	if (text)
		memcpy(fuzz_others[fuzz_others_n].text, text, n);
	fuzz_others_n++;
}

/* So many bytes of the input, or a number. */
static size_t fuzz_text(char text[24])
{
	unsigned k = fuzz_byte();
	size_t n = k % 24, left = (size_t)(fuzz_end - fuzz_at);

	if (k >= 200)
		return (size_t)snprintf(text, 24, "%d\n", (int)fuzz_instances[k % INSTANCES].pid);
	n = n < left ? n : left;
	memcpy(text, fuzz_at, n);
	fuzz_at += n;
	return n;
}

static void fuzz_put_file(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	char text[24];
	size_t n = fuzz_text(text);

	if (write(fd, text, n) == (ssize_t)n)
		fuzz_keep(fd, text, n);
}

/* Of a type, that listens or is left at once. */
static void fuzz_put_socket(const char *path, unsigned k)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, (k & 1 ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC, 0);

	snprintf(a.sun_path, sizeof a.sun_path, "%s", path);
	if (bind(fd, (struct sockaddr *)&a, sizeof a) < 0 || (k & 4)) {
		close(fd);
		return;
	}
	if (k & 2)
		listen(fd, 1);
	fuzz_keep(fd, NULL, 0);
}

/* Writes to what is there, as long as it is nothing from elsewhere. */
static void fuzz_write(const char *path)
{
	struct look l = fuzz_look(path);
	char text[24];
	size_t n;
	int fd;

	if (l.kind != S_IFREG || l.names != 1)
		return;
	n = fuzz_text(text);
	fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
	if (write(fd, text, n) < 0)
		fuzz_wrong(strerror(errno));
	for (unsigned k = 0; k < fuzz_others_n; k++)
		if (fuzz_others[k].is_file && fuzz_ino(fuzz_others[k].fd) == l.ino) {
			memcpy(fuzz_others[k].text, text, n);
			fuzz_others[k].n = n;
		}
	close(fd);
}

static void fuzz_lock(const char *path)
{
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0)
		fuzz_keep(fd, NULL, 0);
	else if (fd >= 0)
		close(fd);
}

static void fuzz_forget_others(void)
{
	while (fuzz_others_n)
		close(fuzz_others[--fuzz_others_n].fd);
}

static void fuzz_move_directory(void)
{
	if (!fuzz_is_moved && rename(fuzz_here, fuzz_there) == 0 && mkdir(fuzz_here, 0700) == 0)
		fuzz_is_moved = true;
	else if (rmdir(fuzz_here) == 0 && rename(fuzz_there, fuzz_here) == 0)
		fuzz_is_moved = false;
	else
		mkdir(fuzz_here, 0700);
}

/* Something is done to a name. */
static void fuzz_disturb(const char *path, unsigned what)
{
	char from[64];

	if (fuzz_others_n == OTHERS)
		fuzz_forget_others();
	snprintf(from, sizeof from, "%s/foreign%u", fuzz_dir, what / 16 % FOREIGN);
	/* All but these take its place. */
	if (what % 16 < 8 && unlink(path) < 0)
		rmdir(path);
	switch (what % 16) {
	case 0: break;
	case 1: fuzz_put_file(path); break;
	case 2: (void)!symlink(what & 64 ? from : "nowhere", path); break;
	case 3: (void)!link(from, path); break;
	case 4: mkfifo(path, 0600); break;
	case 5: mkdir(path, 0700); break;
	case 6: case 7: fuzz_put_socket(path, what / 16); break;
	case 8: fuzz_write(path); break;
	case 9: fuzz_lock(path); break;
	case 10: fuzz_forget_others(); break;
	case 11: rename(path, fuzz_name); break;
	case 12: rename(fuzz_name, path); break;
	case 13: unlink(fuzz_name); (void)!link(path, fuzz_name); break;
	case 14: fuzz_move_directory(); break;
	default: fuzz_lock(fuzz_here);
	}
	fuzz_see_safe();
}

#endif
