/* SPDX-License-Identifier: ISC
 *
 * A family whose table was taken over, cannot be read and cannot be begun anew either: it is down, says so, and is
 * tried again.
 */
#include "applets/families.h"

#include <errno.h>
#include <string.h>

#include "conf/read.h"
#include "tests/fake/kernel.h"
#include "tests/unit/test.h"

static struct settings set;
static struct daemon d = { .set = &set };

static void begin(void)
{
	struct link_event ev = { .kind = LINK_NEW, .ifindex = 2, .flags = LINK_UP | LINK_MULTICAST, .name = "eth0" };
	static const char line[] = "mroute from eth0 source 10.0.0.1 group 225.1.1.1\n";
	struct conf *c = conf_new();
	struct diags diags = { 0 };

	fake_reset();
	log_set_level(LOG_LVL_NONE);
	d.loop = loop_new();
	d.families = (struct timer){ .fn = families_retry, .ctx = &d };
	d.tick = (struct timer){ .fn = families_retry, .ctx = &d };
	CHECK_INT(router_init(&d.router, NULL, NULL), 0);
	CHECK_INT(kernel_mroute_open(FAM_4, 0), 0);
	kernel_release();
	CHECK_INT(kernel_adopt("mroute4", -1, 0), 0);
	CHECK_INT(families_open(&d), 0);
	CHECK(d.adopted[FAM_4] && d.router.up[FAM_4] && d.router.up[FAM_6]);
	fake_link_add(2);
	router_link_event(&d.router, &ev);
	conf_parse_text(c, &diags, "test", line, strlen(line));
	CHECK_INT(router_apply(&d.router, c, loop_now(d.loop)), 0);
	conf_free(c);
	diags_free(&diags);
}

static void end(void)
{
	timer_stop(d.loop, &d.families);
	timer_stop(d.loop, &d.tick);
	router_shutdown(&d.router);
	router_free(&d.router);
	loop_free(d.loop);
	fake_reset();
}

/* Its table is made anew at once. */
static void unread(void)
{
	begin();
	fake_fail("mfc_read", ENOBUFS, 1);
	families_adopt(&d);
	CHECK(d.router.up[FAM_4] && !*d.router.lacks[FAM_4] && !d.families.due);
	router_sync(&d.router);
	CHECK_INT(fake_mfc_count(FAM_4), 1);
	end();
}

/* Nor can it be begun anew. */
static void lost(void)
{
	begin();
	fake_fail("mfc_read", ENOBUFS, 1);
	fake_fail("mroute_reset", EADDRINUSE, 1);
	families_adopt(&d);
	CHECK(!d.router.up[FAM_4] && d.router.up[FAM_6]);
	CHECK_STR(d.router.lacks[FAM_4], "IPv4 multicast routing cannot be begun anew");
	CHECK(d.families.due);
	fake_fail("mroute_open", EADDRINUSE, 1);
	families_retry(&d);
	CHECK(!d.router.up[FAM_4] && d.families.due);
	families_retry(&d);
	CHECK(d.router.up[FAM_4] && !*d.router.lacks[FAM_4] && !d.families.due);
	CHECK_INT(fake_mfc_count(FAM_4), 1);
	end();
}

TEST_MAIN(TEST(unread) TEST(lost))
