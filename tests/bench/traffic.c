/* SPDX-License-Identifier: ISC
 *
 * Packets of the benchmarks: sent on eth0 of one host, counted on eth0 of another,
 * each with a number of its own, so that doubles and losses are exact.
 *
 *	traffic burst   4|6 N FIRST FROM TO	N packets of new sources, back to back
 *	traffic latency 4|6 N FIRST FROM TO	N packets of new sources, one after the other
 *	traffic stream  4|6 PPS FIRST FROM TO	one source, until standard input ends
 *	traffic flows   4|6 PPS FIRST FROM TO	in turn 3 groups, to each in turn 167 sources, until then
 *
 * FROM and TO are files of network namespaces.  Source number FIRST + i is
 * 10.16.0.0 or fd00:16:: and as much beyond.  One line is printed:
 *
 *	burst, stream, flows	sent arrived doubles seconds-to-the-last-one
 *	latency		median, least, 99 % and longest seconds from a packet's sending to its arrival
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <linux/if_ether.h>
#include <linux/if_packet.h>

#define MAGIC 0x4c414221u		/* "LAB!" */
#define FRAME_MAX 128
#define BUFFER (128 << 20)
#define QUIET_MS 2000			/* without a packet: no more will come */
#define STREAM_MAX (16 << 20)
#define GROUPS 3
#define SOURCES 167
#define LOST_MAX 8			/* of which it is said when they were sent */

struct traffic {
	bool v6;
	int tx, rx;
	uint32_t first, limit;		/* numbers: first to limit - 1 */
	unsigned char frame[FRAME_MAX];
	size_t len;
	uint8_t *seen;			/* by number - first */
	uint32_t sent, arrived, doubles;
	double last;			/* arrival of the last one, by the kernel's clock */
};

static double clock_of(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void die(const char *what)
{
	fprintf(stderr, "traffic: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* A packet socket on eth0 of another namespace. */
static int open_at(const char *netns, int protocol)
{
	struct sockaddr_ll at = { .sll_family = AF_PACKET, .sll_protocol = htons((uint16_t)protocol) };
	int ns = open(netns, O_RDONLY | O_CLOEXEC), fd;

	if (ns < 0 || setns(ns, CLONE_NEWNET) < 0)
		die(netns);
	close(ns);
	fd = socket(AF_PACKET, protocol ? SOCK_DGRAM : SOCK_RAW, htons((uint16_t)protocol));
	at.sll_ifindex = (int)if_nametoindex("eth0");
	if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof at) < 0)
		die("packet socket");
	for (int size = BUFFER; protocol && size; size = 0)
		if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size) < 0)
			setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
	if (protocol && setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &(int){ 1 }, sizeof(int)) < 0)
		die("time stamps");
	return fd;
}

/* Everything but source, number and checksum. */
static void make_frame(struct traffic *t)
{
	static const unsigned char mac4[] = { 1, 0, 0x5e, 1, 1, 1, 2, 0, 0, 0, 0, 0x77, 8, 0 };
	static const unsigned char mac6[] = { 0x33, 0x33, 0, 0, 0, 1, 2, 0, 0, 0, 0, 0x77, 0x86, 0xdd };
	static const unsigned char ip4[] = { 0x45, 0, 0, 36, 0, 0, 0, 0, 16, 17, 0, 0, 10, 1, 0, 0, 225, 1, 1, 1 };
	static const unsigned char ip6[] = { 0x60, 0, 0, 0, 0, 16, 17, 16 };
	static const unsigned char udp[] = { 19, 136, 19, 136, 0, 16, 0, 0 };
	unsigned char *p = t->frame;
	uint32_t magic = htonl(MAGIC);

	p = mempcpy(p, t->v6 ? mac6 : mac4, sizeof mac4);
	if (t->v6) {
		p = mempcpy(p, ip6, sizeof ip6);
		inet_pton(AF_INET6, "fd00:16::", p);
		inet_pton(AF_INET6, "ff2e::1", p + 16);
		p += 32;
	} else {
		p = mempcpy(p, ip4, sizeof ip4);
	}
	p = mempcpy(p, udp, sizeof udp);
	p = mempcpy(p, &magic, sizeof magic);
	t->len = (size_t)(p - t->frame) + sizeof(uint32_t);
}

/* Makes it a packet to group number k: 225.1.1.1, 225.2.1.1 and so on, or ff2e::1, ff2e::2. */
static void set_group(struct traffic *t, uint32_t k)
{
	t->frame[t->v6 ? ETH_HLEN + 39 : ETH_HLEN + 17] = (unsigned char)(k + 1);
	t->frame[t->v6 ? 5 : 3] = (unsigned char)(k + 1);
}

static void send_one(struct traffic *t, uint32_t source, uint32_t number)
{
	unsigned char *ip = t->frame + ETH_HLEN;
	uint32_t low = htonl(t->v6 ? source : 0x0a100000 + source), sum = 0, n = htonl(number);

	memcpy(ip + (t->v6 ? 20 : 12), &low, sizeof low);
	memcpy(t->frame + t->len - sizeof n, &n, sizeof n);
	if (!t->v6) {
		ip[10] = ip[11] = 0;
		for (int i = 0; i < 20; i += 2)
			sum += (uint32_t)ip[i] << 8 | ip[i + 1];
		sum = (sum & 0xffff) + (sum >> 16);
		sum = ~((sum & 0xffff) + (sum >> 16));
		ip[10] = (unsigned char)(sum >> 8);
		ip[11] = (unsigned char)sum;
	}
	while (send(t->tx, t->frame, t->len, 0) < 0)
		if (errno != ENOBUFS && errno != EINTR)
			die("send");
	t->sent++;
}

/* Takes in one packet; false when there is none. */
static bool receive_one(struct traffic *t)
{
	unsigned char bytes[256];
	union { struct cmsghdr h; char room[64]; } control;
	struct sockaddr_ll from;
	struct iovec iov = { bytes, sizeof bytes };
	struct msghdr m = { .msg_name = &from, .msg_namelen = sizeof from, .msg_iov = &iov, .msg_iovlen = 1,
			    .msg_control = &control, .msg_controllen = sizeof control };
	ssize_t n = recvmsg(t->rx, &m, MSG_DONTWAIT);
	struct timespec at;
	uint32_t magic, number;

	if (n < 0)
		return false;
	if ((size_t)n < t->len - ETH_HLEN || from.sll_pkttype == PACKET_OUTGOING)
		return true;
	memcpy(&magic, bytes + t->len - ETH_HLEN - 8, sizeof magic);
	memcpy(&number, bytes + t->len - ETH_HLEN - 4, sizeof number);
	number = ntohl(number);
	if (magic != htonl(MAGIC) || number < t->first || number >= t->limit)
		return true;
	if (t->seen[number - t->first]++)
		t->doubles++;
	else
		t->arrived++;
	memcpy(&at, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof at);
	t->last = (double)at.tv_sec + (double)at.tv_nsec / 1e9;
	return true;
}

/* Takes in what comes until all have, or none does for a while. */
static void receive_rest(struct traffic *t)
{
	struct pollfd p = { t->rx, POLLIN, 0 };

	while (t->arrived < t->sent && poll(&p, 1, QUIET_MS) == 1)
		while (receive_one(t))
			;
}

static int burst(struct traffic *t, uint32_t n)
{
	double start = clock_of(CLOCK_REALTIME);

	for (uint32_t i = 0; i < n; i++)
		send_one(t, t->first + i, t->first + i);
	receive_rest(t);
	printf("%u %u %u %.6f\n", t->sent, t->arrived, t->doubles, t->last - start);
	return 0;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static int latency(struct traffic *t, uint32_t n)
{
	double *took = calloc(n, sizeof *took);

	for (uint32_t i = 0; took && i < n; i++) {
		double start = clock_of(CLOCK_REALTIME);

		send_one(t, t->first + i, t->first + i);
		receive_rest(t);
		if (t->arrived != t->sent) {
			fprintf(stderr, "traffic: packet %u did not come out\n", i);
			return 1;
		}
		took[i] = t->last - start;
		usleep(2000);
	}
	if (!took || !n)
		return 1;
	qsort(took, n, sizeof *took, by_value);
	printf("%.6f %.6f %.6f %.6f\n", took[n / 2], took[0], took[n - 1 - n / 100], took[n - 1]);
	free(took);
	return 0;
}

/* Says when the first packets that are missing were sent. */
static void tell_lost(const struct traffic *t, uint32_t pps)
{
	unsigned lost = 0;

	for (uint32_t i = 0; i < t->sent && lost < LOST_MAX; i++)
		if (!t->seen[i])
			fprintf(stderr, "%spacket %u, after %.3f s, group %u, source %u", lost++ ? "; " : "lost: ", i,
				(double)i / pps, i % GROUPS, t->first + i / GROUPS % SOURCES);
	if (lost)
		fprintf(stderr, "\n");
}

static int stream(struct traffic *t, uint32_t pps, bool many)
{
	struct pollfd p[2] = { { STDIN_FILENO, POLLIN, 0 }, { t->rx, POLLIN, 0 } };
	double start = clock_of(CLOCK_MONOTONIC);
	char byte;

	while (t->first + t->sent < t->limit) {
		uint32_t due = (uint32_t)((clock_of(CLOCK_MONOTONIC) - start) * pps) + 1;

		while (t->sent < due && t->first + t->sent < t->limit) {
			if (many)
				set_group(t, t->sent % GROUPS);
			send_one(t, t->first + (many ? t->sent / GROUPS % SOURCES : 0), t->first + t->sent);
		}
		while (receive_one(t))
			;
		poll(p, 2, 1);
		if (p[0].revents && read(STDIN_FILENO, &byte, 1) <= 0)
			break;
	}
	receive_rest(t);
	tell_lost(t, pps);
	printf("%u %u %u %.6f\n", t->sent, t->arrived, t->doubles, clock_of(CLOCK_MONOTONIC) - start);
	return 0;
}

int main(int argc, char **argv)
{
	struct traffic t = { 0 };

	if (argc != 7 || (strcmp(argv[2], "4") && strcmp(argv[2], "6"))) {
		fprintf(stderr, "usage: traffic burst|latency|stream|flows 4|6 N FIRST FROM TO\n");
		return 64;
	}
	uint32_t n = (uint32_t)strtoul(argv[3], NULL, 10);
	bool many = !strcmp(argv[1], "flows"), streams = many || !strcmp(argv[1], "stream");

	t.v6 = argv[2][0] == '6';
	t.first = (uint32_t)strtoul(argv[4], NULL, 10);
	t.limit = t.first + (streams ? STREAM_MAX : n);
	t.seen = calloc(t.limit - t.first, 1);
	if (!t.seen)
		die("memory");
	t.tx = open_at(argv[5], 0);
	t.rx = open_at(argv[6], t.v6 ? ETH_P_IPV6 : ETH_P_IP);
	make_frame(&t);

	int status = streams ? stream(&t, n, many) : !strcmp(argv[1], "latency") ? latency(&t, n) : burst(&t, n);

	free(t.seen);
	return status;
}
