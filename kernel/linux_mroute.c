/* SPDX-License-Identifier: ISC
 *
 * The two routing sockets: one wrapper for each kernel option and ioctl, and the
 * bounded drain of upcalls.  What differs between the families stands in a
 * table here (numbers) and in mroute_codec.c (structures).  No decisions.
 */
#include "kernel/kernel.h"

#include <errno.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/filter.h>

#include "kernel/mroute_codec.h"

/* What waits unread, in bytes of kernel memory (an upcall takes 768): 20,000 new sources at once. */
#define RCVBUF (16 * 1024 * 1024)
#define BATCH 32
#define WAITING_MIN 1024	/* upcalls for which there is always room */
#define WAITING_MAX 32768	/* how many are read ahead; 44 bytes each */

/* Neighbours' IGMP stays out: upcalls have 0 where a packet has its protocol. */
static int filter4(int fd)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 9),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, 0xffff),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	struct sock_fprog prog = { sizeof code / sizeof *code, code };

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &prog, sizeof prog);
}

/* Neighbours' ICMPv6 stays out: upcalls do not pass this filter (net/ipv6/ip6mr.c). */
static int filter6(int fd)
{
	struct icmp6_filter none;

	ICMP6_FILTER_SETBLOCKALL(&none);
	return setsockopt(fd, IPPROTO_ICMPV6, ICMP6_FILTER, &none, sizeof none);
}

static const struct family {
	int domain, protocol, level;
	int table, init, done, pim, assert;
	int add_vif, del_vif, add_mfc, del_mfc;
	unsigned long get_mfc, get_vif;
	int (*filter)(int fd);
} family[FAM_N] = {
	[FAM_4] = { AF_INET, IPPROTO_IGMP, IPPROTO_IP,
		    MRT_TABLE, MRT_INIT, MRT_DONE, MRT_PIM, MRT_ASSERT,
		    MRT_ADD_VIF, MRT_DEL_VIF, MRT_ADD_MFC, MRT_DEL_MFC,
		    SIOCGETSGCNT, SIOCGETVIFCNT, filter4 },
	[FAM_6] = { AF_INET6, IPPROTO_ICMPV6, IPPROTO_IPV6,
		    MRT6_TABLE, MRT6_INIT, MRT6_DONE, MRT6_PIM, MRT6_ASSERT,
		    MRT6_ADD_MIF, MRT6_DEL_MIF, MRT6_ADD_MFC, MRT6_DEL_MFC,
		    SIOCGETSGCNT_IN6, SIOCGETMIFCNT_IN6, filter6 },
};

static struct {
	int fd;			/* -1 while the family is closed */
	bool pim;
} sock[FAM_N] = { { .fd = -1 }, { .fd = -1 } };

/* Upcalls that were read and not handed on yet, the newest last.  The newest go first, a turn's worth
 * of them at a time: the kernel looks for what waits for an entry in a list that begins with the newest,
 * and the one who answers the oldest first has it walk over all others each time (net/ipv4/ipmr.c,
 * mfc_unres_queue). */
static struct {
	struct upcall *v;
	unsigned n, cap;
} waiting[FAM_N];

static int waiting_resize(enum fam fam, unsigned cap)
{
	struct upcall *v = realloc(waiting[fam].v, cap * sizeof *v);

	if (!v)
		return -1;
	waiting[fam].v = v;
	waiting[fam].cap = cap;
	return 0;
}

/* Room for one more batch; false when enough waits already, or no memory is left. */
static bool waiting_room(enum fam fam)
{
	unsigned cap = waiting[fam].cap;

	return waiting[fam].n + BATCH <= cap || (cap < WAITING_MAX && waiting_resize(fam, cap * 2) == 0);
}

static int set_option(enum fam fam, int option, const void *p, size_t len)
{
	return setsockopt(sock[fam].fd, family[fam].level, option, p, (socklen_t)len);
}

static int set_int(enum fam fam, int option, int v)
{
	return set_option(fam, option, &v, sizeof v);
}

static void grow_buffer(int fd)
{
	int size = RCVBUF;

	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size) < 0)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
}

int kernel_mroute_open(enum fam fam, uint32_t table)
{
	const struct family *f = &family[fam];
	int err;

	if (sock[fam].fd >= 0) {
		errno = EADDRINUSE;
		return -1;
	}
	sock[fam].fd = socket(f->domain, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, f->protocol);
	if (sock[fam].fd < 0)
		return -1;
	if (f->filter(sock[fam].fd) < 0)
		goto fail;
	grow_buffer(sock[fam].fd);
	if (table && set_option(fam, f->table, &table, sizeof table) < 0)
		goto fail;
	if (set_int(fam, f->init, 1) < 0)
		goto fail;
	sock[fam].pim = set_int(fam, f->pim, 1) == 0;
	if (!sock[fam].pim && set_int(fam, f->assert, 1) < 0)
		goto fail;
	if (waiting_resize(fam, WAITING_MIN) < 0)
		goto fail;
	return 0;
fail:
	err = errno;
	close(sock[fam].fd);
	sock[fam].fd = -1;
	errno = err;
	return -1;
}

void kernel_mroute_close(enum fam fam)
{
	if (sock[fam].fd < 0)
		return;
	free(waiting[fam].v);
	waiting[fam].v = NULL;
	waiting[fam].n = waiting[fam].cap = 0;
	set_int(fam, family[fam].done, 1);	/* even if a child still has the descriptor */
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

	if (mroute_codec[fam].vif(&a, vif, ifindex, threshold) < 0)
		return -1;
	if (set_option(fam, family[fam].add_vif, &a, mroute_codec[fam].vif_size) == 0)
		return 0;
	if (errno == EADDRNOTAVAIL)
		errno = ENODEV;
	return -1;
}

int kernel_vif_del(enum fam fam, int vif)
{
	union mroute_arg a;

	mroute_codec[fam].vif(&a, vif, 0, 0);
	if (set_option(fam, family[fam].del_vif, &a, mroute_codec[fam].vif_size) == 0)
		return 0;
	return errno == EADDRNOTAVAIL ? 0 : -1;
}

int kernel_mfc_add(enum fam fam, const struct addr *src, const struct addr *grp,
		   int iif, uint32_t oifs, const uint8_t *ttl)
{
	union mroute_arg a;

	mroute_codec[fam].mfc(&a, src, grp, iif, oifs, ttl);
	return set_option(fam, family[fam].add_mfc, &a, mroute_codec[fam].mfc_size);
}

int kernel_mfc_del(enum fam fam, const struct addr *src, const struct addr *grp)
{
	union mroute_arg a;

	mroute_codec[fam].mfc(&a, src, grp, 0, 0, NULL);
	return set_option(fam, family[fam].del_mfc, &a, mroute_codec[fam].mfc_size);
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

int kernel_mfc_stats(enum fam fam, const struct addr *src, const struct addr *grp,
		     struct mfc_stats *st)
{
	union mroute_arg a;

	mroute_codec[fam].sg(&a, src, grp);
	if (ask(fam, family[fam].get_mfc, &a) < 0)
		return -1;
	mroute_codec[fam].sg_read(&a, st);
	return 0;
}

int kernel_vif_stats(enum fam fam, int vif, struct vif_stats *st)
{
	union mroute_arg a;

	mroute_codec[fam].count(&a, vif);
	if (ask(fam, family[fam].get_vif, &a) < 0)
		return -1;
	mroute_codec[fam].count_read(&a, st);
	return 0;
}

/* Reads all there is, as far as there is room. */
static int read_upcalls(enum fam fam)
{
	char bytes[BATCH][MROUTE_UPCALL_MAX];
	struct mmsghdr msg[BATCH];
	struct iovec iov[BATCH];
	int got = BATCH;

	for (int i = 0; i < BATCH; i++) {
		iov[i] = (struct iovec){ bytes[i], sizeof bytes[i] };
		msg[i] = (struct mmsghdr){ .msg_hdr = { .msg_iov = &iov[i], .msg_iovlen = 1 } };
	}
	for (int left = WAITING_MAX / BATCH; left && got == BATCH && waiting_room(fam); left--) {
		got = recvmmsg(sock[fam].fd, msg, BATCH, MSG_DONTWAIT, NULL);
		if (got < 0 && errno == EINTR)
			got = BATCH;
		else if (got < 0)
			return errno == EAGAIN ? 0 : -1;
		else
			for (int i = 0; i < got; i++)
				waiting[fam].n += mroute_codec[fam].upcall(bytes[i], msg[i].msg_len,
									  &waiting[fam].v[waiting[fam].n]);
	}
	return 0;
}

int kernel_mroute_drain(enum fam fam, int max, kernel_upcall_fn *fn, void *ctx)
{
	int err = read_upcalls(fam), n = waiting[fam].n < (unsigned)max ? (int)waiting[fam].n : max;
	const struct upcall *up = waiting[fam].v + (waiting[fam].n -= (unsigned)n);

	for (int i = 0; i < n; i++)
		fn(ctx, &up[i]);
	if (!waiting[fam].n && waiting[fam].cap > WAITING_MIN)
		waiting_resize(fam, WAITING_MIN);
	return n ? n : err;
}
