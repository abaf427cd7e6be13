/* SPDX-License-Identifier: ISC
 *
 * Where the daemon is: the sockets that are tried, how long, and what is said
 * when none of them answers.
 */
#include "applets/smcroutectl.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lib/buf.h"
#include "lib/status.h"
#include "lib/usock.h"

#define BUSY_SEC 10		/* a listener that is behind is given that long */
#define RETRY_MS 20
#define OTHERS_MAX 8		/* daemons named in a message */

static const char *const run_dirs[] = { RUNSTATEDIR, "/run" };
#define N_DIRS (sizeof run_dirs / sizeof *run_dirs)

/* The places to look at. */
struct places {
	char path[N_DIRS][PATH_MAX];
	unsigned n;
};

/* True when a and b are the same directory, as /var/run and /run often are. */
static bool same_dir(const char *a, const char *b)
{
	struct stat x, y;

	return !strcmp(a, b) ||
	       (stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino);
}

static void add_dir(const char **dirs, unsigned *n, const char *dir)
{
	for (unsigned i = 0; i < *n; i++)
		if (same_dir(dirs[i], dir))
			return;
	dirs[(*n)++] = dir;
}

static void list_places(const struct ctl *c, struct places *p)
{
	const char *dirs[N_DIRS];
	unsigned n = 0;

	p->n = 0;
	if (c->path) {
		snprintf(p->path[p->n++], PATH_MAX, "%s", c->path);
		return;
	}
	for (unsigned i = 0; i < N_DIRS; i++)
		add_dir(dirs, &n, run_dirs[i]);
	for (unsigned i = 0; i < n; i++)
		snprintf(p->path[p->n++], PATH_MAX, "%s/%s.sock", dirs[i], c->ident);
}

/* Appends the sockets in dir at which a daemon of ours answers. */
static void see_others(const char *dir, struct buf *seen, unsigned *n)
{
	DIR *d = opendir(dir);
	struct dirent *e;

	while (d && *n < OTHERS_MAX && (e = readdir(d))) {
		size_t len = strlen(e->d_name);
		char path[PATH_MAX], name[17];
		int fd;

		if (len < 6 || strcmp(e->d_name + len - 5, ".sock") ||
		    snprintf(path, sizeof path, "%s/%s", dir, e->d_name) >= (int)sizeof path)
			continue;
		/* Nothing is sent: most sockets there belong to others. */
		fd = usock_connect(path);
		if (fd < 0)
			continue;
		if (usock_peer(fd, name, sizeof name) && !strncmp(name, "smcroute", 8))
			buf_printf(seen, "%s %s", (*n)++ ? "," : "", path);
		close(fd);
	}
	if (d)
		closedir(d);
}

/* Where daemons may be: beside the socket that was asked for, and in the usual places. */
static unsigned see_all(const char *path, struct buf *seen)
{
	const char *dirs[N_DIRS + 1], *slash = path ? strrchr(path, '/') : NULL;
	unsigned ndirs = 0, n = 0;
	char dir[PATH_MAX] = ".";

	if (slash)
		snprintf(dir, sizeof dir, "%.*s", slash > path ? (int)(slash - path) : 1, path);
	if (path)
		add_dir(dirs, &ndirs, dir);
	for (unsigned i = 0; i < N_DIRS; i++)
		add_dir(dirs, &ndirs, run_dirs[i]);
	for (unsigned i = 0; i < ndirs; i++)
		see_others(dirs[i], seen, &n);
	return n;
}

static int complain(const struct ctl *c, const struct places *p, const int *err)
{
	struct buf tried = { 0 }, seen = { 0 };
	int status = EXIT_BUSY;
	unsigned n = 0;

	for (unsigned i = 0; i < p->n; i++) {
		buf_printf(&tried, "%s %s (%s)", i ? "," : "", p->path[i],
			   err[i] == ENOENT ? "not there" : err[i] == ECONNREFUSED ? "nobody listens" : strerror(err[i]));
		if (err[i] == EACCES || err[i] == EPERM)
			status = EXIT_DENIED;
		if (err[i] == ENAMETOOLONG)
			status = EXIT_USAGE;
	}
	if (status == EXIT_BUSY)
		n = see_all(c->path, &seen);
	ctl_complain(0, "%s%s%s%s", status == EXIT_BUSY ? "no daemon answers at" : "cannot connect to",
		     buf_cstr(&tried), n ? "; others answer at" : "", buf_cstr(&seen));
	buf_free(&tried);
	buf_free(&seen);
	return -status;
}

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int ctl_connect(const struct ctl *c)
{
	struct places p;
	int64_t start = now_ms(), waited = 0;
	int err[N_DIRS];

	list_places(c, &p);
	for (;;) {
		bool behind = false;

		for (unsigned i = 0; i < p.n; i++) {
			int fd = usock_connect(p.path[i]);

			if (fd >= 0)
				return fd;
			err[i] = errno;
			behind |= errno == EAGAIN;
		}
		waited = now_ms() - start;
		if (waited >= (int64_t)c->wait * 1000 && (!behind || waited >= BUSY_SEC * 1000))
			return complain(c, &p, err);
		poll(NULL, 0, RETRY_MS);
	}
}
