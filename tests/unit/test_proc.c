/* SPDX-License-Identifier: ISC
 *
 * The daemon as a process: standard descriptors, the verdict for the parent, the
 * PID file against links and living owners, readiness messages, privileges.
 */
#include "lib/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/notify.h"
#include "tests/unit/test.h"

static char dir[] = "/tmp/test_proc.XXXXXX";

static int exit_code(pid_t pid)
{
	int status = 0;

	CHECK_INT(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

/* Runs fn in a child and returns its exit status. */
static int in_child(int (*fn)(void))
{
	pid_t pid = fork();

	if (!pid) {
		alarm(20);
		_exit(fn());
	}
	return exit_code(pid);
}

static int closed_std(void)
{
	struct stat null, st;
	int fd;

	close(0);
	close(2);
	if (proc_open_std() < 0 || stat("/dev/null", &null) < 0)
		return 1;
	for (fd = 0; fd <= 2; fd += 2)
		if (fstat(fd, &st) < 0 || st.st_rdev != null.st_rdev)
			return 2;
	fd = open("/dev/null", O_RDONLY);
	return fd > 2 && fcntl(1, F_GETFD) >= 0 ? 0 : 3;
}

static void standard_descriptors(void)
{
	CHECK_INT(in_child(closed_std), 0);
}

static int report[2];		/* from a daemon to the test */
static int go[2];		/* its end of file lets a daemon go on */
static void (*daemon_does)(void);

static int daemon_start(void)
{
	char c;

	close(report[0]);
	close(go[1]);
	if (proc_daemonize() < 0)
		return 99;
	alarm(20);
	while (read(go[0], &c, 1) > 0)
		;
	daemon_does();
	_exit(5);
}

static void tell(bool ok)
{
	CHECK_INT(write(report[1], ok ? "y" : "n", 1), 1);
}

/* What the parent exits with; *said gets what the daemon told. */
static int daemon_verdict(void (*fn)(void), char *said)
{
	struct pollfd p;
	int code;
	pid_t pid;

	CHECK_INT(pipe(report) | pipe(go), 0);
	daemon_does = fn;
	fflush(stdout);
	pid = fork();
	if (!pid)
		_exit(daemon_start());
	close(report[1]);
	close(go[0]);
	p = (struct pollfd){ .fd = report[0], .events = POLLIN };
	CHECK_INT(waitpid(pid, NULL, WNOHANG), 0);	/* it waits for the verdict */
	close(go[1]);
	code = exit_code(pid);
	*said = 0;
	while (poll(&p, 1, 10000) > 0 && read(report[0], said, 1) > 0)
		;
	close(report[0]);
	return code;
}

static void succeeds(void)
{
	struct stat null, st;
	char cwd[8];
	bool ok = getsid(0) == getpid();

	proc_ready(0);
	stat("/dev/null", &null);
	for (int fd = 0; fd <= 2; fd++)
		ok = ok && !fstat(fd, &st) && st.st_rdev == null.st_rdev;
	proc_ready(3);			/* too late, and harmless */
	tell(ok && getcwd(cwd, sizeof cwd) && !strcmp(cwd, "/"));
}

static void fails(void)
{
	proc_ready(78);
	tell(true);
}

static void dies(void)
{
	raise(SIGKILL);
}

static void verdicts(void)
{
	char said;

	CHECK_INT(daemon_verdict(succeeds, &said), 0);
	CHECK_INT(said, 'y');
	CHECK_INT(daemon_verdict(fails, &said), 78);
	CHECK_INT(said, 'y');
	CHECK_INT(daemon_verdict(dies, &said), 71);
	proc_ready(1);			/* without proc_daemonize(): nothing */
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
	exit_code(pid);
	CHECK_INT(pidfile_owner(path), 0);
	CHECK_INT(pidfile_write(&f, path), 0);
	CHECK_INT(pidfile_owner(path), getpid());
	pidfile_remove(&f);
	close(ready[0]);
	close(ready[1]);
}

#define RACERS 8

/* All at once: exactly one of them gets it, each time. */
static void pidfile_race(void)
{
	const char *path = path_of("e.pid");

	for (int round = 0; round < 20; round++) {
		int start[2], end[2], won = 0;
		pid_t pid[RACERS];
		struct pidfile f;
		char c;

		CHECK_INT(pipe(start) | pipe(end), 0);
		if (round % 2)
			put(path, "1\n");
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
			exit_code(pid[i]);
		}
		close(start[0]);
		close(end[0]);
		close(end[1]);
		unlink(path);
	}
	CHECK_INT(rmdir(dir), 0);
	CHECK_INT(mkdir(dir, 0700), 0);
}

/* Binds a datagram socket to name ('@' first: abstract). */
static int listener(const char *name)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	struct timeval limit = { .tv_sec = 5 };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	strcpy(sa.sun_path, name);
	if (*name == '@')
		sa.sun_path[0] = '\0';
	CHECK_INT(bind(fd, (struct sockaddr *)&sa, (socklen_t)(sizeof sa.sun_family + strlen(name))), 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
	return fd;
}

static const char *heard(int fd)
{
	static char text[2048];
	ssize_t n = recv(fd, text, sizeof text - 1, 0);

	text[n > 0 ? n : 0] = '\0';
	return text;
}

static void readiness(void)
{
	char abstract[64], big[2000];
	const char *name[2] = { abstract, path_of("notify") };

	notify_init();
	CHECK_INT(notify_send("READY=1"), 0);		/* nobody asked */
	snprintf(abstract, sizeof abstract, "@test_proc.%d", (int)getpid());
	memset(big, 'x', sizeof big - 1);
	big[sizeof big - 1] = '\0';
	for (int i = 0; i < 2; i++) {
		int fd = listener(name[i]);

		setenv("NOTIFY_SOCKET", name[i], 1);
		notify_init();
		CHECK(!getenv("NOTIFY_SOCKET"));
		CHECK_INT(notify_send("READY=1\nSTATUS=%d routes", 5), 0);
		CHECK_STR(heard(fd), "READY=1\nSTATUS=5 routes");
		CHECK_INT(notify_reloading(), 0);
		CHECK(!strncmp(heard(fd), "RELOADING=1\nMONOTONIC_USEC=", 27));
		CHECK_INT(notify_send("%s", big), -1);
		close(fd);
		CHECK_INT(notify_send("READY=1"), -1);
	}
	unlink(name[1]);
	setenv("NOTIFY_SOCKET", "vsock:2:1234", 1);
	notify_init();
	CHECK_INT(notify_send("READY=1"), 0);
	setenv("NOTIFY_SOCKET", big, 1);
	notify_init();
	CHECK_INT(notify_send("READY=1"), 0);
}

static void watchdog(void)
{
	char pid[16];

	snprintf(pid, sizeof pid, "%d", (int)getpid());
	setenv("WATCHDOG_USEC", "3000000", 1);
	setenv("WATCHDOG_PID", pid, 1);
	notify_init();
	CHECK_INT(notify_watchdog_usec(), 3000000);
	CHECK(!getenv("WATCHDOG_USEC") && !getenv("WATCHDOG_PID"));
	notify_init();
	CHECK_INT(notify_watchdog_usec(), 0);
	setenv("WATCHDOG_USEC", "5", 1);
	notify_init();
	CHECK_INT(notify_watchdog_usec(), 5);
	setenv("WATCHDOG_USEC", "5", 1);
	setenv("WATCHDOG_PID", "1", 1);			/* meant for another process */
	notify_init();
	CHECK_INT(notify_watchdog_usec(), 0);
	setenv("WATCHDOG_USEC", "-5", 1);
	notify_init();
	CHECK_INT(notify_watchdog_usec(), 0);
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
	TEST(standard_descriptors)
	TEST(verdicts)
	TEST(pidfile_life)
	TEST(pidfile_not_ours)
	TEST(pidfile_stale)
	TEST(pidfile_of_another)
	TEST(pidfile_race)
	TEST(readiness)
	TEST(watchdog)
	TEST(remove_dir)
)
