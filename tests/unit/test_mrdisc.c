/* SPDX-License-Identifier: ISC
 *
 * Messages of RFC 4286, byte by byte, and their timing.
 */
#include "kernel/mrdisc.h"

#include <stdlib.h>

#include "tests/unit/test.h"
#include "tests/unit/icmp6.h"

static struct addr ip(const char *text)
{
	struct addr a = { .w = { 0 } };

	CHECK_INT(addr_parse(text, strlen(text), &a), ADDR_OK);
	return a;
}

static void advertisement4(void)
{
	/* 0x3014 + 0x007d + 0x0002 = 0x3093, complement 0xcf6c */
	static const uint8_t want[] = { 0x30, 20, 0xcf, 0x6c, 0x00, 0x7d, 0x00, 0x02 };
	struct mrdisc_msg m = { MRDISC_ADVERT, 20, 125, 2 };
	uint8_t b[MRDISC_MAX];

	CHECK_INT(mrdisc_encode(FAM_4, &m, b), 8);
	CHECK(!memcmp(b, want, 8));
	CHECK(!mrdisc_is_solicit(FAM_4, b, 8));
}

static void advertisement6(void)
{
	static const uint8_t want[] = { 151, 180, 0, 0, 0x12, 0x34, 0xab, 0xcd };
	struct addr src = ip("fe80::1"), dst = ip("ff02::6a");
	struct mrdisc_msg m = { MRDISC_ADVERT, 180, 0x1234, 0xabcd };
	uint8_t b[MRDISC_MAX];
	uint16_t sum;

	CHECK_INT(mrdisc_encode(FAM_6, &m, b), 8);
	CHECK(!memcmp(b, want, 8));
	/* fe80 + 1 + ff02 + 6a + 8 + 3a + 97b4 + 1234 + abcd = 353e4, folded 53e7 */
	sum = icmp6_checksum(&src, &dst, b, 8);
	CHECK(!memcmp(&sum, "\xac\x18", 2));
	memcpy(b + 2, &sum, 2);
	CHECK_INT(icmp6_checksum(&src, &dst, b, 8), 0);
	CHECK(!mrdisc_is_solicit(FAM_6, b, 8));
}

static void short_ones(void)
{
	static const uint8_t want[FAM_N][2][4] = {
		[FAM_4] = { { 0x31, 0, 0xce, 0xff }, { 0x32, 0, 0xcd, 0xff } },
		[FAM_6] = { { 152, 0, 0, 0 }, { 153, 0, 0, 0 } },
	};
	uint8_t b[MRDISC_MAX];

	for (enum fam f = FAM_4; f < FAM_N; f++)
		for (int i = 0; i < 2; i++) {
			struct mrdisc_msg m = { i ? MRDISC_TERM : MRDISC_SOLICIT, 20, 125, 2 };

			CHECK_INT(mrdisc_encode(f, &m, b), 4);
			CHECK(!memcmp(b, want[f][i], 4));
			CHECK_INT(mrdisc_is_solicit(f, b, 4), !i);
			CHECK(!mrdisc_is_solicit(f, b, 3));
			b[2]++;
			CHECK_INT(mrdisc_is_solicit(f, b, 4), !i && f == FAM_6);
		}
}

static void bad_ones(void)
{
	struct mrdisc_msg m = { .kind = MRDISC_SOLICIT };
	uint8_t b[MRDISC_MAX], all[1];

	for (enum fam f = FAM_4; f < FAM_N; f++) {
		mrdisc_encode(f, &m, b);
		for (size_t n = 0; n < 4; n++)
			CHECK(!mrdisc_is_solicit(f, b, n));
		CHECK(!mrdisc_is_solicit(f, all, 0));
	}
	for (int type = 0; type < 256; type++) {
		b[0] = (uint8_t)type;
		CHECK_INT(mrdisc_is_solicit(FAM_6, b, 4), type == 152);
	}
}

static void groups(void)
{
	char s[ADDR_STRLEN];

	CHECK_STR(addr_str(mrdisc_group(FAM_4, MRDISC_ADVERT), s), "224.0.0.106");
	CHECK_STR(addr_str(mrdisc_group(FAM_4, MRDISC_TERM), s), "224.0.0.106");
	CHECK_STR(addr_str(mrdisc_group(FAM_4, MRDISC_SOLICIT), s), "224.0.0.2");
	CHECK_STR(addr_str(mrdisc_group(FAM_6, MRDISC_ADVERT), s), "ff02::6a");
	CHECK_STR(addr_str(mrdisc_group(FAM_6, MRDISC_TERM), s), "ff02::6a");
	CHECK_STR(addr_str(mrdisc_group(FAM_6, MRDISC_SOLICIT), s), "ff02::2");
}

static void timing(void)
{
	uint32_t least = UINT32_MAX, most = 0;

	srand(1);
	for (unsigned i = 0; i < 100000; i++) {
		uint32_t ms = mrdisc_delay(20, 3 + i % 5, (uint32_t)rand());

		least = ms < least ? ms : least;
		most = ms > most ? ms : most;
		CHECK(mrdisc_delay(20, i % 3, (uint32_t)rand()) <= 2000);
	}
	CHECK_INT(least, 19500);
	CHECK_INT(most, 20500);
	CHECK_INT(mrdisc_delay(MRDISC_INTERVAL_MIN, 3, 0), 3900);
	CHECK_INT(mrdisc_delay(MRDISC_INTERVAL_MAX, 3, 9000), 184500);
	CHECK(mrdisc_delay(MRDISC_INTERVAL_MAX, UINT32_MAX, UINT32_MAX) <= 184500);
}

TEST_MAIN(TEST(advertisement4) TEST(advertisement6) TEST(short_ones) TEST(bad_ones) TEST(groups)
	  TEST(timing))
