/* SPDX-License-Identifier: ISC
 *
 * The sockets of multicast router discovery: one raw socket a family, made while
 * the capability is still there, and one to join All-Routers for each interface
 * that listens.  Router Alert, TTL 1 and the source address are seen to here,
 * the bytes by mrdisc.c, the timing by the router.
 */
#include "kernel/kernel.h"

#include <errno.h>
#include <net/if.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/filter.h>

#include "kernel/mrdisc.h"
#include "kernel/sockaddr.h"
#include "lib/fd.h"

#define MESSAGE_MAX 256

static struct {
	int fd;
	struct { int ifindex, fd; } heard[KERNEL_VIFS];		/* ifindex 0: free */
} s[FAM_N] = { { .fd = -1 }, { .fd = -1 } };

static int set_int(int fd, int level, int option, int v)
{
	return setsockopt(fd, level, option, &v, sizeof v);
}

static int options4(int fd)
{
	static const unsigned char router_alert[] = { 148, 4, 0, 0 };	/* RFC 2113 */
	struct sock_filter code[] = {
		BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 0),
		BPF_STMT(BPF_LD | BPF_B | BPF_IND, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0x31, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, 0xffff),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	struct sock_fprog prog = { sizeof code / sizeof *code, code };

	if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &prog, sizeof prog) < 0 ||
	    setsockopt(fd, IPPROTO_IP, IP_OPTIONS, router_alert, sizeof router_alert) < 0 ||
	    set_int(fd, IPPROTO_IP, IP_MULTICAST_TTL, 1) < 0 ||
	    set_int(fd, IPPROTO_IP, IP_MULTICAST_LOOP, 0) < 0)
		return -1;
	return set_int(fd, IPPROTO_IP, IP_PKTINFO, 1);
}

static int options6(int fd)
{
	/* Router Alert of value 0 (RFC 2711) and two bytes of padding. */
	static const unsigned char router_alert[] = { 0, 0, 5, 2, 0, 0, 1, 0 };
	struct icmp6_filter filter;

	ICMP6_FILTER_SETBLOCKALL(&filter);
	ICMP6_FILTER_SETPASS(152, &filter);
	if (setsockopt(fd, IPPROTO_ICMPV6, ICMP6_FILTER, &filter, sizeof filter) < 0 ||
	    setsockopt(fd, IPPROTO_IPV6, IPV6_HOPOPTS, router_alert, sizeof router_alert) < 0 ||
	    set_int(fd, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, 1) < 0 ||
	    set_int(fd, IPPROTO_IPV6, IPV6_MULTICAST_LOOP, 0) < 0)
		return -1;
	return set_int(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
}

int kernel_mrdisc_open(enum fam fam)
{
	int fd;

	if (s[fam].fd >= 0) {
		errno = EALREADY;
		return -1;
	}
	fd = socket(fam == FAM_4 ? AF_INET : AF_INET6, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK,
		    fam == FAM_4 ? IPPROTO_IGMP : IPPROTO_ICMPV6);
	if (fd < 0)
		return -1;
	if ((fam == FAM_4 ? options4(fd) : options6(fd)) == 0) {
		s[fam].fd = fd;
		return 0;
	}
	return fd_fail(fd);
}

void kernel_mrdisc_close(enum fam fam)
{
	for (unsigned i = 0; i < KERNEL_VIFS; i++)
		if (s[fam].heard[i].ifindex)
			kernel_mrdisc_listen(fam, s[fam].heard[i].ifindex, false);
	if (s[fam].fd >= 0)
		close(s[fam].fd);
	s[fam].fd = -1;
}

int kernel_mrdisc_fd(enum fam fam)
{
	return s[fam].fd;
}

/* A socket of its own for each: as many as there are VIFs, whatever the sysctls say. */
static int join_routers(enum fam fam, int ifindex)
{
	struct group_req req = { .gr_interface = (uint32_t)ifindex };
	int fd = socket(fam == FAM_4 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	sockaddr_set(&req.gr_group, mrdisc_group(fam, MRDISC_SOLICIT));
	if (setsockopt(fd, fam == FAM_4 ? IPPROTO_IP : IPPROTO_IPV6, MCAST_JOIN_GROUP, &req,
		       sizeof req) == 0)
		return fd;
	return fd_fail(fd);
}

int kernel_mrdisc_listen(enum fam fam, int ifindex, bool on)
{
	unsigned at = KERNEL_VIFS, i;
	int fd;

	if (ifindex <= 0 || s[fam].fd < 0) {
		errno = ifindex <= 0 ? ENODEV : EBADF;
		return -1;
	}
	for (i = 0; i < KERNEL_VIFS && s[fam].heard[i].ifindex != ifindex; i++)
		if (!s[fam].heard[i].ifindex)
			at = i;
	if (on == (i < KERNEL_VIFS))
		return 0;
	if (!on) {
		close(s[fam].heard[i].fd);
		s[fam].heard[i].ifindex = 0;
		return 0;
	}
	if (at == KERNEL_VIFS) {
		errno = ENOSPC;
		return -1;
	}
	fd = join_routers(fam, ifindex);
	if (fd < 0)
		return -1;
	s[fam].heard[at].ifindex = ifindex;
	s[fam].heard[at].fd = fd;
	return 0;
}

/* The address of the interface itself: left alone, the kernel takes another one's. */
static int source4(int ifindex, struct in_addr *src)
{
	struct ifreq req = { .ifr_ifindex = ifindex };
	struct sockaddr_in sin;

	if (ioctl(s[FAM_4].fd, SIOCGIFNAME, &req) < 0 || ioctl(s[FAM_4].fd, SIOCGIFADDR, &req) < 0)
		return -1;
	memcpy(&sin, &req.ifr_addr, sizeof sin);
	*src = sin.sin_addr;
	return 0;
}

/* The link-local address that the kernel would send from to a group of this link. */
static int source6(int ifindex, struct in6_addr *src)
{
	struct sockaddr_storage ss = { 0 };
	struct sockaddr_in6 sin6;
	socklen_t len = sockaddr_set(&ss, mrdisc_group(FAM_6, MRDISC_ADVERT));
	int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0), err = EADDRNOTAVAIL;

	if (fd < 0)
		return -1;
	memcpy(&sin6, &ss, sizeof sin6);
	sin6.sin6_scope_id = (uint32_t)ifindex;
	sin6.sin6_port = htons(9);
	if (connect(fd, (struct sockaddr *)&sin6, len) < 0)
		err = errno;
	else if (getsockname(fd, (struct sockaddr *)&sin6, &len) == 0 &&
		 IN6_IS_ADDR_LINKLOCAL(&sin6.sin6_addr))
		err = 0;
	close(fd);
	*src = sin6.sin6_addr;
	errno = err;
	return err ? -1 : 0;
}

static int control_set(struct msghdr *m, enum fam fam, int ifindex)
{
	struct cmsghdr *c = CMSG_FIRSTHDR(m);

	if (fam == FAM_4) {
		struct in_pktinfo info = { .ipi_ifindex = ifindex };

		if (source4(ifindex, &info.ipi_spec_dst) < 0)
			return -1;
		*c = (struct cmsghdr){ .cmsg_len = CMSG_LEN(sizeof info), .cmsg_level = IPPROTO_IP,
				       .cmsg_type = IP_PKTINFO };
		memcpy(CMSG_DATA(c), &info, sizeof info);
		m->msg_controllen = CMSG_SPACE(sizeof info);
	} else {
		struct in6_pktinfo info = { .ipi6_ifindex = (unsigned)ifindex };

		if (source6(ifindex, &info.ipi6_addr) < 0)
			return -1;
		*c = (struct cmsghdr){ .cmsg_len = CMSG_LEN(sizeof info), .cmsg_level = IPPROTO_IPV6,
				       .cmsg_type = IPV6_PKTINFO };
		memcpy(CMSG_DATA(c), &info, sizeof info);
		m->msg_controllen = CMSG_SPACE(sizeof info);
	}
	return 0;
}

int kernel_mrdisc_send(enum fam fam, int ifindex, enum mrdisc_kind kind, uint8_t interval,
		       uint16_t query_interval, uint16_t robustness)
{
	struct mrdisc_msg msg = { kind, interval, query_interval, robustness };
	_Alignas(struct cmsghdr) unsigned char control[CMSG_SPACE(sizeof(struct in6_pktinfo))] = { 0 };
	struct sockaddr_storage to = { 0 };
	uint8_t bytes[MRDISC_MAX];
	struct iovec iov = { bytes, mrdisc_encode(fam, &msg, bytes) };
	struct msghdr m = { .msg_name = &to, .msg_iov = &iov, .msg_iovlen = 1,
			    .msg_control = control, .msg_controllen = sizeof control };

	m.msg_namelen = sockaddr_set(&to, mrdisc_group(fam, kind));
	if (control_set(&m, fam, ifindex) < 0)
		return -1;
	return sendmsg(s[fam].fd, &m, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? -1 : 0;
}

/* The interface a message came in on, 0 when the kernel does not say. */
static int control_get(struct msghdr *m)
{
	struct in6_pktinfo info6;
	struct in_pktinfo info;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
			memcpy(&info, CMSG_DATA(c), sizeof info);
			return info.ipi_ifindex;
		}
		if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
			memcpy(&info6, CMSG_DATA(c), sizeof info6);
			return (int)info6.ipi6_ifindex;
		}
	}
	return 0;
}

/* An IPv4 raw socket sees the IP header too; its length, or more than len. */
static size_t header_len(enum fam fam, const unsigned char *p, size_t len)
{
	if (fam == FAM_6)
		return 0;
	return len < 20 ? len + 1 : (size_t)(p[0] & 15) * 4;
}

int kernel_mrdisc_drain(enum fam fam, int max, kernel_mrdisc_fn *fn, void *ctx)
{
	_Alignas(struct cmsghdr) unsigned char control[256];
	unsigned char bytes[MESSAGE_MAX];
	struct mrdisc_msg msg;
	int n;

	for (n = 0; n < max; n++) {
		struct iovec iov = { bytes, sizeof bytes };
		struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control,
				    .msg_controllen = sizeof control };
		ssize_t len = recvmsg(s[fam].fd, &m, MSG_DONTWAIT);
		int ifindex = len < 0 ? 0 : control_get(&m);
		size_t at;

		if (len < 0)
			return errno == EAGAIN || errno == EINTR || n ? n : -1;
		at = header_len(fam, bytes, (size_t)len);
		if (at <= (size_t)len && ifindex > 0 &&
		    mrdisc_decode(fam, bytes + at, (size_t)len - at, &msg) && msg.kind == MRDISC_SOLICIT)
			fn(ctx, fam, ifindex);
	}
	return n;
}
