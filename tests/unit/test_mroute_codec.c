/* SPDX-License-Identifier: ISC
 *
 * The codec of the routing sockets, byte by byte: what the kernel reads at which
 * place, and what messages are believed.
 */
#include "kernel/linux/mroute_codec.h"

#include <errno.h>

#include "tests/unit/test.h"

static struct addr ip(const char *text)
{
	struct addr a = { .w = { 0 } };

	CHECK_INT(addr_parse(text, strlen(text), &a), ADDR_OK);
	return a;
}

static void vif(void)
{
	union mroute_arg a;

	memset(&a, 0xa5, sizeof a);
	CHECK_INT(mroute_vif(&a, FAM_4, 31, 70000, 7), 16);
	CHECK_INT(a.vif4.vifc_vifi, 31);
	CHECK_INT(a.vif4.vifc_flags, VIFF_USE_IFINDEX);
	CHECK_INT(a.vif4.vifc_threshold, 7);
	CHECK_INT(a.vif4.vifc_lcl_ifindex, 70000);
	CHECK_INT(a.vif4.vifc_rmt_addr.s_addr + a.vif4.vifc_rate_limit, 0);
	CHECK_INT(mroute_vif(&a, FAM_6, 31, 65535, 1), sizeof a.vif6);
	CHECK_INT(a.vif6.mif6c_mifi, 31);
	CHECK_INT(a.vif6.mif6c_pifi, 65535);
	CHECK_INT(a.vif6.mif6c_flags + a.vif6.vifc_rate_limit, 0);
	errno = 0;
	CHECK_INT(mroute_vif(&a, FAM_6, 31, 65536, 1), -1);
	CHECK_INT(errno, EOVERFLOW);
}

static void entry4(void)
{
	struct flow f = { ip("10.0.0.5"), ip("225.1.2.3") };
	uint8_t ttl[KERNEL_VIFS] = { [0] = 9, [1] = 16, [31] = 255 };
	union mroute_arg a;

	memset(&a, 0xa5, sizeof a);
	mroute_mfc(&a, &f, 3, 1u << 1 | 1u << 31, ttl);
	CHECK(!memcmp(&a.mfc4.mfcc_origin, "\x0a\0\0\x05", 4));
	CHECK(!memcmp(&a.mfc4.mfcc_mcastgrp, "\xe1\x01\x02\x03", 4));
	CHECK_INT(a.mfc4.mfcc_parent, 3);
	for (int v = 0; v < MAXVIFS; v++)
		CHECK_INT(a.mfc4.mfcc_ttls[v], v == 1 ? 16 : v == 31 ? 255 : 0);
	mroute_mfc(&a, &f, 0, UINT32_MAX, NULL);
	for (int v = 0; v < MAXVIFS; v++)
		CHECK_INT(a.mfc4.mfcc_ttls[v], 1);
	mroute_mfc(&a, &f, 0, 0, ttl);
	for (int v = 0; v < MAXVIFS; v++)
		CHECK_INT(a.mfc4.mfcc_ttls[v], 0);
	/* A (*,G) entry has its iif among the outputs, whatever threshold that has. */
	f.source = ip("0.0.0.0");
	mroute_mfc(&a, &f, 31, 1u << 1, ttl);
	for (int v = 0; v < MAXVIFS; v++)
		CHECK_INT(a.mfc4.mfcc_ttls[v], v == 1 ? 16 : v == 31 ? 1 : 0);
}

static void entry6(void)
{
	struct flow f = { ip("fd00::5"), ip("ff0e::3") };
	union mroute_arg a;

	memset(&a, 0xa5, sizeof a);
	mroute_mfc(&a, &f, 31, 0x80000001, NULL);
	CHECK_INT(a.mfc6.mf6cc_origin.sin6_family, AF_INET6);
	CHECK(!memcmp(&a.mfc6.mf6cc_origin.sin6_addr, f.source.b, 16));
	CHECK(!memcmp(&a.mfc6.mf6cc_mcastgrp.sin6_addr, f.group.b, 16));
	CHECK_INT(a.mfc6.mf6cc_parent, 31);
	for (int v = 0; v < IF_SETSIZE; v++)
		CHECK_INT((a.mfc6.mf6cc_ifset.ifs_bits[v / 32] >> v % 32) & 1, v == 0 || v == 31);
	f.source = ip("::");
	mroute_mfc(&a, &f, 3, 1, NULL);
	CHECK_INT(a.mfc6.mf6cc_ifset.ifs_bits[0], 9);
}

static void counters(void)
{
	struct flow f4 = { ip("10.0.0.5"), ip("225.1.2.3") }, f6 = { ip("fd00::5"), ip("ff0e::3") };
	union mroute_arg a;
	struct mfc_stats st;

	mroute_sg(&a, &f4);
	CHECK(!memcmp(&a.sg4.src, f4.source.b + 12, 4) && !memcmp(&a.sg4.grp, f4.group.b + 12, 4));
	a.sg4.pktcnt = 30;
	a.sg4.bytecnt = 3000;
	a.sg4.wrong_if = 10;
	mroute_sg_read(FAM_4, &a, &st);
	CHECK(st.packets == 20 && st.bytes == 3000 && st.wrong_if == 10);
	a.sg4.wrong_if = 31;
	mroute_sg_read(FAM_4, &a, &st);
	CHECK_INT(st.packets, 0);
	mroute_sg(&a, &f6);
	CHECK(!memcmp(&a.sg6.src.sin6_addr, f6.source.b, 16) && !memcmp(&a.sg6.grp.sin6_addr, f6.group.b, 16));
	a.sg6.pktcnt = 7;
	mroute_sg_read(FAM_6, &a, &st);
	CHECK(st.packets == 7 && !st.bytes && !st.wrong_if);
}

static void upcall4(void)
{
	unsigned char m[28] = { [0] = 0x45, [8] = 1, [10] = 5, [12] = 10, 0, 0, 1, 225, 1, 2, 3 };
	struct addr s = ip("10.0.0.1"), g = ip("225.1.2.3");
	struct upcall up;

	CHECK(mroute_upcall(FAM_4, m, sizeof m, &up));
	CHECK(up.kind == UPCALL_NOCACHE && up.fam == FAM_4 && up.vif == 5);
	CHECK(addr_eq(&up.flow.source, &s) && addr_eq(&up.flow.group, &g));
	CHECK(mroute_upcall(FAM_4, m, 20, &up));
	for (size_t n = 0; n < 20; n++)
		CHECK(!mroute_upcall(FAM_4, m, n, &up));
	m[8] = 2;
	CHECK(mroute_upcall(FAM_4, m, sizeof m, &up) && up.kind == UPCALL_WRONGVIF);
	for (int type = 0; type < 256; type++) {
		m[8] = (unsigned char)type;
		CHECK_INT(mroute_upcall(FAM_4, m, sizeof m, &up), type == 1 || type == 2);
	}
	m[8] = 1;
	m[10] = 31;
	CHECK(mroute_upcall(FAM_4, m, sizeof m, &up) && up.vif == 31);
	m[10] = 32;
	CHECK(!mroute_upcall(FAM_4, m, sizeof m, &up));
	m[10] = 0;
	m[11] = 1;	/* im_vif_hi */
	CHECK(!mroute_upcall(FAM_4, m, sizeof m, &up));
	m[11] = 0;
	m[9] = 2;	/* an IGMP packet */
	CHECK(!mroute_upcall(FAM_4, m, sizeof m, &up));
	m[9] = 0;
	m[16] = 10;	/* no group */
	CHECK(!mroute_upcall(FAM_4, m, sizeof m, &up));
}

static void upcall6(void)
{
	static const uint16_t mif = 4, too_many = 32;	/* in the order of the machine */
	unsigned char m[48] = { [1] = 1, [8] = 0xfd, [23] = 1, [24] = 0xff, 0x0e, [39] = 3 };
	struct addr s = ip("fd00::1"), g = ip("ff0e::3");
	struct upcall up;

	memcpy(m + 2, &mif, 2);
	CHECK(mroute_upcall(FAM_6, m, sizeof m, &up));
	CHECK(up.kind == UPCALL_NOCACHE && up.fam == FAM_6 && up.vif == 4);
	CHECK(addr_eq(&up.flow.source, &s) && addr_eq(&up.flow.group, &g));
	for (size_t n = 0; n < 40; n++)
		CHECK(!mroute_upcall(FAM_6, m, n, &up));
	for (int type = 0; type < 256; type++) {
		m[1] = (unsigned char)type;
		CHECK_INT(mroute_upcall(FAM_6, m, sizeof m, &up), type == 1 || type == 2);
	}
	m[1] = 2;
	m[0] = 135;	/* an ICMPv6 packet */
	CHECK(!mroute_upcall(FAM_6, m, sizeof m, &up));
	m[0] = 0;
	memcpy(m + 2, &too_many, 2);
	CHECK(!mroute_upcall(FAM_6, m, sizeof m, &up));
	memset(m + 2, 0, 2);
	m[24] = 0xfe;
	CHECK(!mroute_upcall(FAM_6, m, sizeof m, &up));
	m[24] = 0xff;
	memset(m + 8, 0, 10);	/* ::ffff:10.0.0.1 as a source */
	memcpy(m + 18, "\xff\xff\x0a\0\0\x01", 6);
	CHECK(!mroute_upcall(FAM_6, m, sizeof m, &up));
}

TEST_MAIN(TEST(vif) TEST(entry4) TEST(entry6) TEST(counters) TEST(upcall4) TEST(upcall6))
