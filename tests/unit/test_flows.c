/* SPDX-License-Identifier: ISC
 *
 * The flows that are watched: one each, however many there are; what is no data is left out; entries for any source.
 */
#include "applets/doctor/flows.h"

#include "tests/unit/test.h"

static struct probe_sniffed packet(unsigned source, enum probe_station station, int ifindex)
{
	struct probe_sniffed p = { .station = station, .ifindex = ifindex, .ttl = 16, .len = 100 };

	addr_parse("10.0.0.0", 8, &p.flow.source);
	addr_parse("225.1.2.3", 9, &p.flow.group);
	p.flow.source.b[13] = (uint8_t)(source >> 16);
	p.flow.source.b[14] = (uint8_t)(source >> 8);
	p.flow.source.b[15] = (uint8_t)source;
	return p;
}

static void seen(void)
{
	struct flows f = { 0 };
	struct probe_sniffed p = packet(1, SNIFF_WIRE, 2);
	const struct sighting *s;

	flows_packet(&f, &p);
	p.station = SNIFF_IP;
	flows_packet(&f, &p);
	p.ttl = 1;
	p.len = 1500;
	flows_packet(&f, &p);
	p.ifindex = 3;
	p.station = SNIFF_OUT;
	p.ttl = 15;
	flows_packet(&f, &p);
	p.is_control = true;
	flows_packet(&f, &p);
	p.station = SNIFF_IP;
	flows_packet(&f, &p);
	p.station = SNIFF_OUT;
	p.is_control = false;
	p.is_rest = true;
	flows_packet(&f, &p);
	CHECK_INT(f.n, 1);
	CHECK_INT(f.v[0].control, 1);
	s = flows_on(&f, &f.v[0], 2);
	CHECK(s && s->n[SNIFF_WIRE] == 1 && s->n[SNIFF_IP] == 2 && s->ttl_min == 1 && s->ttl_max == 16);
	CHECK_INT(s->shapes[0].n, 1);
	CHECK_INT(s->shapes[1].len, 1500);
	CHECK_INT(flows_on(&f, &f.v[0], 3)->n[SNIFF_OUT], 1);
	CHECK(!flows_on(&f, &f.v[0], 4));
	for (unsigned i = 0; i < 10; i++) {
		p = packet(1, SNIFF_IP, 4);
		p.len = i;
		flows_packet(&f, &p);
	}
	CHECK_INT(flows_on(&f, &f.v[0], 4)->other, 10 - FLOWS_SHAPES);
	flows_free(&f);
}

/* However many are idle, the next one is looked at; beyond the most they are counted. */
static void many(void)
{
	struct flows f = { 0 };

	for (unsigned i = 0; i < FLOWS_MAX + 5; i++) {
		struct probe_sniffed p = packet(i, SNIFF_IP, 2);

		flows_packet(&f, &p);
	}
	CHECK_INT(f.n, FLOWS_MAX);
	CHECK_INT(f.left_out, 5);
	flows_free(&f);
}

static void entries(void)
{
	struct flows f = { 0 };
	struct probe_mfc e = { .table = 253, .iif = 2, .noifs = 1, .oif = { 3 }, .st.packets = 7 };
	uint8_t len;

	e.flow = packet(1, SNIFF_IP, 2).flow;
	flows_entry(&f, &e, false);
	e.st.packets = 9;
	flows_entry(&f, &e, true);
	/* What waits beside it, and one in another table, are not the entry. */
	e.unresolved = true;
	flows_entry(&f, &e, true);
	e.unresolved = false;
	e.st.packets = 1;
	e.table = 100;
	flows_entry(&f, &e, true);
	CHECK_INT(f.n, 1);
	CHECK(f.v[0].had_entry && f.v[0].has_entry && !f.v[0].e.unresolved);
	CHECK_INT(f.v[0].packets_before, 7);
	CHECK_INT(f.v[0].e.st.packets, 9);
	CHECK_INT(f.v[0].e.table, 253);

	/* Entries for any source: one an interface. */
	addr_any(FAM_4, &e.flow.source, &len);
	e.noifs = 3;
	memcpy(e.oif, (int[]){ 3, 2, 4 }, 3 * sizeof *e.oif);
	memcpy(e.ttl, (uint8_t[]){ 1, 1, 9 }, 3);
	flows_entry(&f, &e, true);
	e.iif = 4;
	flows_entry(&f, &e, true);
	CHECK_INT(f.n, 3);
	CHECK_INT(flows_star(&f, &f.v[0].flow, 2)->e.iif, 2);
	CHECK_INT(flows_star(&f, &f.v[0].flow, 2)->e.noifs, 2);	/* without the iif */
	CHECK_INT(flows_star(&f, &f.v[0].flow, 2)->e.oif[1], 4);
	CHECK_INT(flows_star(&f, &f.v[0].flow, 2)->e.ttl[1], 9);
	CHECK_INT(flows_star(&f, &f.v[0].flow, 4)->e.iif, 4);
	CHECK(!flows_star(&f, &f.v[0].flow, 5) && !flows_star(&f, &f.v[0].flow, 0));
	flows_free(&f);
}

TEST_MAIN(TEST(seen) TEST(many) TEST(entries))
