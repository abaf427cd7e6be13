/* SPDX-License-Identifier: ISC
 *
 * An engine with IPv4 and two interfaces, eth0 and eth1, on the fake kernel.
 */
#ifndef TESTS_UNIT_ENGINE_H
#define TESTS_UNIT_ENGINE_H

#include "conf/read.h"
#include "router/router.h"
#include "tests/fake/kernel.h"
#include "tests/unit/test.h"

static struct router r;

static void link_is(int ifindex, const char *name)
{
	struct link_event ev = { .kind = LINK_NEW, .ifindex = ifindex, .flags = LINK_UP | LINK_MULTICAST };

	snprintf(ev.name, sizeof ev.name, "%s", name);
	fake_link_add(ifindex);
	router_link_event(&r, &ev);
}

static void start(void)
{
	fake_reset();
	log_set_level(LOG_LVL_NONE);
	CHECK_INT(router_init(&r, NULL, NULL), 0);
	kernel_mroute_open(FAM_4, 0);
	router_family(&r, FAM_4, true);
	link_is(2, "eth0");
	link_is(3, "eth1");
}

static void end(void)
{
	router_shutdown(&r);
	router_free(&r);
	fake_reset();
}

/* The next process: knows the interfaces, and has the socket. */
static inline void succeed(void)
{
	router_free(&r);
	kernel_release();
	fake_journal();
	CHECK_INT(router_init(&r, NULL, NULL), 0);
	CHECK_INT(kernel_adopt("mroute4", -1, 0), 0);
	CHECK_INT(kernel_mroute_open(FAM_4, 0), 1);
	router_family(&r, FAM_4, true);
	link_is(2, "eth0");
	link_is(3, "eth1");
	fake_journal();
}

static struct conf *parse(const char *text)
{
	struct conf *c = conf_new();
	struct diags d = { 0 };

	conf_parse_text(c, &d, "test", text, strlen(text));
	CHECK_INT(d.errors, 0);
	diags_free(&d);
	return c;
}

/* Applies a configuration, of which the kernel gets the first slice. */
static int begin_apply(const char *text)
{
	struct conf *c = parse(text);
	int res = router_apply(&r, c, 1000);

	conf_free(c);
	return res;
}

static int apply(const char *text)
{
	int res = begin_apply(text);

	while (router_is_busy(&r))
		router_sync(&r);
	return res;
}

#endif
