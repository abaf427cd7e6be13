/* SPDX-License-Identifier: ISC
 *
 * Packets to groups, by bpf(4): two devices an interface, one for what comes in and one for what goes out, with a
 * filter in the kernel that leaves everything else out.  Nothing sees packets between an interface and the IP stack:
 * what comes in is told as having got there, too.  A kqueue stands for all of them, to be polled.
 */
#include "kernel/probe.h"

#include <sys/types.h>

#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <net/bpf.h>
#include <net/if.h>
#include <net/if_dl.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/event.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "kernel/probe_packet.h"
#include "kernel/sock.h"
#include "lib/fd.h"
#include "lib/grow.h"

#define HEADER 128		/* bytes of a packet that are looked at, behind those of the link */
#define GROUP4 16		/* where the headers have their destination */
#define GROUP6 24
#define ROOM 262144		/* bytes, twice for each device; less where net.bpf.maxbufsize says so */

static struct {
	struct tap {
		int of;			/* the kqueue */
		int fd, ifindex;
		enum probe_station station;
		unsigned head;		/* bytes of the link's header */
		unsigned room;
		unsigned lost;		/* that were told */
	} *v;
	uint32_t n, cap;
	unsigned char *bytes;		/* what one call reads; owned */
} taps;

/* A filter that compares the version and the group behind `head` bytes, or only that it is one. */
static int probe_tap_filter(const struct tap *t, enum fam fam, const struct addr *grp)
{
	bool v4 = fam == FAM_4;
	unsigned at = t->head + (v4 ? GROUP4 : GROUP6), words = grp && !v4 ? 4 : 1, n = 0;
	unsigned each = grp ? 2 : 3;
	struct bpf_insn code[3 + 3 * 4 + 2];
	struct bpf_program program = { .bf_insns = code };

	code[n++] = (struct bpf_insn)BPF_STMT(BPF_LD | BPF_B | BPF_ABS, t->head);
	code[n++] = (struct bpf_insn)BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0xf0);
	code[n++] = (struct bpf_insn)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, v4 ? 0x40 : 0x60, 0,
					      (unsigned char)(each * words + 1));
	for (unsigned i = 0; i < words; i++) {
		uint32_t want = v4 ? 0xe0000000 : 0xff000000;

		if (grp)
			want = ntohl(grp->w[4 - (v4 ? 1 : 4) + i]);
		code[n++] = (struct bpf_insn)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, at + 4 * i);
		if (!grp)
			code[n++] = (struct bpf_insn)BPF_STMT(BPF_ALU | BPF_AND | BPF_K, v4 ? 0xf0000000 : 0xff000000);
		code[n++] = (struct bpf_insn)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, want, 0,
						      (unsigned char)(each * (words - i - 1) + 1));
	}
	code[n++] = (struct bpf_insn)BPF_STMT(BPF_RET | BPF_K, t->head + HEADER);
	code[n++] = (struct bpf_insn)BPF_STMT(BPF_RET | BPF_K, 0);
	program.bf_len = n;
	return ioctl(t->fd, BIOCSETF, &program);
}

/* Sets a device up for an interface; 0, or -1 with errno: EPROTONOSUPPORT a link whose headers are not known. */
static int probe_tap_set(struct tap *t, const char *name, enum fam fam, const struct addr *grp)
{
	unsigned direction = t->station == SNIFF_OUT ? BPF_D_OUT : BPF_D_IN, at_once = 1, dlt = 0;
	struct ifreq ifr = { .ifr_flags = 0 };

	strlcpy(ifr.ifr_name, name, sizeof ifr.ifr_name);
	t->room = ROOM;
	if (ioctl(t->fd, BIOCSBLEN, &t->room) < 0 || ioctl(t->fd, BIOCSETIF, &ifr) < 0 ||
	    ioctl(t->fd, BIOCGDLT, &dlt) < 0)
		return -1;
	if (dlt != DLT_EN10MB && dlt != DLT_NULL && dlt != DLT_RAW)
		return sock_fail(EPROTONOSUPPORT);
	t->head = dlt == DLT_EN10MB ? 14 : dlt == DLT_NULL ? 4 : 0;
	return ioctl(t->fd, BIOCSDIRECTION, &direction) < 0 || ioctl(t->fd, BIOCIMMEDIATE, &at_once) < 0 ||
	       probe_tap_filter(t, fam, grp) < 0 || ioctl(t->fd, BIOCFLUSH) < 0 ? -1 : 0;
}

static int probe_tap_add(int queue, struct tap t, const char *name, enum fam fam, const struct addr *grp)
{
	struct tap *v = grow(taps.v, &taps.cap, taps.n + 1, sizeof *v);
	struct kevent ev;

	if (!v)
		return -1;
	taps.v = v;
	t.of = queue;
	t.fd = open("/dev/bpf", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (t.fd < 0)
		return -1;
	if (probe_tap_set(&t, name, fam, grp) < 0) {
		fd_fail(t.fd);
		return errno == EPROTONOSUPPORT || errno == ENXIO ? 0 : -1;
	}
	v[taps.n++] = t;
	EV_SET(&ev, (uintptr_t)t.fd, EVFILT_READ, EV_ADD, 0, 0, NULL);
	return kevent(queue, &ev, 1, NULL, 0, NULL);
}

static int probe_taps_add(int queue, enum fam fam, const struct addr *grp)
{
	struct ifaddrs *all = NULL;
	struct sockaddr_dl dl;
	int res = 0;

	if (getifaddrs(&all) < 0)
		return -1;
	for (const struct ifaddrs *a = all; a && !res; a = a->ifa_next) {
		if (!a->ifa_addr || a->ifa_addr->sa_family != AF_LINK || a->ifa_flags & IFF_LOOPBACK)
			continue;
		memcpy(&dl, a->ifa_addr, offsetof(struct sockaddr_dl, sdl_data));
		for (unsigned out = 0; out < 2 && !res; out++)
			res = probe_tap_add(queue, (struct tap){ .ifindex = dl.sdl_index,
					    .station = out ? SNIFF_OUT : SNIFF_WIRE }, a->ifa_name, fam, grp);
	}
	freeifaddrs(all);
	return res;
}

int probe_sniff_open(struct probe_sniff *s, enum fam fam, const struct addr *grp)
{
	*s = (struct probe_sniff){ { -1, kqueue() } };
	if (!taps.bytes)
		taps.bytes = malloc(ROOM);
	return !taps.bytes || s->fd[1] < 0 ? -1 : probe_taps_add(s->fd[1], fam, grp);
}

void probe_sniff_close(struct probe_sniff *s)
{
	for (uint32_t i = taps.n; i-- > 0;)
		if (taps.v[i].of == s->fd[1]) {
			close(taps.v[i].fd);
			taps.v[i] = taps.v[--taps.n];
		}
	if (s->fd[1] >= 0)
		close(s->fd[1]);
	*s = (struct probe_sniff){ { -1, -1 } };
	if (taps.n)
		return;
	free(taps.v);
	free(taps.bytes);
	memset(&taps, 0, sizeof taps);
}

static void probe_tap_packet(const struct tap *t, const unsigned char *p, const struct bpf_hdr *h, probe_sniff_fn *fn,
			     void *ctx)
{
	struct probe_sniffed s = { .station = t->station, .ifindex = t->ifindex };

	if (h->bh_caplen < t->head || !probe_packet_decode(p + h->bh_hdrlen + t->head, h->bh_caplen - t->head, &s))
		return;
	s.is_broken |= s.len > h->bh_datalen - t->head;
	fn(ctx, &s);
	if (s.station != SNIFF_WIRE || s.is_broken)
		return;
	s.station = SNIFF_IP;
	fn(ctx, &s);
}

/* Reads what one call gives; the number of packets, 0 when there is none, -1. */
static int probe_tap_read(const struct tap *t, probe_sniff_fn *fn, void *ctx)
{
	ssize_t len = read(t->fd, taps.bytes, t->room);
	struct bpf_hdr h;
	int n = 0;

	/* An interface that is gone has no more of them. */
	if (len < 0)
		return errno == EAGAIN || errno == EINTR || errno == ENXIO ? 0 : -1;
	for (size_t at = 0; at + sizeof h <= (size_t)len; at += BPF_WORDALIGN(h.bh_hdrlen + h.bh_caplen)) {
		memcpy(&h, taps.bytes + at, sizeof h);
		if (h.bh_hdrlen < offsetof(struct bpf_hdr, bh_hdrlen) ||
		    (size_t)len - at < (size_t)h.bh_hdrlen + h.bh_caplen)
			break;
		probe_tap_packet(t, taps.bytes + at, &h, fn, ctx);
		n++;
	}
	return n;
}

int probe_sniff_drain(const struct probe_sniff *s, int max, probe_sniff_fn *fn, void *ctx)
{
	int all = 0;

	for (uint32_t i = 0; i < taps.n; i++) {
		int got = 0, n = 1;

		while (taps.v[i].of == s->fd[1] && got < max && n > 0) {
			n = probe_tap_read(&taps.v[i], fn, ctx);
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

	for (uint32_t i = 0; i < taps.n; i++) {
		struct bpf_stat st = { 0 };

		if (taps.v[i].of != s->fd[1] || ioctl(taps.v[i].fd, BIOCGSTATS, &st) < 0)
			continue;
		lost += st.bs_drop - taps.v[i].lost;
		taps.v[i].lost = st.bs_drop;
	}
	return lost;
}
