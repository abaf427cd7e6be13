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

#include "kernel/linux/sock.h"

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

int alert_prepare(int fd, enum fam fam, uint8_t type)
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

int alert_source(int fd, enum fam fam, int ifindex, struct addr *source)
{
	return fam == FAM_4 ? alert_source4(fd, ifindex, source) : alert_source_local(ifindex, source);
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

void alert_read_control(struct msghdr *m, struct alert *a)
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
