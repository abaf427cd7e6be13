/* SPDX-License-Identifier: ISC
 *
 * All entries of the forwarding cache in one go, by an rtnetlink dump on a
 * socket of its own.  Also for whoever does not hold the routing socket: no
 * capability is asked for.
 */
#include "kernel/kernel.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/netlink.h>
#include <linux/rtnetlink.h>

#include "kernel/nlsock.h"
#include "kernel/rtnl.h"

#define RCVBUF (256 * 1024)
#define WAIT_MS 2000

struct dump {
	uint32_t pid, seq, table;
	enum fam fam;
	bool done;
	kernel_mfc_fn *fn;
	void *ctx;
};

/* One datagram; 0, or -1 with the kernel's errno. */
static int part(struct dump *d, const unsigned char *p, size_t len)
{
	struct rtnl_mfc e;
	struct rtnl_msg m;

	while (rtnl_next(&p, &len, &m)) {
		if (m.pid != d->pid || m.seq != d->seq)
			continue;
		if (m.type == NLMSG_DONE || m.type == NLMSG_ERROR) {
			d->done = true;
			errno = rtnl_error(&m);
			return errno ? -1 : 0;
		}
		if (rtnl_mfc(&m, &e) && e.table == d->table && addr_fam(&e.grp) == d->fam)
			d->fn(d->ctx, &e.src, &e.grp, &e.st, e.idle_ms);
	}
	return 0;
}

static int parts(struct dump *d, int fd)
{
	unsigned char buf[NLSOCK_DATAGRAM];
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	ssize_t len;
	int n;

	while (!d->done) {
		n = poll(&pfd, 1, WAIT_MS);
		if (!n)
			errno = ETIMEDOUT;
		if (n <= 0 && !(n < 0 && errno == EINTR))
			return -1;
		len = nlsock_recv(fd, buf);
		if (len < 0 && errno != EAGAIN)
			return -1;
		if (len > 0 && part(d, buf, (size_t)len) < 0)
			return -1;
	}
	return 0;
}

int kernel_mfc_dump(enum fam fam, uint32_t table, kernel_mfc_fn *fn, void *ctx)
{
	struct dump d = { .seq = 1, .fam = fam, .fn = fn, .ctx = ctx };
	unsigned char req[RTNL_REQUEST_MAX];
	int fd, r, err, on = 1;

	/* The default tables: ipmr_get_table() and ip6mr_get_table() without MRT_TABLE. */
	d.table = table ? table : fam == FAM_4 ? RT_TABLE_DEFAULT : RT_TABLE_MAIN;
	fd = nlsock_open(0, RCVBUF, &d.pid);
	if (fd < 0)
		return -1;
	/* Lets the kernel leave out other tables (5.0); without it we do. */
	setsockopt(fd, SOL_NETLINK, NETLINK_GET_STRICT_CHK, &on, sizeof on);
	r = nlsock_send(fd, req, rtnl_ask_mfc(req, d.seq, fam, d.table));
	if (!r)
		r = parts(&d, fd);
	err = errno;
	close(fd);
	errno = err;
	return r;
}
