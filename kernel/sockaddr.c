/* SPDX-License-Identifier: ISC
 *
 * Our address as a socket address, copied, because the types must not alias.
 */
#include "kernel/sockaddr.h"

#include <netinet/in.h>
#include <string.h>

socklen_t sockaddr_set(struct sockaddr_storage *ss, const struct addr *a)
{
	bool v4 = addr_fam(a) == FAM_4;
	size_t at = v4 ? offsetof(struct sockaddr_in, sin_addr) : offsetof(struct sockaddr_in6, sin6_addr);
	size_t len = v4 ? 4 : 16;

	ss->ss_family = v4 ? AF_INET : AF_INET6;
	memcpy((char *)ss + at, a->b + sizeof a->b - len, len);
	return v4 ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
}
