/* SPDX-License-Identifier: ISC */
#include "kernel/freebsd/rtmsg.h"

#include <string.h>

/* sys/net/route.h: RTM_VERSION and the types. */
enum { RTMSG_VERSION = 5 };
enum { NEWADDR = 0xc, DELADDR, IFINFO, NEWMADDR, DELMADDR, IFANNOUNCE };

/* struct if_announcemsghdr: ifan_index, ifan_name, ifan_what; in the others the index stands behind two numbers. */
enum { ANNOUNCE_INDEX = 4, ANNOUNCE_NAME = 6, ANNOUNCE_WHAT = 22, ANNOUNCE_LEN = 24, INDEX = 12, HEAD_LEN = 16 };

static uint16_t rtmsg_u16(const unsigned char *p)
{
	uint16_t v;

	memcpy(&v, p, sizeof v);
	return v;
}

static void rtmsg_announce(const unsigned char *p, size_t len, struct rtmsg *m)
{
	if (len < ANNOUNCE_LEN || rtmsg_u16(p + ANNOUNCE_WHAT) > 1)
		return;
	m->kind = rtmsg_u16(p + ANNOUNCE_WHAT) ? RTMSG_DEPARTURE : RTMSG_ARRIVAL;
	m->ifindex = rtmsg_u16(p + ANNOUNCE_INDEX);
	memcpy(m->name, p + ANNOUNCE_NAME, sizeof m->name - 1);
}

bool rtmsg_next(const unsigned char **p, size_t *n, struct rtmsg *m)
{
	const unsigned char *at = *p;
	size_t len = *n < 4 ? 0 : rtmsg_u16(at);

	*m = (struct rtmsg){ .kind = RTMSG_OTHER };
	if (len < 4 || len > *n)
		return false;
	*p += len;
	*n -= len;
	if (at[2] != RTMSG_VERSION)
		return true;
	if (at[3] == IFANNOUNCE) {
		rtmsg_announce(at, len, m);
	} else if (at[3] >= NEWADDR && at[3] <= DELMADDR && len >= HEAD_LEN) {
		m->kind = at[3] == IFINFO ? RTMSG_INFO : at[3] < IFINFO ? RTMSG_ADDR : RTMSG_MEMBERS;
		m->ifindex = rtmsg_u16(at + INDEX);
	}
	if (!m->ifindex)
		m->kind = RTMSG_OTHER;
	return true;
}

unsigned rtmsg_flags(unsigned flags, int8_t *allmulti)
{
	enum { ALLMULTI = 0x200, MULTICAST = 0x8000 };

	*allmulti = (flags & ALLMULTI) != 0;
	return (flags & (LINK_UP | LINK_LOOPBACK | LINK_POINTOPOINT | LINK_RUNNING)) |
	       (flags & MULTICAST ? LINK_MULTICAST : 0);
}
