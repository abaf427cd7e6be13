/* SPDX-License-Identifier: ISC
 *
 * Questions by netlink: send, wait, take the answer apart to its end.  What the
 * messages mean is the caller's.
 */
#include "kernel/linux/nlask.h"

#include <errno.h>
#include <unistd.h>

#include <linux/netlink.h>

#include "kernel/linux/nlsock.h"
#include "lib/fd.h"

#define RCVBUF (256 * 1024)
#define WAIT_MS 2000
#define SEQ 1

struct answer {
	uint32_t pid;
	bool done;
	nlask_fn *fn;
	void *ctx;
};

/* One datagram; 0, or -1 with an errno of the kernel's or of fn. */
static int part(struct answer *a, const unsigned char *p, size_t len)
{
	struct rtnl_msg m;

	while (rtnl_next(&p, &len, &m)) {
		if (m.h.nlmsg_pid != a->pid || m.h.nlmsg_seq != SEQ)
			continue;
		if (m.h.nlmsg_type == NLMSG_DONE || m.h.nlmsg_type == NLMSG_ERROR) {
			a->done = true;
			errno = rtnl_error(&m);
			return errno ? -1 : 0;
		}
		if (a->fn(a->ctx, &m) < 0)
			return -1;
	}
	return 0;
}

static int parts(struct answer *a, int fd)
{
	unsigned char buf[NLSOCK_DATAGRAM];
	ssize_t len;

	while (!a->done) {
		if (!nlsock_wait(fd, WAIT_MS)) {
			errno = ETIMEDOUT;
			return -1;
		}
		len = nlsock_recv(fd, buf);
		if (len < 0 && errno != EAGAIN)
			return -1;
		if (len > 0 && part(a, buf, (size_t)len) < 0)
			return -1;
	}
	return 0;
}

int nlask(int protocol, struct rtnl_req *req, nlask_fn *fn, void *ctx)
{
	struct answer a = { .fn = fn, .ctx = ctx };
	int fd = nlsock_open(protocol, 0, RCVBUF, &a.pid);

	if (fd < 0)
		return -1;
	req->h.nlmsg_seq = SEQ;
	if (nlsock_send(fd, req, req->h.nlmsg_len) < 0 || parts(&a, fd) < 0)
		return fd_fail(fd);
	close(fd);
	return 0;
}

int nlask_dump(int protocol, unsigned type, unsigned family, size_t size, nlask_fn *fn, void *ctx)
{
	struct rtnl_req req;

	rtnl_ask(&req, type, NLM_F_DUMP, family, size);
	return nlask(protocol, &req, fn, ctx);
}
