/* SPDX-License-Identifier: ISC
 *
 * What counts as refused of an edit: what its rules have a say in, in the pass that follows, whatever others do until
 * somebody asks.
 */
#include "router/state.h"

#include <errno.h>

#include "router/reason.h"
#include "tests/unit/engine.h"

#define RULES \
	"mroute from eth0 group 225.1.0.0/16 to eth1\nmroute from eth0 source 10.0.0.1 group 225.1.1.1 to eth1\n" \
	"mroute from eth1 source 10.1.0.0/16 group 225.1.0.0/16 to eth0\n"

static struct flow_range range(const char *source, uint8_t source_len, const char *group, uint8_t group_len)
{
	struct flow_range f = { .source_len = ADDR_V4_BITS + source_len,
					.group_len = ADDR_V4_BITS + group_len };

	addr_parse(source, strlen(source), &f.flow.source);
	addr_parse(group, strlen(group), &f.flow.group);
	return f;
}

/* An edit of a rule, and a refusal that concerns a flow, which comes in on these VIFs: 1 when it counts. */
static unsigned counts(const char *iif, struct flow_range edited, const char *source, const char *group, uint32_t vifs)
{
	struct flow flow = range(source, 32, group, 32).flow;
	struct ifname name = ifname_of(iif, strlen(iif));

	state_edit(&r);
	state_edit_add(&r, &name, &edited);
	r.sync.is_running = true;
	errno = ENOBUFS;
	state_failed(&r, &flow, vifs);
	r.sync.is_running = false;
	CHECK(!r.edit.failed || r.edit.err == ENOBUFS);
	return r.edit.failed;
}

static void say(void)
{
	struct flow_range wide, one, sources;

	start();
	CHECK_INT(apply(RULES), 0);
	wide = range("0.0.0.0", 0, "225.1.0.0", 16);
	one = range("10.0.0.1", 32, "225.1.1.1", 32);
	sources = range("10.1.0.0", 16, "0.0.0.0", 4);
	CHECK_INT(counts("eth0", wide, "10.0.0.2", "225.1.1.1", 1), 1);
	CHECK_INT(counts("eth+", wide, "10.0.0.2", "225.1.1.1", 1), 1);
	CHECK_INT(counts("eth0", wide, "10.0.0.2", "225.2.1.1", 1), 0);
	CHECK_INT(counts("eth1", wide, "10.0.0.2", "225.1.1.1", 1), 0);
	CHECK_INT(counts("eth1", wide, "10.0.0.2", "225.1.1.1", 3), 1);
	/* A narrower one, there alone. */
	CHECK_INT(counts("eth0", wide, "10.0.0.1", "225.1.1.1", 1), 0);
	CHECK_INT(counts("eth0", one, "10.0.0.1", "225.1.1.1", 1), 1);
	CHECK_INT(counts("eth1", wide, "10.0.0.1", "225.1.1.1", 2), 1);
	CHECK_INT(counts("eth0", wide, "10.1.0.1", "225.1.1.1", 1), 1);
	CHECK_INT(counts("eth1", wide, "10.1.0.1", "225.1.1.1", 2), 0);
	/* Of two of which none is inside the other both have one. */
	CHECK_INT(counts("eth0", range("10.0.0.0", 8, "224.0.0.0", 4), "10.0.0.2", "225.1.1.1", 1), 1);
	CHECK_INT(counts("eth1", sources, "10.1.0.1", "225.1.1.1", 2), 0);
	/* Where it came in is gone. */
	CHECK_INT(counts("eth5", wide, "10.0.0.2", "225.1.1.1", 1 << 9), 1);
	CHECK_INT(counts("eth0", wide, "10.0.0.2", "225.1.1.1", 0), 0);
	end();
}

/* A packet, a reload and what is tried again, before the answer is given. */
static void others(void)
{
	const struct change_rule rule = {
		.iif = ifname_of("eth0", 4), .range = range("10.0.0.7", 32, "225.1.1.7", 32),
		.oifs = &(struct ifname){ .text = "eth1", .len = 4 }, .noifs = 1, .owner = OWNER_UNNAMED,
	};
	struct upcall up = { .kind = UPCALL_NOCACHE, .fam = FAM_4,
			     .flow = range("10.0.0.2", 32, "225.1.1.1", 32).flow };
	struct flow_range wide = range("0.0.0.0", 0, "225.0.0.0", 8);
	uint32_t id, errors;

	start();
	CHECK_INT(apply(RULES), 0);
	state_edit(&r);
	state_edit_add(&r, &rule.iif, &rule.range);
	state_edit_add(&r, &rule.iif, &wide);
	fake_fail("mfc_add", ENOMEM, 1);
	CHECK_INT(change_add(&r, &rule, CHANGE_MORE, &id), 0);
	router_sync(&r);
	CHECK_INT(r.edit.failed, 1);
	CHECK_INT(r.edit.err, ENOMEM);
	/* A packet in the range. */
	errors = r.count.errors;
	fake_fail("mfc_add", ENOBUFS, 1);
	router_upcall(&r, &up, 1000);
	CHECK(r.count.errors > errors);
	CHECK_INT(r.edit.failed, 1);
	/* A reload, whose own rules are refused, and all that was. */
	errors = r.count.errors;
	fake_fail("mfc_add", ENOSPC, 1);
	CHECK_INT(apply("mroute from eth0 source 10.0.0.9 group 226.1.1.9 to eth1\n" RULES), 0);
	CHECK(r.count.errors > errors && r.changes.failed);
	CHECK_INT(r.edit.failed, 1);
	CHECK_INT(r.edit.err, ENOMEM);
	end();
}

/* What a client asked for and is refused again, as a reload has all be tried: not told of the reload; what the
 * configuration asks for is, beside others too. */
static void reload(void)
{
	static const char conf[] = RULES "mroute from eth0 source 10.0.0.7 group 225.1.1.7 to eth1\n"
					 "mgroup from eth0 group 225.9.9.9\n";
	struct change_rule rule = {
		.iif = ifname_of("eth0", 4), .range = range("10.0.0.7", 32, "225.1.1.7", 32),
		.oifs = &(struct ifname){ .text = "eth1", .len = 4 }, .noifs = 1,
	};
	struct flow_range joined = range("0.0.0.0", 0, "225.9.9.9", 32);
	uint32_t id;

	start();
	CHECK_INT(apply(RULES), 0);
	rule.owner = owner_hold(&r.rules.owners, "client");
	fake_fail("mfc_add", ENOMEM, 3);
	fake_fail("join", EMFILE, 3);
	CHECK_INT(change_add(&r, &rule, CHANGE_MORE, &id), 0);
	CHECK_INT(change_join(&r, &rule.iif, &joined, rule.owner), 0);
	router_sync(&r);
	CHECK_INT(apply(RULES), 0);
	CHECK_INT(r.changes.failed, 1);
	CHECK_INT(r.changes.refused, 0);
	CHECK_INT(r.groups->failed, 1);
	CHECK(!reason_is_join_refused(&r));
	CHECK_INT(apply(conf), 0);
	CHECK_INT(r.changes.refused, 1);
	CHECK(reason_is_join_refused(&r));
	CHECK_INT(apply(conf), 0);
	CHECK_INT(r.changes.refused, 0);
	CHECK(!reason_is_join_refused(&r));
	end();
}

TEST_MAIN(TEST(say) TEST(others) TEST(reload))
