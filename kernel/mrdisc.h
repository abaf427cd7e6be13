/* SPDX-License-Identifier: ISC
 *
 * Messages of multicast router discovery (RFC 4286) as bytes, for both families, and their timing.  Pure: no
 * socket, no clock.  Private to this room but for mrdisc_delay(), which kernel.h shows.
 */
#ifndef KERNEL_MRDISC_H
#define KERNEL_MRDISC_H

#include "kernel/kernel.h"

/* An advertisement; the other two kinds are half as long. */
#define MRDISC_MAX 8

struct mrdisc_msg {
	enum mrdisc_kind kind;
	uint8_t interval;		/* seconds; these three: advertisements only */
	uint16_t query_interval;	/* seconds */
	uint16_t robustness;
};

/* Writes a message and returns its length.  The IPv4 checksum is filled in; the IPv6 one stays 0 for the kernel to fill
 * in (RFC 3542, 3.1). */
size_t mrdisc_encode(enum fam fam, const struct mrdisc_msg *m, uint8_t buf[MRDISC_MAX]);

/* True when an IGMP or ICMPv6 message without its IP header is a solicitation.  Checks the length and, for IPv4, the
 * checksum. */
bool mrdisc_is_solicit(enum fam fam, const void *p, size_t len);

/* The type of a kind of message (RFC 4286, sections 3 to 5). */
uint8_t mrdisc_type(enum fam fam, enum mrdisc_kind kind);

/* Where a kind of message goes: All-Snoopers or All-Routers. */
const struct addr *mrdisc_group(enum fam fam, enum mrdisc_kind kind);

#endif
