/* SPDX-License-Identifier: ISC
 *
 * Reports and queries of IGMP and MLD, byte by byte.
 */
#include "kernel/report.h"

#include "tests/unit/test.h"

static struct addr ip(const char *text)
{
	struct addr a = { .w = { 0 } };

	CHECK_INT(addr_parse(text, strlen(text), &a), ADDR_OK);
	return a;
}

/* source: NULL = any. */
static struct flow member(const char *source, const char *group)
{
	struct flow f = { .group = ip(group) };

	if (source)
		f.source = ip(source);
	return f;
}

static bool add(struct report *p, const char *source, const char *group)
{
	struct flow m = member(source, group);

	return report_add(p, &m);
}

static void ends_as(struct report *p, const char *to, const void *want, size_t len)
{
	struct addr group = report_end(p);
	char s[ADDR_STRLEN];

	CHECK_STR(addr_str(&group, s), to);
	CHECK_INT(p->len, len);
	CHECK(!memcmp(p->bytes, want, len));
}

static void igmp3(void)
{
	static const uint8_t want[] = {
		0x22, 0, 0x06, 0xea, 0, 0, 0, 3,
		2, 0, 0, 0, 225, 1, 2, 3,
		1, 0, 0, 2, 232, 1, 1, 1, 10, 0, 0, 1, 10, 0, 0, 2,
		1, 0, 0, 1, 232, 1, 1, 2, 10, 0, 0, 1,
	};
	struct report p;

	report_begin(&p, FAM_4, 3, 1500);
	CHECK(add(&p, NULL, "225.1.2.3"));
	CHECK(add(&p, NULL, "224.0.0.1"));	/* nobody reports that */
	CHECK(add(&p, "10.0.0.1", "232.1.1.1"));
	CHECK(add(&p, "10.0.0.2", "232.1.1.1"));
	CHECK(add(&p, "10.0.0.1", "232.1.1.2"));
	ends_as(&p, "224.0.0.22", want, sizeof want);
}

static void mld2(void)
{
	static const uint8_t want[] = {
		143, 0, 0, 0, 0, 0, 0, 2,
		2, 0, 0, 0, 0xff, 5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1,
		1, 0, 0, 1, 0xff, 0x3e, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2,
		0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9,
	};
	struct report p;

	report_begin(&p, FAM_6, 3, 1500);
	CHECK(add(&p, NULL, "ff02::1"));
	CHECK(add(&p, NULL, "ff01::5"));
	CHECK(add(&p, NULL, "ff10::5"));
	CHECK_INT(p.len, 0);
	CHECK(add(&p, NULL, "ff05::1"));
	CHECK(add(&p, "2001:db8::9", "ff3e::2"));
	ends_as(&p, "ff02::16", want, sizeof want);
}

/* A membership of any source and one of a source of the same group are records of their own. */
static void both_of_a_group(void)
{
	struct report p;

	report_begin(&p, FAM_4, 3, 1500);
	CHECK(add(&p, NULL, "225.1.2.3"));
	CHECK(add(&p, "10.0.0.1", "225.1.2.3"));
	CHECK_INT(p.bytes[7], 2);
	CHECK_INT(p.len, 8 + 8 + 12);
}

static void old_ones(void)
{
	static const struct {
		enum fam fam;
		unsigned version;
		const char *group, *other;
		uint8_t want[24], len;
	} old[] = {
		{ FAM_4, 1, "225.1.2.3", "225.1.2.4", { 0x12, 0, 0x0a, 0xfb, 225, 1, 2, 3 }, 8 },
		{ FAM_4, 2, "225.1.2.3", "225.1.2.4", { 0x16, 0, 0x06, 0xfb, 225, 1, 2, 3 }, 8 },
		{ FAM_6, 1, "ff05::2", "ff05::3", { 131, [8] = 0xff, 5, [23] = 2 }, 24 },
	};
	struct report p;

	for (size_t k = 0; k < sizeof old / sizeof *old; k++) {
		report_begin(&p, old[k].fam, old[k].version, 1500);
		CHECK(add(&p, old[k].fam == FAM_4 ? "10.0.0.1" : "fd00::1", old[k].group));
		CHECK(add(&p, NULL, old[k].group));
		CHECK(!add(&p, NULL, old[k].other));
		ends_as(&p, old[k].group, old[k].want, old[k].len);
	}
}

/* How many groups, or sources of one group, a report has room for. */
static unsigned room(enum fam fam, uint32_t mtu, bool has_sources)
{
	struct flow m = member(fam == FAM_4 ? "10.0.0.1" : "fd00::1", fam == FAM_4 ? "232.1.1.0" : "ff3e::");
	struct report p;
	unsigned n = 0;

	report_begin(&p, fam, REPORT_VERSIONS, mtu);
	if (!has_sources)
		m.source = (struct addr){ 0 };
	for (; n < 1000 && report_add(&p, &m); n++) {
		uint8_t *last = has_sources ? m.source.b : m.group.b;

		last[15]++;
		last[14] = (uint8_t)(last[14] + !last[15]);
	}
	CHECK(p.len <= sizeof p.bytes);
	return n;
}

static void as_much_as_fits(void)
{
	CHECK_INT(room(FAM_4, 1500, false), (1500 - 24 - 8) / 8);
	CHECK_INT(room(FAM_4, 1500, true), (1500 - 24 - 8 - 8) / 4);
	CHECK_INT(room(FAM_4, 576, false), (576 - 24 - 8) / 8);
	CHECK_INT(room(FAM_6, 1280, false), (1280 - 48 - 8) / 20);
	CHECK_INT(room(FAM_6, 1280, true), (1280 - 48 - 8 - 20) / 16);
	/* Jumbo frames do not make it longer, and one always fits. */
	CHECK_INT(room(FAM_4, 9000, false), (1500 - 24 - 8) / 8);
	CHECK_INT(room(FAM_6, 65535, true), (1500 - 24 - 8 - 20) / 16);
	for (uint32_t mtu = 0; mtu < 100; mtu++)
		for (enum fam f = FAM_4; f < FAM_N; f++)
			CHECK(room(f, mtu, true) >= 1 && room(f, mtu, false) >= 1);
}

static void queries(void)
{
	uint8_t igmp[] = { 0x11, 0, 0xee, 0xff, 0, 0, 0, 0, 0, 0, 0, 0 }, mld[40] = { 130 };

	CHECK_INT(report_query_type(FAM_4), 0x11);
	CHECK_INT(report_query_version(FAM_4, igmp, 8), 1);
	CHECK_INT(report_query_version(FAM_4, igmp, 12), 3);
	for (size_t n = 0; n < 12; n++)
		CHECK_INT(report_query_version(FAM_4, igmp, n), n == 8);
	igmp[1] = 100;
	CHECK_INT(report_query_version(FAM_4, igmp, 8), 0);	/* the checksum */
	igmp[3] -= 100;
	CHECK_INT(report_query_version(FAM_4, igmp, 8), 2);
	igmp[0]++;
	igmp[2]--;
	CHECK_INT(report_query_version(FAM_4, igmp, 8), 0);	/* a report */
	igmp[0]--;
	igmp[2]++;
	igmp[4] = 225;
	igmp[2] = (uint8_t)(igmp[2] - 225);
	CHECK_INT(report_query_version(FAM_4, igmp, 8), 0);	/* of one group alone */

	CHECK_INT(report_query_type(FAM_6), 130);
	for (size_t n = 0; n < sizeof mld; n++)
		CHECK_INT(report_query_version(FAM_6, mld, n), n == 24 ? 1 : n >= 28 ? 2 : 0);
	mld[23] = 1;
	CHECK_INT(report_query_version(FAM_6, mld, 28), 0);
	mld[23] = 0;
	mld[0]++;
	CHECK_INT(report_query_version(FAM_6, mld, 28), 0);
}

TEST_MAIN(TEST(igmp3) TEST(mld2) TEST(both_of_a_group) TEST(old_ones) TEST(as_much_as_fits) TEST(queries))
