/* SPDX-License-Identifier: ISC */
#include "kernel/linux/probe_ask.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/netlink.h>

#include "kernel/linux/sock.h"
#include "lib/fd.h"

#define RCVBUF (256 * 1024)
#define WAIT_MS 2000
#define SEQ 1

/* Takes in one datagram: 1 when it ends the answer, 0 when more is to come, -1 with an errno of the kernel or of fn. */
static int probe_ask_take(uint32_t pid, const unsigned char *p, size_t len, probe_ask_fn *fn, void *ctx)
{
	struct rtnl_msg m;

	while (rtnl_next(&p, &len, &m)) {
		if (m.h.nlmsg_pid != pid || m.h.nlmsg_seq != SEQ)
			continue;
		if (m.h.nlmsg_type == NLMSG_DONE || m.h.nlmsg_type == NLMSG_ERROR) {
			errno = rtnl_error(&m);
			return errno ? -1 : 1;
		}
		if (fn(ctx, &m) < 0)
			return -1;
	}
	return 0;
}

int probe_ask(int protocol, struct rtnl_req *req, probe_ask_fn *fn, void *ctx)
{
	unsigned char buf[SOCK_NETLINK_MAX];
	uint32_t pid;
	int fd = sock_netlink(protocol, 0, RCVBUF, &pid), state = 0;

	req->h.nlmsg_seq = SEQ;
	if (fd < 0 || send(fd, req, req->h.nlmsg_len, 0) < 0)
		return fd_fail(fd);
	while (!state) {
		ssize_t len = -1;

		errno = ETIMEDOUT;
		if (sock_wait(fd, WAIT_MS))
			len = sock_netlink_recv(fd, buf);
		if (len >= 0)
			state = probe_ask_take(pid, buf, (size_t)len, fn, ctx);
		else if (errno != EAGAIN)
			state = -1;
	}
	if (state < 0)
		return fd_fail(fd);
	close(fd);
	return 0;
}

int probe_ask_dump(int protocol, unsigned type, unsigned family, size_t size, probe_ask_fn *fn, void *ctx)
{
	struct rtnl_req req;

	rtnl_ask(&req, type, NLM_F_DUMP, family, size);
	return probe_ask(protocol, &req, fn, ctx);
}
