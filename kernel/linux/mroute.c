/* SPDX-License-Identifier: ISC
 *
 * The two routing sockets: one wrapper for each kernel option and ioctl, and the bounded drain of upcalls.  What
 * differs between the families stands in mroute_codec.c.  No decisions.
 */
#include "kernel/kernel.h"

#include <errno.h>
#include <netinet/icmp6.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "kernel/linux/mroute_codec.h"
#include "kernel/linux/mroute_read.h"
#include "kernel/linux/netlink.h"
#include "kernel/linux/sock.h"
#include "kernel/mroute.h"

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
	       MRT_ADD_MFC_PROXY == MRT6_ADD_MFC_PROXY && MRT_DEL_MFC_PROXY == MRT6_DEL_MFC_PROXY &&
	       SIOCGETSGCNT == SIOCGETSGCNT_IN6 && SIOCGETVIFCNT == SIOCGETMIFCNT_IN6,
	       "options of both families");
_Static_assert(sizeof(vifi_t) == sizeof(mifi_t) &&
	       offsetof(struct sioc_vif_req, icount) == offsetof(struct sioc_mif_req6, icount) &&
	       offsetof(struct sioc_vif_req, ocount) == offsetof(struct sioc_mif_req6, ocount) &&
	       offsetof(struct sioc_vif_req, ibytes) == offsetof(struct sioc_mif_req6, ibytes) &&
	       offsetof(struct sioc_vif_req, obytes) == offsetof(struct sioc_mif_req6, obytes),
	       "counters of both families");

static struct mroute {
	uint32_t table;
	bool pim;
	int ifindex[KERNEL_VIFS];	/* of each VIF */
	/* Upcalls that were read and not handed on yet, the newest last.  The newest go first, a turn's worth of them
	 * at a time: the kernel looks for what waits for an entry in a list that begins with the newest, and the one
	 * who answers the oldest first has it walk over all others each time (net/ipv4/ipmr.c, mfc_unres_queue). */
	struct upcall *waiting;
	unsigned n, cap;
} mroutes[FAM_N];

static int mroute_resize(struct mroute *s, unsigned cap)
{
	struct upcall *v = realloc(s->waiting, cap * sizeof *v);

	if (!v)
		return -1;
	s->waiting = v;
	s->cap = cap;
	return 0;
}

/* Neighbours' packets stay out.  Of IPv4 upcalls have 0 where a packet has its protocol.  Of IPv6 no filter on bytes
 * will do, since an ICMPv6 packet of type 0 may have them all; but upcalls do not pass this one (net/ipv6/ip6mr.c). */
static int mroute_filter(int fd, enum fam fam)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, offsetof(struct igmpmsg, im_mbz)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, 0xffff),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	struct icmp6_filter none;

	if (fam == FAM_4)
		return sock_filter(fd, code, sizeof code / sizeof *code);
	ICMP6_FILTER_SETBLOCKALL(&none);
	return setsockopt(fd, IPPROTO_ICMPV6, ICMP6_FILTER, &none, sizeof none);
}

/* 0, or -1 with errno: ENOENT where the kernel routes multicast and has this option not. */
static int mroute_set_table(int fd, enum fam fam, uint32_t table)
{
	int err, version;
	socklen_t len = sizeof version;

	if (!table || mroute_set_int(fam, MRT_TABLE, (int)table) == 0)
		return 0;
	err = errno;
	if (err == ENOPROTOOPT && getsockopt(fd, sock_level(fam), MRT_VERSION, &version, &len) == 0)
		err = ENOENT;
	return sock_fail(err);
}

int mroute_prepare(int fd, enum fam fam, uint32_t table)
{
	mroutes[fam].table = table;
	sock_room(fd, RCVBUF);
	return mroute_filter(fd, fam) == 0 ? mroute_set_table(fd, fam, table) : -1;
}

/* Alone of all options MRT_INIT may be set by who has no capability (net/ipv4/ipmr.c, ip_mroute_setsockopt). */
int mroute_take(enum fam fam)
{
	return mroute_set_int(fam, MRT_INIT, 1);
}

void mroute_give(enum fam fam)
{
	mroute_set_int(fam, MRT_DONE, 1);
}

int mroute_begin(enum fam fam)
{
	struct mroute *s = &mroutes[fam];

	s->pim = mroute_set_int(fam, MRT_PIM, 1) == 0;
	return (!s->pim && mroute_set_int(fam, MRT_ASSERT, 1) < 0) || (!s->cap && mroute_resize(s, WAITING_MIN) < 0) ?
	       -1 : 0;
}

/* The filter may be that of another version. */
int mroute_begin_handed(int fd, enum fam fam, uint32_t table)
{
	mroutes[fam].table = table;
	return mroute_filter(fd, fam) == 0 ? mroute_begin(fam) : -1;
}

void mroute_forget(enum fam fam)
{
	free(mroutes[fam].waiting);
	mroutes[fam] = (struct mroute){ .n = 0 };
}

int kernel_vifs_read(enum fam fam, int ifindex[KERNEL_VIFS])
{
	struct mroute *s = &mroutes[fam];
	int res = mroute_read_vifs(kernel_mroute_fd(fam), fam, s->ifindex);

	for (int vif = 0; vif < KERNEL_VIFS; vif++)
		ifindex[vif] = s->ifindex[vif];
	return res;
}

int kernel_mfc_read(enum fam fam, kernel_mfc_found_fn *fn, void *ctx)
{
	return mroute_read_entries(fam, mroutes[fam].table, mroutes[fam].ifindex, fn, ctx);
}

bool kernel_mroute_has_pim(enum fam fam)
{
	return mroutes[fam].pim;
}

bool kernel_has_tables(void)
{
	return true;
}

/* net/ipv4/ipmr.c, ipmr_device_event(), and ip6mr_device_event() of IPv6. */
bool kernel_vif_stays(enum fam fam)
{
	(void)fam;
	return false;
}

int kernel_vif_add(enum fam fam, int vif, int ifindex, uint8_t threshold)
{
	union mroute_arg a;
	int len = mroute_vif(&a, fam, vif, ifindex, threshold);

	if (len < 0)
		return -1;
	if (mroute_set(fam, MRT_ADD_VIF, &a, len) == 0) {
		mroutes[fam].ifindex[vif] = ifindex;
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
	int len = mroute_vif(&a, fam, vif, 0, 0);

	if (mroute_set(fam, MRT_DEL_VIF, &a, len) == 0) {
		netlink_ask_allmulti(mroutes[fam].ifindex[vif]);
		return 0;
	}
	return errno == EADDRNOTAVAIL ? 0 : -1;
}

int kernel_mfc_add(const struct flow *flow, int iif, uint32_t oifs, const uint8_t *ttl)
{
	union mroute_arg a;
	int len = mroute_mfc(&a, flow, iif, oifs, ttl);

	return mroute_set(flow_fam(flow), flow_any_source(flow) ? MRT_ADD_MFC_PROXY : MRT_ADD_MFC, &a, len);
}

int kernel_mfc_del(const struct flow *flow, int iif)
{
	union mroute_arg a;
	int len = mroute_mfc(&a, flow, iif, 0, NULL);

	return mroute_set(flow_fam(flow), flow_any_source(flow) ? MRT_DEL_MFC_PROXY : MRT_DEL_MFC, &a, len);
}

static int mroute_ask(enum fam fam, unsigned long request, union mroute_arg *a)
{
	if (ioctl(kernel_mroute_fd(fam), request, a) == 0)
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

	mroute_sg(&a, flow);
	/* ENOTTY as in mroute_read_vifs(). */
	if (mroute_ask(fam, SIOCGETSGCNT, &a) < 0)
		return sizeof(long) == 4 && errno == ENOTTY ? mroute_read_stats(flow, mroutes[fam].table, st) : -1;
	mroute_sg_read(fam, &a, st);
	return 0;
}

int kernel_vif_stats(enum fam fam, int vif, struct vif_stats *st)
{
	union mroute_arg a = { .count = { .vifi = (vifi_t)vif } };

	if (mroute_ask(fam, SIOCGETVIFCNT, &a) < 0)
		return -1;
	*st = (struct vif_stats){ a.count.icount, a.count.ibytes, a.count.ocount, a.count.obytes };
	return 0;
}

/* Reads all there is, as far as there is room. */
static int mroute_read(enum fam fam, struct mroute *s)
{
	char bytes[BATCH][MROUTE_UPCALL_MAX];
	struct mmsghdr msg[BATCH];
	struct iovec iov[BATCH];
	int got = BATCH;

	for (int i = 0; i < BATCH; i++) {
		iov[i] = (struct iovec){ bytes[i], sizeof bytes[i] };
		msg[i] = (struct mmsghdr){ .msg_hdr = { .msg_iov = &iov[i], .msg_iovlen = 1 } };
	}
	for (int left = WAITING_MAX / BATCH; left && got == BATCH; left--) {
		if (s->n + BATCH > s->cap && (s->cap >= WAITING_MAX || mroute_resize(s, s->cap * 2) < 0))
			break;
		got = recvmmsg(kernel_mroute_fd(fam), msg, BATCH, MSG_DONTWAIT, NULL);
		if (got < 0 && errno == EINTR)
			got = BATCH;
		else if (got < 0)
			return errno == EAGAIN ? 0 : -1;
		else
			for (int i = 0; i < got; i++)
				s->n += mroute_upcall(fam, bytes[i], msg[i].msg_len, &s->waiting[s->n]);
	}
	return 0;
}

int kernel_mroute_drain(enum fam fam, int max, kernel_upcall_fn *fn, void *ctx)
{
	struct mroute *s = &mroutes[fam];
	int err = mroute_read(fam, s), n = s->n < (unsigned)max ? (int)s->n : max;
	const struct upcall *up = s->waiting + (s->n -= (unsigned)n);

	for (int i = 0; i < n; i++)
		fn(ctx, &up[i]);
	if (!s->n && s->cap > WAITING_MIN)
		mroute_resize(s, WAITING_MIN);
	return n ? n : err;
}
