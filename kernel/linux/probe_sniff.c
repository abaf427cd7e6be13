/* SPDX-License-Identifier: ISC
 *
 * A packet socket that sees the packets of one group as the IP stack gets them:
 * behind VLANs and bridges, and only what the interfaces take in anyway.  The
 * filter in the kernel leaves everything else out.
 */
#include "kernel/kernel.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/if_ether.h>
#include <linux/if_packet.h>

#include "kernel/linux/sock.h"
#include "lib/fd.h"

#define HEADER 40		/* bytes of a packet that are looked at */
#define GROUP4 16		/* where the headers have their destination */
#define GROUP6 24

static uint32_t word(const struct addr *a, unsigned i)
{
	return ntohl(a->w[i]);
}

static int filter(int fd, const struct addr *grp)
{
	bool v4 = addr_fam(grp) == FAM_4;
	unsigned words = v4 ? 1 : 4, n = 0;
	struct sock_filter code[10];

	for (unsigned i = 0; i < words; i++) {
		unsigned rest = 2 * (words - 1 - i);	/* instructions before the one that accepts */

		code[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
							 (v4 ? GROUP4 : GROUP6) + 4 * i);
		code[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
							 word(grp, 4 - words + i), 0,
							 (unsigned char)(rest + 1));
	}
	code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, HEADER);
	code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, 0);
	return sock_filter(fd, code, n);
}

int kernel_sniff_open(const struct addr *grp)
{
	struct sockaddr_ll all = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(addr_fam(grp) == FAM_4 ? ETH_P_IP : ETH_P_IPV6),
	};
	/* Without a protocol nothing comes until the filter is there and bind() names one. */
	int fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -1;
	if (filter(fd, grp) == 0 && bind(fd, (struct sockaddr *)&all, sizeof all) == 0)
		return fd;
	return fd_fail(fd);
}

static bool decode(const uint8_t *p, size_t n, struct sniffed *s)
{
	uint8_t len;

	if (n >= 20 && p[0] >> 4 == 4) {
		addr_any(FAM_4, &s->src, &len);
		memcpy(s->src.b + 12, p + 12, 4);
		s->ttl = p[8];
		s->df = p[6] & 0x40;
		s->len = (uint32_t)p[2] << 8 | p[3];
		return true;
	}
	if (n >= 40 && p[0] >> 4 == 6) {
		memcpy(s->src.b, p + 8, 16);
		s->ttl = p[7];
		s->df = true;
		s->len = ((uint32_t)p[4] << 8 | p[5]) + 40;
		return true;
	}
	return false;
}

int kernel_sniff_drain(int fd, int max, kernel_sniff_fn *fn, void *ctx)
{
	struct sockaddr_ll from;
	uint8_t p[HEADER];
	struct sniffed s;
	socklen_t len;
	ssize_t n;
	int got;

	for (got = 0; got < max; got++) {
		len = sizeof from;
		n = recvfrom(fd, p, sizeof p, MSG_DONTWAIT, (struct sockaddr *)&from, &len);
		if (n < 0 && errno == EINTR)
			continue;
		/* An interface that went down is told once as an error; the others go on. */
		if (n < 0 && errno == ENETDOWN)
			continue;
		if (n < 0)
			return errno == EAGAIN ? got : -1;
		s.ifindex = from.sll_ifindex;
		if (decode(p, (size_t)n, &s))
			fn(ctx, &s);
	}
	return got;
}

void kernel_sniff_close(int fd)
{
	if (fd >= 0)
		close(fd);
}
