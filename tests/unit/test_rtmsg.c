/* SPDX-License-Identifier: ISC */
#include "kernel/freebsd/rtmsg.h"

#include <string.h>

#include "tests/unit/test.h"

/* Numbers are in the order of this machine. */
static void put(unsigned char *at, uint16_t v)
{
	memcpy(at, &v, sizeof v);
}

static void messages(void)
{
	unsigned char bytes[24 + 24 + 20 + 16 + 8] = {
		[2] = 5, 0x11, [6] = 't', 'a', 'p', '0',
		[26] = 5, 0x11, [30] = 'w', 'a', 'n', '0',
		[50] = 5, 0xc,
		[70] = 5, 0xe,
		[86] = 4, 0xe,
	};
	const unsigned char *p = bytes;
	size_t n = sizeof bytes;
	struct rtmsg m;
	int8_t allmulti;

	/* Lengths; the number of an interface; what became of it. */
	put(bytes, 24);
	put(bytes + 4, 7);
	put(bytes + 22, 1);
	put(bytes + 24, 24);
	put(bytes + 28, 7);
	put(bytes + 48, 20);
	put(bytes + 60, 3);
	put(bytes + 68, 16);
	put(bytes + 84, 8);
	CHECK(rtmsg_next(&p, &n, &m));
	CHECK(m.kind == RTMSG_DEPARTURE && m.ifindex == 7 && !strcmp(m.name, "tap0"));
	CHECK(rtmsg_next(&p, &n, &m));
	CHECK(m.kind == RTMSG_ARRIVAL && m.ifindex == 7 && !strcmp(m.name, "wan0"));
	CHECK(rtmsg_next(&p, &n, &m));
	CHECK(m.kind == RTMSG_ADDR && m.ifindex == 3);
	/* Of no interface, and of another version. */
	CHECK(rtmsg_next(&p, &n, &m));
	CHECK(m.kind == RTMSG_OTHER);
	CHECK(rtmsg_next(&p, &n, &m));
	CHECK(m.kind == RTMSG_OTHER);
	CHECK(!rtmsg_next(&p, &n, &m));
	/* A length that cannot be. */
	for (unsigned len = 0; len < 256; len++) {
		put(bytes, (uint16_t)len);
		p = bytes;
		n = 24;
		CHECK(rtmsg_next(&p, &n, &m) == (len >= 4 && len <= 24));
		CHECK(m.kind == RTMSG_OTHER || len == 24);
	}
	CHECK(rtmsg_flags(0x1 | 0x40 | 0x200 | 0x8000 | 0x800, &allmulti) == (LINK_UP | LINK_RUNNING | LINK_MULTICAST));
	CHECK(allmulti == 1);
	CHECK(rtmsg_flags(0x1000 | 0x8, &allmulti) == LINK_LOOPBACK);
	CHECK(allmulti == 0);
}

TEST_MAIN(TEST(messages))
