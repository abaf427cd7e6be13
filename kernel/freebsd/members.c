/* SPDX-License-Identifier: ISC
 *
 * What other programs are members of cannot be seen in a way that would tell whether a packet comes back: FreeBSD
 * gives each copy that leaves to the host itself whoever is a member (sys/netinet/ip_mroute.c, phyint_send), so the
 * parent is never an output, see mroute_pack.h.
 */
#include "kernel/kernel.h"

#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "kernel/freebsd/mroute_pack.h"
#include "kernel/sock.h"

int kernel_members_read(uint32_t *n)
{
	*n = 0;
	return sock_fail(EOPNOTSUPP);
}

bool kernel_members_loop(int ifindex, const struct flow_range *range)
{
	(void)ifindex;
	(void)range;
	return false;
}

int kernel_received(const char *name, uint64_t *packets)
{
	struct ifaddrs *all = NULL;
	struct if_data data;
	bool found = false;

	if (getifaddrs(&all) < 0)
		return -1;
	for (const struct ifaddrs *a = all; a && !found; a = a->ifa_next)
		if (a->ifa_addr && a->ifa_addr->sa_family == AF_LINK && a->ifa_data && !strcmp(a->ifa_name, name)) {
			memcpy(&data, a->ifa_data, sizeof data);
			*packets = data.ifi_ipackets;
			found = true;
		}
	freeifaddrs(all);
	return found ? 0 : sock_fail(ENODEV);
}

bool kernel_is_own(const struct addr *a)
{
	sa_family_t family = addr_fam(a) == FAM_4 ? AF_INET : AF_INET6;
	struct ifaddrs *all = NULL;
	struct sockaddr_in6 own;
	struct sockaddr_in in;
	struct addr of;
	bool is_own = false;

	if (getifaddrs(&all) < 0)
		return true;
	for (const struct ifaddrs *i = all; i && !is_own; i = i->ifa_next) {
		if (!i->ifa_addr || i->ifa_addr->sa_family != family)
			continue;
		if (family == AF_INET) {
			memcpy(&in, i->ifa_addr, sizeof in);
			is_own = !memcmp(&in.sin_addr, a->b + 12, 4);
		} else {
			memcpy(&own, i->ifa_addr, sizeof own);
			memcpy(of.b, &own.sin6_addr, sizeof of.b);
			pack_clear_zone(&of);
			is_own = addr_eq(&of, a);
		}
	}
	freeifaddrs(all);
	return is_own;
}

/* There are no (*,G) entries to count. */
int kernel_counts_any(enum fam fam, kernel_counts_fn *fn, void *ctx)
{
	(void)fam;
	(void)fn;
	(void)ctx;
	return 0;
}
