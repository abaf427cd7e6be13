/* SPDX-License-Identifier: ISC
 *
 * How long a program takes, without what a script language adds to it.  When
 * something is ready is told by inotify, which costs it nothing.
 *
 *	clock start PIDFILE PROGRAM...	until the PID file is written; then waits for its end
 *	clock reload PIDFILE		from SIGHUP until the file is touched
 *	clock run PID PROGRAM...	until its end, served by the daemon with that PID
 *
 * Each prints seconds (run on stderr); exit 1 when what was waited for did not come, at
 * once when the program ended instead.
 * The time that a program waited for a processor which others had (second figure of
 * /proc/PID/schedstat) is left out.  With two programs that wait for one another, one's
 * waiting may be the other's work: there, the result is never less than the processor
 * time of both, unless they worked side by side and were done sooner.
 */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PATIENCE_MS 120000

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Seconds of a process so far: on a processor, and waiting for one. */
struct spent {
	double ran, waited;
};

static struct spent spent(pid_t pid)
{
	unsigned long long ran = 0, waited = 0;
	char path[64];
	FILE *f;

	snprintf(path, sizeof path, "/proc/%d/schedstat", (int)pid);
	f = fopen(path, "re");
	if (f && fscanf(f, "%llu %llu", &ran, &waited) != 2)
		ran = waited = 0;
	if (f)
		fclose(f);
	return (struct spent){ (double)ran / 1e9, (double)waited / 1e9 };
}

static void on_child(int sig)
{
	(void)sig;	/* to interrupt poll() is all it is for */
}

static void die(const char *what)
{
	fprintf(stderr, "clock: %s: %s\n", what, strerror(errno));
	exit(1);
}

static pid_t spawn(char **argv)
{
	struct sigaction sa = { .sa_handler = on_child };
	pid_t pid;

	sigaction(SIGCHLD, &sa, NULL);
	pid = fork();
	if (pid < 0)
		die("fork");
	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	execv(argv[0], argv);
	die(argv[0]);
	return -1;
}

static int watch(const char *path, uint32_t mask)
{
	int fd = inotify_init1(IN_CLOEXEC);

	if (fd < 0 || inotify_add_watch(fd, path, mask) < 0)
		die(path);
	return fd;
}

/* Waits for one more event. */
static void wait_event(int fd)
{
	char events[4096];
	struct pollfd p = { fd, POLLIN, 0 };
	int n = poll(&p, 1, PATIENCE_MS);

	if (!n)
		errno = ETIMEDOUT;
	if (n != 1 || read(fd, events, sizeof events) <= 0)
		die("nothing happened");
}

static int clock_start(const char *pidfile, char **argv)
{
	char *dir = strdup(pidfile);
	int fd = watch(dirname(dir), IN_CREATE | IN_MOVED_TO | IN_CLOSE_WRITE), status;
	double start = now();
	pid_t pid = spawn(argv);
	struct stat st;

	while (stat(pidfile, &st) < 0 || !st.st_size)
		wait_event(fd);
	start = now() - start;
	printf("%.6f\n", start - spent(pid).waited);
	fflush(stdout);
	free(dir);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return status != 0;
}

static int clock_reload(const char *pidfile)
{
	int fd = watch(pidfile, IN_ATTRIB);
	FILE *f = fopen(pidfile, "re");
	long pid = 0;

	if (!f || fscanf(f, "%ld", &pid) != 1 || pid <= 0)
		die(pidfile);
	fclose(f);
	double before = spent((pid_t)pid).waited, start = now();
	if (kill((pid_t)pid, SIGHUP) < 0)
		die("kill");
	wait_event(fd);
	start = now() - start;
	printf("%.6f\n", start - (spent((pid_t)pid).waited - before));
	return 0;
}

static int clock_run(pid_t daemon, char **argv)
{
	struct spent before = spent(daemon), after, client;
	double took = now(), ran, undisturbed;
	pid_t pid = spawn(argv);
	siginfo_t end;
	int status;

	/* Not reaped yet, so that its figures can still be read. */
	while (waitid(P_PID, (id_t)pid, &end, WEXITED | WNOWAIT) < 0)
		if (errno != EINTR)
			die("waitid");
	took = now() - took;
	client = spent(pid);
	after = spent(daemon);
	waitpid(pid, &status, 0);

	ran = client.ran + after.ran - before.ran;
	undisturbed = took - client.waited - (after.waited - before.waited);
	if (undisturbed < ran)
		undisturbed = took < ran ? took : ran;
	fprintf(stderr, "\n%.6f\n", undisturbed);
	return status != 0;
}

int main(int argc, char **argv)
{
	if (argc > 3 && !strcmp(argv[1], "start"))
		return clock_start(argv[2], argv + 3);
	if (argc == 3 && !strcmp(argv[1], "reload"))
		return clock_reload(argv[2]);
	if (argc > 3 && !strcmp(argv[1], "run"))
		return clock_run(atoi(argv[2]), argv + 3);
	fprintf(stderr, "usage: clock start PIDFILE PROGRAM... | reload PIDFILE | run PID PROGRAM...\n");
	return 64;
}
