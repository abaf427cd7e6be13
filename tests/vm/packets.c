/* SPDX-License-Identifier: ISC
 *
 * Multicast packets out of and into one interface, for guests that have nothing else:
 *
 *	packets send IFACE GROUP COUNT [MS [TTL [N]]]	COUNT packets, MS ms apart, numbered from N; prints COUNT
 *	packets recv IFACE GROUP COUNT SECONDS		ends when COUNT came: "ready", "first TIME N", "GOT TWICE GAP"
 *	packets link IFACE IN SECONDS			"ready", the TIME when the kernel says that IFACE runs, and the
 *							N of the next IPv4 packet that comes in at IN
 *	packets mrd IFACE 4|6 SECONDS			prints "ready", then the type of a router advertisement
 *	packets tun IFACE COUNT4 COUNT6 SECONDS		reads a tun device until so many came: "GOT4 GOT6"
 *	packets tunsend IFACE SOURCE GROUP COUNT MS	writes packets into a tun device
 *
 * A COUNT of 0 is no end; SIGTERM is one.  GAP is the longest time without a packet, TIME that since the guest's start,
 * both in ms.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define PORT 5000
#define MOST 100000
#define MRD4 0x30	/* RFC 4286, section 3.1: Multicast Router Advertisement in IGMP */
#define MRD6 151	/* and in ICMPv6 */

static volatile sig_atomic_t ended;

static void on_term(int number)
{
	(void)number;
	ended = 1;
}

static int die(const char *what)
{
	fprintf(stderr, "packets: %s: %s\n", what, strerror(errno));
	exit(2);
}

static void ready(void)
{
	puts("ready");
	fflush(stdout);
}

static int64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Whether there is something to read before that time. */
static bool wait_for(int fd, int64_t end)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	int64_t left = end - now();

	return left > 0 && poll(&p, 1, (int)left) > 0;
}

static socklen_t address(const char *text, struct sockaddr_storage *to)
{
	struct sockaddr_in *a4 = (void *)to;
	struct sockaddr_in6 *a6 = (void *)to;

	memset(to, 0, sizeof *to);
	if (inet_pton(AF_INET, text, &a4->sin_addr) == 1) {
		a4->sin_family = AF_INET;
		a4->sin_port = htons(PORT);
		return sizeof *a4;
	}
	if (inet_pton(AF_INET6, text, &a6->sin6_addr) != 1)
		die(text);
	a6->sin6_family = AF_INET6;
	a6->sin6_port = htons(PORT);
	return sizeof *a6;
}

/* Bound to the device, with the group joined there. */
static void join(int fd, const char *dev, const struct sockaddr_storage *group, socklen_t len)
{
	struct group_req g = { .gr_interface = if_nametoindex(dev) };

	if (!g.gr_interface || setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, dev, (socklen_t)strlen(dev) + 1) < 0)
		die(dev);
	memcpy(&g.gr_group, group, len);
	if (setsockopt(fd, group->ss_family == AF_INET ? IPPROTO_IP : IPPROTO_IPV6, MCAST_JOIN_GROUP, &g, sizeof g) < 0)
		die("join");
}

static int packets_send(const char *dev, const char *group, int count, int ms, int ttl, int number)
{
	struct sockaddr_storage to;
	socklen_t len = address(group, &to);
	int index = (int)if_nametoindex(dev), zero = 0, sent = 0;
	struct ip_mreqn m = { .imr_ifindex = index };
	int fd = socket(to.ss_family, SOCK_DGRAM, 0);

	if (!index || fd < 0)
		die(dev);
	if (to.ss_family == AF_INET) {
		setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &m, sizeof m);
		setsockopt(fd, IPPROTO_IP, IP_MULTICAST_TTL, &ttl, sizeof ttl);
		setsockopt(fd, IPPROTO_IP, IP_MULTICAST_LOOP, &zero, sizeof zero);
	} else {
		setsockopt(fd, IPPROTO_IPV6, IPV6_MULTICAST_IF, &index, sizeof index);
		setsockopt(fd, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, &ttl, sizeof ttl);
		setsockopt(fd, IPPROTO_IPV6, IPV6_MULTICAST_LOOP, &zero, sizeof zero);
	}
	while (!ended && (!count || sent < count)) {
		uint32_t text[8] = { htonl((uint32_t)(number + sent)) };

		if (sendto(fd, text, sizeof text, 0, (void *)&to, len) < 0)
			die("sendto");
		sent++;
		usleep((useconds_t)ms * 1000);
	}
	printf("%d\n", sent);
	return 0;
}

static int packets_recv(const char *dev, const char *group, int count, int seconds)
{
	static uint8_t seen[MOST];
	struct sockaddr_storage at;
	socklen_t len = address(group, &at);
	int one = 1, big = 4 << 20, got = 0, twice = 0;
	int64_t end = now() + (int64_t)seconds * 1000, last = 0, gap = 0;
	int fd = socket(at.ss_family, SOCK_DGRAM, 0);

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &big, sizeof big);
	join(fd, dev, &at, len);
	if (bind(fd, (void *)&at, len) < 0)
		die("bind");
	ready();
	while (!ended && now() < end && (!count || got < count)) {
		uint32_t n;

		if (!wait_for(fd, end) || recv(fd, &n, sizeof n, MSG_TRUNC) < (ssize_t)sizeof n)
			continue;
		n = ntohl(n);
		if (!last) {
			printf("first %lld %u\n", (long long)now(), (unsigned)n);
			fflush(stdout);
		}
		if (last && now() - last > gap)
			gap = now() - last;
		last = now();
		if (n < MOST && seen[n]++)
			twice++;
		else
			got++;
	}
	printf("%d %d %lld\n", got, twice, (long long)gap);
	return got >= count ? 0 : 1;
}

/* True when one of the messages says that the interface is up and running. */
static bool link_runs(const char *dev, const void *b, int len)
{
	const unsigned up = IFF_UP | IFF_RUNNING;

	for (const struct nlmsghdr *h = b; NLMSG_OK(h, (unsigned)len); h = NLMSG_NEXT(h, len)) {
		const struct ifinfomsg *i = NLMSG_DATA(h);
		char name[IF_NAMESIZE] = "";

		if (h->nlmsg_type == RTM_NEWLINK && (i->ifi_flags & up) == up &&
		    if_indextoname((unsigned)i->ifi_index, name) && !strcmp(name, dev))
			return true;
	}
	return false;
}

/* Everything that comes in at the device, a copy. */
static int capture(const char *dev)
{
	struct sockaddr_ll at = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL) };
	int fd = socket(AF_PACKET, SOCK_DGRAM, htons(ETH_P_ALL));

	at.sll_ifindex = (int)if_nametoindex(dev);
	if (fd < 0 || bind(fd, (void *)&at, sizeof at) < 0)
		die("capture");
	return fd;
}

/* The number of a multicast packet of ours over IPv4 that waits there, behind a VLAN's tag or not; -1 for another. */
static int64_t captured(int fd)
{
	unsigned char b[256], *p = b;
	struct sockaddr_ll from;
	socklen_t len = sizeof from;
	ssize_t n = recvfrom(fd, b, sizeof b, 0, (void *)&from, &len);

	if (n >= 4 && from.sll_protocol == htons(ETH_P_8021Q))
		p += 4, n -= 4;
	if (n < 32 || from.sll_pkttype == PACKET_OUTGOING || p[0] != 0x45 || p[9] != IPPROTO_UDP || p[16] >> 4 != 14 ||
	    (p[22] << 8 | p[23]) != PORT)
		return -1;
	return (int64_t)p[28] << 24 | p[29] << 16 | p[30] << 8 | p[31];
}

static int packets_link(const char *dev, const char *in, int seconds)
{
	struct sockaddr_nl at = { .nl_family = AF_NETLINK, .nl_groups = RTMGRP_LINK };
	int64_t end = now() + (int64_t)seconds * 1000, up = 0, number;
	int fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
	struct pollfd p[2] = { { .fd = fd, .events = POLLIN }, { .fd = capture(in), .events = POLLIN } };

	if (fd < 0 || bind(fd, (void *)&at, sizeof at) < 0)
		die("netlink");
	ready();
	while (!ended && now() < end && poll(p, 2, (int)(end - now())) >= 0) {
		static _Alignas(8) unsigned char b[32768];
		ssize_t n = !up && p[0].revents ? recv(fd, b, sizeof b, 0) : 0;

		if (n > 0 && link_runs(dev, b, (int)n)) {
			up = now();
			p[0].fd = -1;
		}
		if (p[1].revents && (number = captured(p[1].fd)) >= 0 && up) {
			printf("%lld %lld\n", (long long)up, (long long)number);
			return 0;
		}
	}
	printf("never\n");
	return 1;
}

static int packets_mrd(const char *dev, bool six, int seconds)
{
	struct sockaddr_storage at;
	socklen_t len = address(six ? "ff02::6a" : "224.0.0.106", &at);
	int fd = socket(at.ss_family, SOCK_RAW, six ? IPPROTO_ICMPV6 : IPPROTO_IGMP);
	int64_t end = now() + (int64_t)seconds * 1000;

	if (fd < 0)
		die("raw socket");
	join(fd, dev, &at, len);
	ready();
	while (now() < end) {
		unsigned char b[2048];
		int type;

		if (!wait_for(fd, end) || recv(fd, b, sizeof b, 0) < 8)
			continue;
		type = six ? b[0] : b[(b[0] & 15) * 4];
		if (type == (six ? MRD6 : MRD4)) {
			printf("%d\n", type);
			return 0;
		}
	}
	printf("none\n");
	return 1;
}

static int tun_open(const char *dev)
{
	struct ifreq r = { .ifr_flags = IFF_TUN | IFF_NO_PI };
	int fd = open("/dev/net/tun", O_RDWR);

	strncpy(r.ifr_name, dev, sizeof r.ifr_name - 1);
	if (fd < 0 || ioctl(fd, TUNSETIFF, &r) < 0)
		die("tun");
	return fd;
}

static int tun_read(const char *dev, int count4, int count6, int seconds)
{
	int fd = tun_open(dev), n4 = 0, n6 = 0;
	int64_t end = now() + (int64_t)seconds * 1000;

	ready();
	while (!ended && now() < end && (n4 < count4 || n6 < count6)) {
		unsigned char b[2048];

		if (!wait_for(fd, end) || read(fd, b, sizeof b) < 28)
			continue;
		/* UDP only: reports of membership are multicast, too. */
		n4 += b[0] >> 4 == 4 && b[9] == IPPROTO_UDP && b[16] >> 4 == 14;
		n6 += b[0] >> 4 == 6 && b[6] == IPPROTO_UDP && b[24] == 0xff;
	}
	printf("%d %d\n", n4, n6);
	return 0;
}

/* The sum of RFC 1071, not yet inverted. */
static uint32_t sum(const unsigned char *p, int n, uint32_t s)
{
	for (int i = 0; i < n; i += 2)
		s += (uint32_t)(p[i] << 8 | (i + 1 < n ? p[i + 1] : 0));
	while (s >> 16)
		s = (s & 0xffff) + (s >> 16);
	return s;
}

static void put16(unsigned char *p, uint32_t v)
{
	p[0] = (unsigned char)(v >> 8);
	p[1] = (unsigned char)v;
}

/* One UDP packet of four bytes, which are its number; returns its length. */
static int tun_packet(unsigned char b[60], const char *src, const char *group, uint32_t number)
{
	bool six = strchr(group, ':') != NULL;
	unsigned char *udp = b + (six ? 40 : 20);

	memset(b, 0, 60);
	if (six) {
		b[0] = 0x60, b[5] = 12, b[6] = IPPROTO_UDP, b[7] = 16;
		inet_pton(AF_INET6, src, b + 8);
		inet_pton(AF_INET6, group, b + 24);
	} else {
		b[0] = 0x45, b[3] = 32, b[8] = 16, b[9] = IPPROTO_UDP;
		inet_pton(AF_INET, src, b + 12);
		inet_pton(AF_INET, group, b + 16);
		put16(b + 10, ~sum(b, 20, 0));
	}
	put16(udp, PORT);
	put16(udp + 2, PORT);
	put16(udp + 4, 12);
	put16(udp + 8, number >> 16);
	put16(udp + 10, number);
	/* IPv6 wants it: the addresses, length, protocol and all of UDP. */
	if (six)
		put16(udp + 6, ~sum(b + 8, 32, sum(udp, 12, 12 + IPPROTO_UDP)));
	return six ? 52 : 32;
}

static int tun_send(const char *dev, const char *src, const char *group, int count, int ms)
{
	int fd = tun_open(dev);

	for (int i = 0; i < count; i++) {
		unsigned char b[60];
		int len = tun_packet(b, src, group, (uint32_t)i);

		if (write(fd, b, (size_t)len) != len)
			die("write");
		usleep((useconds_t)ms * 1000);
	}
	printf("%d\n", count);
	return 0;
}

static int number(char **argv, int argc, int i, int otherwise)
{
	return i < argc ? atoi(argv[i]) : otherwise;
}

int main(int argc, char **argv)
{
	struct sigaction term = { .sa_handler = on_term };

	sigaction(SIGTERM, &term, NULL);
	if (argc > 4 && !strcmp(argv[1], "send"))
		return packets_send(argv[2], argv[3], atoi(argv[4]), number(argv, argc, 5, 0),
				    number(argv, argc, 6, 8), number(argv, argc, 7, 0));
	if (argc > 5 && !strcmp(argv[1], "recv"))
		return packets_recv(argv[2], argv[3], atoi(argv[4]), atoi(argv[5]));
	if (argc > 4 && !strcmp(argv[1], "link"))
		return packets_link(argv[2], argv[3], atoi(argv[4]));
	if (argc > 4 && !strcmp(argv[1], "mrd"))
		return packets_mrd(argv[2], argv[3][0] == '6', atoi(argv[4]));
	if (argc > 5 && !strcmp(argv[1], "tun"))
		return tun_read(argv[2], atoi(argv[3]), atoi(argv[4]), atoi(argv[5]));
	if (argc > 6 && !strcmp(argv[1], "tunsend"))
		return tun_send(argv[2], argv[3], argv[4], atoi(argv[5]), atoi(argv[6]));
	fprintf(stderr, "packets send|recv|link|mrd|tun|tunsend ...\n");
	return 64;
}
