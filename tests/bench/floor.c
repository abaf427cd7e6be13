/* SPDX-License-Identifier: ISC
 *
 * The floor of the benchmarks: the system calls that any router has to make, in a
 * bare loop, and nothing else.
 *
 *	floor 4|6 N IIF OIF	seconds of N times MRT_ADD_MFC, and of N questions for counters
 *	floor 4|6 0 IIF OIF	reads reports of new sources and adds their entries, for ever
 *
 * The time that it waited for a processor which others had is left out.  Sources
 * count up from 10.1.0.1 or fd00:1::1, as in programs.py.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>

#include <linux/mroute.h>
#include <linux/mroute6.h>

/* Seconds, without those that we waited for a processor (second figure of schedstat). */
static double now(void)
{
	unsigned long long ran, wait = 0;
	FILE *f = fopen("/proc/self/schedstat", "re");
	struct timespec t;

	if (f && fscanf(f, "%llu %llu", &ran, &wait) != 2)
		wait = 0;
	if (f)
		fclose(f);
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9 - (double)wait / 1e9;
}

static void die(const char *what)
{
	fprintf(stderr, "floor: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void set(int fd, int level, int option, const void *value, socklen_t len)
{
	if (setsockopt(fd, level, option, value, len) < 0)
		die("setsockopt");
}

/* The seconds of both loops. */
struct took {
	double add, ask;
};

static struct mfcctl start4(int fd, const unsigned *ifindex)
{
	struct mfcctl m = { .mfcc_parent = 0, .mfcc_ttls = { [1] = 1 } };

	set(fd, IPPROTO_IP, MRT_INIT, &(int){ 1 }, sizeof(int));
	for (vifi_t i = 0; i < 2; i++) {
		struct vifctl v = { .vifc_vifi = i, .vifc_flags = VIFF_USE_IFINDEX, .vifc_threshold = 1,
				    .vifc_lcl_ifindex = (int)ifindex[i] };
		set(fd, IPPROTO_IP, MRT_ADD_VIF, &v, sizeof v);
	}
	m.mfcc_mcastgrp.s_addr = htonl(0xe1010101);	/* 225.1.1.1 */
	return m;
}

static struct took floor4(int fd, uint32_t n, const unsigned *ifindex)
{
	struct mfcctl m = start4(fd, ifindex);
	double start = now(), middle;

	for (uint32_t i = 1; i <= n; i++) {
		m.mfcc_origin.s_addr = htonl(0x0a010000 + i);
		set(fd, IPPROTO_IP, MRT_ADD_MFC, &m, sizeof m);
	}
	middle = now();
	for (uint32_t i = 1; i <= n; i++) {
		struct sioc_sg_req ask = { .src.s_addr = htonl(0x0a010000 + i), .grp = m.mfcc_mcastgrp };

		if (ioctl(fd, SIOCGETSGCNT, &ask) < 0)
			die("SIOCGETSGCNT");
	}
	return (struct took){ middle - start, now() - middle };
}

static void learn4(int fd, const unsigned *ifindex)
{
	struct mfcctl m = start4(fd, ifindex);
	struct igmpmsg up;

	while (recv(fd, &up, sizeof up, 0) >= 0) {
		if (up.im_mbz || up.im_msgtype != IGMPMSG_NOCACHE)
			continue;
		m.mfcc_origin = up.im_src;
		m.mfcc_mcastgrp = up.im_dst;
		set(fd, IPPROTO_IP, MRT_ADD_MFC, &m, sizeof m);
	}
}

static struct mf6cctl start6(int fd, const unsigned *ifindex)
{
	struct mf6cctl m = { .mf6cc_parent = 0 };

	set(fd, IPPROTO_IPV6, MRT6_INIT, &(int){ 1 }, sizeof(int));
	for (mifi_t i = 0; i < 2; i++) {
		struct mif6ctl v = { .mif6c_mifi = i, .vifc_threshold = 1, .mif6c_pifi = (uint16_t)ifindex[i] };
		set(fd, IPPROTO_IPV6, MRT6_ADD_MIF, &v, sizeof v);
	}
	IF_SET(1, &m.mf6cc_ifset);
	m.mf6cc_origin.sin6_family = m.mf6cc_mcastgrp.sin6_family = AF_INET6;
	inet_pton(AF_INET6, "ff2e::1", &m.mf6cc_mcastgrp.sin6_addr);
	inet_pton(AF_INET6, "fd00:1::", &m.mf6cc_origin.sin6_addr);
	return m;
}

static void put_low(struct in6_addr *a, uint32_t i)
{
	uint32_t low = htonl(i);

	memcpy(a->s6_addr + 12, &low, sizeof low);
}

static struct took floor6(int fd, uint32_t n, const unsigned *ifindex)
{
	struct mf6cctl m = start6(fd, ifindex);
	double start = now(), middle;

	for (uint32_t i = 1; i <= n; i++) {
		put_low(&m.mf6cc_origin.sin6_addr, i);
		set(fd, IPPROTO_IPV6, MRT6_ADD_MFC, &m, sizeof m);
	}
	middle = now();
	for (uint32_t i = 1; i <= n; i++) {
		struct sioc_sg_req6 ask = { .src = m.mf6cc_origin, .grp = m.mf6cc_mcastgrp };

		put_low(&ask.src.sin6_addr, i);
		if (ioctl(fd, SIOCGETSGCNT_IN6, &ask) < 0)
			die("SIOCGETSGCNT_IN6");
	}
	return (struct took){ middle - start, now() - middle };
}

static void learn6(int fd, const unsigned *ifindex)
{
	struct mf6cctl m = start6(fd, ifindex);
	struct mrt6msg up;

	while (recv(fd, &up, sizeof up, 0) >= 0) {
		if (up.im6_mbz || up.im6_msgtype != MRT6MSG_NOCACHE)
			continue;
		m.mf6cc_origin.sin6_addr = up.im6_src;
		m.mf6cc_mcastgrp.sin6_addr = up.im6_dst;
		set(fd, IPPROTO_IPV6, MRT6_ADD_MFC, &m, sizeof m);
	}
}

int main(int argc, char **argv)
{
	if (argc != 5 || (strcmp(argv[1], "4") && strcmp(argv[1], "6"))) {
		fprintf(stderr, "usage: floor 4|6 N IIF OIF\n");
		return 64;
	}
	bool v6 = argv[1][0] == '6';
	uint32_t n = (uint32_t)strtoul(argv[2], NULL, 10);
	unsigned ifindex[2] = { if_nametoindex(argv[3]), if_nametoindex(argv[4]) };
	int fd = v6 ? socket(AF_INET6, SOCK_RAW, IPPROTO_ICMPV6) : socket(AF_INET, SOCK_RAW, IPPROTO_IGMP);

	if (fd < 0)
		die("socket");
	if (!n) {
		set(fd, SOL_SOCKET, SO_RCVBUF, &(int){ 16 << 20 }, sizeof(int));
		setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &(int){ 16 << 20 }, sizeof(int));
		(v6 ? learn6 : learn4)(fd, ifindex);
		die("recv");
	}
	struct took t = (v6 ? floor6 : floor4)(fd, n, ifindex);

	printf("%.6f %.6f\n", t.add, t.ask);
	return 0;
}
