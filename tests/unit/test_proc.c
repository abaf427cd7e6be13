/* SPDX-License-Identifier: ISC
 *
 * The daemon as a process: standard descriptors, the verdict for the parent, and
 * messages to the init system.
 */
#include "lib/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/notify.h"
#include "tests/unit/test.h"

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

/* What is closed before becomes /dev/null as well. */
static int left_with_closed(void)
{
	struct stat null, st;

	close(1);
	proc_leave();
	if (stat("/dev/null", &null) < 0)
		return 1;
	for (int fd = 0; fd <= 2; fd++)
		if (fstat(fd, &st) < 0 || st.st_rdev != null.st_rdev || fcntl(fd, F_GETFD))
			return 2;
	return 0;
}

static void leaves(void)
{
	CHECK_INT(in_child(left_with_closed), 0);
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
	char abstract[64], path[64], big[2000];
	const char *name[2] = { abstract, path };

	notify_init();
	notify_send("READY=1");				/* nobody asked */
	snprintf(abstract, sizeof abstract, "@test_proc.%d", (int)getpid());
	snprintf(path, sizeof path, "/tmp/test_proc.%d", (int)getpid());
	memset(big, 'x', sizeof big - 1);
	big[sizeof big - 1] = '\0';
	for (int i = 0; i < 2; i++) {
		int fd = listener(name[i]);

		setenv("NOTIFY_SOCKET", name[i], 1);
		notify_init();
		CHECK(!getenv("NOTIFY_SOCKET"));
		notify_send("READY=1\nSTATUS=%d routes", 5);
		CHECK_STR(heard(fd), "READY=1\nSTATUS=5 routes");
		notify_reloading();
		CHECK(!strncmp(heard(fd), "RELOADING=1\nMONOTONIC_USEC=", 27));
		notify_send("%s", big);
		CHECK_INT(strlen(heard(fd)), 1023);
		close(fd);
		notify_send("READY=1");
	}
	unlink(path);
	setenv("NOTIFY_SOCKET", "vsock:2:1234", 1);
	notify_init();
	notify_send("READY=1");
	setenv("NOTIFY_SOCKET", big, 1);
	notify_init();
	notify_send("READY=1");
}

/* A process is seen to end, though nobody has asked for its status yet. */
static void watch(void)
{
	int hold[2], fd;
	pid_t pid;

	CHECK(pipe(hold) == 0);
	pid = fork();
	if (!pid) {
		char byte;

		close(hold[1]);
		_exit((int)read(hold[0], &byte, 1));
	}
	close(hold[0]);
	fd = proc_watch(pid);
	if (fd < 0)
		CHECK(errno == ENOSYS);
	struct pollfd p = { .fd = fd, .events = POLLIN };

	CHECK_INT(poll(&p, 1, 0), 0);
	close(hold[1]);
	CHECK_INT(poll(&p, 1, fd < 0 ? 0 : 20000), fd >= 0);
	close(fd);
	CHECK(waitpid(pid, NULL, 0) == pid);
	CHECK(proc_watch(0) < 0);
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

/* A child that works for us has its end of the pair, and nothing else that is closed on exec; it ends with us. */
static void helper(void)
{
	int ours = open("/dev/null", O_RDONLY | O_CLOEXEC), kept = open("/dev/null", O_RDONLY), fd, status = -1;
	bool is_closed;
	pid_t pid;
	char byte;

	NEED_PROC();
	fflush(stdout);
	pid = proc_fork(&fd);
	if (!pid) {
		is_closed = fcntl(ours, F_GETFD) < 0 && fcntl(kept, F_GETFD) >= 0;
		byte = is_closed ? 'y' : 'n';
		if (write(fd, &byte, 1) == 1 && read(fd, &byte, 1) == 1)
			_exit(byte);
		_exit(99);
	}
	CHECK(pid > 0);
	CHECK_INT(fcntl(fd, F_GETFD), FD_CLOEXEC);
	CHECK_INT(read(fd, &byte, 1), 1);
	CHECK_INT(byte, 'y');
	byte = 7;
	CHECK_INT(write(fd, &byte, 1), 1);
	CHECK_INT(waitpid(pid, &status, 0), pid);
	CHECK_INT(WEXITSTATUS(status), 7);
	close(fd);
	close(ours);
	close(kept);
}

static int parent_of_helper(void)
{
	int fd;

	if (proc_fork(&fd))
		return 0;
	/* It has the write end of what the test reads. */
	alarm(60);
	pause();
	return 1;
}

static void ends_with_parent(void)
{
	struct pollfd p;

	CHECK_INT(pipe(report), 0);
	CHECK_INT(in_child(parent_of_helper), 0);
	close(report[1]);
	p = (struct pollfd){ .fd = report[0], .events = POLLIN };
	CHECK_INT(poll(&p, 1, 20000), 1);
	CHECK_INT(p.revents, POLLHUP);
	close(report[0]);
}

/* The limit is as high as it may be; without descriptors nothing is begun. */
static int limited(void)
{
	struct rlimit r = { .rlim_cur = 20, .rlim_max = 40 };
	int fd;

	if (setrlimit(RLIMIT_NOFILE, &r) < 0 || proc_raise_descriptors() != 40 || getrlimit(RLIMIT_NOFILE, &r) < 0 ||
	    r.rlim_cur != 40)
		return 1;
	while (open("/dev/null", O_RDONLY) >= 0)
		;
	if (errno != EMFILE || proc_fork(&fd) != -1 || errno != EMFILE)
		return 2;
	return proc_daemonize() != -1 || errno != EMFILE ? 3 : 0;
}

static void descriptors(void)
{
	CHECK_INT(in_child(limited), 0);
}

/* A program begins with the signals of a new one, in a group of its own if asked for. */
static void spawned(void)
{
	char *argv[] = { "sh", "-c", "kill -TERM $$; exit 3", NULL }, *wrong[] = { "no-such-program", NULL };
	char *env[] = { NULL };
	sigset_t set, old;
	siginfo_t info;
	int status = 0;
	pid_t pid;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, &old);
	for (int has_group = 0; has_group < 2; has_group++) {
		CHECK_INT(proc_spawn(&pid, "sh", NULL, has_group, argv, env), 0);
		/* qemu-user lets the parent of a vfork(2) go on at once. */
		CHECK_INT(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
		CHECK_INT(getpgid(pid) == pid, has_group);
		CHECK_INT(waitpid(pid, &status, 0), pid);
		CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
	}
	sigprocmask(SIG_SETMASK, &old, NULL);
	/* Some libc only knows in the child. */
	if (proc_spawn(&pid, "/nonexistent/program", NULL, false, wrong, env) == 0)
		CHECK_INT(exit_code(pid), 127);
}

TEST_MAIN(
	TEST(helper)
	TEST(ends_with_parent)
	TEST(descriptors)
	TEST(spawned)
	TEST(standard_descriptors)
	TEST(leaves)
	TEST(verdicts)
	TEST(readiness)
	TEST(watchdog)
	TEST(watch)
)
