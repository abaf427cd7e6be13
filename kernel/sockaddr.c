/* SPDX-License-Identifier: ISC
 *
 * Our address as a socket address, copied, because the types must not alias.
 */
#include "kernel/sockaddr.h"

#include <netinet/in.h>
#include <string.h>

socklen_t sockaddr_set(struct sockaddr_storage *ss, const struct addr *a)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };
	struct sockaddr_in6 sin6 = { .sin6_family = AF_INET6 };

	if (addr_fam(a) == FAM_4) {
		memcpy(&sin.sin_addr, a->b + 12, sizeof sin.sin_addr);
		memcpy(ss, &sin, sizeof sin);
		return sizeof sin;
	}
	memcpy(&sin6.sin6_addr, a->b, sizeof sin6.sin6_addr);
	memcpy(ss, &sin6, sizeof sin6);
	return sizeof sin6;
}
