/* SPDX-License-Identifier: ISC
 *
 * IPv4 raw sockets ignore what is put beside a message (sys/netinet/raw_ip.c, rip_send): the interface is chosen by
 * IP_MULTICAST_IF before each, and the kernel takes its address for the source.  There is no filter but ICMPv6's.
 */
#include "kernel/alert.h"

#include <errno.h>
#include <net/if.h>
#include <net/if_dl.h>
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>

#include <netinet/icmp6.h>

#include "kernel/freebsd/links.h"
#include "kernel/sock.h"

static const uint8_t alert_option4[] = { 148, 4, 0, 0 };		/* RFC 2113 */
static const uint8_t alert_option6[] = { 0, 0, 5, 2, 0, 0, 1, 0 };	/* of value 0 (RFC 2711), padded */

int alert_prepare(int fd, enum fam fam, uint8_t type)
{
	struct icmp6_filter only;
	int level = sock_level(fam);

	/* Internetwork control: RFC 3376, section 4. */
	if (fam == FAM_4)
		return sock_set(fd, level, IP_TOS, 0xc0) < 0 ||
		       setsockopt(fd, level, IP_OPTIONS, alert_option4, sizeof alert_option4) < 0 ||
		       sock_set(fd, level, IP_MULTICAST_TTL, 1) < 0 || sock_set(fd, level, IP_MULTICAST_LOOP, 0) < 0 ||
		       sock_set(fd, level, IP_RECVIF, 1) < 0 ? -1 : 0;
	ICMP6_FILTER_SETBLOCKALL(&only);
	ICMP6_FILTER_SETPASS(type, &only);
	return setsockopt(fd, IPPROTO_ICMPV6, ICMP6_FILTER, &only, sizeof only) < 0 ||
	       setsockopt(fd, level, IPV6_HOPOPTS, alert_option6, sizeof alert_option6) < 0 ||
	       sock_set(fd, level, IPV6_MULTICAST_HOPS, 1) < 0 || sock_set(fd, level, IPV6_MULTICAST_LOOP, 0) < 0 ||
	       sock_set(fd, level, IPV6_RECVPKTINFO, 1) < 0 || sock_set(fd, level, IPV6_RECVHOPLIMIT, 1) < 0 ? -1 : 0;
}

/* ---- out ---- */

int alert_source(int fd, enum fam fam, int ifindex, struct addr *source)
{
	(void)fd;
	if (fam == FAM_6)
		return alert_source_local(ifindex, source);
	return links_address(ifindex, source) ? 0 : sock_fail(EADDRNOTAVAIL);
}

int alert_send(int fd, enum fam fam, int ifindex, const struct addr *source, const struct addr *group,
	       const void *bytes, size_t len)
{
	_Alignas(struct cmsghdr) unsigned char control[CMSG_SPACE(sizeof(struct in6_pktinfo))] = { 0 };
	struct cmsghdr *c = (struct cmsghdr *)(void *)control;
	struct ip_mreqn out = { .imr_ifindex = ifindex };
	struct in6_pktinfo info = { .ipi6_ifindex = (unsigned)ifindex };
	struct sockaddr_storage to = { 0 };
	struct iovec iov = { (void *)(uintptr_t)bytes, len };
	struct msghdr m = { .msg_name = &to, .msg_iov = &iov, .msg_iovlen = 1 };

	m.msg_namelen = sock_addr(&to, group);
	if (fam == FAM_4) {
		if (setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &out, sizeof out) < 0)
			return -1;
	} else {
		if (source)
			memcpy(&info.ipi6_addr, source->b, sizeof info.ipi6_addr);
		c->cmsg_len = CMSG_LEN(sizeof info);
		c->cmsg_level = IPPROTO_IPV6;
		c->cmsg_type = IPV6_PKTINFO;
		memcpy(CMSG_DATA(c), &info, sizeof info);
		m.msg_control = control;
		m.msg_controllen = sizeof control;
	}
	return sendmsg(fd, &m, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? -1 : 0;
}

/* ---- in ---- */

void alert_read_control(struct msghdr *m, struct alert *a)
{
	struct in6_pktinfo info;
	struct sockaddr_dl dl;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		if (c->cmsg_level != sock_level(a->fam))
			continue;
		if (a->fam == FAM_4 && c->cmsg_type == IP_RECVIF &&
		    c->cmsg_len >= CMSG_LEN(offsetof(struct sockaddr_dl, sdl_data))) {
			memcpy(&dl, CMSG_DATA(c), offsetof(struct sockaddr_dl, sdl_data));
			a->ifindex = dl.sdl_index;
		} else if (a->fam == FAM_6 && c->cmsg_type == IPV6_PKTINFO && c->cmsg_len >= CMSG_LEN(sizeof info)) {
			memcpy(&info, CMSG_DATA(c), sizeof info);
			a->ifindex = (int)info.ipi6_ifindex;
		} else if (a->fam == FAM_6 && c->cmsg_type == IPV6_HOPLIMIT && c->cmsg_len >= CMSG_LEN(sizeof a->ttl)) {
			memcpy(&a->ttl, CMSG_DATA(c), sizeof a->ttl);
		}
	}
}
