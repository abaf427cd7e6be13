/* SPDX-License-Identifier: ISC
 *
 * The sockets of multicast router discovery: one raw socket a family, made while the capability is still there, and one
 * to join All-Routers for each interface that listens.  Router Alert, TTL 1 and the source address are seen to here,
 * the bytes by mrdisc.c of kernel/, the timing by the router.
 */
#include "kernel/kernel.h"

#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "kernel/mrdisc.h"
#include "kernel/linux/sock.h"
#include "lib/fd.h"

#define MESSAGE_MAX 256

struct heard {
	int ifindex, fd;	/* ifindex 0: free */
};

static int mrdisc_fds[FAM_N] = { -1, -1 };
static struct heard mrdisc_heard[FAM_N][KERNEL_VIFS];

static const struct mrdisc_family {
	int router_alert, ttl, loop, tell;	/* options of sock_level() */
	uint8_t alert[8];
	socklen_t alert_len;
	int info;				/* what the last one has in each message */
	size_t info_len, info_ifindex, info_source;	/* its size, and where in it */
	unsigned solicit;			/* the type (RFC 4286, sections 4 and 5) */
} mrdisc_families[FAM_N] = {
	[FAM_4] = {
		.router_alert = IP_OPTIONS, .ttl = IP_MULTICAST_TTL, .loop = IP_MULTICAST_LOOP,
		.alert = { 148, 4, 0, 0 }, .alert_len = 4,		/* RFC 2113 */
		.tell = IP_PKTINFO, .info = IP_PKTINFO, .info_len = sizeof(struct in_pktinfo),
		.info_ifindex = offsetof(struct in_pktinfo, ipi_ifindex),
		.info_source = offsetof(struct in_pktinfo, ipi_spec_dst), .solicit = 0x31,
	},
	[FAM_6] = {
		.router_alert = IPV6_HOPOPTS, .ttl = IPV6_MULTICAST_HOPS, .loop = IPV6_MULTICAST_LOOP,
		.alert = { 0, 0, 5, 2, 0, 0, 1, 0 }, .alert_len = 8,	/* of value 0 (RFC 2711), padded */
		.tell = IPV6_RECVPKTINFO, .info = IPV6_PKTINFO, .info_len = sizeof(struct in6_pktinfo),
		.info_ifindex = offsetof(struct in6_pktinfo, ipi6_ifindex),
		.info_source = offsetof(struct in6_pktinfo, ipi6_addr), .solicit = 152,
	},
};

static int mrdisc_options(enum fam fam, int fd)
{
	const struct mrdisc_family *f = &mrdisc_families[fam];
	int level = sock_level(fam);
	/* IPv4 is read with its header. */
	struct sock_filter code[] = {
		BPF_STMT(BPF_LDX | (fam == FAM_4 ? BPF_B | BPF_MSH : BPF_IMM), 0),
		BPF_STMT(BPF_LD | BPF_B | BPF_IND, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, f->solicit, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, 0xffff),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};

	return sock_filter(fd, code, sizeof code / sizeof *code) < 0 ||
	       setsockopt(fd, level, f->router_alert, f->alert, f->alert_len) < 0 ||
	       sock_set(fd, level, f->ttl, 1) < 0 || sock_set(fd, level, f->loop, 0) < 0 ||
	       sock_set(fd, level, f->tell, 1) < 0 ? -1 : 0;
}

int kernel_mrdisc_open(enum fam fam)
{
	int fd;

	if (mrdisc_fds[fam] >= 0)
		return sock_fail(EALREADY);
	fd = sock_open(fam, SOCK_RAW);
	if (fd < 0 || mrdisc_options(fam, fd) < 0)
		return fd_fail(fd);
	mrdisc_fds[fam] = fd;
	return 0;
}

void kernel_mrdisc_close(enum fam fam)
{
	for (unsigned i = 0; i < KERNEL_VIFS; i++)
		kernel_mrdisc_listen(fam, mrdisc_heard[fam][i].ifindex, false);
	if (mrdisc_fds[fam] >= 0)
		close(mrdisc_fds[fam]);
	mrdisc_fds[fam] = -1;
}

int kernel_mrdisc_fd(enum fam fam)
{
	return mrdisc_fds[fam];
}

/* A socket of its own for each: as many as there are VIFs, whatever the sysctls say. */
static int mrdisc_join_routers(enum fam fam, int ifindex)
{
	struct group_req req = { .gr_interface = (uint32_t)ifindex };
	int fd = sock_open(fam, SOCK_DGRAM);

	sock_addr(&req.gr_group, mrdisc_group(fam, MRDISC_SOLICIT));
	if (fd < 0 || setsockopt(fd, sock_level(fam), MCAST_JOIN_GROUP, &req, sizeof req) < 0)
		return fd_fail(fd);
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
	int fd;

	if (ifindex <= 0 || mrdisc_fds[fam] < 0)
		return sock_fail(ifindex <= 0 ? ENODEV : EBADF);
	if (h && !on) {
		close(h->fd);
		h->ifindex = 0;
	}
	if (h || !on)
		return 0;
	fd = room ? mrdisc_join_routers(fam, ifindex) : sock_fail(ENOSPC);
	if (fd < 0)
		return -1;
	*room = (struct heard){ ifindex, fd };
	return 0;
}

/* The address of the interface itself: left alone, the kernel takes another one's. */
static int mrdisc_source4(int ifindex, void *src)
{
	struct ifreq req = { .ifr_ifindex = ifindex };

	if (ioctl(mrdisc_fds[FAM_4], SIOCGIFNAME, &req) < 0 || ioctl(mrdisc_fds[FAM_4], SIOCGIFADDR, &req) < 0)
		return -1;
	memcpy(src, (char *)&req.ifr_addr + offsetof(struct sockaddr_in, sin_addr), sizeof(struct in_addr));
	return 0;
}

/* The link-local address that the kernel would send from to a group of this link. */
static int mrdisc_source6(int ifindex, void *src)
{
	struct sockaddr_in6 sin6 = { .sin6_family = AF_INET6, .sin6_scope_id = (uint32_t)ifindex };
	socklen_t len = sizeof sin6;
	int fd = sock_open(FAM_6, SOCK_DGRAM);

	memcpy(&sin6.sin6_addr, mrdisc_group(FAM_6, MRDISC_ADVERT)->b, sizeof sin6.sin6_addr);
	if (fd < 0 || connect(fd, (struct sockaddr *)&sin6, len) < 0 ||
	    getsockname(fd, (struct sockaddr *)&sin6, &len) < 0)
		return fd_fail(fd);
	close(fd);
	if (!IN6_IS_ADDR_LINKLOCAL(&sin6.sin6_addr))
		return sock_fail(EADDRNOTAVAIL);
	memcpy(src, &sin6.sin6_addr, sizeof sin6.sin6_addr);
	return 0;
}

int kernel_mrdisc_send(enum fam fam, int ifindex, enum mrdisc_kind kind, uint8_t interval, uint16_t query_interval,
		       uint16_t robustness)
{
	const struct mrdisc_family *f = &mrdisc_families[fam];
	struct mrdisc_msg msg = { kind, interval, query_interval, robustness };
	_Alignas(struct cmsghdr) unsigned char control[CMSG_SPACE(sizeof(struct in6_pktinfo))] = { 0 };
	struct cmsghdr *c = (struct cmsghdr *)(void *)control;
	unsigned char *info = CMSG_DATA(c);
	struct sockaddr_storage to = { 0 };
	uint8_t bytes[MRDISC_MAX];
	struct iovec iov = { bytes, mrdisc_encode(fam, &msg, bytes) };
	struct msghdr m = { .msg_name = &to, .msg_iov = &iov, .msg_iovlen = 1,
			    .msg_control = control, .msg_controllen = CMSG_SPACE(f->info_len) };

	if ((fam == FAM_4 ? mrdisc_source4 : mrdisc_source6)(ifindex, info + f->info_source) < 0)
		return -1;
	memcpy(info + f->info_ifindex, &ifindex, sizeof ifindex);
	c->cmsg_len = CMSG_LEN(f->info_len);
	c->cmsg_level = sock_level(fam);
	c->cmsg_type = f->info;
	m.msg_namelen = sock_addr(&to, mrdisc_group(fam, kind));
	return sendmsg(mrdisc_fds[fam], &m, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? -1 : 0;
}

/* The interface a message came in on, 0 when the kernel does not say. */
static int mrdisc_ifindex(enum fam fam, struct msghdr *m)
{
	const struct mrdisc_family *f = &mrdisc_families[fam];
	struct cmsghdr *c = CMSG_FIRSTHDR(m);
	int ifindex = 0;

	if (c && c->cmsg_level == sock_level(fam) && c->cmsg_type == f->info && c->cmsg_len >= CMSG_LEN(f->info_len))
		memcpy(&ifindex, CMSG_DATA(c) + f->info_ifindex, sizeof ifindex);
	return ifindex;
}

int kernel_mrdisc_drain(enum fam fam, int max, kernel_mrdisc_fn *fn, void *ctx)
{
	_Alignas(struct cmsghdr) unsigned char control[CMSG_SPACE(sizeof(struct in6_pktinfo))];
	unsigned char bytes[MESSAGE_MAX];
	int n, ifindex;

	for (n = 0; n < max; n++) {
		struct iovec iov = { bytes, sizeof bytes };
		struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control,
				    .msg_controllen = sizeof control };
		ssize_t len = recvmsg(mrdisc_fds[fam], &m, MSG_DONTWAIT);
		ssize_t at;

		if (len < 0)
			return errno == EAGAIN || errno == EINTR || n ? n : -1;
		ifindex = mrdisc_ifindex(fam, &m);
		/* An IPv4 raw socket sees the IP header too. */
		at = fam == FAM_6 ? 0 : len < 20 ? len : (bytes[0] & 15) * 4;
		if (at <= len && ifindex > 0 && mrdisc_is_solicit(fam, bytes + at, (size_t)(len - at)))
			fn(ctx, fam, ifindex);
	}
	return n;
}
