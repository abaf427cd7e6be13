/* SPDX-License-Identifier: ISC
 *
 * Where the daemon is: the sockets that are tried, how long, and what is said
 * when none of them answers.
 */
#include "applets/ctl_connection.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "applets/applet.h"
#include "lib/buf.h"
#include "lib/clock.h"
#include "lib/usock.h"

#define BUSY_SEC 10		/* a listener that is behind is given that long */
#define RETRY_MS 20
#define OTHERS_MAX 8		/* daemons named in a message */

static const char *const run_dirs[] = { RUNSTATEDIR, "/run" };
#define N_DIRS (sizeof run_dirs / sizeof *run_dirs)

/* What came of looking for the daemon. */
struct connection_search {
	struct buf tried;	/* the places, with what was wrong there */
	int status;		/* to leave with */
	bool is_behind;		/* a listener does not keep up */
};

/* True when a and b are the same directory, as /var/run and /run often are. */
static bool connection_same_dir(const char *a, const char *b)
{
	struct stat x, y;

	return !strcmp(a, b) ||
	       (stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino);
}

/* True when dirs[i] is none of those before it. */
static bool connection_is_new(const char *const *dirs, unsigned i)
{
	for (unsigned k = 0; k < i; k++)
		if (connection_same_dir(dirs[k], dirs[i]))
			return false;
	return true;
}

/* Appends the sockets in dir at which a daemon of ours answers. */
static void connection_see_others(const char *dir, struct buf *seen, unsigned *n)
{
	DIR *d = opendir(dir);
	struct dirent *e;

	while (d && *n < OTHERS_MAX && (e = readdir(d))) {
		size_t len = strlen(e->d_name);
		char path[PATH_MAX];
		int fd;

		if (len < 6 || strcmp(e->d_name + len - 5, ".sock") ||
		    snprintf(path, sizeof path, "%s/%s", dir, e->d_name) >= (int)sizeof path)
			continue;
		/* Nothing is sent: most sockets there belong to others. */
		fd = usock_connect(path);
		if (fd < 0)
			continue;
		if (usock_peer_is(fd, "smcroute"))
			buf_printf(seen, "%s %s", (*n)++ ? "," : "", path);
		close(fd);
	}
	if (d)
		closedir(d);
}

/* Where daemons may be: beside the socket that was asked for, and in the usual places. */
static unsigned connection_see_all(const char *path, struct buf *seen)
{
	const char *dirs[] = { run_dirs[0], run_dirs[0], run_dirs[1] }, *slash;
	char dir[PATH_MAX];
	unsigned n = 0;

	if (path) {
		slash = strrchr(path, '/');
		snprintf(dir, sizeof dir, "%.*s", slash && slash > path ? (int)(slash - path) : 1, slash ? path : ".");
		dirs[0] = dir;
	}
	for (unsigned i = 0; i < sizeof dirs / sizeof *dirs; i++)
		if (connection_is_new(dirs, i))
			connection_see_others(dirs[i], seen, &n);
	return n;
}

/* Says what was tried; minus the exit status. */
static int connection_refuse(const struct ctl_place *place, struct connection_search *s)
{
	bool is_silent = s->status == EXIT_BUSY;
	struct buf seen = { 0 };
	unsigned n = is_silent ? connection_see_all(place->path, &seen) : 0;

	applet_fail(0, "%s%s%s%s", is_silent ? "no daemon answers at" : "cannot connect to", buf_cstr(&s->tried),
		    n ? "; others answer at" : "", buf_cstr(&seen));
	buf_free(&seen);
	return -s->status;
}

/* Returns a connection to the daemon at path, or -1. */
static int connection_try(const char *path, struct connection_search *s)
{
	int fd = usock_connect(path), err = errno;

	if (fd >= 0)
		return fd;
	buf_printf(&s->tried, "%s %s (%s)", s->tried.len ? "," : "", path,
		   err == ENOENT ? "not there" : err == ECONNREFUSED ? "nobody listens" : strerror(err));
	if (err == EACCES || err == EPERM)
		s->status = EXIT_DENIED;
	if (err == ENAMETOOLONG)
		s->status = EXIT_USAGE;
	s->is_behind |= err == EAGAIN;
	return -1;
}

static int connection_try_all(const struct ctl_place *place, struct connection_search *s)
{
	char path[PATH_MAX];
	int fd = -1;

	if (place->path)
		return connection_try(place->path, s);
	for (unsigned i = 0; i < N_DIRS && fd < 0; i++) {
		snprintf(path, sizeof path, "%s/%s.sock", run_dirs[i], place->ident);
		if (connection_is_new(run_dirs, i))
			fd = connection_try(path, s);
	}
	return fd;
}

int ctl_connection_open(const struct ctl_place *place)
{
	int64_t start = clock_ms();
	int fd;

	do {
		struct connection_search s = { .status = EXIT_BUSY };
		int64_t waited;

		fd = connection_try_all(place, &s);
		waited = clock_ms() - start;
		if (fd < 0 && waited >= place->wait * 1000 && (!s.is_behind || waited >= BUSY_SEC * 1000))
			fd = connection_refuse(place, &s);
		else if (fd < 0)
			poll(NULL, 0, RETRY_MS);
		buf_free(&s.tried);
	} while (fd == -1);
	return fd;
}
