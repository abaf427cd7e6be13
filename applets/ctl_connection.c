/* SPDX-License-Identifier: ISC
 *
 * Where the daemon is: the sockets that are tried, how long, and what is said when none of them answers.
 */
#include "applets/ctl_connection.h"

#include <errno.h>
#include <glob.h>
#include <libgen.h>
#include <limits.h>
#include <poll.h>
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
#define RUN_DIRS 2

static const char *const connection_run_dirs[RUN_DIRS] = { RUNSTATEDIR, "/run" };

/* What came of looking for the daemon. */
struct connection_search {
	struct buf tried;	/* the places, with what was wrong there */
	int status;		/* to leave with */
	bool is_behind;		/* a listener does not keep up */
};

/* True when dirs[i] is none of those before it: /var/run and /run often are the same directory. */
static bool connection_is_new(const char *const *dirs, unsigned i)
{
	struct stat before, this;

	for (unsigned k = 0; k < i; k++)
		if (!strcmp(dirs[k], dirs[i]) ||
		    (stat(dirs[k], &before) == 0 && stat(dirs[i], &this) == 0 && before.st_dev == this.st_dev &&
		     before.st_ino == this.st_ino))
			return false;
	return true;
}

/* Appends the sockets in dir at which a daemon of ours answers, and counts them. */
static void connection_see_others(const char *dir, struct buf *seen, unsigned *n)
{
	char pattern[PATH_MAX];
	glob_t found = { .gl_pathc = 0 };

	snprintf(pattern, sizeof pattern, "%s/*.sock", dir);
	glob(pattern, 0, NULL, &found);
	for (size_t i = 0; i < found.gl_pathc && *n < OTHERS_MAX; i++) {
		/* Most sockets there belong to others, who may be upset by a connection. */
		int fd = usock_may_be(found.gl_pathv[i], "smcroute") ? usock_connect(found.gl_pathv[i]) : -1;

		if (fd >= 0 && usock_peer_is(fd, "smcroute"))
			buf_printf(seen, "%s %s", (*n)++ ? "," : "", found.gl_pathv[i]);
		if (fd >= 0)
			close(fd);
	}
	globfree(&found);
}

/* The same for all places where daemons may be: beside the socket that was asked for, and the usual ones. */
static unsigned connection_see_all(const char *path, struct buf *seen)
{
	char beside[PATH_MAX];
	const char *dirs[1 + RUN_DIRS] = { connection_run_dirs[0] };
	unsigned n = 0;

	snprintf(beside, sizeof beside, "%s", path ? path : "");
	if (path)
		dirs[0] = dirname(beside);
	memcpy(dirs + 1, connection_run_dirs, sizeof connection_run_dirs);
	for (unsigned i = 0; i < 1 + RUN_DIRS; i++)
		if (connection_is_new(dirs, i))
			connection_see_others(dirs[i], seen, &n);
	return n;
}

/* What to do where nobody answers, or not to us. */
static void connection_put_remedy(const struct ctl_place *place, int status, struct buf *out)
{
	bool is_usual = !place->path && !strcmp(place->ident, "smcroute");

	if (status == EXIT_DENIED)
		buf_str(out, "; it is for root, and for the user and group of smcrouted -p");
	if (status != EXIT_BUSY)
		return;
	buf_str(out, "; smcrouted");
	if (!is_usual) {
		buf_str(out, place->path ? " -u " : " -i ");
		buf_shell_word(out, place->path ? place->path : place->ident);
	}
	buf_str(out, " starts one");
}

/* Says what was tried; minus the exit status. */
static int connection_refuse(const struct ctl_place *place, struct connection_search *s)
{
	bool is_silent = s->status == EXIT_BUSY;
	struct buf seen = { 0 }, remedy = { 0 };
	unsigned n = is_silent ? connection_see_all(place->path, &seen) : 0;

	if (!n)
		connection_put_remedy(place, s->status, &remedy);
	applet_fail(0, "%s%s%s%s%s", is_silent ? "no daemon answers at" : "cannot connect to", buf_cstr(&s->tried),
		    n ? "; others answer at" : "", buf_cstr(&seen), buf_cstr(&remedy));
	buf_free(&seen);
	buf_free(&remedy);
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
	for (unsigned i = 0; i < RUN_DIRS && fd < 0; i++) {
		snprintf(path, sizeof path, "%s/%s.sock", connection_run_dirs[i], place->ident);
		if (connection_is_new(connection_run_dirs, i))
			fd = connection_try(path, s);
	}
	return fd;
}

/* Says once that the daemon sees other interfaces than we do. */
static void connection_note_elsewhere(int fd)
{
	static bool is_told;

	if (is_told || !usock_peer_is_elsewhere(fd))
		return;
	is_told = true;
	applet_fail(0, "note: the daemon is in another network namespace, with other interfaces: nsenter -t %d -n "
		    "ip link", (int)usock_peer_pid(fd));
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
	if (fd >= 0)
		connection_note_elsewhere(fd);
	return fd;
}
