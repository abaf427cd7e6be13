/* SPDX-License-Identifier: ISC
 *
 * The two floors of the benchmarks: the system calls that any router has to make,
 * and nothing else.  The first is a loop, timed inside one process; the time that it
 * waited for a processor which others had is left out:
 *
 *	floor loop 4|6 N IIF OIF	prints the seconds of N times MRT_ADD_MFC, and of N SIOCGETSGCNT
 *
 * The others are whole processes, timed from outside as the programs are:
 *
 *	floor start 4|6 N IIF OIF PIDFILE	routing socket, MRT_INIT, two VIFs, N times MRT_ADD_MFC,
 *						PID file, then sleeps: the least daemon
 *	floor add 4|6 N				beside it: N times MRT_ADD_MFC, the least batch
 *	floor ask 4|6 N				beside it: N times SIOCGETSGCNT, the least listing of
 *						what the kernel has
 *	floor learn 4|6 0 IIF OIF		reads reports of new sources and adds their entries
 *
 * Sources count up from 10.1.0.1 or fd00:1::1, as in programs.py.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
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
#include <unistd.h>

#include <linux/mroute.h>
#include <linux/mroute6.h>

struct floor {
	bool v6;
	uint32_t n;
	int fd;
	const char *iif, *oif, *pidfile;
	struct mfcctl m4;		/* the entry to add, but for its source */
	struct mf6cctl m6;
};

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

static void open_socket(struct floor *f)
{
	f->fd = f->v6 ? socket(AF_INET6, SOCK_RAW, IPPROTO_ICMPV6) : socket(AF_INET, SOCK_RAW, IPPROTO_IGMP);
	if (f->fd < 0)
		die("socket");
	f->m4 = (struct mfcctl){ .mfcc_mcastgrp.s_addr = htonl(0xe1010101), .mfcc_ttls = { [1] = 1 } };
	f->m6.mf6cc_origin.sin6_family = f->m6.mf6cc_mcastgrp.sin6_family = AF_INET6;
	inet_pton(AF_INET6, "ff2e::1", &f->m6.mf6cc_mcastgrp.sin6_addr);
	inet_pton(AF_INET6, "fd00:1::", &f->m6.mf6cc_origin.sin6_addr);
	IF_SET(1, &f->m6.mf6cc_ifset);
}

/* Becomes the router: MRT_INIT and two VIFs. */
static void take_over(struct floor *f)
{
	unsigned ifindex[2] = { if_nametoindex(f->iif), if_nametoindex(f->oif) };

	if (f->v6)
		set(f->fd, IPPROTO_IPV6, MRT6_INIT, &(int){ 1 }, sizeof(int));
	else
		set(f->fd, IPPROTO_IP, MRT_INIT, &(int){ 1 }, sizeof(int));
	for (unsigned short i = 0; i < 2; i++) {
		struct vifctl v4 = { .vifc_vifi = i, .vifc_flags = VIFF_USE_IFINDEX, .vifc_threshold = 1,
				     .vifc_lcl_ifindex = (int)ifindex[i] };
		struct mif6ctl v6 = { .mif6c_mifi = i, .vifc_threshold = 1, .mif6c_pifi = (uint16_t)ifindex[i] };

		if (f->v6)
			set(f->fd, IPPROTO_IPV6, MRT6_ADD_MIF, &v6, sizeof v6);
		else
			set(f->fd, IPPROTO_IP, MRT_ADD_VIF, &v4, sizeof v4);
	}
}

static void put_low(struct in6_addr *a, uint32_t i)
{
	uint32_t low = htonl(i);

	memcpy(a->s6_addr + 12, &low, sizeof low);
}

static void add_all(struct floor *f)
{
	for (uint32_t i = 1; !f->v6 && i <= f->n; i++) {
		f->m4.mfcc_origin.s_addr = htonl(0x0a010000 + i);
		set(f->fd, IPPROTO_IP, MRT_ADD_MFC, &f->m4, sizeof f->m4);
	}
	for (uint32_t i = 1; f->v6 && i <= f->n; i++) {
		put_low(&f->m6.mf6cc_origin.sin6_addr, i);
		set(f->fd, IPPROTO_IPV6, MRT6_ADD_MFC, &f->m6, sizeof f->m6);
	}
}

static void ask_all(struct floor *f)
{
	struct sioc_sg_req ask4 = { .grp = f->m4.mfcc_mcastgrp };
	struct sioc_sg_req6 ask6 = { .src = f->m6.mf6cc_origin, .grp = f->m6.mf6cc_mcastgrp };

	for (uint32_t i = 1; !f->v6 && i <= f->n; i++) {
		ask4.src.s_addr = htonl(0x0a010000 + i);
		if (ioctl(f->fd, SIOCGETSGCNT, &ask4) < 0)
			die("SIOCGETSGCNT");
	}
	for (uint32_t i = 1; f->v6 && i <= f->n; i++) {
		put_low(&ask6.src.sin6_addr, i);
		if (ioctl(f->fd, SIOCGETSGCNT_IN6, &ask6) < 0)
			die("SIOCGETSGCNT_IN6");
	}
}

/* ---- what can be asked for ---- */

static void run_loop(struct floor *f)
{
	double start, middle;

	take_over(f);
	start = now();
	add_all(f);
	middle = now();
	ask_all(f);
	printf("%.6f %.6f\n", middle - start, now() - middle);
}

static void run_start(struct floor *f)
{
	char text[16];
	int len = snprintf(text, sizeof text, "%d\n", (int)getpid()), fd;

	take_over(f);
	add_all(f);
	fd = open(f->pidfile, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0 || write(fd, text, (size_t)len) != len || close(fd) < 0)
		die(f->pidfile);
	pause();
}

static void run_learn(struct floor *f)
{
	union { struct igmpmsg v4; struct mrt6msg v6; } up;

	set(f->fd, SOL_SOCKET, SO_RCVBUF, &(int){ 16 << 20 }, sizeof(int));
	setsockopt(f->fd, SOL_SOCKET, SO_RCVBUFFORCE, &(int){ 16 << 20 }, sizeof(int));
	take_over(f);
	while (recv(f->fd, &up, sizeof up, 0) >= 0) {
		if (!f->v6 && !up.v4.im_mbz && up.v4.im_msgtype == IGMPMSG_NOCACHE) {
			f->m4.mfcc_origin = up.v4.im_src;
			f->m4.mfcc_mcastgrp = up.v4.im_dst;
			set(f->fd, IPPROTO_IP, MRT_ADD_MFC, &f->m4, sizeof f->m4);
		} else if (f->v6 && !up.v6.im6_mbz && up.v6.im6_msgtype == MRT6MSG_NOCACHE) {
			f->m6.mf6cc_origin.sin6_addr = up.v6.im6_src;
			f->m6.mf6cc_mcastgrp.sin6_addr = up.v6.im6_dst;
			set(f->fd, IPPROTO_IPV6, MRT6_ADD_MFC, &f->m6, sizeof f->m6);
		}
	}
	die("recv");
}

static const struct {
	const char *name;
	int argc;
	void (*run)(struct floor *f);
} works[] = {
	{ "loop", 6, run_loop },
	{ "start", 7, run_start },
	{ "add", 4, add_all },
	{ "ask", 4, ask_all },
	{ "learn", 6, run_learn },
};

int main(int argc, char **argv)
{
	for (size_t i = 0; argc > 3 && i < sizeof works / sizeof *works; i++) {
		struct floor f = { .v6 = argv[2][0] == '6', .n = (uint32_t)strtoul(argv[3], NULL, 10) };

		if (strcmp(argv[1], works[i].name) || argc != works[i].argc)
			continue;
		f.iif = argc > 5 ? argv[4] : NULL;
		f.oif = argc > 5 ? argv[5] : NULL;
		f.pidfile = argc > 6 ? argv[6] : NULL;
		open_socket(&f);
		works[i].run(&f);
		return 0;
	}
	fprintf(stderr, "usage: floor loop|start|add|ask|learn 4|6 N [IIF OIF [PIDFILE]]\n");
	return 64;
}
