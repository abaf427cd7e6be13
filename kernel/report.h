/* SPDX-License-Identifier: ISC
 *
 * What members of groups and those who ask for them say to each other as bytes: reports and general queries of IGMP
 * (RFC 1112, RFC 2236, RFC 3376) and MLD (RFC 2710, RFC 3810).  Pure: no socket, no clock.  Private to this room.
 */
#ifndef KERNEL_REPORT_H
#define KERNEL_REPORT_H

#include "kernel/kernel.h"

/* Bytes of a report at most: those of an Ethernet packet without its IPv4 header. */
#define REPORT_MAX 1476

/* A report that is being written. */
struct report {
	enum fam fam;
	unsigned version;
	size_t room;			/* bytes that it may have */
	size_t len;			/* 0: there is nothing to report yet */
	size_t last;			/* where the record of the last group begins */
	uint8_t bytes[REPORT_MAX];
};

/* Begins one of a version of IGMP (1 to 3) or MLD (1 to 2) that fits into packets of mtu bytes. */
void report_begin(struct report *p, enum fam fam, unsigned version, uint32_t mtu);

/* Adds a membership; false when there is no more room.  There always is for the first.  One of a group that nobody
 * reports takes none.  In a version without sources only those of one group go together. */
bool report_add(struct report *p, const struct flow *member);

/* Ends it: fills in the checksum of IPv4, that of IPv6 stays 0 for the kernel to fill in (RFC 3542, 3.1).  Returns the
 * group that it goes to. */
struct addr report_end(struct report *p);

/* Version of a general query, that is IGMP or ICMPv6 without the IP header; 0 when it is none.  Checks the length and,
 * for IPv4, the checksum. */
unsigned report_query_version(enum fam fam, const uint8_t *p, size_t len);

/* The type of queries. */
uint8_t report_query_type(enum fam fam);

#endif
