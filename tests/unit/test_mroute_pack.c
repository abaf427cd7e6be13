/* SPDX-License-Identifier: ISC
 *
 * What goes to FreeBSD's routing sockets and comes from them, byte by byte, on whatever system.
 */
#include "kernel/freebsd/mroute_pack.h"

#include <errno.h>
#include <string.h>

#include "tests/unit/test.h"

static struct addr address(const char *s)
{
	struct addr a;

	CHECK(addr_parse(s, strlen(s), &a) == ADDR_OK);
	return a;
}

/* What is expected is written in the order of a little-endian machine, as those are that FreeBSD was asked on. */
static bool is_foreign(void)
{
	if (htons(1) == 1)
		test_skipped = "the bytes are those of a little-endian machine";
	return htons(1) == 1;
}

static void vifs(void)
{
	const unsigned char want[16] = { 3, 0, 0, 5, 0, 0, 0, 0, 10, 0, 0, 1 }, want6[6] = { 4, 0, 0, 0, 0x34, 0x12 };
	struct addr local = address("10.0.0.1");
	union pack a;

	if (is_foreign())
		return;
	CHECK(pack_vif(&a, FAM_4, 3, 7, 5, &local) == 16);
	CHECK(!memcmp(&a, want, sizeof want));
	CHECK(pack_vif(&a, FAM_6, 4, 0x1234, 1, NULL) == 6);
	CHECK(!memcmp(&a, want6, sizeof want6));
	errno = 0;
	CHECK(pack_vif(&a, FAM_6, 4, 0x10000, 1, NULL) == -1);
	CHECK(errno == EOVERFLOW);
}

static void entries(void)
{
	struct flow f4 = { .source = address("10.0.0.2"), .group = address("225.1.2.3") };
	struct flow f6 = { .source = address("2001:db8::2"), .group = address("ff15::3") };
	const unsigned char head[10] = { 10, 0, 0, 2, 225, 1, 2, 3, 1 };
	uint8_t ttl[KERNEL_VIFS] = { [2] = 9, [31] = 1 };
	struct mfc_stats st;
	union pack a;

	if (is_foreign())
		return;
	/* The parent, 1, is none of its outputs. */
	CHECK(pack_mfc(&a, &f4, 7, 1, 0x80000006, ttl) == 44);
	CHECK(!memcmp(&a, head, sizeof head));
	CHECK(a.mfc4.ttl[1] == 0 && a.mfc4.ttl[2] == 9 && a.mfc4.ttl[31] == 1 && a.mfc4.ttl[30] == 0);
	CHECK(pack_mfc(&a, &f4, 7, 0, 2, NULL) == 44);
	CHECK(a.mfc4.ttl[1] == 1);
	CHECK(pack_mfc(&a, &f6, 7, 1, 6, NULL) == 92);
	CHECK(a.mfc6.origin.len == 28 && a.mfc6.origin.family == 28 && a.mfc6.group.addr[15] == 3);
	CHECK(a.mfc6.parent == 1 && a.mfc6.outputs[0] == 4 && a.mfc6.outputs[1] == 0);
	pack_sg(&a, &f6, 7);
	a.sg6.packets = 7;
	a.sg6.wrong = 9;
	pack_sg_read(FAM_6, &a, &st);
	/* Right ones alone, unlike those of Linux. */
	CHECK(st.packets == 7 && st.wrong_if == 9);
}

static void counts(void)
{
	struct vif_stats st;
	union pack a;

	pack_count(&a, 5);
	CHECK(a.number == 5);
	a.count4.in_packets = 1;
	a.count4.out_packets = 2;
	a.count4.in_bytes = 3;
	a.count4.out_bytes = 4;
	pack_count_read(FAM_4, &a, &st);
	CHECK(st.in_packets == 1 && st.out_packets == 2 && st.in_bytes == 3 && st.out_bytes == 4);
}

/* Tables of the kernel have more behind what is read, by version. */
static void rows(void)
{
	enum { NEW = sizeof(struct pack_row_mfc) + 10 * sizeof(void *), OLD = NEW + sizeof(void *) };
	static unsigned char table[KERNEL_VIFS * 200];
	struct pack_row_mfc e = { .group = { 225, 1, 2, 3 }, .parent = 3, .packets = 7 };
	struct pack_row4 row = { .local = { 10, 0, 0, 1 }, .ifp = table, .in_packets = 5 };

	memcpy(table + 3 * 100, &row, sizeof row);
	CHECK(pack_row(table, KERNEL_VIFS * 100, 3, &row) && row.in_packets == 5 && row.local[0] == 10);
	CHECK(!pack_row(table, KERNEL_VIFS * 100, 4, &row));
	CHECK(!pack_row(table, KERNEL_VIFS * 8, 3, &row) && !pack_row(table, KERNEL_VIFS * 100 + 1, 3, &row));
	CHECK(!pack_row(table, 0, 3, &row));
	CHECK(pack_row_mfc_size(table, 0) == NEW);
	for (unsigned i = 0; i < 5; i++)
		memcpy(table + i * OLD, &e, sizeof e);
	CHECK(pack_row_mfc_size(table, 5 * OLD) == OLD);
	CHECK(pack_row_mfc_size(table, 5 * OLD - 1) == 0);
	for (unsigned i = 0; i < 5; i++)
		memcpy(table + i * NEW, &e, sizeof e);
	CHECK(pack_row_mfc_size(table, 5 * NEW) == NEW);
	e.group[0] = 10;
	memcpy(table + 4 * NEW, &e, sizeof e);
	CHECK(pack_row_mfc_size(table, 5 * NEW) == 0);
}

static void upcalls(void)
{
	/* What stands behind im_vif is not set. */
	unsigned char m4[20] = { [8] = 1, 0, 2, 193, 10, 0, 0, 2, 225, 1, 2, 3 };
	unsigned char m6[40] = { 0, 2, 1, 0, [8] = 0x20, 1, [23] = 2, [24] = 0xff, 0x15, [39] = 3 };
	struct upcall up;

	if (is_foreign())
		return;
	CHECK(pack_upcall(FAM_4, 0x7, m4, sizeof m4, &up));
	CHECK(up.kind == UPCALL_NOCACHE && up.vif == 2 && up.fam == FAM_4);
	CHECK(up.flow.source.b[12] == 10 && up.flow.group.b[12] == 225);
	CHECK(!pack_upcall(FAM_4, 0x7, m4, sizeof m4 - 1, &up));
	CHECK(!pack_upcall(FAM_4, 0x3, m4, sizeof m4, &up));
	m4[9] = 2;
	CHECK(!pack_upcall(FAM_4, 0x7, m4, sizeof m4, &up));
	CHECK(pack_upcall(FAM_6, 0x2, m6, sizeof m6, &up));
	CHECK(up.kind == UPCALL_WRONGVIF && up.vif == 1 && up.fam == FAM_6);
	/* IPv6 asks about interfaces that are none with the number behind the last. */
	CHECK(!pack_upcall(FAM_6, 0x1, m6, sizeof m6, &up));
	m6[1] = 3;
	CHECK(!pack_upcall(FAM_6, 0x2, m6, sizeof m6, &up));
}

/* The kernel has the index of the interface in addresses of the link, and nobody else has. */
static void zones(void)
{
	static const struct {
		const char *own, *of_kernel;	/* on the interface 0x1203 */
	} as[] = {
		{ "fe80::9", "fe80:1203::9" }, { "febf::9", "febf:1203::9" }, { "fec0::9", "fec0::9" },
		{ "2001:db8::9", "2001:db8::9" }, { "ff02::9", "ff02:1203::9" }, { "ff12::9", "ff12:1203::9" },
		{ "ff01::9", "ff01:1203::9" }, { "ff05:77::9", "ff05:77::9" }, { "10.0.0.9", "10.0.0.9" },
	};
	struct flow global = { .source = address("2001:db8::9"), .group = address("ff05::9") };

	CHECK(!pack_has_zone(&global));
	for (unsigned i = 0; i < sizeof as / sizeof *as; i++) {
		struct addr own = address(as[i].own), of_kernel = address(as[i].of_kernel), a = of_kernel;
		struct flow flow = { .source = own, .group = address("ff05::9") };
		union pack p;

		pack_clear_zone(&a);
		CHECK(addr_eq(&a, &own));
		CHECK(pack_has_zone(&flow) == !addr_eq(&own, &of_kernel));
		if (addr_fam(&own) == FAM_4)
			continue;
		pack_mfc(&p, &flow, 0x1203, 0, 2, NULL);
		CHECK(!memcmp(p.mfc6.origin.addr, of_kernel.b, 16) && !memcmp(p.mfc6.group.addr, flow.group.b, 16));
		pack_sg(&p, &flow, 0x1203);
		CHECK(!memcmp(p.sg6.source.addr, of_kernel.b, 16) && !memcmp(p.sg6.group.addr, flow.group.b, 16));
		/* There is none, or its interface is gone. */
		pack_sg(&p, &flow, 0);
		CHECK(!memcmp(p.sg6.source.addr, own.b, 16));
		pack_sg(&p, &flow, -1);
		CHECK(!memcmp(p.sg6.source.addr, own.b, 16));
		flow = (struct flow){ .source = global.source, .group = own };
		pack_mfc(&p, &flow, 0x1203, 0, 2, NULL);
		CHECK(!memcmp(p.mfc6.group.addr, of_kernel.b, 16));
	}
}

static void upcalls_of_the_link(void)
{
	unsigned char m6[40] = { 0, 1, 1, 0, [8] = 0xfe, 0x80, 0x12, 3, [23] = 9,
				 [24] = 0xff, 0x12, 0x12, 3, [39] = 3 };
	struct addr source = address("fe80::9"), group = address("ff12::3");
	struct upcall up;

	if (is_foreign())
		return;
	CHECK(pack_upcall(FAM_6, 0x2, m6, sizeof m6, &up));
	CHECK(addr_eq(&up.flow.source, &source) && addr_eq(&up.flow.group, &group));
	/* What is no scope of the link keeps each bit. */
	m6[8] = 0x20;
	m6[25] = 0x15;
	source = address("2080:1203::9");
	group = address("ff15:1203::3");
	CHECK(pack_upcall(FAM_6, 0x2, m6, sizeof m6, &up));
	CHECK(addr_eq(&up.flow.source, &source) && addr_eq(&up.flow.group, &group));
}

TEST_MAIN(TEST(vifs) TEST(entries) TEST(counts) TEST(rows) TEST(upcalls) TEST(zones) TEST(upcalls_of_the_link))
