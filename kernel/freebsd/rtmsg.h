/* SPDX-License-Identifier: ISC
 *
 * Messages of route(4) that are about interfaces.  Pure, and free of system headers, so that it is tested on any
 * system: every length is checked, offsets are those of sys/net/if.h, version 5.  Private to this room.
 */
#ifndef KERNEL_FREEBSD_RTMSG_H
#define KERNEL_FREEBSD_RTMSG_H

#include "kernel/kernel.h"

enum rtmsg_kind {
	RTMSG_OTHER, RTMSG_ARRIVAL, RTMSG_DEPARTURE,	/* of an interface, or of a name of it */
	RTMSG_INFO,					/* flags or MTU changed */
	RTMSG_ADDR, RTMSG_MEMBERS,			/* an address, a membership came or went */
};

struct rtmsg {
	enum rtmsg_kind kind;
	int ifindex;
	char name[KERNEL_IFNAME];	/* of the first two */
};

/* Takes the next message off the *n bytes at *p; false at the end and at a length that cannot be. */
bool rtmsg_next(const unsigned char **p, size_t *n, struct rtmsg *m);

/* Flags of an interface, as FreeBSD numbers them, as LINK_* and whether it takes in all multicast frames. */
unsigned rtmsg_flags(unsigned flags, int8_t *allmulti);

#endif
