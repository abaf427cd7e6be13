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
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/sysctl.h>
#include <unistd.h>

#include <netinet/ip_mroute.h>
#include <netinet6/in6_var.h>
#include <netinet6/ip6_mroute.h>
#include <netinet6/nd6.h>

#include "kernel/freebsd/mroute_pack.h"
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

/* IFDISABLED is what ifconfig(8) gives a new interface. */
static tristate probe_v6(const char *name)
{
	struct in6_ndireq nd = { .ndi = { 0 } };
	int fd = sock_open(FAM_6, SOCK_DGRAM), res = -1;

	strlcpy(nd.ifname, name, sizeof nd.ifname);
	if (fd >= 0) {
		res = ioctl(fd, SIOCGIFINFO_IN6, &nd);
		close(fd);
	}
	return res < 0 ? -1 : !(nd.ndi.flags & ND6_IFF_IFDISABLED);
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
		.ifindex = dl.sdl_index, .mtu = data.ifi_mtu, .rp_filter = 0, .rp_own = 0, .routing = { -1, -1 },
		.v6 = probe_v6(a->ifa_name),
		.packets = data.ifi_ipackets, .multicast = data.ifi_imcasts, .sent = data.ifi_opackets,
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
		pack_clear_zone(&to);
	}
	if (!link)
		return 0;
	link->address[is_v4 ? FAM_4 : FAM_6] = true;
	v[l->naddresses++] = (struct probe_address){ link->ifindex, to };
	return 0;
}

/* The table has an interface by a pointer into the kernel: here it is whoever has the local address. */
static int probe_local(const struct ifaddrs *all, const uint8_t local[4])
{
	struct sockaddr_in in;

	for (const struct ifaddrs *a = all; a; a = a->ifa_next) {
		if (!a->ifa_addr || a->ifa_addr->sa_family != AF_INET)
			continue;
		memcpy(&in, a->ifa_addr, sizeof in);
		if (!memcmp(&in.sin_addr, local, 4))
			return (int)if_nametoindex(a->ifa_name);
	}
	return 0;
}

static int probe_vifs4(struct probe_vif *v, int max)
{
	static unsigned char bytes[PACK_ROWS_MAX];
	struct pack_row4 t;
	struct ifaddrs *all;
	size_t len = sizeof bytes;
	int n = 0;

	if (sysctlbyname("net.inet.ip.viftable", bytes, &len, NULL, 0) < 0)
		return -1;
	if (len / KERNEL_VIFS < sizeof t)
		return sock_fail(len ? EOPNOTSUPP : ENOENT);
	if (getifaddrs(&all) < 0)
		return -1;
	for (int i = 0; i < KERNEL_VIFS && n < max; i++)
		if (pack_row(bytes, len, i, &t))
			v[n++] = (struct probe_vif){ PROBE_TABLE, i, probe_local(all, t.local), {
				t.in_packets, t.in_bytes, t.out_packets, t.out_bytes } };
	freeifaddrs(all);
	return n;
}

int probe_vifs(enum fam fam, struct probe_vif *v, int max)
{
	struct mif6_sctl mif[MAXMIFS];
	size_t len = sizeof mif;
	int n = 0;

	if (fam == FAM_4)
		return probe_vifs4(v, max);
	memset(mif, 0, sizeof mif);
	if (sysctlbyname("net.inet6.ip6.mif6table", mif, &len, NULL, 0) < 0)
		return -1;
	for (int i = 0; i < MAXMIFS && n < max; i++)
		if (mif[i].m6_ifp)
			v[n++] = (struct probe_vif){ PROBE_TABLE, i, (int)mif[i].m6_ifp, {
				mif[i].m6_pkt_in, mif[i].m6_bytes_in, mif[i].m6_pkt_out, mif[i].m6_bytes_out } };
	return n;
}

/* Who has VIFs holds the socket; without any it is not to be seen, but where no program is a router by its name. */
static void probe_routing(struct probe_links *l, enum fam fam)
{
	struct probe_vif v[MAXMIFS];
	int n = probe_vifs(fam, v, MAXMIFS), pid;
	char comm[32];

	if (n > 0)
		l->taken[fam] = 1;
	else if (!kernel_mroute_holder(fam, 0, &pid, comm, sizeof comm))
		l->taken[fam] = 0;
	for (uint32_t i = 0; l->taken[fam] >= 0 && i < l->n; i++) {
		l->v[i].routing[fam] = 0;
		for (int k = 0; k < n; k++)
			l->v[i].routing[fam] |= v[k].ifindex == l->v[i].ifindex;
	}
}

int probe_links(struct probe_links *l)
{
	struct ifaddrs *all = NULL;
	int res = 0;

	*l = (struct probe_links){ .taken = { -1, -1 }, .needs_v4 = true };
	if (getifaddrs(&all) < 0)
		return -1;
	for (const struct ifaddrs *a = all; a && !res; a = a->ifa_next)
		if (a->ifa_addr && a->ifa_addr->sa_family == AF_LINK)
			res = probe_link_add(l, a);
	for (const struct ifaddrs *a = all; a && !res; a = a->ifa_next)
		if (a->ifa_addr && (a->ifa_addr->sa_family == AF_INET || a->ifa_addr->sa_family == AF_INET6))
			res = probe_address_add(l, a);
	freeifaddrs(all);
	probe_routing(l, FAM_4);
	probe_routing(l, FAM_6);
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

static void probe_entry(const struct pack_row_mfc *row, const int ifindex[KERNEL_VIFS], probe_mfc_fn *fn, void *ctx)
{
	struct probe_mfc e = { .table = PROBE_TABLE, .unresolved = row->expires != 0,
			       .st = { row->packets, row->bytes, row->wrong } };

	e.flow.source = e.flow.group = (struct addr){ .b = { [10] = 0xff, 0xff } };
	memcpy(e.flow.source.b + 12, row->source, 4);
	memcpy(e.flow.group.b + 12, row->group, 4);
	e.iif = e.unresolved ? 0 : ifindex[row->parent];
	for (int vif = 0; !e.unresolved && vif < KERNEL_VIFS; vif++)
		if (row->ttl[vif] && ifindex[vif]) {
			e.ttl[e.noifs] = row->ttl[vif];
			e.oif[e.noifs++] = ifindex[vif];
		}
	fn(ctx, &e);
}

/* The table as it is, to be freed by the caller; NULL with errno. */
static unsigned char *probe_table4(size_t *len)
{
	static const char name[] = "net.inet.ip.mfctable";
	unsigned char *bytes;

	*len = 0;
	if (sysctlbyname(name, NULL, len, NULL, 0) < 0)
		return NULL;
	*len += *len / 4 + 65536;
	bytes = malloc(*len);
	if (bytes && sysctlbyname(name, bytes, len, NULL, 0) < 0) {
		free(bytes);
		return NULL;
	}
	return bytes;
}

/* Those of IPv6 are in no table that can be read: mf6ctable has addresses of the kernel. */
int probe_mfc(enum fam fam, probe_mfc_fn *fn, void *ctx)
{
	struct probe_vif vifs[KERNEL_VIFS];
	int ifindex[KERNEL_VIFS] = { 0 }, n;
	struct pack_row_mfc row;
	unsigned char *bytes;
	size_t len, size;

	if (fam == FAM_6)
		return sock_fail(EOPNOTSUPP);
	bytes = probe_table4(&len);
	if (!bytes)
		return errno == ENOENT ? 0 : -1;
	n = probe_vifs(fam, vifs, KERNEL_VIFS);
	for (int i = 0; i < n; i++)
		ifindex[vifs[i].vif] = vifs[i].ifindex;
	size = pack_row_mfc_size(bytes, len);
	for (size_t at = 0; size && at < len; at += size) {
		memcpy(&row, bytes + at, sizeof row);
		probe_entry(&row, ifindex, fn, ctx);
	}
	free(bytes);
	return size ? 0 : sock_fail(EOPNOTSUPP);
}
