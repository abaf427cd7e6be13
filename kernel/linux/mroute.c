/* SPDX-License-Identifier: ISC
 *
 * The two routing sockets: one wrapper for each kernel option and ioctl, and the
 * bounded drain of upcalls.  What differs between the families stands in
 * mroute_codec.c.  No decisions.
 */
#include "kernel/kernel.h"

#include <errno.h>
#include <netinet/icmp6.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "kernel/linux/mroute_codec.h"
#include "kernel/linux/netlink.h"
#include "kernel/linux/sock.h"
#include "lib/fd.h"

/* What waits unread, in bytes of kernel memory (an upcall takes 768): 20,000 new sources at once. */
#define RCVBUF (16 * 1024 * 1024)
#define BATCH 32
#define WAITING_MIN 1024	/* upcalls for which there is always room */
#define WAITING_MAX 32768	/* how many are read ahead; 44 bytes each */

/* Both families number their options and requests alike. */
_Static_assert(MRT_INIT == MRT6_INIT && MRT_DONE == MRT6_DONE && MRT_TABLE == MRT6_TABLE &&
	       MRT_PIM == MRT6_PIM && MRT_ASSERT == MRT6_ASSERT &&
	       MRT_ADD_VIF == MRT6_ADD_MIF && MRT_DEL_VIF == MRT6_DEL_MIF &&
	       MRT_ADD_MFC == MRT6_ADD_MFC && MRT_DEL_MFC == MRT6_DEL_MFC &&
	       SIOCGETSGCNT == SIOCGETSGCNT_IN6 && SIOCGETVIFCNT == SIOCGETMIFCNT_IN6,
	       "options of both families");

static struct {
	int fd;			/* -1 while the family is closed */
	bool pim;
	int ifindex[KERNEL_VIFS];	/* of each VIF */
} sock[FAM_N] = { { .fd = -1 }, { .fd = -1 } };

/* Upcalls that were read and not handed on yet, the newest last.  The newest go first, a turn's worth
 * of them at a time: the kernel looks for what waits for an entry in a list that begins with the newest,
 * and the one who answers the oldest first has it walk over all others each time (net/ipv4/ipmr.c,
 * mfc_unres_queue). */
static struct waiting {
	struct upcall *v;
	unsigned n, cap;
} waiting[FAM_N];

static int waiting_resize(struct waiting *w, unsigned cap)
{
	struct upcall *v = realloc(w->v, cap * sizeof *v);

	if (!v)
		return -1;
	w->v = v;
	w->cap = cap;
	return 0;
}

/* Room for one more batch; false when enough waits already, or no memory is left. */
static bool waiting_room(struct waiting *w)
{
	return w->n + BATCH <= w->cap || (w->cap < WAITING_MAX && waiting_resize(w, w->cap * 2) == 0);
}

/* Neighbours' packets stay out.  Of IPv4 upcalls have 0 where a packet has its protocol.  Of IPv6 no filter on bytes
 * will do, since an ICMPv6 packet of type 0 may have them all; but upcalls do not pass this one (net/ipv6/ip6mr.c). */
static int filter(enum fam fam)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, offsetof(struct igmpmsg, im_mbz)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, 0xffff),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	struct icmp6_filter none;

	if (fam == FAM_4)
		return sock_filter(sock[fam].fd, code, sizeof code / sizeof *code);
	ICMP6_FILTER_SETBLOCKALL(&none);
	return setsockopt(sock[fam].fd, IPPROTO_ICMPV6, ICMP6_FILTER, &none, sizeof none);
}

static int set_option(enum fam fam, int option, const void *p, int len)
{
	return setsockopt(sock[fam].fd, sock_level(fam), option, p, (socklen_t)len);
}

static int set_int(enum fam fam, int option, int v)
{
	return set_option(fam, option, &v, sizeof v);
}

int kernel_mroute_open(enum fam fam, uint32_t table)
{
	if (sock[fam].fd >= 0) {
		errno = EADDRINUSE;
		return -1;
	}
	sock[fam].fd = sock_open(fam, SOCK_RAW);
	if (sock[fam].fd < 0)
		return -1;
	sock_room(sock[fam].fd, RCVBUF);
	if (filter(fam) == 0 && (!table || set_int(fam, MRT_TABLE, (int)table) == 0) &&
	    set_int(fam, MRT_INIT, 1) == 0) {
		sock[fam].pim = set_int(fam, MRT_PIM, 1) == 0;
		if ((sock[fam].pim || set_int(fam, MRT_ASSERT, 1) == 0) &&
		    waiting_resize(&waiting[fam], WAITING_MIN) == 0)
			return 0;
	}
	sock[fam].fd = fd_fail(sock[fam].fd);
	return -1;
}

void kernel_mroute_close(enum fam fam)
{
	if (sock[fam].fd < 0)
		return;
	free(waiting[fam].v);
	waiting[fam] = (struct waiting){ 0 };
	set_int(fam, MRT_DONE, 1);	/* even if a child still has the descriptor */
	close(sock[fam].fd);
	sock[fam].fd = -1;
}

int kernel_mroute_fd(enum fam fam)
{
	return sock[fam].fd;
}

bool kernel_mroute_has_pim(enum fam fam)
{
	return sock[fam].fd >= 0 && sock[fam].pim;
}

int kernel_vif_add(enum fam fam, int vif, int ifindex, uint8_t threshold)
{
	union mroute_arg a;
	int len = mroute_codec[fam].vif(&a, vif, ifindex, threshold);

	if (len < 0)
		return -1;
	if (set_option(fam, MRT_ADD_VIF, &a, len) == 0) {
		sock[fam].ifindex[vif] = ifindex;
		netlink_ask_allmulti(ifindex);
		return 0;
	}
	if (errno == EADDRNOTAVAIL)
		errno = ENODEV;
	return -1;
}

int kernel_vif_del(enum fam fam, int vif)
{
	union mroute_arg a;

	if (set_option(fam, MRT_DEL_VIF, &a, mroute_codec[fam].vif(&a, vif, 0, 0)) == 0) {
		netlink_ask_allmulti(sock[fam].ifindex[vif]);
		return 0;
	}
	return errno == EADDRNOTAVAIL ? 0 : -1;
}

int kernel_mfc_add(const struct flow *flow, int iif, uint32_t oifs, const uint8_t *ttl)
{
	enum fam fam = flow_fam(flow);
	union mroute_arg a;

	return set_option(fam, MRT_ADD_MFC, &a, mroute_codec[fam].mfc(&a, flow, iif, oifs, ttl));
}

int kernel_mfc_del(const struct flow *flow)
{
	enum fam fam = flow_fam(flow);
	union mroute_arg a;

	return set_option(fam, MRT_DEL_MFC, &a, mroute_codec[fam].mfc(&a, flow, 0, 0, NULL));
}

static int ask(enum fam fam, unsigned long request, union mroute_arg *a)
{
	if (ioctl(sock[fam].fd, request, a) == 0)
		return 0;
	/* EINVAL: beyond the highest VIF in use. */
	if (errno == EADDRNOTAVAIL || errno == EINVAL)
		errno = ENOENT;
	return -1;
}

int kernel_mfc_stats(const struct flow *flow, struct mfc_stats *st)
{
	enum fam fam = flow_fam(flow);
	union mroute_arg a;

	mroute_codec[fam].sg(&a, flow);
	if (ask(fam, SIOCGETSGCNT, &a) < 0)
		return -1;
	mroute_sg_read(fam, &a, st);
	return 0;
}

int kernel_vif_stats(enum fam fam, int vif, struct vif_stats *st)
{
	union mroute_arg a;

	mroute_count(&a, vif);
	if (ask(fam, SIOCGETVIFCNT, &a) < 0)
		return -1;
	mroute_count_read(&a, st);
	return 0;
}

/* Reads all there is, as far as there is room. */
static int read_upcalls(enum fam fam, struct waiting *w)
{
	char bytes[BATCH][MROUTE_UPCALL_MAX];
	struct mmsghdr msg[BATCH];
	struct iovec iov[BATCH];
	int got = BATCH;

	for (int i = 0; i < BATCH; i++) {
		iov[i] = (struct iovec){ bytes[i], sizeof bytes[i] };
		msg[i] = (struct mmsghdr){ .msg_hdr = { .msg_iov = &iov[i], .msg_iovlen = 1 } };
	}
	for (int left = WAITING_MAX / BATCH; left && got == BATCH && waiting_room(w); left--) {
		got = recvmmsg(sock[fam].fd, msg, BATCH, MSG_DONTWAIT, NULL);
		if (got < 0 && errno == EINTR)
			got = BATCH;
		else if (got < 0)
			return errno == EAGAIN ? 0 : -1;
		else
			for (int i = 0; i < got; i++)
				w->n += mroute_upcall(fam, bytes[i], msg[i].msg_len, &w->v[w->n]);
	}
	return 0;
}

int kernel_mroute_drain(enum fam fam, int max, kernel_upcall_fn *fn, void *ctx)
{
	struct waiting *w = &waiting[fam];
	int err = read_upcalls(fam, w), n = w->n < (unsigned)max ? (int)w->n : max;
	const struct upcall *up = w->v + (w->n -= (unsigned)n);

	for (int i = 0; i < n; i++)
		fn(ctx, &up[i]);
	if (!w->n && w->cap > WAITING_MIN)
		waiting_resize(w, WAITING_MIN);
	return n ? n : err;
}
