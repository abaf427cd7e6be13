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

/* The places to look at: at most N_DIRS. */
struct places {
	char path[N_DIRS][PATH_MAX];
	char dir[N_DIRS + 1][PATH_MAX];
	unsigned n, ndirs;
};

/* True when a and b are the same directory, as /var/run and /run often are. */
static bool same_dir(const char *a, const char *b)
{
	struct stat x, y;

	return !strcmp(a, b) ||
	       (stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino);
}

static bool add_dir(struct places *p, const char *dir)
{
	for (unsigned i = 0; i < p->ndirs; i++)
		if (same_dir(p->dir[i], dir))
			return false;
	snprintf(p->dir[p->ndirs++], PATH_MAX, "%s", dir);
	return true;
}

static void list_places(const struct ctl *c, struct places *p)
{
	p->n = p->ndirs = 0;
	if (c->path) {
		const char *slash = strrchr(c->path, '/');
		char dir[PATH_MAX] = ".";

		snprintf(p->path[p->n++], PATH_MAX, "%s", c->path);
		if (slash)
			snprintf(dir, sizeof dir, "%.*s", slash > c->path ? (int)(slash - c->path) : 1, c->path);
		add_dir(p, dir);
	}
	for (unsigned i = 0; i < N_DIRS; i++)
		if (add_dir(p, run_dirs[i]) && !c->path)
			snprintf(p->path[p->n++], PATH_MAX, "%s/%s.sock", run_dirs[i], c->ident);
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

static int complain(const struct places *p, const int *err)
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
	for (unsigned i = 0; i < p->ndirs && status == EXIT_BUSY; i++)
		see_others(p->dir[i], &seen, &n);
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
			return complain(&p, err);
		poll(NULL, 0, RETRY_MS);
	}
}
