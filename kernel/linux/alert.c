/* SPDX-License-Identifier: ISC
 *
 * What differs between the families stands in one table.
 */
#include "kernel/alert.h"

#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "kernel/linux/sock.h"
#include "lib/fd.h"

#define ALERT_MAX 256

static const struct alert_family {
	int router_alert, ttl, loop, tell;	/* options of sock_level() */
	uint8_t alert[8];
	socklen_t alert_len;
	int info;				/* what the last one has in each message */
	size_t info_len, info_ifindex, info_source;	/* its size, and where in it */
} alert_families[FAM_N] = {
	[FAM_4] = {
		.router_alert = IP_OPTIONS, .ttl = IP_MULTICAST_TTL, .loop = IP_MULTICAST_LOOP,
		.alert = { 148, 4, 0, 0 }, .alert_len = 4,		/* RFC 2113 */
		.tell = IP_PKTINFO, .info = IP_PKTINFO, .info_len = sizeof(struct in_pktinfo),
		.info_ifindex = offsetof(struct in_pktinfo, ipi_ifindex),
		.info_source = offsetof(struct in_pktinfo, ipi_spec_dst),
	},
	[FAM_6] = {
		.router_alert = IPV6_HOPOPTS, .ttl = IPV6_MULTICAST_HOPS, .loop = IPV6_MULTICAST_LOOP,
		.alert = { 0, 0, 5, 2, 0, 0, 1, 0 }, .alert_len = 8,	/* of value 0 (RFC 2711), padded */
		.tell = IPV6_RECVPKTINFO, .info = IPV6_PKTINFO, .info_len = sizeof(struct in6_pktinfo),
		.info_ifindex = offsetof(struct in6_pktinfo, ipi6_ifindex),
		.info_source = offsetof(struct in6_pktinfo, ipi6_addr),
	},
};

static int alert_options(int fd, enum fam fam, uint8_t type)
{
	const struct alert_family *f = &alert_families[fam];
	int level = sock_level(fam);
	/* IPv4 is read with its header. */
	struct sock_filter code[] = {
		BPF_STMT(BPF_LDX | (fam == FAM_4 ? BPF_B | BPF_MSH : BPF_IMM), 0),
		BPF_STMT(BPF_LD | BPF_B | BPF_IND, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, type, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, 0xffff),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};

	/* Internetwork control: RFC 3376, section 4. */
	if (fam == FAM_4)
		sock_set(fd, level, IP_TOS, 0xc0);
	return sock_filter(fd, code, sizeof code / sizeof *code) < 0 ||
	       setsockopt(fd, level, f->router_alert, f->alert, f->alert_len) < 0 ||
	       sock_set(fd, level, f->ttl, 1) < 0 || sock_set(fd, level, f->loop, 0) < 0 ||
	       sock_set(fd, level, f->tell, 1) < 0 ||
	       (fam == FAM_6 && sock_set(fd, level, IPV6_RECVHOPLIMIT, 1) < 0) ? -1 : 0;
}

int alert_open(enum fam fam, uint8_t type)
{
	int fd = sock_open(fam, SOCK_RAW);

	return fd < 0 || alert_options(fd, fam, type) < 0 ? fd_fail(fd) : fd;
}

/* ---- out ---- */

static int alert_source4(int fd, int ifindex, struct addr *source)
{
	struct ifreq req = { .ifr_ifindex = ifindex };

	if (ioctl(fd, SIOCGIFNAME, &req) < 0 || ioctl(fd, SIOCGIFADDR, &req) < 0)
		return -1;
	*source = (struct addr){ .b = { [10] = 0xff, 0xff } };
	memcpy(source->b + 12, (char *)&req.ifr_addr + offsetof(struct sockaddr_in, sin_addr), 4);
	return 0;
}

/* The link-local address that the kernel would send from to a group of this link. */
static int alert_source6(int ifindex, struct addr *source)
{
	struct sockaddr_in6 sin6 = { .sin6_family = AF_INET6, .sin6_scope_id = (uint32_t)ifindex,
				     .sin6_addr = { { { 0xff, 2, [15] = 1 } } } };
	socklen_t len = sizeof sin6;
	int fd = sock_open(FAM_6, SOCK_DGRAM);

	if (fd < 0 || connect(fd, (struct sockaddr *)&sin6, len) < 0 ||
	    getsockname(fd, (struct sockaddr *)&sin6, &len) < 0)
		return fd_fail(fd);
	close(fd);
	if (!IN6_IS_ADDR_LINKLOCAL(&sin6.sin6_addr))
		return sock_fail(EADDRNOTAVAIL);
	memcpy(source->b, &sin6.sin6_addr, sizeof source->b);
	return 0;
}

int alert_source(int fd, enum fam fam, int ifindex, struct addr *source)
{
	return fam == FAM_4 ? alert_source4(fd, ifindex, source) : alert_source6(ifindex, source);
}

int alert_send(int fd, enum fam fam, int ifindex, const struct addr *source, const struct addr *group,
	       const void *bytes, size_t len)
{
	const struct alert_family *f = &alert_families[fam];
	_Alignas(struct cmsghdr) unsigned char control[CMSG_SPACE(sizeof(struct in6_pktinfo))] = { 0 };
	struct cmsghdr *c = (struct cmsghdr *)(void *)control;
	unsigned char *info = CMSG_DATA(c);
	size_t addr_len = fam == FAM_4 ? 4 : 16;
	struct sockaddr_storage to = { 0 };
	struct iovec iov = { (void *)(uintptr_t)bytes, len };
	struct msghdr m = { .msg_name = &to, .msg_iov = &iov, .msg_iovlen = 1,
			    .msg_control = control, .msg_controllen = CMSG_SPACE(f->info_len) };

	if (source)
		memcpy(info + f->info_source, source->b + sizeof source->b - addr_len, addr_len);
	memcpy(info + f->info_ifindex, &ifindex, sizeof ifindex);
	c->cmsg_len = CMSG_LEN(f->info_len);
	c->cmsg_level = sock_level(fam);
	c->cmsg_type = f->info;
	m.msg_namelen = sock_addr(&to, group);
	return sendmsg(fd, &m, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? -1 : 0;
}

/* ---- in ---- */

/* Notes what the kernel says beside a message: the interface, and the hop limit of IPv6. */
static void alert_read_control(struct msghdr *m, struct alert *a)
{
	const struct alert_family *f = &alert_families[a->fam];

	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		if (c->cmsg_level != sock_level(a->fam))
			continue;
		if (c->cmsg_type == f->info && c->cmsg_len >= CMSG_LEN(f->info_len))
			memcpy(&a->ifindex, CMSG_DATA(c) + f->info_ifindex, sizeof a->ifindex);
		else if (a->fam == FAM_6 && c->cmsg_type == IPV6_HOPLIMIT && c->cmsg_len >= CMSG_LEN(sizeof a->ttl))
			memcpy(&a->ttl, CMSG_DATA(c), sizeof a->ttl);
	}
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
	_Alignas(struct cmsghdr) unsigned char
		control[CMSG_SPACE(sizeof(struct in6_pktinfo)) + CMSG_SPACE(sizeof(int))];
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
