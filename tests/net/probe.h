/* SPDX-License-Identifier: ISC
 *
 * For tests of kernel/ on the real kernel: fresh network namespaces for each
 * case, the router's with a1 to a4 and one of all hosts with their peers h1 to
 * h4, and packets put onto a wire or counted on it byte by byte.  What is sent on
 * hN comes in on aN.
 */
#ifndef TESTS_NET_PROBE_H
#define TESTS_NET_PROBE_H

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netpacket/packet.h>
#include <poll.h>
#include <sched.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "kernel/kernel.h"
#include "tests/unit/test.h"

/* Runs a shell command; ends the program when it fails. */
static inline void run(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static inline void run(const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	if (system(text)) {
		printf("Bail out! %s\n", text);
		exit(1);
	}
}

static inline void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		printf("# %s: %s\n", path, strerror(errno));
	if (fd >= 0)
		close(fd);
}

/* Before main(): the right to make namespaces, from a user namespace if need be; the program
 * is skipped without. */
__attribute__((constructor)) static inline void enter(void)
{
	char map[64];
	int uid = (int)getuid();

	/* Namespaces are found there. */
	if (access("/proc/self/ns/net", R_OK) < 0) {
		printf("1..0 # SKIP no /proc here\n");
		exit(0);
	}
	if (!getenv("LAB_USERNS") && unshare(CLONE_NEWNET | CLONE_NEWNS) == 0)
		return;
	if (unshare(CLONE_NEWUSER) < 0) {
		printf("1..0 # SKIP neither root nor user namespaces: %s\n", strerror(errno));
		exit(0);
	}
	snprintf(map, sizeof map, "0 %d 1", uid);
	write_file("/proc/self/setgroups", "deny");
	write_file("/proc/self/uid_map", map);
	write_file("/proc/self/gid_map", map);
	/* Files below /proc/net are of who is root when the network is made (xt_proto_init()). */
	if (unshare(CLONE_NEWNET | CLONE_NEWNS) < 0) {
		printf("1..0 # SKIP no namespaces for networks: %s\n", strerror(errno));
		exit(0);
	}
}

/* The namespaces of the running case, which runs in the router's. */
static int ns_hosts = -1, ns_router = -1;

static inline int new_ns(void)
{
	int fd = unshare(CLONE_NEWNET) < 0 ? -1 : open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);

	if (fd < 0) {
		printf("Bail out! unshare: %s\n", strerror(errno));
		exit(1);
	}
	return fd;
}

static inline void into(int ns)
{
	if (setns(ns, CLONE_NEWNET) < 0)
		printf("# setns: %s\n", strerror(errno));
}

/* Until the kernel has noticed that a link is up: it drops packets before (net/core/link_watch.c). */
static inline void settle(char letter, int i)
{
	struct ifreq r = { 0 };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	snprintf(r.ifr_name, sizeof r.ifr_name, "%c%d", letter, i);
	for (int n = 0; n < 2000 && ioctl(fd, SIOCGIFFLAGS, &r) == 0 && !(r.ifr_flags & IFF_RUNNING); n++)
		usleep(10000);
	close(fd);
}

/* Fresh namespaces, joined by `pairs` veth pairs. */
static inline void lab(int pairs)
{
	if (ns_hosts >= 0) {
		close(ns_hosts);
		close(ns_router);
	}
	ns_hosts = new_ns();
	ns_router = new_ns();
	write_file("/proc/sys/net/ipv4/conf/all/rp_filter", "0");
	write_file("/proc/sys/net/ipv4/conf/default/rp_filter", "0");
	write_file("/proc/sys/net/ipv6/conf/default/accept_dad", "0");
	run("ip link set lo up");
	for (int i = 1; i <= pairs; i++) {
		run("ip link add a%d type veth peer name h%d netns /proc/%d/fd/%d", i, i, (int)getpid(), ns_hosts);
		run("ip addr add 10.%d.0.1/24 dev a%d; ip addr add fd00:%d::1/64 dev a%d nodad", i, i, i, i);
		run("ip link set a%d up", i);
		into(ns_hosts);
		run("ip link set h%d up", i);
		settle('h', i);
		into(ns_router);
		settle('a', i);
	}
}

/* All frames of a host's interface. */
static inline int wire(const char *ifname)
{
	struct sockaddr_ll ll = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL) };
	int fd;

	into(ns_hosts);
	fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, htons(ETH_P_ALL));
	ll.sll_ifindex = (int)if_nametoindex(ifname);
	if (fd < 0 || bind(fd, (struct sockaddr *)&ll, sizeof ll) < 0) {
		printf("Bail out! wire %s: %s\n", ifname, strerror(errno));
		exit(1);
	}
	into(ns_router);
	return fd;
}

static inline struct addr ip(const char *text)
{
	struct addr a = { .w = { 0 } };

	if (addr_parse(text, strlen(text), &a) != ADDR_OK)
		printf("# not an address: %s\n", text);
	return a;
}

/* Writes an Ethernet frame with an IP packet of a protocol; its length. */
static inline size_t frame(unsigned char *p, const struct addr *src, const struct addr *grp,
			   int protocol, int ttl, const void *data, size_t len)
{
	bool v4 = addr_fam(grp) == FAM_4;
	unsigned char *h = p + 14;
	uint32_t sum = 0;

	memset(p, 0, 14 + 40);
	memcpy(p, v4 ? "\x01\x00\x5e" : "\x33\x33\x00", 3);
	memcpy(p + 2 + v4, grp->b + 12 + v4, (size_t)4 - v4);
	if (v4)
		p[3] &= 0x7f;
	memcpy(p + 6, "\x02\x00\x00\x00\x00\x09", 6);
	memcpy(p + 12, v4 ? "\x08\x00" : "\x86\xdd", 2);
	if (!v4) {
		h[0] = 0x60;
		h[4] = (unsigned char)(len >> 8);
		h[5] = (unsigned char)len;
		h[6] = (unsigned char)protocol;
		h[7] = (unsigned char)ttl;
		memcpy(h + 8, src->b, 16);
		memcpy(h + 24, grp->b, 16);
		memcpy(h + 40, data, len);
		return 14 + 40 + len;
	}
	h[0] = 0x45;
	h[2] = (unsigned char)((20 + len) >> 8);
	h[3] = (unsigned char)(20 + len);
	h[8] = (unsigned char)ttl;
	h[9] = (unsigned char)protocol;
	memcpy(h + 12, src->b + 12, 4);
	memcpy(h + 16, grp->b + 12, 4);
	for (int i = 0; i < 20; i += 2)
		sum += (uint32_t)h[i] << 8 | h[i + 1];
	sum = (sum & 0xffff) + (sum >> 16);
	sum = ~((sum & 0xffff) + (sum >> 16));
	h[10] = (unsigned char)(sum >> 8);
	h[11] = (unsigned char)sum;
	memcpy(h + 20, data, len);
	return 14 + 20 + len;
}

/* Sends n UDP packets from src to grp. */
static inline void send_udp(int fd, const struct addr *src, const struct addr *grp, int n)
{
	unsigned char udp[8 + 20] = { 0x10, 0x00, 0x10, 0x01, 0, sizeof udp }, p[128];
	size_t len = frame(p, src, grp, 17, 8, udp, sizeof udp);

	while (n-- > 0)
		if (send(fd, p, len, 0) < 0) {
			printf("# send: %s\n", strerror(errno));
			return;
		}
}

/* Counts what came in on a wire and is UDP to grp, until there were want of them or 100 ms (want
 * 0), 2 s have passed. */
static inline int count_udp(int fd, const struct addr *grp, int want)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	unsigned char p[2048];
	bool v4 = addr_fam(grp) == FAM_4;
	int n = 0;

	while ((!want || n < want) && poll(&pfd, 1, want ? 2000 : 100) > 0) {
		struct sockaddr_ll ll;
		socklen_t size = sizeof ll;
		ssize_t len = recvfrom(fd, p, sizeof p, 0, (struct sockaddr *)&ll, &size);

		if (len < 54 || ll.sll_pkttype == PACKET_OUTGOING)
			continue;
		n += v4 ? p[12] == 8 && p[23] == 17 && !memcmp(p + 30, grp->b + 12, 4) :
			  p[12] == 0x86 && p[20] == 17 && !memcmp(p + 38, grp->b, 16);
	}
	return n;
}

/* Waits until fd is readable, at most ms. */
static inline bool readable(int fd, int ms)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };

	return poll(&pfd, 1, ms) > 0;
}

/* How many descriptors are open. */
static inline int descriptors(void)
{
	int n = 0;

	for (int fd = 0; fd < 4096; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

static inline int64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

#endif
