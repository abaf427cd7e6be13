/* SPDX-License-Identifier: ISC
 *
 * Router discovery on the real kernel: what goes out on the wire, what is heard,
 * and that a snooping bridge, which is no mock, believes it.
 */
#include "tests/net/probe.h"
#include "tests/unit/icmp6.h"

#include "kernel/mrdisc.h"

static int a1;

static void open_lab(void)
{
	lab(1);
	a1 = (int)if_nametoindex("a1");
}

static int heard;

static void hear(void *ctx, enum fam f, int ifindex)
{
	(void)ctx;
	heard += ifindex == a1 && f < FAM_N;
}

/* The next frame to a group that is IGMP or ICMPv6; its length, or 0 when none comes. */
static size_t next_frame(int fd, const struct addr *grp, unsigned char *p, size_t size)
{
	bool v4 = addr_fam(grp) == FAM_4;

	while (readable(fd, 20000)) {
		ssize_t len = recv(fd, p, size, 0);

		if (len >= 62 && p[12] == 0x86 && !v4 && !memcmp(p + 38, grp->b, 16))
			return (size_t)len;
		if (len >= 42 && p[12] == 8 && v4 && !memcmp(p + 30, grp->b + 12, 4))
			return (size_t)len;
	}
	return 0;
}

static void discovery_sends(void)
{
	static const uint8_t v4[] = { 0x30, 20, 0xcf, 0x6c, 0, 125, 0, 2 };
	unsigned char p[2048];
	struct addr src = { .w = { 0 } };
	int h1;

	open_lab();
	h1 = wire("h1");
	for (enum fam f = FAM_4; f < FAM_N; f++) {
		CHECK_INT(kernel_mrdisc_open(f), 0);
		CHECK(kernel_mrdisc_fd(f) >= 0);
		for (int i = 0; i < 100 && kernel_mrdisc_send(f, a1, MRDISC_ADVERT, 20, 125, 2) < 0; i++)
			usleep(20000);	/* until there is a link-local address */
	}
	CHECK(next_frame(h1, mrdisc_group(FAM_4, MRDISC_ADVERT), p, sizeof p) >= 46);
	CHECK_INT(p[14], 0x46);				/* Router Alert */
	CHECK_INT(p[22], 1);				/* TTL */
	CHECK(!memcmp(p + 26, "\x0a\x01\x00\x01", 4));	/* a1's own address */
	CHECK(!memcmp(p + 34, "\x94\x04\x00\x00", 4));
	CHECK(!memcmp(p + 38, v4, 2) && !memcmp(p + 42, v4 + 4, 4));
	CHECK(next_frame(h1, mrdisc_group(FAM_6, MRDISC_ADVERT), p, sizeof p) == 70);
	CHECK_INT(p[20], 0);				/* hop-by-hop options */
	CHECK_INT(p[21], 1);				/* hop limit */
	CHECK(p[22] == 0xfe && p[23] == 0x80);
	CHECK(!memcmp(p + 54, "\x3a\x00\x05\x02\x00\x00\x01\x00", 8));
	CHECK(!memcmp(p + 62, "\x97\x14", 2) && !memcmp(p + 66, "\x00\x7d\x00\x02", 4));
	memcpy(src.b, p + 22, 16);
	CHECK_INT(icmp6_checksum(&src, mrdisc_group(FAM_6, MRDISC_ADVERT), p + 62, 8), 0);
	for (enum fam f = FAM_4; f < FAM_N; f++) {
		CHECK_INT(kernel_mrdisc_send(f, a1, MRDISC_TERM, 0, 0, 0), 0);
		CHECK(next_frame(h1, mrdisc_group(f, MRDISC_TERM), p, sizeof p) > 0);
		CHECK_INT(p[f == FAM_4 ? 38 : 62], f == FAM_4 ? 0x32 : 153);
	}

	/* No address of its own: no message, whatever others have. */
	run("ip link add n1 type veth peer name n2; echo 1 >/proc/sys/net/ipv6/conf/n1/addr_gen_mode; "
	    "ip link set n1 up; ip link set n2 up; ip addr add fd00:77::1/64 dev n1 nodad");
	for (enum fam f = FAM_4; f < FAM_N; f++)
		CHECK(kernel_mrdisc_send(f, (int)if_nametoindex("n1"), MRDISC_ADVERT, 20, 0, 0) < 0 &&
		      errno == EADDRNOTAVAIL);
	close(h1);
	for (enum fam f = FAM_4; f < FAM_N; f++)
		kernel_mrdisc_close(f);
}

static void discovery_hears(void)
{
	unsigned char p[256], *m;
	int h1, before;

	open_lab();
	before = descriptors();
	h1 = wire("h1");
	for (enum fam f = FAM_4; f < FAM_N; f++) {
		struct mrdisc_msg msg = { .kind = MRDISC_SOLICIT };
		struct addr from = f == FAM_4 ? ip("10.1.0.2") : ip("fe80::2");
		uint8_t bytes[MRDISC_MAX];
		uint16_t sum = 0;
		size_t len, n = mrdisc_encode(f, &msg, bytes);

		if (f == FAM_6)
			sum = icmp6_checksum(&from, mrdisc_group(f, MRDISC_SOLICIT), bytes, n);
		if (f == FAM_6)
			memcpy(bytes + 2, &sum, sizeof sum);
		len = frame(p, &from, mrdisc_group(f, MRDISC_SOLICIT), f == FAM_4 ? 2 : 58, 1, bytes, n);
		heard = 0;
		CHECK_INT(kernel_mrdisc_open(f), 0);
		CHECK_INT(kernel_mrdisc_listen(f, a1, true), 0);
		CHECK_INT(kernel_mrdisc_listen(f, a1, true), 0);
		CHECK(kernel_mrdisc_listen(f, 9999, true) < 0 && errno == ENODEV);
		CHECK(send(h1, p, len, 0) > 0);
		CHECK(readable(kernel_mrdisc_fd(f), 20000));
		CHECK_INT(kernel_mrdisc_drain(f, 10, hear, NULL), 1);
		CHECK_INT(heard, 1);
		/* Another type stays out, a wrong checksum is not believed. */
		m = p + (f == FAM_4 ? 34 : 54);
		m[3] ^= 1;
		CHECK(send(h1, p, len, 0) > 0);
		m[0]--;
		CHECK(send(h1, p, len, 0) > 0);
		m[0]++;
		m[3] ^= 1;
		CHECK(send(h1, p, len, 0) > 0);
		while (heard < 2 && readable(kernel_mrdisc_fd(f), 20000))
			kernel_mrdisc_drain(f, 10, hear, NULL);
		CHECK_INT(heard, 2);
		CHECK_INT(kernel_mrdisc_listen(f, a1, false), 0);
		CHECK_INT(kernel_mrdisc_listen(f, a1, false), 0);
		kernel_mrdisc_close(f);
		CHECK_INT(kernel_mrdisc_fd(f), -1);
	}
	close(h1);
	CHECK_INT(descriptors() - before, 0);
}

/* A snooping bridge at the other end, which knows the protocol: one advertisement of either
 * family makes its port a router port (net/bridge/br_multicast.c). */
static void discovery_convinces_a_bridge(void)
{
	for (enum fam f = FAM_4; f < FAM_N; f++) {
		bool marked = false;

		open_lab();
		into(ns_hosts);
		if (system("bridge -V >/dev/null 2>&1")) {
			printf("# no bridge(8) here\n");
			return;
		}
		run("ip link add br0 type bridge mcast_snooping 1; ip link set br0 up; ip link set h1 master br0");
		CHECK(system("bridge -d mdb show | grep -q 'router ports.* h1'"));
		into(ns_router);
		CHECK_INT(kernel_mrdisc_open(f), 0);
		for (int i = 0; i < 100 && !marked; i++) {
			kernel_mrdisc_send(f, a1, MRDISC_ADVERT, 20, 0, 0);
			into(ns_hosts);
			marked = !system("bridge -d mdb show | grep -q 'router ports.* h1'");
			into(ns_router);
			usleep(20000);
		}
		CHECK(marked);
		kernel_mrdisc_close(f);
	}
}

TEST_MAIN(TEST(discovery_sends) TEST(discovery_hears) TEST(discovery_convinces_a_bridge))
