/* SPDX-License-Identifier: ISC
 *
 * The floor of the benchmarks: the system calls that any router has to make for
 * N routes, in a bare loop, and nothing else.
 *
 *	floor 4|6 N IIF OIF	prints the seconds of N times MRT_ADD_MFC
 *
 * Sources count up from 10.1.0.1 or fd00:1::1, as tests/bench/bench.py has them.
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
#include <sys/socket.h>
#include <time.h>

#include <linux/mroute.h>
#include <linux/mroute6.h>

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void set(int fd, int level, int option, const void *value, socklen_t len)
{
	if (setsockopt(fd, level, option, value, len) == 0)
		return;
	fprintf(stderr, "floor: option %d: %s\n", option, strerror(errno));
	exit(1);
}

static double floor4(int fd, uint32_t n, const unsigned *ifindex)
{
	struct mfcctl m = { .mfcc_parent = 0, .mfcc_ttls = { [1] = 1 } };
	double start;

	set(fd, IPPROTO_IP, MRT_INIT, &(int){ 1 }, sizeof(int));
	for (vifi_t i = 0; i < 2; i++) {
		struct vifctl v = { .vifc_vifi = i, .vifc_flags = VIFF_USE_IFINDEX, .vifc_threshold = 1,
				    .vifc_lcl_ifindex = (int)ifindex[i] };
		set(fd, IPPROTO_IP, MRT_ADD_VIF, &v, sizeof v);
	}
	m.mfcc_mcastgrp.s_addr = htonl(0xe1010101);	/* 225.1.1.1 */
	start = now();
	for (uint32_t i = 1; i <= n; i++) {
		m.mfcc_origin.s_addr = htonl(0x0a010000 + i);
		set(fd, IPPROTO_IP, MRT_ADD_MFC, &m, sizeof m);
	}
	return now() - start;
}

static double floor6(int fd, uint32_t n, const unsigned *ifindex)
{
	struct mf6cctl m = { .mf6cc_parent = 0 };
	double start;

	set(fd, IPPROTO_IPV6, MRT6_INIT, &(int){ 1 }, sizeof(int));
	for (mifi_t i = 0; i < 2; i++) {
		struct mif6ctl v = { .mif6c_mifi = i, .vifc_threshold = 1, .mif6c_pifi = (uint16_t)ifindex[i] };
		set(fd, IPPROTO_IPV6, MRT6_ADD_MIF, &v, sizeof v);
	}
	IF_SET(1, &m.mf6cc_ifset);
	m.mf6cc_origin.sin6_family = m.mf6cc_mcastgrp.sin6_family = AF_INET6;
	inet_pton(AF_INET6, "ff2e::1", &m.mf6cc_mcastgrp.sin6_addr);
	inet_pton(AF_INET6, "fd00:1::", &m.mf6cc_origin.sin6_addr);
	start = now();
	for (uint32_t i = 1; i <= n; i++) {
		uint32_t low = htonl(i);

		memcpy(m.mf6cc_origin.sin6_addr.s6_addr + 12, &low, sizeof low);
		set(fd, IPPROTO_IPV6, MRT6_ADD_MFC, &m, sizeof m);
	}
	return now() - start;
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

	if (fd < 0) {
		perror("floor: socket");
		return 1;
	}
	printf("%.6f\n", v6 ? floor6(fd, n, ifindex) : floor4(fd, n, ifindex));
	return 0;
}
