/* SPDX-License-Identifier: ISC
 *
 * A packet socket that sees the packets of one group as the IP stack gets them: behind VLANs and bridges, and only what
 * the interfaces take in anyway.  The filter in the kernel leaves everything else out.
 */
#include "kernel/probe.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include <linux/if_ether.h>
#include <linux/if_packet.h>

#include "kernel/linux/sock.h"
#include "lib/fd.h"

#define HEADER 40		/* bytes of a packet that are looked at */
#define GROUP4 16		/* where the headers have their destination */
#define GROUP6 24

/* A filter that compares the group word by word and accepts the packet when all of them are the same. */
static int probe_sniff_filter(int fd, const struct addr *grp)
{
	bool v4 = addr_fam(grp) == FAM_4;
	unsigned at = v4 ? GROUP4 : GROUP6, words = v4 ? 1 : 4, n = 0;
	struct sock_filter code[10];

	for (unsigned i = 0; i < words; i++) {
		uint32_t want = ntohl(grp->w[4 - words + i]);
		uint8_t to_end = (uint8_t)(2 * (words - i) - 1);

		code[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, at + 4 * i);
		code[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, want, 0, to_end);
	}
	code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, HEADER);
	code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, 0);
	return sock_filter(fd, code, n);
}

int probe_sniff_open(const struct addr *grp)
{
	struct sockaddr_ll all = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(addr_fam(grp) == FAM_4 ? ETH_P_IP : ETH_P_IPV6),
	};
	/* Without a protocol nothing comes until the filter is there and bind() names one. */
	int fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0 || probe_sniff_filter(fd, grp) < 0 || bind(fd, (struct sockaddr *)&all, sizeof all) < 0)
		return fd_fail(fd);
	return fd;
}

static bool probe_sniff_decode(const uint8_t *p, size_t n, struct probe_sniffed *s)
{
	uint8_t len;

	if (n >= 20 && p[0] >> 4 == 4) {
		addr_any(FAM_4, &s->src, &len);
		memcpy(s->src.b + 12, p + 12, 4);
		s->ttl = p[8];
		s->len = (uint32_t)p[2] << 8 | p[3];
		return true;
	}
	if (n >= 40 && p[0] >> 4 == 6) {
		memcpy(s->src.b, p + 8, 16);
		s->ttl = p[7];
		s->len = ((uint32_t)p[4] << 8 | p[5]) + 40;
		return true;
	}
	return false;
}

int probe_sniff_drain(int fd, int max, probe_sniff_fn *fn, void *ctx)
{
	struct sockaddr_ll from = { 0 };
	uint8_t p[HEADER];
	struct probe_sniffed s;
	socklen_t len;
	ssize_t n;
	int got;

	for (got = 0; got < max; got++) {
		len = sizeof from;
		n = recvfrom(fd, p, sizeof p, MSG_DONTWAIT, (struct sockaddr *)&from, &len);
		/* An interface that went down is reported once as an error; the others go on. */
		if (n < 0 && (errno == EINTR || errno == ENETDOWN))
			continue;
		if (n < 0)
			return errno == EAGAIN ? got : -1;
		s.ifindex = from.sll_ifindex;
		if (probe_sniff_decode(p, (size_t)n, &s))
			fn(ctx, &s);
	}
	return got;
}
