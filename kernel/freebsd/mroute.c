/* SPDX-License-Identifier: ISC
 *
 * The two routing sockets of FreeBSD.  Which numbers are taken is kept here: MRT_ADD_VIF on a taken one frees the
 * interface of the kernel (15.0, sys/netinet/ip_mroute.c, add_vif), so it never gets there.  What the kernel has is
 * kept too, see ledger.h.  No decisions.
 */
#include "kernel/kernel.h"

#include <errno.h>
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/param.h>
#include <sys/socket.h>
#include <sys/sysctl.h>
#include <unistd.h>

#include <netinet/icmp6.h>
#include <netinet/ip_mroute.h>
#include <netinet6/ip6_mroute.h>
#include <netinet6/in6_var.h>

#include "kernel/freebsd/ledger.h"
#include "kernel/freebsd/links.h"
#include "kernel/freebsd/mroute_pack.h"
#include "kernel/held.h"
#include "kernel/mroute.h"
#include "kernel/sock.h"

/* 64 bytes an upcall; halved until kern.ipc.maxsockbuf allows it. */
#define RCVBUF (8 * 1024 * 1024)

_Static_assert(sizeof(struct vifctl) == sizeof(struct pack_vif4) &&
	       sizeof(struct mif6ctl) == sizeof(struct pack_vif6) &&
	       sizeof(struct mfcctl) == sizeof(struct pack_mfc4) && sizeof(struct mf6cctl) == sizeof(struct pack_mfc6),
	       "arguments of options");
_Static_assert(sizeof(struct sioc_sg_req) == sizeof(struct pack_sg4) &&
	       sizeof(struct sioc_sg_req6) == sizeof(struct pack_sg6) &&
	       sizeof(struct sioc_vif_req) == sizeof(struct pack_count4) &&
	       sizeof(struct sioc_mif_req6) == sizeof(struct pack_count6), "arguments of requests");
_Static_assert(offsetof(struct igmpmsg, im_vif) == 10 && sizeof(struct igmpmsg) == 20 &&
	       offsetof(struct mrt6msg, im6_mif) == 2 && sizeof(struct mrt6msg) == PACK_UPCALL_MAX &&
	       AF_INET6 == PACK_AF_INET6, "upcalls");
_Static_assert((int)MRT_DONE == (int)MRT6_DONE && (int)MRT_ADD_VIF == (int)MRT6_ADD_MIF &&
	       (int)MRT_DEL_VIF == (int)MRT6_DEL_MIF && (int)MRT_ADD_MFC == (int)MRT6_ADD_MFC &&
	       (int)MRT_DEL_MFC == (int)MRT6_DEL_MFC, "options of both families");

static struct mroute {
	bool pim;
	uint32_t taken;			/* bit n: there is VIF n */
	int ifindex[KERNEL_VIFS];	/* of each */
	struct ledger ledger;
} mroutes[FAM_N] = { { .ledger.fd = -1 }, { .ledger.fd = -1 } };

/* Neighbours' packets stay out: a connected socket gets none that do not come from where it is connected to
 * (sys/netinet/raw_ip.c, rip_input); upcalls come all the same.  ICMPv6 has a filter, which these pass. */
static int mroute_filter(int fd, enum fam fam)
{
	struct sockaddr_in nobody = { .sin_len = sizeof nobody, .sin_family = AF_INET,
				      .sin_addr = { INADDR_BROADCAST } };
	struct icmp6_filter none;

	if (fam == FAM_4)
		return connect(fd, (struct sockaddr *)&nobody, sizeof nobody);
	ICMP6_FILTER_SETBLOCKALL(&none);
	return setsockopt(fd, IPPROTO_ICMPV6, ICMP6_FILTER, &none, sizeof none);
}

int mroute_prepare(int fd, enum fam fam, uint32_t table)
{
	(void)table;
	sock_room(fd, RCVBUF);
	sock_set(fd, SOL_SOCKET, SO_RERROR, 1);
	return mroute_filter(fd, fam);
}

/* Without a ledger a successor begins anew. */
int mroute_take(enum fam fam)
{
	struct mroute *s = &mroutes[fam];

	if (mroute_set_int(fam, fam == FAM_4 ? (int)MRT_INIT : (int)MRT6_INIT, 1) < 0)
		return -1;
	s->taken = 0;
	ledger_clear(&s->ledger);
	if (s->ledger.fd < 0 && held_add("ledger", fam, 0, ledger_begin(&s->ledger)) < 0)
		ledger_end(&s->ledger);
	return 0;
}

void mroute_give(enum fam fam)
{
	mroute_set_int(fam, MRT_DONE, 1);
}

/* Of IPv6 each packet on a wrong interface would be told, without a limit (sys/netinet6/ip6_mroute.c). */
int mroute_begin(enum fam fam)
{
	mroutes[fam].pim = fam == FAM_4 && mroute_set_int(fam, MRT_ASSERT, 1) == 0;
	return 0;
}

int mroute_begin_handed(int fd, enum fam fam, uint32_t table)
{
	(void)fd;
	(void)table;
	mroutes[fam].ledger.fd = held_take("ledger", fam, 0);
	return mroute_begin(fam);
}

static void mroute_end_ledger(struct ledger *l)
{
	held_close(l->fd);
	ledger_end(l);
}

void mroute_forget(enum fam fam)
{
	mroute_end_ledger(&mroutes[fam].ledger);
	mroutes[fam] = (struct mroute){ .ledger.fd = -1 };
}

/* ---- what the kernel has ---- */

/* A VIF of IPv4 goes with its interface, and when that is renamed (sys/netinet/ip_mroute.c, if_detached_event): bit n =
 * VIF n is there.  MIFs stay. */
static uint32_t mroute_present(enum fam fam)
{
	unsigned char table[PACK_ROWS_MAX];
	size_t len = sizeof table;
	uint32_t present = 0;

	if (fam == FAM_6 || sysctlbyname("net.inet.ip.viftable", table, &len, NULL, 0) < 0)
		return UINT32_MAX;
	for (int vif = 0; vif < KERNEL_VIFS; vif++)
		present |= (uint32_t)pack_row(table, len, vif, &(struct pack_row4){ 0 }) << vif;
	return present;
}

int kernel_vifs_read(enum fam fam, int ifindex[KERNEL_VIFS])
{
	struct mroute *s = &mroutes[fam];
	int fd = s->ledger.fd;
	uint32_t present;

	memset(ifindex, 0, KERNEL_VIFS * sizeof *ifindex);
	if (fd < 0)
		return sock_fail(EOPNOTSUPP);
	if (ledger_load(&s->ledger, fd) < 0) {
		held_close(fd);
		return -1;
	}
	present = mroute_present(fam);
	s->taken = 0;
	for (int vif = 0; vif < KERNEL_VIFS; vif++) {
		ifindex[vif] = ledger_vif(&s->ledger, vif);
		if (ifindex[vif] && (!(present >> vif & 1) ||
				     links_identity(ifindex[vif]) != ledger_vif_identity(&s->ledger, vif)))
			ifindex[vif] = -1;
		s->taken |= (uint32_t)(ifindex[vif] != 0) << vif;
		s->ifindex[vif] = ifindex[vif];
	}
	return 0;
}

/* One that may not be as the ledger has it is made so: false when there is none. */
static bool mroute_settle(const struct ledger_entry *e)
{
	return e->state == LEDGER_SURE || kernel_mfc_add(&e->flow, e->iif, e->oifs, e->ttl) == 0;
}

int kernel_mfc_read(enum fam fam, kernel_mfc_found_fn *fn, void *ctx)
{
	struct ledger *l = &mroutes[fam].ledger;

	if (l->fd < 0)
		return sock_fail(EOPNOTSUPP);
	for (uint32_t at = 0; at < l->n; at++) {
		struct ledger_entry e = *ledger_at(l, at);
		struct mfc_found found = { .flow = e.flow, .iif = e.iif, .oifs = e.oifs };

		if (e.state == LEDGER_FREE)
			continue;
		memcpy(found.ttl, e.ttl, sizeof found.ttl);
		if (mroute_settle(&e) && kernel_mfc_stats(&e.flow, &found.st) == 0)
			fn(ctx, &found);
		else
			ledger_del(l, &e.flow);
	}
	return 0;
}

bool kernel_mroute_has_pim(enum fam fam)
{
	return mroutes[fam].pim;
}

bool kernel_has_tables(void)
{
	return false;
}

/* IPv4's goes with its interface and may have been heard of or not; IPv6's never does. */
bool kernel_vif_stays(enum fam fam)
{
	(void)fam;
	return true;
}

int kernel_vif_add(enum fam fam, int vif, int ifindex, uint8_t threshold)
{
	struct mroute *s = &mroutes[fam];
	struct addr local = { .w = { 0 } };
	union pack a;
	int len;

	if (s->taken >> vif & 1)
		return sock_fail(EADDRINUSE);
	if (fam == FAM_4 && !links_address(ifindex, &local))
		return sock_fail(EADDRNOTAVAIL);
	len = pack_vif(&a, fam, vif, ifindex, threshold, &local);
	if (len < 0)
		return -1;
	ledger_vif_before(&s->ledger, vif);
	if (mroute_set(fam, MRT_ADD_VIF, &a, len) < 0) {
		ledger_vif_after(&s->ledger, vif, 0, 0);
		return sock_fail(errno == ENXIO ? ENODEV : errno);
	}
	s->taken |= UINT32_C(1) << vif;
	s->ifindex[vif] = ifindex;
	ledger_vif_after(&s->ledger, vif, ifindex, links_identity(ifindex));
	links_ask_allmulti(ifindex);
	return 0;
}

int kernel_vif_del(enum fam fam, int vif)
{
	struct mroute *s = &mroutes[fam];
	uint16_t number = (uint16_t)vif;

	if (!(s->taken >> vif & 1))
		return 0;
	ledger_vif_before(&s->ledger, vif);
	if (mroute_set(fam, MRT_DEL_VIF, &number, sizeof number) < 0 && errno != EADDRNOTAVAIL && errno != EINVAL) {
		ledger_vif_after(&s->ledger, vif, s->ifindex[vif], ledger_vif_identity(&s->ledger, vif));
		return -1;
	}
	s->taken &= ~(UINT32_C(1) << vif);
	ledger_vif_after(&s->ledger, vif, 0, 0);
	links_ask_allmulti(s->ifindex[vif]);
	return 0;
}

static int mroute_missing(void)
{
	/* EINVAL: beyond the highest VIF in use. */
	if (errno == EADDRNOTAVAIL || errno == ESRCH || errno == EINVAL)
		errno = ENOENT;
	return -1;
}

static int mroute_del_on(const struct flow *flow, int iif)
{
	enum fam fam = flow_fam(flow);
	union pack a;
	int len = pack_mfc(&a, flow, mroutes[fam].ifindex[iif], iif, 0, NULL);

	return mroute_set(fam, MRT_DEL_MFC, &a, len) < 0 ? mroute_missing() : 0;
}

/* The router has one entry of a flow.  Where the kernel has one on each interface, those on others go; true when there
 * was one. */
static bool mroute_del_others(const struct flow *flow, int iif)
{
	uint32_t others = mroutes[flow_fam(flow)].taken & ~(UINT32_C(1) << iif);
	bool was_there = false;

	for (int vif = 0; pack_has_zone(flow) && vif < KERNEL_VIFS; vif++)
		if (others >> vif & 1 && mroute_del_on(flow, vif) == 0)
			was_there = true;
	return was_there;
}

int kernel_mfc_add(const struct flow *flow, int iif, uint32_t oifs, const uint8_t *ttl)
{
	struct ledger_entry e = { .flow = *flow, .iif = (uint8_t)iif, .oifs = oifs & ~(UINT32_C(1) << iif) };
	struct mroute *s = &mroutes[flow_fam(flow)];
	union pack a;
	int len, res;

	/* 0.0.0.0 would be an address like any other. */
	if (flow_any_source(flow))
		return sock_fail(EOPNOTSUPP);
	if (ttl)
		memcpy(e.ttl, ttl, sizeof e.ttl);
	else
		memset(e.ttl, 1, sizeof e.ttl);
	if (ledger_has(&s->ledger, flow))
		mroute_del_others(flow, iif);
	if (ledger_before(&s->ledger, &e) < 0)
		return -1;
	len = pack_mfc(&a, flow, s->ifindex[iif], iif, oifs, e.ttl);
	res = mroute_set(flow_fam(flow), MRT_ADD_MFC, &a, len);
	ledger_after(&s->ledger, &e, res == 0);
	return res;
}

int kernel_mfc_del(const struct flow *flow, int iif)
{
	int res = mroute_del_on(flow, iif);

	if (res < 0 && errno == ENOENT && mroute_del_others(flow, iif))
		res = 0;
	if (res == 0 || errno == ENOENT)
		ledger_del(&mroutes[flow_fam(flow)].ledger, flow);
	return res;
}

int kernel_mfc_stats(const struct flow *flow, struct mfc_stats *st)
{
	enum fam fam = flow_fam(flow);
	union pack a;
	int vif = 0;

	do {
		pack_sg(&a, flow, mroutes[fam].ifindex[vif]);
		if (ioctl(kernel_mroute_fd(fam), fam == FAM_4 ? SIOCGETSGCNT : SIOCGETSGCNT_IN6, &a) == 0) {
			pack_sg_read(fam, &a, st);
			return 0;
		}
	} while (pack_has_zone(flow) && ++vif < KERNEL_VIFS);
	return mroute_missing();
}

int kernel_vif_stats(enum fam fam, int vif, struct vif_stats *st)
{
	union pack a;

	pack_count(&a, vif);
	if (ioctl(kernel_mroute_fd(fam), fam == FAM_4 ? SIOCGETVIFCNT : SIOCGETMIFCNT_IN6, &a) < 0)
		return mroute_missing();
	pack_count_read(fam, &a, st);
	return 0;
}

int kernel_mroute_drain(enum fam fam, int max, kernel_upcall_fn *fn, void *ctx)
{
	struct mroute *s = &mroutes[fam];
	unsigned char bytes[PACK_UPCALL_MAX];
	struct upcall up;
	int n = 0;

	while (n < max) {
		ssize_t len = recv(kernel_mroute_fd(fam), bytes, sizeof bytes, MSG_DONTWAIT);

		/* ENOBUFS says once that some were lost; each is asked again by its next packet. */
		if (len < 0 && errno != EINTR && errno != ENOBUFS)
			return errno == EAGAIN || n ? n : -1;
		n++;
		if (len >= 0 && pack_upcall(fam, s->taken, bytes, (size_t)len, &up))
			fn(ctx, &up);
	}
	return n;
}

/* ---- sockets that are handed over ---- */

/* A socket does not tell of which jail's stack it is, and what is not of this one serves nobody here. */
int held_check_stack(int fd, enum fam fam)
{
	(void)fd;
	(void)fam;
	return 0;
}

int mroute_check_ledger(int fd)
{
	return ledger_is(fd) ? 0 : EPROTOTYPE;
}

int mroute_check(int fd, enum fam fam, uint32_t table)
{
	int v = 0;
	socklen_t len = sizeof v;

	if (table)
		return ESRCH;
	/* Another socket than the one that routes gets EPERM (sys/netinet/ip_mroute.c, X_ip_mrouter_get). */
	if (fam == FAM_4 && getsockopt(fd, IPPROTO_IP, MRT_ASSERT, &v, &len) < 0)
		return errno == EPERM ? ESTALE : errno;
	return 0;
}
