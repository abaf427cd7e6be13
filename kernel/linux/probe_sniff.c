/* SPDX-License-Identifier: ISC
 *
 * Packet sockets that see packets to groups.  One is bound to the protocol and gets what comes as far as the IP stack,
 * behind VLANs, bridges and what tc or a netdev chain drops; the other one sees all that interfaces take in, before
 * that (__netif_receive_skb_core()), and what they hand to their drivers (dev_queue_xmit_nit()).  Filters in the
 * kernel leave everything else out.
 */
#include "kernel/probe.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/if_ether.h>
#include <linux/if_packet.h>

#include "kernel/linux/sock.h"
#include "kernel/probe_packet.h"

#define HEADER 128		/* bytes of a packet that are looked at */
#define GROUP4 16		/* where the headers have their destination */
#define GROUP6 24
#define BATCH 32		/* packets read by one call */
#define ROOM (8 << 20)		/* bytes, for each socket */

/* A filter that compares the version and the group, or only that it is one; it accepts when all of that holds. */
static int probe_sniff_filter(int fd, enum fam fam, const struct addr *grp)
{
	bool v4 = fam == FAM_4;
	unsigned at = v4 ? GROUP4 : GROUP6, words = grp && !v4 ? 4 : 1, n = 0;
	struct sock_filter code[14];

	code[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 0);
	code[n++] = (struct sock_filter)BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0xf0);
	code[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, v4 ? 0x40 : 0x60, 0,
						 (uint8_t)(2 * words + (grp ? 1 : 2)));
	for (unsigned i = 0; i < words; i++) {
		uint32_t want = grp ? ntohl(grp->w[4 - (v4 ? 1 : 4) + i]) : v4 ? 0xe0000000 : 0xff000000;

		code[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, at + 4 * i);
		if (!grp)
			code[n++] = (struct sock_filter)BPF_STMT(BPF_ALU | BPF_AND | BPF_K,
								 v4 ? 0xf0000000 : 0xff000000);
		code[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, want, 0,
							 (uint8_t)(2 * (words - i) - 1));
	}
	code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, HEADER);
	code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, 0);
	return sock_filter(fd, code, n);
}

static int probe_sniff_socket(enum fam fam, const struct addr *grp, uint16_t protocol)
{
	struct sockaddr_ll all = { .sll_family = AF_PACKET, .sll_protocol = htons(protocol) };
	/* Without a protocol nothing comes until the filter is there and bind() names one. */
	int fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -1;
	sock_room(fd, ROOM);
	setsockopt(fd, SOL_PACKET, PACKET_AUXDATA, &(int){ 1 }, sizeof(int));
	if (probe_sniff_filter(fd, fam, grp) < 0 || bind(fd, (struct sockaddr *)&all, sizeof all) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

int probe_sniff_open(struct probe_sniff *s, enum fam fam, const struct addr *grp)
{
	s->fd[0] = probe_sniff_socket(fam, grp, fam == FAM_4 ? ETH_P_IP : ETH_P_IPV6);
	s->fd[1] = s->fd[0] < 0 ? -1 : probe_sniff_socket(fam, grp, ETH_P_ALL);
	return s->fd[1] < 0 ? -1 : 0;
}

void probe_sniff_close(struct probe_sniff *s)
{
	for (unsigned i = 0; i < 2; i++) {
		if (s->fd[i] >= 0)
			close(s->fd[i]);
		s->fd[i] = -1;
	}
}

/* What the kernel tells beside a packet (packet_recvmsg()): the VLAN of a tag that no interface has taken for its own,
 * and how long it is, of which only the beginning was read. */
static void probe_sniff_beside(struct msghdr *m, struct probe_sniffed *s)
{
	const struct cmsghdr *c = CMSG_FIRSTHDR(m);
	struct tpacket_auxdata aux = { 0 };

	if (!c || c->cmsg_type != PACKET_AUXDATA)
		return;
	memcpy(&aux, CMSG_DATA(c), sizeof aux);
	s->vlan = aux.tp_status & TP_STATUS_VLAN_VALID ? aux.tp_vlan_tci & 0xfff : 0;
	/* ip_rcv_core(), ip6_rcv_core() */
	s->is_broken |= s->len > aux.tp_len;
}

/* Reads what one call gives; the number, 0 when there is none, -1. */
static int probe_sniff_read(int fd, bool is_ip, int max, probe_sniff_fn *fn, void *ctx)
{
	struct sockaddr_ll from[BATCH];
	uint8_t p[BATCH][HEADER];
	struct {
		_Alignas(struct cmsghdr) char b[CMSG_SPACE(sizeof(struct tpacket_auxdata))];
	} aux[BATCH];
	struct iovec iov[BATCH];
	struct mmsghdr m[BATCH];
	int n;

	max = max < BATCH ? max : BATCH;
	for (int i = 0; i < max; i++) {
		iov[i] = (struct iovec){ p[i], HEADER };
		m[i] = (struct mmsghdr){ .msg_hdr = { .msg_name = &from[i], .msg_namelen = sizeof from[i],
						      .msg_iov = &iov[i], .msg_iovlen = 1,
						      .msg_control = aux[i].b, .msg_controllen = sizeof aux[i].b } };
	}
	n = recvmmsg(fd, m, (unsigned)max, MSG_DONTWAIT, NULL);
	/* An interface that went down is reported once as an error; the others go on. */
	if (n < 0)
		return errno == EAGAIN ? 0 : errno == EINTR || errno == ENETDOWN ? 1 : -1;
	for (int i = 0; i < n; i++) {
		struct probe_sniffed s = { .ifindex = from[i].sll_ifindex };

		s.station = is_ip ? SNIFF_IP : from[i].sll_pkttype == PACKET_OUTGOING ? SNIFF_OUT : SNIFF_WIRE;
		/* What this host sends to itself never was on a wire; frames to others are no matter of IP. */
		if (from[i].sll_pkttype == PACKET_LOOPBACK || from[i].sll_pkttype == PACKET_OTHERHOST ||
		    !probe_packet_decode(p[i], m[i].msg_len, &s))
			continue;
		probe_sniff_beside(&m[i].msg_hdr, &s);
		fn(ctx, &s);
	}
	return n;
}

int probe_sniff_drain(const struct probe_sniff *s, int max, probe_sniff_fn *fn, void *ctx)
{
	int all = 0;

	for (unsigned i = 2; i-- > 0;) {
		int got = 0, n;

		while (got < max && (n = probe_sniff_read(s->fd[i], i == 0, max - got, fn, ctx))) {
			if (n < 0)
				return -1;
			got += n;
		}
		all += got;
	}
	return all;
}

uint64_t probe_sniff_lost(const struct probe_sniff *s)
{
	uint64_t lost = 0;

	for (unsigned i = 0; i < 2; i++) {
		struct tpacket_stats st = { 0 };
		socklen_t len = sizeof st;

		if (getsockopt(s->fd[i], SOL_PACKET, PACKET_STATISTICS, &st, &len) == 0)
			lost += st.tp_drops;
	}
	return lost;
}
