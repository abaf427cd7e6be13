/* SPDX-License-Identifier: ISC
 *
 * System calls of the small build, beside those of the libc at hand where both have
 * the structs of the kernel.  Signals are not among them.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <linux/filter.h>
#include <linux/seccomp.h>

#include "tests/unit/test.h"

#if defined __LP64__ && (defined __x86_64__ || defined __AARCH64EL__)

static int (*const libc_stat)(const char *restrict, struct stat *restrict) = stat;
static int (*const libc_lstat)(const char *restrict, struct stat *restrict) = lstat;

#define ioctl small_ioctl
#define openat small_openat
#define open small_open
#define fcntl small_fcntl
#define fstatat small_fstatat
#define stat(path, st) small_stat(path, st)
#define lstat small_lstat
#define fstat small_fstat
#define fchmod small_fchmod
#define readlinkat small_readlinkat
#define readlink small_readlink
#define getcwd small_getcwd
#define pipe2 small_pipe2
#define isatty small_isatty
#define mkostemp small_mkostemp
#define fdopendir small_fdopendir
#define opendir small_opendir
#define dirfd small_dirfd
#define readdir small_readdir
#define closedir small_closedir
#define socket small_socket
#define accept4 small_accept4
#define sendmsg small_sendmsg
#define recvmsg small_recvmsg
#define recvmmsg small_recvmmsg
#define mmap small_mmap
#define munmap small_munmap
#define mremap small_mremap
#define clock_gettime small_clock_gettime
#define ppoll small_ppoll
#define getrlimit small_getrlimit
int ioctl(int, int, ...);
int openat(int, const char *, int, ...);
int open(const char *, int, ...);
int fcntl(int, int, ...);
int fstatat(int, const char *restrict, struct stat *restrict, int);
int small_stat(const char *restrict, struct stat *restrict);
int lstat(const char *restrict, struct stat *restrict);
int fstat(int, struct stat *);
int fchmod(int, mode_t);
ssize_t readlinkat(int, const char *restrict, char *restrict, size_t);
ssize_t readlink(const char *restrict, char *restrict, size_t);
char *getcwd(char *, size_t);
int pipe2(int[2], int);
int isatty(int);
int mkostemp(char *, int);
DIR *fdopendir(int);
DIR *opendir(const char *);
int dirfd(DIR *);
struct dirent *readdir(DIR *);
int closedir(DIR *);
int socket(int, int, int);
int accept4(int, struct sockaddr *restrict, socklen_t *restrict, int);
ssize_t sendmsg(int, const struct msghdr *, int);
ssize_t recvmsg(int, struct msghdr *, int);
int recvmmsg(int, struct mmsghdr *, unsigned, unsigned, struct timespec *);
void *mmap(void *, size_t, int, int, int, off_t);
int munmap(void *, size_t);
void *mremap(void *, size_t, size_t, int, ...);
int clock_gettime(clockid_t, struct timespec *);
int ppoll(struct pollfd *, nfds_t, const struct timespec *, const sigset_t *);
int getrlimit(int, struct rlimit *);
#include "lib/small/calls.c"

static char dir[] = "/tmp/small.XXXXXX";

/* Names in the directory of the test. */
static const char *at(const char *name)
{
	static char path[64];

	snprintf(path, sizeof path, "%s/%s", dir, name);
	return path;
}

static void files(void)
{
	char path[64], text[64];
	struct stat a, b;
	int fd;

	snprintf(path, sizeof path, "%s/XXXXXX", dir);
	fd = mkostemp(path, O_CLOEXEC);
	CHECK(fd >= 0);
	CHECK_INT(fcntl(fd, F_GETFD), FD_CLOEXEC);
	CHECK_INT(fcntl(fd, F_SETFL, O_APPEND), 0);
	CHECK(fcntl(fd, F_GETFL) & O_APPEND);
	CHECK_INT(fstat(fd, &a), 0);
	CHECK_INT(a.st_mode, S_IFREG | 0600);
	CHECK_INT(fchmod(fd, 0640), 0);
	CHECK_INT(small_stat(path, &a), 0);
	CHECK_INT(libc_stat(path, &b), 0);
	CHECK(!memcmp(&a, &b, sizeof a));
	CHECK(!isatty(fd));
	close(fd);

	CHECK_INT(symlink(path, at("link")), 0);
	CHECK_INT(lstat(at("link"), &a), 0);
	CHECK_INT(libc_lstat(at("link"), &b), 0);
	CHECK(!memcmp(&a, &b, sizeof a));
	CHECK_INT(readlink(at("link"), text, sizeof text), strlen(path));
	CHECK(!memcmp(text, path, strlen(path)));

	fd = open(at("new"), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0604);
	CHECK(fd >= 0);
	CHECK_INT(fstat(fd, &a), 0);
	CHECK_INT(a.st_mode & 0777, 0604 & ~umask(0));
	close(fd);
	CHECK_INT(open(at("new"), O_WRONLY | O_CREAT | O_EXCL, 0600), -1);
	CHECK_INT(errno, EEXIST);
	CHECK_INT(small_stat(at("none"), &a), -1);
	CHECK_INT(errno, ENOENT);
	CHECK(!getcwd(text, 1));
	CHECK_INT(errno, ERANGE);
	CHECK_INT(chdir(dir), 0);
	CHECK(getcwd(text, sizeof text) == text);
	CHECK_STR(text, dir);
}

/* What a child answers that may do without. */
static int apart(int (*fn)(void))
{
	int status = -1;
	pid_t child = fork();

	if (!child)
		_exit(fn());
	waitpid(child, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int names_without_random(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getrandom, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EAGAIN),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = { sizeof code / sizeof *code, code };
	char a[] = "a.XXXXXX", b[] = "b.XXXXXX";

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog) < 0)
		return 0;
	return mkostemp(a, 0) < 0 || mkostemp(b, 0) < 0 || !strcmp(a + 2, b + 2);
}

static int outside_of_the_root(void)
{
	char text[64];

	if (chroot(at("d")) < 0 && (unshare(CLONE_NEWUSER) < 0 || chroot(at("d")) < 0))
		return 0;
	return getcwd(text, sizeof text) != NULL;
}

/* The working directory is that of the test. */
static void apart_from_others(void)
{
	CHECK_INT(apart(names_without_random), 0);
	CHECK_INT(apart(outside_of_the_root), 0);
}

/* More names than one call of getdents64(2) takes. */
static void directories(void)
{
	enum { FILES = 200 };
	bool seen[FILES] = { false };
	unsigned n = 0;
	struct dirent *e;
	DIR *d;

	CHECK_INT(mkdir(at("d"), 0700), 0);
	for (int i = 0; i < FILES; i++) {
		char name[24];

		snprintf(name, sizeof name, "d/file-%d", i);
		close(open(at(name), O_WRONLY | O_CREAT, 0600));
	}
	d = opendir(at("d"));
	CHECK(d);
	while (d && (e = readdir(d))) {
		int i;

		if (sscanf(e->d_name, "file-%d", &i) == 1 && i >= 0 && i < FILES && !seen[i]) {
			seen[i] = true;
			unlinkat(dirfd(d), e->d_name, 0);
		} else {
			CHECK(!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."));
		}
		n++;
	}
	CHECK_INT(n, FILES + 2);
	CHECK(d && closedir(d) == 0);
	CHECK(!opendir(at("new")));
	CHECK_INT(errno, ENOTDIR);
}

static void sockets(void)
{
	struct sockaddr_un me = { .sun_family = AF_UNIX };
	char text[2][8] = { "abc", "" };
	struct iovec out = { text[0], 3 }, in = { text[1], sizeof text[1] };
	struct msghdr to = { .msg_iov = &out, .msg_iovlen = 1 }, from = { .msg_iov = &in, .msg_iovlen = 1 };
	struct mmsghdr many = { .msg_hdr = from };
	struct timespec none = { 0 };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), client = socket(AF_UNIX, SOCK_STREAM, 0), server;
	struct pollfd p;

	snprintf(me.sun_path, sizeof me.sun_path, "%s", at("sock"));
	CHECK_INT(bind(fd, (void *)&me, sizeof me), 0);
	CHECK_INT(listen(fd, 1), 0);
	CHECK_INT(connect(client, (void *)&me, sizeof me), 0);
	server = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	CHECK(server >= 0);
	CHECK(fcntl(server, F_GETFL) & O_NONBLOCK);
	p = (struct pollfd){ .fd = server, .events = POLLIN };
	CHECK_INT(ppoll(&p, 1, &none, NULL), 0);
	CHECK_INT(recvmsg(server, &from, 0), -1);
	CHECK_INT(errno, EAGAIN);
	for (int i = 0; i < 2; i++) {
		memset(text[1], 0, sizeof text[1]);
		CHECK_INT(sendmsg(client, &to, 0), 3);
		CHECK_INT(ppoll(&p, 1, NULL, NULL), 1);
		if (i == 0) {
			CHECK_INT(recvmsg(server, &from, 0), 3);
		} else {
			CHECK_INT(recvmmsg(server, &many, 1, 0, NULL), 1);
			CHECK_INT(many.msg_len, 3);
		}
		CHECK_STR(text[1], "abc");
	}
	close(server);
	close(client);
	close(fd);
}

static void others(void)
{
	struct timespec before, now;
	struct rlimit a, b;
	int fd[2];
	char *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(p != MAP_FAILED);
	p[1] = 'x';
	p = mremap(p, 4096, 1 << 20, MREMAP_MAYMOVE);
	CHECK(p != MAP_FAILED && p[1] == 'x' && p[(1 << 20) - 1] == 0);
	CHECK_INT(munmap(p, 1 << 20), 0);
	CHECK(mmap(NULL, 0, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED);
	CHECK_INT(errno, EINVAL);

	CHECK_INT(clock_gettime(CLOCK_MONOTONIC, &before), 0);
	CHECK_INT(clock_gettime(CLOCK_MONOTONIC, &now), 0);
	CHECK(now.tv_sec > before.tv_sec || now.tv_nsec >= before.tv_nsec);
	CHECK_INT(getrlimit(RLIMIT_NOFILE, &a), 0);
	CHECK_INT(prlimit(0, RLIMIT_NOFILE, NULL, &b), 0);
	CHECK(a.rlim_cur == b.rlim_cur && a.rlim_max == b.rlim_max);
	CHECK_INT(pipe2(fd, O_NONBLOCK), 0);
	CHECK_INT(ioctl(fd[0], FIONREAD, &fd[1]), 0);
	CHECK_INT(fd[1], 0);
	close(fd[0]);
}

static void away(void)
{
	char command[64];

	snprintf(command, sizeof command, "rm -r %s", dir);
	CHECK_INT(system(command), 0);
}

static void begin(void)
{
	CHECK(mkdtemp(dir));
}

TEST_MAIN(TEST(begin) TEST(files) TEST(directories) TEST(apart_from_others) TEST(sockets) TEST(others) TEST(away))

#else

static void none(void)
{
}

TEST_MAIN(TEST(none))

#endif
