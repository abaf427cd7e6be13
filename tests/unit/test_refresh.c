/* SPDX-License-Identifier: ISC
 *
 * Whatever happens in whatever order: while no querier is heard each membership is reported in time, none is that is
 * not there, and with a querier none at all.
 */
#include "router/refresh.h"

#include <stdlib.h>

#include "tests/unit/engine.h"

#define GROUPS 300
/* `refresh 1`: between rounds; what a round of 300 takes at most, 32 in 20 ms; until no querier is sure. */
enum { SEC_MS = 1000, ROUND_MS = 300, QUIET_MS = 4250, FIRST_MS = 2125 };

static int64_t now, wanted[GROUPS], reported[GROUPS], sure_at;	/* 0 = not */
static bool up;

static unsigned rnd(unsigned n)
{
	static uint32_t x = 1;

	x = x * 1103515245 + 12345;
	return (x >> 16) % n;
}

static bool is_alone(void)
{
	return up && now >= sure_at;
}

/* Takes in what was reported. */
static void read_journal(void)
{
	for (const char *p = fake_journal(); *p; p = strchr(p, '\n') + 1) {
		const char *end = strchr(p, '\n');
		unsigned high, low;

		if (strncmp(p, "report4 v", 9))
			continue;
		CHECK(is_alone());
		for (const char *g = p; (g = strstr(g, "(*,225.1.")) && g < end; g++) {
			CHECK_INT(sscanf(g, "(*,225.1.%u.%u)", &high, &low), 2);
			CHECK(high * 256 + low < GROUPS && wanted[high * 256 + low]);
			reported[high * 256 + low] = now;
		}
	}
}

static void check_all(void)
{
	for (unsigned g = 0; g < GROUPS && is_alone(); g++) {
		int64_t last = reported[g] > wanted[g] ? reported[g] : wanted[g];

		last = last > sure_at ? last : sure_at;
		if (wanted[g] && now - last > SEC_MS + ROUND_MS)
			CHECK_INT(now - last, SEC_MS + ROUND_MS);
	}
}

static void pass(int64_t ms)
{
	int64_t end = now + ms, due;

	while ((due = router_due(&r)) && due <= end) {
		now = due > now ? due : now;
		router_tick(&r, now);
		read_journal();
	}
	now = end;
	check_all();
}

/* Another set of groups: each is wanted with a chance of one in n. */
static void join(unsigned n)
{
	struct buf text = { 0 };
	struct conf *c;

	buf_str(&text, "phyint eth0 refresh 1\nmgroup from eth1 group 225.1.0.0/23\n");
	for (unsigned g = 0; g < GROUPS; g++) {
		if (rnd(n))
			wanted[g] = 0;
		else if (!wanted[g])
			wanted[g] = now;
		if (wanted[g])
			buf_printf(&text, "mgroup from eth0 group 225.1.%u.%u\n", g / 256, g % 256);
	}
	c = parse(buf_cstr(&text));
	CHECK_INT(router_apply(&r, c, now), 0);
	conf_free(c);
	buf_free(&text);
}

static void link_goes(bool to_up)
{
	struct link_event ev = { .kind = LINK_NEW, .ifindex = 2, .name = "eth0", .flags = to_up ? LINK_UP : 0 };

	if (to_up && !up)
		sure_at = now + FIRST_MS;
	up = to_up;
	r.now = now;
	router_link_event(&r, &ev);
	router_sync(&r);
}

static void query(void)
{
	r.now = now;
	refresh_queried(&r, FAM_4, 2, 1 + rnd(3));
	if (up)
		sure_at = now + QUIET_MS;
}

static void whatever_happens(void)
{
	unsigned reports = 0;

	start();
	CHECK_INT(apply(""), 0);
	now = 100000;
	r.refresh->up[FAM_4] = kernel_report_open(FAM_4) == 0;
	link_goes(false);
	link_goes(true);
	for (unsigned step = 0; step < 2000 && !test_failed; step++) {
		switch (rnd(12)) {
		case 0:
			/* At times just when a round is due. */
			if (rnd(2) && router_due(&r) > now)
				now = router_due(&r);
			join(1 + rnd(4));
			break;
		case 1:
			link_goes(rnd(3));
			break;
		case 2:
			query();
			break;
		case 3:
			fake_force_report(FAM_4, rnd(4));
			break;
		default:
			pass(rnd(1500));
			reports += is_alone();
		}
	}
	CHECK(reports > 100);
	end();
}

TEST_MAIN(TEST(whatever_happens))
