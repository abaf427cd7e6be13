/* SPDX-License-Identifier: ISC */
#include "kernel/freebsd/rtmsg.h"

#include <string.h>

#include "tests/unit/test.h"

static void messages(void)
{
	unsigned char bytes[24 + 24 + 20 + 16 + 8] = {
		24, 0, 5, 0x11, 7, 0, 't', 'a', 'p', '0', [22] = 1, 0,
		[24] = 24, 0, 5, 0x11, 7, 0, 'w', 'a', 'n', '0',
		[48] = 20, 0, 5, 0xc, [60] = 3, 0,
		[68] = 16, 0, 5, 0xe, [80] = 0, 0,
		[84] = 8, 0, 4, 0xe,
	};
	const unsigned char *p = bytes;
	size_t n = sizeof bytes;
	struct rtmsg m;
	int8_t allmulti;

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
		bytes[0] = (unsigned char)len;
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
