/* SPDX-License-Identifier: ISC
 *
 * How long a program takes, without what a script language adds to it.  When
 * something is ready is told by inotify, which costs it nothing.
 *
 *	clock start PIDFILE PROGRAM...	until the PID file is written; then waits for its end
 *	clock reload PIDFILE		from SIGHUP until the file is touched
 *	clock run PROGRAM...		until its end
 *
 * Each prints seconds; exit 1 when what was waited for did not come.  start and
 * reload leave out the time that the program waited for a processor which others
 * had (second figure of /proc/PID/schedstat).
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

/* Seconds that a process has waited for a processor so far. */
static double waited(pid_t pid)
{
	unsigned long long ran, wait = 0;
	char path[64];
	FILE *f;

	snprintf(path, sizeof path, "/proc/%d/schedstat", (int)pid);
	f = fopen(path, "re");
	if (f && fscanf(f, "%llu %llu", &ran, &wait) != 2)
		wait = 0;
	if (f)
		fclose(f);
	return (double)wait / 1e9;
}

static void die(const char *what)
{
	fprintf(stderr, "clock: %s: %s\n", what, strerror(errno));
	exit(1);
}

static pid_t spawn(char **argv)
{
	pid_t pid = fork();

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

	if (poll(&p, 1, PATIENCE_MS) != 1 || read(fd, events, sizeof events) <= 0) {
		errno = ETIMEDOUT;
		die("nothing happened");
	}
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
	printf("%.6f\n", start - waited(pid));
	fflush(stdout);
	free(dir);
	waitpid(pid, &status, 0);
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
	double before = waited((pid_t)pid), start = now();
	if (kill((pid_t)pid, SIGHUP) < 0)
		die("kill");
	wait_event(fd);
	start = now() - start;
	printf("%.6f\n", start - (waited((pid_t)pid) - before));
	return 0;
}

static int clock_run(char **argv)
{
	double start = now();
	int status;

	waitpid(spawn(argv), &status, 0);
	fprintf(stderr, "\n%.6f\n", now() - start);
	return status != 0;
}

int main(int argc, char **argv)
{
	if (argc > 3 && !strcmp(argv[1], "start"))
		return clock_start(argv[2], argv + 3);
	if (argc == 3 && !strcmp(argv[1], "reload"))
		return clock_reload(argv[2]);
	if (argc > 2 && !strcmp(argv[1], "run"))
		return clock_run(argv + 2);
	fprintf(stderr, "usage: clock start PIDFILE PROGRAM... | reload PIDFILE | run PROGRAM...\n");
	return 64;
}
