/* SPDX-License-Identifier: ISC
 *
 * What no memory was there for when it was told is asked for again.
 */
#include "applets/watch.c"

#include "tests/fake/kernel.h"
#include "tests/fake/memory.h"
#include "tests/unit/test.h"

static struct settings set;
static struct daemon d = { .set = &set };

static void begin(void)
{
	fake_reset();
	log_set_level(LOG_LVL_NONE);
	d.loop = loop_new();
	d.tick = (struct timer){ .fn = watch_tick, .ctx = &d };
	d.sick = (struct timer){ .fn = watch_again, .ctx = &d };
	CHECK_INT(router_init(&d.router, NULL, NULL), 0);
	CHECK_INT(kernel_link_open(), 0);
}

static void end(void)
{
	timer_stop(d.loop, &d.tick);
	timer_stop(d.loop, &d.sick);
	router_shutdown(&d.router);
	router_free(&d.router);
	loop_free(d.loop);
	fake_reset();
}

/* An interface that comes; true when the kernel was asked to tell all of them again. */
static bool comes(const char *name, int ifindex)
{
	struct link_event ev = { .kind = LINK_NEW, .ifindex = ifindex, .flags = LINK_UP | LINK_MULTICAST };

	snprintf(ev.name, sizeof ev.name, "%s", name);
	fake_link_add(ifindex);
	fake_push_link(&ev);
	fake_journal();
	watch_on_netlink(&d, kernel_link_fd(), POLLIN);
	return strstr(fake_journal(), "links lost\n");
}

static void no_memory(void)
{
	begin();
	CHECK(!comes("eth0", 2));
	CHECK(iface_find(&d.router.ifs, 2));
	memory_scarce(0, 1000);
	/* There may be room for some. */
	for (int n = 3; n < 100 && !d.failures; n++)
		CHECK_INT(comes("eth1", n), !iface_find(&d.router.ifs, n));
	CHECK(memory_plenty());
	CHECK_INT(d.failures, 1);
	CHECK(d.sick.due && !d.router.links_lost);
	/* Asked once for each time that it lacked. */
	CHECK(!comes("eth2", 200));
	CHECK(iface_find(&d.router.ifs, 200));
	end();
}

TEST_MAIN(TEST(no_memory))
