/* SPDX-License-Identifier: ISC
 *
 * How the two routing sockets are opened, handed over and closed: alike on every system.
 */
#include "kernel/mroute.h"

#include <errno.h>
#include <fcntl.h>

#include "kernel/held.h"
#include "kernel/sock.h"
#include "lib/fd.h"

static struct mroute_socket {
	int fd;			/* -1 while the family is closed */
	bool is_ours;		/* otherwise somebody else has the table */
} mroute_sockets[FAM_N] = { { .fd = -1 }, { .fd = -1 } };

int mroute_set(enum fam fam, int option, const void *p, int len)
{
	return setsockopt(mroute_sockets[fam].fd, sock_level(fam), option, p, (socklen_t)len);
}

int mroute_set_int(enum fam fam, int option, int v)
{
	return mroute_set(fam, option, &v, sizeof v);
}

/* Opens a new one, of which the table is not ours yet: 0, or -1 with errno. */
static int mroute_open_new(enum fam fam, uint32_t table)
{
	struct mroute_socket *s = &mroute_sockets[fam];

	s->fd = sock_open(fam, SOCK_RAW);
	if (s->fd < 0)
		return -1;
	if (mroute_prepare(s->fd, fam, table) == 0)
		return 0;
	s->fd = fd_fail(s->fd);
	return -1;
}

/* Begins with one that was handed over: 1, or -1 with errno. */
static int mroute_open_handed(enum fam fam, uint32_t table)
{
	struct mroute_socket *s = &mroute_sockets[fam];

	s->is_ours = mroute_begin_handed(s->fd, fam, table) == 0;
	if (s->is_ours)
		return 1;
	s->fd = held_close(s->fd);
	return -1;
}

int kernel_mroute_open(enum fam fam, uint32_t table)
{
	struct mroute_socket *s = &mroute_sockets[fam];

	if (table && !kernel_has_tables())
		return sock_fail(EOPNOTSUPP);
	if (s->is_ours)
		return sock_fail(EADDRINUSE);
	if (s->fd < 0 && (s->fd = held_take("mroute", fam, table)) >= 0)
		return mroute_open_handed(fam, table);
	if (s->fd < 0 && mroute_open_new(fam, table) < 0)
		return -1;
	if (mroute_take(fam) == 0) {
		s->fd = mroute_begin(fam) == 0 ? held_add("mroute", fam, table, s->fd) : fd_fail(s->fd);
		s->is_ours = s->fd >= 0;
		return s->is_ours ? 0 : -1;
	}
	if (errno != EADDRINUSE)
		s->fd = fd_fail(s->fd);
	return -1;
}

static void mroute_close(enum fam fam)
{
	held_close(mroute_sockets[fam].fd);
	mroute_sockets[fam] = (struct mroute_socket){ .fd = -1 };
	mroute_forget(fam);
}

void kernel_mroute_close(enum fam fam)
{
	if (mroute_sockets[fam].is_ours)
		mroute_give(fam);	/* even if another process has the descriptor */
	mroute_close(fam);
}

int kernel_mroute_reset(enum fam fam)
{
	struct mroute_socket *s = &mroute_sockets[fam];
	int fd;

	mroute_give(fam);
	if (mroute_take(fam) == 0 && mroute_begin(fam) == 0)
		return 0;
	mroute_give(fam);
	/* kernel_mroute_open() goes on with it: a new socket would take a capability. */
	fd = fcntl(s->fd, F_DUPFD_CLOEXEC, 0);
	held_close(s->fd);
	*s = (struct mroute_socket){ .fd = fd };
	return -1;
}

int kernel_mroute_fd(enum fam fam)
{
	return mroute_sockets[fam].is_ours ? mroute_sockets[fam].fd : -1;
}

void kernel_release(void)
{
	kernel_fds_follow(NULL, NULL);
	kernel_join_close();
	for (enum fam fam = 0; fam < FAM_N; fam++) {
		kernel_mrdisc_close(fam);
		kernel_report_close(fam);
		mroute_close(fam);
	}
	kernel_join_settled();
}
