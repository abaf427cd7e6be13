/* SPDX-License-Identifier: ISC
 *
 * The socket comes first, as it tells whether another instance lives; the PID file last.  A directory that is not there
 * (yet) or is read-only keeps nobody from routing.
 */
#include "applets/reach.h"

#include <errno.h>
#include <string.h>

#include "applets/predecessor.h"
#include "lib/fd.h"
#include "lib/status.h"
#include "lib/usock.h"

#define REACH_RETRY_MS 5000

/* True when the directory is to blame, which may change. */
static bool reach_may_wait(int err)
{
	return err == ENOENT || err == EACCES || err == EPERM || err == EROFS || err == ENOSPC;
}

/* What to add about the other instance: hosts in network namespaces of one machine often share a /run. */
static const char *reach_where_it_is(const struct daemon *d)
{
	int fd = usock_connect(d->set->socket);
	bool is_elsewhere = fd >= 0 && usock_peer_is_elsewhere(fd);

	fd_fail(fd);
	return is_elsewhere ? " in another network namespace; give this one a name by -i" : "";
}

/* Says why path cannot be ours, by errno; the exit status. */
static int reach_refuse(const struct daemon *d, const char *path)
{
	int err = errno;

	if (err == EADDRINUSE || err == EBUSY) {
		log_err("%s: another instance %s%s", path, err == EBUSY ? "holds this file" : "answers on this socket",
			reach_where_it_is(d));
		return EXIT_BUSY;
	}
	if (err == EEXIST)
		log_err("control socket %s: a file that is no socket is in its place; "
			"remove it, or name another path", path);
	else
		log_errno("%s", path);
	return EXIT_SYSTEM;
}

static int reach_listen(struct daemon *d)
{
	const struct settings *s = d->set;

	if (!d->has_socket)
		d->has_socket = server_listen(d->control, s->socket, s->user ? 0660 : 0600, d->id.uid, d->id.gid) == 0;
	return d->has_socket ? 0 : -1;
}

/* Takes the socket of a daemon that we take over from: false when there is no such daemon.  Its PID file is taken by
 * reach_make(). */
static bool reach_take(struct daemon *d)
{
	struct takeover *t = &d->takeover;
	bool is_taken = t->is_open || t->control >= 0 || t->pidfile >= 0;

	server_hold(d->control, t->is_open);
	if (t->control >= 0 && server_listen_on(d->control, d->set->socket, t->control, t->is_reached) == 0) {
		d->has_socket = t->has_control = true;
		t->control = -1;
	}
	return is_taken;
}

/* The PID file is this process's: 0, or -1 with errno. */
static int reach_pidfile(struct daemon *d)
{
	struct takeover *t = &d->takeover;

	if (t->pidfile < 0)
		return pidfile_write(&d->pidfile, d->set->pidfile);
	if (pidfile_adopt(&d->pidfile, d->set->pidfile, t->pidfile) < 0)
		return errno == ESTALE ? pidfile_write(&d->pidfile, d->set->pidfile) : -1;
	t->has_pidfile = true;
	t->pidfile = -1;
	return 0;
}

/* Makes what is missing.  NULL, or the path that could not be made, with errno. */
static const char *reach_make(struct daemon *d)
{
	const char *lacks = NULL;
	int err = 0;

	priv_raise();
	if (reach_listen(d) < 0) {
		lacks = d->set->socket;
		err = errno;
	}
	if (!d->pidfile.path && reach_pidfile(d) < 0 && !lacks) {
		lacks = d->set->pidfile;
		err = errno;
	}
	priv_lower();
	errno = err;
	return lacks;
}

/* Says what is missing, by errno, and has it tried again. */
static void reach_complain(struct daemon *d, const char *lacks)
{
	log_limited(&d->lim_client, loop_now(d->loop), LOG_LVL_ERR, "cannot make %s: %s; routing goes on%s", lacks,
		    strerror(errno),
		    d->has_socket ? " without it" : ", but no client is answered until it can be made");
	timer_set(d->loop, &d->reach, REACH_RETRY_MS);
}

int reach_claim(struct daemon *d)
{
	const struct settings *s = d->set;
	pid_t owner;

	d->id = (struct priv_id){ (uid_t)-1, (gid_t)-1 };
	if (s->user && priv_lookup(s->user, &d->id) < 0) {
		log_err("option -p: %s: no such user or group", s->user);
		return EXIT_USAGE;
	}
	if (s->user && !priv_may_route(d->id.uid)) {
		log_err("option -p: %s: this system lets root alone route multicast, or the user that "
			"sysctl security.mac.pimd.uid names", s->user);
		return EXIT_USAGE;
	}
	if (reach_take(d))
		return reach_listen(d) == 0 || reach_may_wait(errno) ? 0 : reach_refuse(d, s->socket);
	do {
		owner = pidfile_owner(s->pidfile);
		if (!owner && (reach_listen(d) == 0 || reach_may_wait(errno)))
			return 0;
		if (!owner && errno != EADDRINUSE)
			return reach_refuse(d, s->socket);
	} while (predecessor_wait(d));
	if (d->stopping)
		return -1;
	errno = EADDRINUSE;
	if (!owner)
		return reach_refuse(d, s->socket);
	log_err("%s: already running as pid %d%s", s->pidfile, (int)owner, reach_where_it_is(d));
	return EXIT_BUSY;
}

int reach_finish(struct daemon *d)
{
	const char *lacks = reach_make(d);

	if (lacks && !reach_may_wait(errno))
		return reach_refuse(d, lacks);
	if (lacks)
		reach_complain(d, lacks);
	return 0;
}

void reach_again(void *ctx)
{
	struct daemon *d = ctx;

	if (reach_make(d))
		timer_set(d->loop, &d->reach, REACH_RETRY_MS);
	else
		log_notice("%s and %s are there now", d->set->socket, d->set->pidfile);
}

/* Lets go of what nobody finds any more: it was removed, or the directory is hidden by what was mounted over it. */
static void reach_give_up_lost(struct daemon *d)
{
	priv_raise();
	if (server_is_lost(d->control)) {
		server_unlisten(d->control);
		d->has_socket = false;
	}
	if (pidfile_is_lost(&d->pidfile))
		pidfile_remove(&d->pidfile);
	priv_lower();
}

void reach_reload(struct daemon *d)
{
	const char *lacks;

	reach_give_up_lost(d);
	if (d->has_socket && d->pidfile.path)
		return;
	lacks = reach_make(d);
	if (lacks)
		reach_complain(d, lacks);
	else
		timer_set(d->loop, &d->reach, 0);
}
