/* SPDX-License-Identifier: ISC
 *
 * Interfaces by route(4): its messages say which one is concerned, and what it is now is asked for then.  It alone
 * tells when messages were lost (SO_RERROR), and then all interfaces are asked for, as at the start; it is in every
 * kernel.  netlink(4) would tell no more, loses without a word (sys/netlink/netlink_io.c, nl_send) and is a module
 * before 15: with it this socket would still be needed.
 *
 * A rename comes as a departure and an arrival of the same index.  When messages were lost an index may be another
 * interface's than before: then a departure is told, too, as IPv6 would follow the old one
 * (sys/netinet6/ip6_mroute.c, ip6_mdq).
 */
#include "kernel/freebsd/links.h"

#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <net/if_dl.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "kernel/freebsd/rtmsg.h"
#include "kernel/sock.h"
#include "lib/grow.h"

/* An event has some 170 bytes. */
#define RCVBUF (4 * 1024 * 1024)

static struct {
	int fd;
	bool is_lost;			/* messages were dropped: dump again */
	bool follows_members;
	uint32_t nallmulti;
	int allmulti[2 * KERNEL_VIFS];	/* asked for: see links_ask_allmulti() */
	uint64_t *identity;		/* of each ifindex, as last seen; owned */
	uint32_t nidentity;
} links = { .fd = -1 };

int kernel_link_open(void)
{
	if (links.fd >= 0)
		return sock_fail(EALREADY);
	links.fd = socket(AF_ROUTE, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (links.fd < 0)
		return -1;
	sock_room(links.fd, RCVBUF);
	sock_set(links.fd, SOL_SOCKET, SO_RERROR, 1);
	return 0;
}

void kernel_link_close(void)
{
	if (links.fd >= 0)
		close(links.fd);
	free(links.identity);
	memset(&links, 0, sizeof links);
	links.fd = -1;
}

int kernel_link_fd(void)
{
	return links.fd;
}

void kernel_link_lost(void)
{
	links.is_lost = true;
}

/* There are no tables. */
void kernel_rules_ask(enum fam fam)
{
	(void)fam;
}

void kernel_members_follow(bool on)
{
	links.follows_members = on;
}

void links_ask_allmulti(int ifindex)
{
	if (links.nallmulti < sizeof links.allmulti / sizeof *links.allmulti)
		links.allmulti[links.nallmulti++] = ifindex;
}

/* ---- what there is ---- */

static bool links_is_link(const struct ifaddrs *a)
{
	return a->ifa_addr && a->ifa_addr->sa_family == AF_LINK;
}

static int links_index(const struct ifaddrs *a)
{
	struct sockaddr_dl dl;

	memcpy(&dl, a->ifa_addr, offsetof(struct sockaddr_dl, sdl_data));
	return dl.sdl_index;
}

/* Tells an interface from another one that got the index of one that went: when it came, and its hardware address. */
static uint64_t links_identity_of(const struct ifaddrs *a)
{
	uint64_t id = 14695981039346656037u;	/* FNV-1a */
	struct if_data data = { 0 };
	struct sockaddr_dl dl;
	size_t n;

	if (a->ifa_data)
		memcpy(&data, a->ifa_data, sizeof data);
	memset(&dl, 0, sizeof dl);
	memcpy(&dl, a->ifa_addr, a->ifa_addr->sa_len < sizeof dl ? a->ifa_addr->sa_len : sizeof dl);
	n = (size_t)dl.sdl_nlen + dl.sdl_alen < sizeof dl.sdl_data ? dl.sdl_alen : 0;
	id = (id ^ (uint64_t)data.ifi_epoch) * 1099511628211u;
	for (size_t i = 0; i < n; i++)
		id = (id ^ (uint8_t)dl.sdl_data[dl.sdl_nlen + i]) * 1099511628211u;
	return id;
}

/* Notes who has an index now; true when that is another one than before. */
static bool links_is_other(const struct ifaddrs *a)
{
	uint64_t id = links_identity_of(a), *v;
	uint32_t at = (uint32_t)links_index(a), had = links.nidentity;
	bool is_other;

	v = grow(links.identity, &links.nidentity, (uint64_t)at + 1, sizeof *v);
	if (!v)
		return false;
	links.identity = v;
	memset(v + had, 0, (links.nidentity - had) * sizeof *v);
	is_other = v[at] && v[at] != id;
	v[at] = id;
	return is_other;
}

static void links_new(const struct ifaddrs *a, enum link_kind kind, kernel_link_fn *fn, void *ctx)
{
	struct link_event ev = { .kind = kind, .ifindex = links_index(a) };
	struct if_data data = { 0 };

	if (a->ifa_data)
		memcpy(&data, a->ifa_data, sizeof data);
	ev.flags = rtmsg_flags(a->ifa_flags, &ev.allmulti);
	ev.mtu = data.ifi_mtu;
	strlcpy(ev.name, a->ifa_name, sizeof ev.name);
	fn(ctx, &ev);
}

/* Reports all interfaces, or one; false when there is no such one, or no memory. */
static bool links_report(int ifindex, enum link_kind kind, kernel_link_fn *fn, void *ctx)
{
	struct ifaddrs *all = NULL;
	bool found = false;

	if (getifaddrs(&all) < 0)
		return false;
	for (const struct ifaddrs *a = all; a; a = a->ifa_next)
		if (links_is_link(a) && (!ifindex || links_index(a) == ifindex)) {
			if (kind == LINK_NEW && links_is_other(a))
				fn(ctx, &(struct link_event){ .kind = LINK_DEL, .ifindex = links_index(a) });
			links_new(a, kind, fn, ctx);
			found = true;
		}
	freeifaddrs(all);
	return found;
}

uint64_t links_identity(int ifindex)
{
	struct ifaddrs *all = NULL;
	uint64_t id = 0;

	if (getifaddrs(&all) < 0)
		return 0;
	for (const struct ifaddrs *a = all; a && !id; a = a->ifa_next)
		if (links_is_link(a) && links_index(a) == ifindex)
			id = links_identity_of(a);
	freeifaddrs(all);
	return id;
}

bool links_address(int ifindex, struct addr *to)
{
	struct ifaddrs *all = NULL;
	char name[IF_NAMESIZE];
	struct sockaddr_in in;
	bool found = false;

	if (!if_indextoname((unsigned)ifindex, name) || getifaddrs(&all) < 0)
		return false;
	for (const struct ifaddrs *a = all; a && !found; a = a->ifa_next)
		if (a->ifa_addr && a->ifa_addr->sa_family == AF_INET && !strcmp(a->ifa_name, name)) {
			memcpy(&in, a->ifa_addr, sizeof in);
			*to = (struct addr){ .b = { [10] = 0xff, 0xff } };
			memcpy(to->b + 12, &in.sin_addr, 4);
			found = true;
		}
	freeifaddrs(all);
	return found;
}

int kernel_link_dump(kernel_link_fn *fn, void *ctx)
{
	links.is_lost = false;
	fn(ctx, &(struct link_event){ .kind = LINK_SWEEP_BEGIN });
	if (!links_report(0, LINK_NEW, fn, ctx))
		return -1;
	fn(ctx, &(struct link_event){ .kind = LINK_SWEEP_END });
	return 0;
}

/* ---- what happens ---- */

/* True when the rest is to wait until the router has done what it has to: after a departure, as the kernel may give the
 * memory of what went to what comes next, and MRT6_DEL_MIF looks at it (sys/netinet6/ip6_mroute.c,
 * del_m6if_locked). */
static bool links_message(const struct rtmsg *m, kernel_link_fn *fn, void *ctx)
{
	struct link_event ev = { .ifindex = m->ifindex };

	switch (m->kind) {
	case RTMSG_DEPARTURE:
		ev.kind = LINK_DEL;
		if ((uint32_t)m->ifindex < links.nidentity)
			links.identity[m->ifindex] = 0;
		memcpy(ev.name, m->name, sizeof ev.name);
		fn(ctx, &ev);
		break;
	case RTMSG_ARRIVAL:
	case RTMSG_INFO:
		links_report(m->ifindex, LINK_NEW, fn, ctx);
		break;
	case RTMSG_ADDR:
		/* A VIF of IPv4 needs an address: what was refused is tried again for an interface that is new. */
		links_report(m->ifindex, LINK_NEW, fn, ctx);
		ev.kind = LINK_ADDR;
		fn(ctx, &ev);
		break;
	case RTMSG_MEMBERS:
		ev.kind = LINK_MEMBERS;
		if (links.follows_members)
			fn(ctx, &ev);
		break;
	case RTMSG_OTHER:
		break;
	}
	return m->kind == RTMSG_DEPARTURE;
}

int kernel_link_drain(int max, kernel_link_fn *fn, void *ctx)
{
	_Alignas(8) unsigned char buf[2048];
	bool waits = false;
	int n;

	for (n = 0; n < max && !waits; n++) {
		ssize_t len = recv(links.fd, buf, sizeof buf, MSG_DONTWAIT);
		const unsigned char *p = buf;
		size_t left = len > 0 ? (size_t)len : 0;
		struct rtmsg m;

		while (rtmsg_next(&p, &left, &m))
			waits |= links_message(&m, fn, ctx);
		if (len >= 0 || errno == EINTR)
			continue;
		if (errno == EAGAIN)
			break;
		if (errno != ENOBUFS && errno != ENOMEM)
			return -1;
		links.is_lost = true;
	}
	while (links.nallmulti)
		links_report(links.allmulti[--links.nallmulti], LINK_ALLMULTI, fn, ctx);
	return links.is_lost && n < max && kernel_link_dump(fn, ctx) < 0 ? -1 : n;
}
