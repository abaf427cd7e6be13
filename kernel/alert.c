/* SPDX-License-Identifier: ISC
 *
 * What is alike on every system: how a message is received, and which address of a link is ours.
 */
#include "kernel/alert.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "kernel/sock.h"
#include "lib/fd.h"

#define ALERT_MAX 256	/* bytes of a message, and of what comes beside it */

int alert_open(enum fam fam, uint8_t type)
{
	int fd = sock_open(fam, SOCK_RAW);

	return fd < 0 || alert_prepare(fd, fam, type) < 0 ? fd_fail(fd) : fd;
}

int alert_source_local(int ifindex, struct addr *source)
{
	static const struct addr all_nodes = { .b = { 0xff, 2, [15] = 1 } };
	struct sockaddr_storage ss = { 0 };
	socklen_t len = sock_addr(&ss, &all_nodes);
	int fd = sock_open(FAM_6, SOCK_DGRAM);
	struct sockaddr_in6 sin6;

	memcpy(&sin6, &ss, sizeof sin6);
	sin6.sin6_scope_id = (uint32_t)ifindex;
	sin6.sin6_port = 1;		/* FreeBSD connects to none without (sys/netinet6/in6_pcb.c, in6_pcbladdr) */
	if (fd < 0 || connect(fd, (struct sockaddr *)&sin6, len) < 0 ||
	    getsockname(fd, (struct sockaddr *)&sin6, &len) < 0)
		return fd_fail(fd);
	close(fd);
	if (!IN6_IS_ADDR_LINKLOCAL(&sin6.sin6_addr))
		return sock_fail(EADDRNOTAVAIL);
	memcpy(source->b, &sin6.sin6_addr, sizeof source->b);
	return 0;
}

/* Takes the IP header off, which an IPv4 raw socket sees too.  False when that is not whole. */
static bool alert_read(struct msghdr *m, size_t len, struct alert *a)
{
	const uint8_t *bytes = m->msg_iov->iov_base;
	const struct sockaddr_in6 *from = m->msg_name;
	size_t head = 0;

	alert_read_control(m, a);
	if (a->fam == FAM_4) {
		head = len ? (bytes[0] & 15u) * 4u : 0;
		if (head < 20 || head > len)
			return false;
		a->ttl = bytes[8];
		a->source = (struct addr){ .b = { [10] = 0xff, 0xff } };
		memcpy(a->source.b + 12, bytes + 12, 4);
	} else {
		memcpy(a->source.b, &from->sin6_addr, sizeof a->source.b);
	}
	a->bytes = bytes + head;
	a->len = len - head;
	return a->ifindex > 0;
}

int alert_drain(int fd, enum fam fam, int max, alert_fn *fn, void *ctx)
{
	_Alignas(struct cmsghdr) unsigned char control[ALERT_MAX];
	uint8_t bytes[ALERT_MAX];
	struct sockaddr_in6 from;
	int n;

	for (n = 0; n < max; n++) {
		struct iovec iov = { bytes, sizeof bytes };
		struct msghdr m = { .msg_name = &from, .msg_namelen = sizeof from, .msg_iov = &iov, .msg_iovlen = 1,
				    .msg_control = control, .msg_controllen = sizeof control };
		struct alert a = { .fam = fam };
		ssize_t len = recvmsg(fd, &m, MSG_DONTWAIT);

		if (len < 0)
			return errno == EAGAIN || errno == EINTR || n ? n : -1;
		if (alert_read(&m, (size_t)len, &a))
			fn(ctx, &a);
	}
	return n;
}
