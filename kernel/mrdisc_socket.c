/* SPDX-License-Identifier: ISC
 *
 * The sockets of multicast router discovery: one raw socket a family, made while the capability is still there, and one
 * to join All-Routers for each interface that listens.  The bytes are made by mrdisc.c of kernel/, the timing by the
 * router.
 */
#include "kernel/kernel.h"

#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "kernel/alert.h"
#include "kernel/held.h"
#include "kernel/mrdisc.h"
#include "kernel/sock.h"

struct heard {
	int ifindex, fd;	/* ifindex 0: free */
};

static int mrdisc_fds[FAM_N] = { -1, -1 };
static struct heard mrdisc_heard[FAM_N][KERNEL_VIFS];

int kernel_mrdisc_open(enum fam fam)
{
	if (mrdisc_fds[fam] >= 0)
		return sock_fail(EALREADY);
	mrdisc_fds[fam] = held_take("mrdisc", fam, 0);
	if (mrdisc_fds[fam] < 0)
		mrdisc_fds[fam] = held_add("mrdisc", fam, 0, alert_open(fam, mrdisc_type(fam, MRDISC_SOLICIT)));
	return mrdisc_fds[fam] < 0 ? -1 : 0;
}

void kernel_mrdisc_close(enum fam fam)
{
	for (unsigned i = 0; i < KERNEL_VIFS; i++)
		kernel_mrdisc_listen(fam, mrdisc_heard[fam][i].ifindex, false);
	mrdisc_fds[fam] = held_close(mrdisc_fds[fam]);
}

int kernel_mrdisc_fd(enum fam fam)
{
	return mrdisc_fds[fam];
}

/* A socket of its own for each: as many as there are VIFs, whatever the sysctls say.  fd: one that was handed over and
 * is a member already, or -1. */
static int mrdisc_join_routers(enum fam fam, int ifindex, int fd)
{
	struct group_req req = { .gr_interface = (uint32_t)ifindex };

	if (fd < 0)
		fd = held_add("advert", fam, (uint32_t)ifindex, sock_open(fam, SOCK_DGRAM));
	sock_addr(&req.gr_group, mrdisc_group(fam, MRDISC_SOLICIT));
	if (fd < 0 || (setsockopt(fd, sock_level(fam), MCAST_JOIN_GROUP, &req, sizeof req) < 0 && errno != EADDRINUSE))
		return held_close(fd);
	return fd;
}

static struct heard *mrdisc_heard_find(enum fam fam, int ifindex)
{
	for (unsigned i = 0; i < KERNEL_VIFS; i++)
		if (mrdisc_heard[fam][i].ifindex == ifindex)
			return &mrdisc_heard[fam][i];
	return NULL;
}

int kernel_mrdisc_listen(enum fam fam, int ifindex, bool on)
{
	struct heard *h = mrdisc_heard_find(fam, ifindex), *room = mrdisc_heard_find(fam, 0);
	int handed, fd;

	if (ifindex <= 0 || mrdisc_fds[fam] < 0)
		return sock_fail(ifindex <= 0 ? ENODEV : EBADF);
	if (h && !on) {
		held_close(h->fd);
		h->ifindex = 0;
	}
	if (h)
		return 0;
	handed = held_take("advert", fam, (uint32_t)ifindex);
	if (!on) {
		held_close(handed);
		return handed >= 0;
	}
	fd = room ? mrdisc_join_routers(fam, ifindex, handed) : sock_fail(ENOSPC);
	if (fd < 0)
		return -1;
	*room = (struct heard){ ifindex, fd };
	return handed >= 0;
}

int kernel_mrdisc_send(enum fam fam, int ifindex, enum mrdisc_kind kind, uint8_t interval, uint16_t query_interval,
		       uint16_t robustness)
{
	struct mrdisc_msg msg = { kind, interval, query_interval, robustness };
	uint8_t bytes[MRDISC_MAX];
	size_t len = mrdisc_encode(fam, &msg, bytes);
	struct addr source;

	if (alert_source(mrdisc_fds[fam], fam, ifindex, &source) < 0)
		return -1;
	return alert_send(mrdisc_fds[fam], fam, ifindex, &source, mrdisc_group(fam, kind), bytes, len);
}

struct mrdisc_hearer {
	kernel_mrdisc_fn *fn;
	void *ctx;
};

static void mrdisc_hear(void *ctx, const struct alert *a)
{
	const struct mrdisc_hearer *h = ctx;

	/* What comes from farther away than this link was not meant for it (RFC 4286, section 5.1). */
	if (a->ttl == 1 && mrdisc_is_solicit(a->fam, a->bytes, a->len))
		h->fn(h->ctx, a->fam, a->ifindex);
}

int kernel_mrdisc_drain(enum fam fam, int max, kernel_mrdisc_fn *fn, void *ctx)
{
	struct mrdisc_hearer h = { fn, ctx };

	return alert_drain(mrdisc_fds[fam], fam, max, mrdisc_hear, &h);
}
