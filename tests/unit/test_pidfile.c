/* SPDX-License-Identifier: ISC
 *
 * The PID file: against links, stale files, living owners, and several processes
 * that want it at once.
 */
#include "lib/pidfile.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/test.h"

static char dir[] = "/tmp/test_pidfile.XXXXXX";
static bool is_nfs, has_no_links;

static const char *moves_to;

/* The directory moves as soon as the file is there alone. */
int unlink(const char *path)
{
	int res = unlinkat(AT_FDCWD, path, 0);

	return moves_to && res == 0 ? rename(dir, moves_to) : res;
}

/* As on file systems without hard links. */
int link(const char *from, const char *to)
{
	if (!has_no_links)
		return linkat(AT_FDCWD, from, AT_FDCWD, to, 0);
	errno = EPERM;
	return -1;
}

/* NFS: what is open for reading alone cannot be locked for this process alone. */
int flock(int fd, int how)
{
	if (is_nfs && how & LOCK_EX && (fcntl(fd, F_GETFL) & O_ACCMODE) == O_RDONLY) {
		errno = EBADF;
		return -1;
	}
	return (int)syscall(SYS_flock, fd, how);
}

static void wait_end(pid_t pid)
{
	CHECK_INT(waitpid(pid, NULL, 0), pid);
}

static const char *path_of(const char *name)
{
	static char path[2][100];
	static int turn;

	turn = !turn;
	snprintf(path[turn], sizeof path[turn], "%s/%s", dir, name);
	return path[turn];
}

static const char *content(const char *path)
{
	static char text[64];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);

	if (fd >= 0)
		close(fd);
	text[n > 0 ? n : 0] = '\0';
	return n < 0 ? NULL : text;
}

static void put(const char *path, const char *text)
{
	FILE *f = fopen(path, "we");

	CHECK(f && fputs(text, f) >= 0 && !fclose(f));
}

static void pidfile_life(void)
{
	const char *path = path_of("a.pid");
	struct timespec old[2] = { { .tv_sec = 1000 }, { .tv_sec = 1000 } };
	struct pidfile f, g;
	char want[16];
	struct stat st;

	snprintf(want, sizeof want, "%d\n", (int)getpid());
	CHECK_INT(pidfile_owner(path), 0);
	CHECK_INT(pidfile_write(&f, path), 0);
	CHECK_STR(content(path), want);
	CHECK_INT(pidfile_owner(path), getpid());
	CHECK_INT(fcntl(f.fd, F_GETFL) & O_ACCMODE, O_RDONLY);
	CHECK(!pidfile_is_fixed(&f));
	CHECK_INT(pidfile_write(&g, path), -1);
	CHECK_INT(errno, EBUSY);
	CHECK(!stat(path, &st) && st.st_nlink == 1 && (st.st_mode & 07777) == 0644);
	utimensat(AT_FDCWD, path, old, 0);
	CHECK_INT(pidfile_touch(&f), 0);
	CHECK(!stat(path, &st) && st.st_mtime > 1000);
	CHECK_STR(content(path), want);
	pidfile_remove(&f);
	CHECK(!content(path));
	pidfile_remove(&f);
	CHECK_INT(pidfile_touch(&f), 0);
	CHECK(!pidfile_is_fixed(&f));
	CHECK_INT(pidfile_write(&f, "/nonexistent/a.pid"), -1);
	CHECK_INT(errno, ENOENT);
	pidfile_remove(&f);
}

static void pidfile_not_ours(void)
{
	const char *path = path_of("b.pid");
	struct pidfile f;

	CHECK_INT(pidfile_write(&f, path), 0);
	unlink(path);
	put(path, "1\n");
	pidfile_remove(&f);
	CHECK_STR(content(path), "1\n");	/* somebody else's by now */
	CHECK_INT(pidfile_owner(path), 0);
	unlink(path);
}

static void pidfile_stale(void)
{
	const char *path = path_of("c.pid"), *target = path_of("target");
	static const char *const old[] = { "1\n", "", "999999999999999999999\n", "garbage" };
	struct pidfile f;
	struct stat st;

	for (unsigned i = 0; i < sizeof old / sizeof *old; i++) {
		put(path, old[i]);
		CHECK_INT(pidfile_owner(path), 0);
		CHECK_INT(pidfile_write(&f, path), 0);
		CHECK_INT(pidfile_owner(path), getpid());
		pidfile_remove(&f);
	}
	put(target, "precious");
	CHECK_INT(symlink(target, path), 0);
	CHECK_INT(pidfile_owner(path), 0);
	CHECK_INT(pidfile_write(&f, path), 0);
	CHECK(!lstat(path, &st) && S_ISREG(st.st_mode));
	CHECK_STR(content(target), "precious");
	pidfile_remove(&f);
	CHECK_INT(link(target, path), 0);
	CHECK_INT(pidfile_write(&f, path), 0);
	CHECK_STR(content(target), "precious");
	pidfile_remove(&f);
	CHECK_INT(mkfifo(path, 0600), 0);
	CHECK_INT(pidfile_owner(path), 0);
	CHECK_INT(pidfile_write(&f, path), 0);
	pidfile_remove(&f);
	CHECK_INT(mkdir(path, 0700), 0);
	CHECK_INT(pidfile_write(&f, path), -1);
	CHECK_INT(rmdir(path), 0);
	unlink(target);
	CHECK_INT(rmdir(dir), 0);		/* nothing was left behind */
	CHECK_INT(mkdir(dir, 0700), 0);
}

static void pidfile_of_another(void)
{
	const char *path = path_of("d.pid");
	struct pidfile f;
	int ready[2];
	pid_t pid;
	char c;

	CHECK_INT(pipe(ready), 0);
	pid = fork();
	if (!pid) {
		alarm(20);
		c = pidfile_write(&f, path) ? 'n' : 'y';
		if (write(ready[1], &c, 1) == 1)
			pause();
		_exit(1);
	}
	CHECK_INT(read(ready[0], &c, 1), 1);
	CHECK_INT(c, 'y');
	CHECK_INT(pidfile_owner(path), pid);
	CHECK_INT(pidfile_write(&f, path), -1);
	CHECK_INT(errno, EBUSY);
	CHECK_INT(pidfile_owner(path), pid);
	kill(pid, SIGKILL);
	wait_end(pid);
	CHECK_INT(pidfile_owner(path), 0);
	CHECK_INT(pidfile_write(&f, path), 0);
	CHECK_INT(pidfile_owner(path), getpid());
	pidfile_remove(&f);
	close(ready[0]);
	close(ready[1]);
}

/* The descriptor goes to another process, which writes its PID and ends; then the first one is the owner again. */
static void pidfile_handed_over(void)
{
	const char *path = path_of("f.pid");
	struct pidfile f, g, other;
	pid_t pid;
	int status = 0;

	CHECK_INT(pidfile_write(&f, path), 0);
	CHECK_INT(pidfile_adopt(&g, path_of("elsewhere.pid"), f.fd), -1);
	CHECK_INT(errno, ESTALE);
	pid = fork();
	if (!pid)
		_exit(pidfile_adopt(&g, path, f.fd) || pidfile_owner(path) != getpid());
	CHECK_INT(waitpid(pid, &status, 0), pid);
	CHECK_INT(status, 0);
	/* The lock lives on with the first one. */
	CHECK_INT(pidfile_owner(path), pid);
	CHECK_INT(pidfile_retake(&f), 0);
	CHECK_INT(pidfile_owner(path), getpid());
	/* One that gives up puts the number back itself, unless it has settled. */
	for (int settles = 0; settles < 2; settles++) {
		pid = fork();
		if (!pid) {
			if (pidfile_adopt(&g, path, f.fd))
				_exit(2);
			if (settles)
				pidfile_settle(&g);
			pidfile_release(&g);
			_exit(0);
		}
		CHECK_INT(waitpid(pid, &status, 0), pid);
		CHECK_INT(status, 0);
		CHECK_INT(pidfile_owner(path), settles ? pid : getpid());
	}
	CHECK_INT(pidfile_retake(&f), 0);
	/* It lets go: whoever took the descriptor holds the file. */
	CHECK_INT(pidfile_adopt(&g, path, fcntl(f.fd, F_DUPFD_CLOEXEC, 3)), 0);
	pidfile_release(&f);
	CHECK_INT(pidfile_write(&other, path), -1);
	CHECK_INT(errno, EBUSY);
	pidfile_remove(&g);
	CHECK(!content(path));
	CHECK_INT(pidfile_retake(&f), 0);
}

/* A process that has lost the lock does not become the owner by the descriptor alone; nor is a file ours that moved. */
static void pidfile_lost(void)
{
	const char *path = path_of("g.pid"), *name = path_of("name");
	static char longest[5000];
	struct pidfile f, g;
	int other;

	CHECK_INT(pidfile_write(&f, path), 0);
	other = open(path, O_RDWR | O_CLOEXEC);
	CHECK(pidfile_adopt(&g, path, other) < 0 && errno == EWOULDBLOCK);
	close(other);
	/* Nor does what is no PID file become one, or a file with a name elsewhere. */
	CHECK_INT(link(path, name), 0);
	CHECK(pidfile_adopt(&g, path, f.fd) < 0 && errno == ESTALE);
	unlink(name);
	put(path, "root:x:0:0\n");
	CHECK(pidfile_adopt(&g, path, f.fd) < 0 && errno == ESTALE);
	put(path, "1:x:0:0:a longer line than that of a number\n");
	CHECK(pidfile_adopt(&g, path, f.fd) < 0 && errno == ESTALE);
	CHECK_STR(content(path), "1:x:0:0:a longer line than that of a number\n");
	CHECK(!pidfile_is_lost(&f));
	unlink(path);
	/* It is the path that tells, which /proc has. */
	CHECK_INT(pidfile_is_lost(&f), access("/proc/self/status", F_OK) == 0);
	pidfile_remove(&f);
	CHECK(!pidfile_is_lost(&f));
	memset(longest, 'x', sizeof longest - 1);
	CHECK(pidfile_write(&f, longest) < 0 && errno == ENAMETOOLONG);
}

/* Whoever has given up his rights writes nothing there any more: no number, no time, nor that there is none. */
static void pidfile_without_rights(void)
{
	const char *path = path_of("h.pid");
	struct pidfile f, g;
	struct stat st;
	char want[16];
	int status = -1;
	pid_t pid;

	if (geteuid() || chmod(dir, 0755)) {
		test_skipped = "needs root";
		return;
	}
	CHECK_INT(pidfile_write(&f, path), 0);
	CHECK(!pidfile_is_fixed(&f));
	snprintf(want, sizeof want, "%d\n", (int)getpid());
	pid = fork();
	if (!pid) {
		if (setuid(65534))
			_exit(2);
		if (!pidfile_is_fixed(&f) || pidfile_touch(&f) == 0 || pidfile_adopt(&g, path, f.fd) == 0)
			_exit(3);
		if (pwrite(f.fd, "1\n", 2, 0) >= 0 || ftruncate(f.fd, 0) == 0)
			_exit(4);
		pidfile_remove(&f);
		_exit(stat(path, &st) < 0 || !st.st_size);
	}
	CHECK_INT(waitpid(pid, &status, 0), pid);
	CHECK_INT(status, 0);
	CHECK_STR(content(path), want);
	/* A program that goes on in the process whose number it is has nothing to write. */
	pid = fork();
	if (!pid) {
		int fd = open(path, O_RDWR | O_TRUNC | O_CLOEXEC);

		dprintf(fd, "%d\n", (int)getpid());
		if (setuid(65534))
			_exit(2);
		_exit(pidfile_adopt(&g, path, f.fd) < 0);
	}
	CHECK_INT(waitpid(pid, &status, 0), pid);
	CHECK_INT(status, 0);
	pidfile_remove(&f);
	CHECK(!content(path));
}

/* Where the file cannot be locked the start goes on, and a file that is there does not hinder it. */
static void pidfile_without_locks(void)
{
	const char *path = path_of("i.pid");
	struct pidfile f, g;
	int status = -1;
	pid_t pid;

	is_nfs = true;
	put(path, "1\n");
	CHECK_INT(pidfile_write(&f, path), 0);
	CHECK_INT(atoi(content(path)), getpid());
	CHECK_INT(pidfile_owner(path), 0);
	pid = fork();
	if (!pid)
		_exit(pidfile_adopt(&g, path, f.fd) || atoi(content(path)) != getpid());
	CHECK_INT(waitpid(pid, &status, 0), pid);
	CHECK_INT(status, 0);
	pidfile_remove(&f);
	CHECK(!content(path));
	is_nfs = false;
}

/* It is removed where it is, also when it was moved the moment it was there. */
static void pidfile_moved(void)
{
	char moved[] = "/tmp/test_pidfile_moved.XXXXXX", at[64];
	const char *path = path_of("j.pid");
	struct pidfile f;

	CHECK(mkdtemp(moved) != NULL);
	snprintf(at, sizeof at, "%s/j.pid", moved);
	moves_to = moved;
	CHECK_INT(pidfile_write(&f, path), 0);
	moves_to = NULL;
	CHECK_INT(atoi(content(at)), getpid());
	pidfile_remove(&f);
	CHECK(!content(at));
	CHECK_INT(rename(moved, dir), 0);
}

#define RACERS 8

/* All at once: exactly one of them gets it, each time. */
static void pidfile_race(void)
{
	const char *path = path_of("e.pid");

	for (int round = 0; round < 40; round++) {
		int start[2], end[2], won = 0;
		pid_t pid[RACERS];
		struct pidfile f;
		char c;

		CHECK_INT(pipe(start) | pipe(end), 0);
		if (round % 4 == 1)
			put(path, "1\n");
		else if (round % 4 == 2)
			CHECK_INT(symlink("nowhere", path), 0);
		has_no_links = round % 4 == 3;
		for (int i = 0; i < RACERS; i++) {
			pid[i] = fork();
			if (pid[i])
				continue;
			alarm(20);
			close(start[1]);
			while (read(start[0], &c, 1) > 0)
				;
			c = pidfile_write(&f, path) ? errno == EBUSY ? 'b' : 'x' : 'y';
			if (write(end[1], &c, 1) == 1)
				pause();
			_exit(1);
		}
		close(start[1]);
		for (int i = 0; i < RACERS; i++) {
			CHECK_INT(read(end[0], &c, 1), 1);
			CHECK(c == 'y' || c == 'b');
			won += c == 'y';
		}
		CHECK_INT(won, 1);
		CHECK(pidfile_owner(path) > 0);
		for (int i = 0; i < RACERS; i++) {
			kill(pid[i], SIGKILL);
			wait_end(pid[i]);
		}
		close(start[0]);
		close(end[0]);
		close(end[1]);
		unlink(path);
	}
	has_no_links = false;
	CHECK_INT(rmdir(dir), 0);
	CHECK_INT(mkdir(dir, 0700), 0);
}

static void make_dir(void)
{
	CHECK(mkdtemp(dir));
}

static void remove_dir(void)
{
	CHECK_INT(rmdir(dir), 0);
}

TEST_MAIN(
	TEST(make_dir)
	TEST(pidfile_life)
	TEST(pidfile_not_ours)
	TEST(pidfile_stale)
	TEST(pidfile_of_another)
	TEST(pidfile_handed_over)
	TEST(pidfile_lost)
	TEST(pidfile_without_rights)
	TEST(pidfile_without_locks)
	TEST(pidfile_moved)
	TEST(pidfile_race)
	TEST(remove_dir)
)
