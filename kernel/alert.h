/* SPDX-License-Identifier: ISC
 *
 * Raw sockets for IGMP and ICMPv6 messages to the routers and switches of a link: with Router Alert, a TTL of 1 and an
 * address of the interface as source.  What is in a message is not known here.  Private to this room.
 */
#ifndef KERNEL_ALERT_H
#define KERNEL_ALERT_H

#include <stddef.h>
#include <stdint.h>

#include "lib/addr.h"

/* Opens one, which needs CAP_NET_RAW, later use does not.  It receives messages of one type, and only of groups that
 * some socket of this host has joined.  -1 with errno. */
int alert_open(enum fam fam, uint8_t type);

/* Finds the address of an interface to send to a group of its link from.  Left alone, the kernel may take one of
 * another interface (IPv4) or of another scope (IPv6).  errno EADDRNOTAVAIL: it has none, IPv6: none that is
 * link-local. */
int alert_source(int fd, enum fam fam, int ifindex, struct addr *source);

/* Sends a message on an interface, from the source that the kernel chooses when that is NULL.  IGMP has its checksum
 * in it, the one of ICMPv6 is filled in by the kernel (RFC 3542, 3.1). */
int alert_send(int fd, enum fam fam, int ifindex, const struct addr *source, const struct addr *group,
	       const void *bytes, size_t len);

/* A message that came in, without its IP header; at most 256 bytes with it. */
struct alert {
	enum fam fam;
	int ifindex;
	int ttl;			/* or hop limit */
	struct addr source;
	const uint8_t *bytes;		/* valid until alert_fn returns */
	size_t len;
};

/* Reads at most max messages and calls fn for each that is whole.  Returns the number read, or -1 with errno. */
typedef void alert_fn(void *ctx, const struct alert *a);
int alert_drain(int fd, enum fam fam, int max, alert_fn *fn, void *ctx);

/* The link-local address that the kernel would send from to a group of the link, as alert_source() for IPv6. */
int alert_source_local(int ifindex, struct addr *source);

/* ---- what each system has its own way for (linux/alert.c, freebsd/alert.c) ---- */

/* Sets what alert_open() says of a new socket; 0, or -1 with errno. */
int alert_prepare(int fd, enum fam fam, uint8_t type);

/* Notes what the kernel says beside a message: the interface, and the hop limit of IPv6. */
struct msghdr;
void alert_read_control(struct msghdr *m, struct alert *a);

#endif
