/* SPDX-License-Identifier: ISC
 *
 * Loaded into the daemon (LD_PRELOAD), this sees from inside how long the turns of
 * its loop are: the time from each return of ppoll(2) to the next call, without the
 * time spent waiting for a processor which others had.
 *
 * TURNS names a file of three doubles that is shared with whoever reads it: turns
 * so far, seconds of the longest, and of that the seconds on a processor.  Whoever
 * writes zeros into it begins anew.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

struct turns {
	double count, longest, ran;
};

static struct turns *shared;
static int (*real)(struct pollfd *, nfds_t, const struct timespec *, const sigset_t *);
static int schedstat = -1;
static double began, began_waited, began_ran;	/* 0 = no turn yet */

static double clock_of(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double waited(void)
{
	char text[128];
	ssize_t n = pread(schedstat, text, sizeof text - 1, 0);
	unsigned long long ran, wait;

	if (n <= 0)
		return 0;
	text[n] = 0;
	return sscanf(text, "%llu %llu", &ran, &wait) == 2 ? (double)wait / 1e9 : 0;
}

static void begin(void)
{
	const char *path = getenv("TURNS");
	int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;

	real = (int (*)(struct pollfd *, nfds_t, const struct timespec *, const sigset_t *))dlsym(RTLD_NEXT, "ppoll");
	schedstat = open("/proc/self/schedstat", O_RDONLY | O_CLOEXEC);
	shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (!real || shared == MAP_FAILED)
		abort();
	close(fd);
}

int ppoll(struct pollfd *fds, nfds_t n, const struct timespec *timeout, const sigset_t *mask)
{
	double took;
	int ready;

	if (!real)
		begin();
	if (!n)		/* the loop asks for signals alone */
		return real(fds, n, timeout, mask);
	took = began ? clock_of(CLOCK_MONOTONIC) - began : 0;
	if (took > shared->longest && (took -= waited() - began_waited) > shared->longest) {
		shared->longest = took;
		shared->ran = clock_of(CLOCK_THREAD_CPUTIME_ID) - began_ran;
	}
	shared->count++;
	ready = real(fds, n, timeout, mask);
	began_waited = waited();
	began_ran = clock_of(CLOCK_THREAD_CPUTIME_ID);
	began = clock_of(CLOCK_MONOTONIC);
	return ready;
}
