/* SPDX-License-Identifier: ISC
 *
 * Interfaces of FreeBSD as getifaddrs(3) tells, and numbers and entries of the routing tables as sysctl(3) does.
 */
#include "kernel/probe.h"

#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <net/if_dl.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/param.h>
#include <sys/socket.h>
#include <sys/sysctl.h>

#include <netinet/ip_mroute.h>
#include <netinet6/ip6_mroute.h>

#include "kernel/freebsd/rtmsg.h"
#include "kernel/sock.h"
#include "lib/grow.h"

/* The kind is the name without its number, as clones are called. */
static void probe_kind(char kind[KERNEL_IFNAME], const char *name)
{
	size_t n = strcspn(name, "0123456789");

	memset(kind, 0, KERNEL_IFNAME);
	memcpy(kind, name, n < KERNEL_IFNAME ? n : KERNEL_IFNAME - 1);
}

static struct probe_link *probe_link_find(struct probe_links *l, const char *name)
{
	for (uint32_t i = 0; i < l->n; i++)
		if (!strncmp(l->v[i].name, name, KERNEL_IFNAME))
			return &l->v[i];
	return NULL;
}

static int probe_link_add(struct probe_links *l, const struct ifaddrs *a)
{
	struct probe_link *v = grow(l->v, &l->cap, l->n + 1, sizeof *v);
	struct sockaddr_dl dl;
	struct if_data data = { 0 };

	if (!v)
		return -1;
	l->v = v;
	v += l->n++;
	memcpy(&dl, a->ifa_addr, offsetof(struct sockaddr_dl, sdl_data));
	if (a->ifa_data)
		memcpy(&data, a->ifa_data, sizeof data);
	*v = (struct probe_link){
		.ifindex = dl.sdl_index, .mtu = data.ifi_mtu, .rp_filter = -1, .rp_own = -1, .routing = { -1, -1 },
		.v6 = -1, .packets = data.ifi_ipackets, .multicast = data.ifi_imcasts, .sent = data.ifi_opackets,
		.unsent = data.ifi_oqdrops,
		.bridge = { -1, { -1, -1 }, { false, false }, -1, -1, -1, -1 }, .port = { .state = PORT_NONE },
	};
	v->flags = rtmsg_flags(a->ifa_flags, &v->allmulti);
	strlcpy(v->name, a->ifa_name, sizeof v->name);
	probe_kind(v->kind, v->name);
	return 0;
}

static int probe_address_add(struct probe_links *l, const struct ifaddrs *a)
{
	struct probe_address *v = grow(l->addresses, &l->caddresses, l->naddresses + 1, sizeof *v);
	struct probe_link *link = probe_link_find(l, a->ifa_name);
	bool is_v4 = a->ifa_addr->sa_family == AF_INET;
	struct addr to = { .b = { [10] = 0xff, 0xff } };
	struct sockaddr_in6 in6;
	struct sockaddr_in in;

	if (!v)
		return -1;
	l->addresses = v;
	if (is_v4) {
		memcpy(&in, a->ifa_addr, sizeof in);
		memcpy(to.b + 12, &in.sin_addr, 4);
	} else {
		memcpy(&in6, a->ifa_addr, sizeof in6);
		memcpy(to.b, &in6.sin6_addr, 16);
	}
	if (!link)
		return 0;
	link->address[is_v4 ? FAM_4 : FAM_6] = true;
	v[l->naddresses++] = (struct probe_address){ link->ifindex, to };
	return 0;
}

int probe_links(struct probe_links *l)
{
	struct ifaddrs *all = NULL;
	int res = 0;

	*l = (struct probe_links){ .taken = { -1, -1 }, .rp_all = -1 };
	if (getifaddrs(&all) < 0)
		return -1;
	for (const struct ifaddrs *a = all; a && !res; a = a->ifa_next)
		if (a->ifa_addr && a->ifa_addr->sa_family == AF_LINK)
			res = probe_link_add(l, a);
	for (const struct ifaddrs *a = all; a && !res; a = a->ifa_next)
		if (a->ifa_addr && (a->ifa_addr->sa_family == AF_INET || a->ifa_addr->sa_family == AF_INET6))
			res = probe_address_add(l, a);
	freeifaddrs(all);
	return res;
}

void probe_links_free(struct probe_links *l)
{
	free(l->v);
	free(l->addresses);
	free(l->vlans);
	*l = (struct probe_links){ 0 };
}

/* No bridge of FreeBSD snoops. */
int probe_mdb(probe_mdb_fn *fn, void *ctx)
{
	(void)fn;
	(void)ctx;
	return 0;
}

/* Of IPv6: net.inet6.ip6.mif6table has interfaces.  That of IPv4 has pointers into the kernel instead. */
int probe_vifs(enum fam fam, struct probe_vif *v, int max)
{
	struct mif6_sctl mif[MAXMIFS];
	size_t len = sizeof mif;
	int n = 0;

	if (fam == FAM_4)
		return sock_fail(EOPNOTSUPP);
	memset(mif, 0, sizeof mif);
	if (sysctlbyname("net.inet6.ip6.mif6table", mif, &len, NULL, 0) < 0)
		return -1;
	for (int i = 0; i < MAXMIFS && n < max; i++)
		if (mif[i].m6_ifp)
			v[n++] = (struct probe_vif){ .vif = i, .ifindex = (int)mif[i].m6_ifp, .st = {
				mif[i].m6_pkt_in, mif[i].m6_bytes_in, mif[i].m6_pkt_out, mif[i].m6_bytes_out } };
	return n;
}

/* Entries name numbers of VIFs, whose interfaces nothing tells, and those of IPv6 cannot be listed. */
int probe_mfc(enum fam fam, probe_mfc_fn *fn, void *ctx)
{
	(void)fam;
	(void)fn;
	(void)ctx;
	return sock_fail(EOPNOTSUPP);
}
