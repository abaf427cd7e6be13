/* SPDX-License-Identifier: ISC
 *
 * A daemon for the fuzzer of its control server: the engine on the fake kernel, the journal, files that are read again
 * in slices.  Time stands still but for what each look at the clock takes.
 */
#ifndef TESTS_FUZZ_CONTROL_H
#define TESTS_FUZZ_CONTROL_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "applets/control/call.h"
#include "applets/control/journal.h"
#include "applets/control/monitor.h"
#include "applets/control/serve.h"
#include "applets/control/server.h"
#include "conf/read.h"
#include "lib/status.h"
#include "tests/fake/kernel.h"
#include "tests/fake/memory.h"
#include "tests/fake/time.h"
#include "tests/fuzz/input.h"

#define LOOK_USEC 20		/* that a look at the clock takes */
#define CROWD_RULES 150		/* of a large file */

static struct router fuzz_router;
static struct journal fuzz_journal;
static struct server *fuzz_server;
static struct loop *fuzz_loop;

/* Anybody may be closed: memory or places lacked, or too much time went by. */
static bool fuzz_may_close;

/* ---- files ---- */

#define FUZZ_CROWD 4
#define FUZZ_FILES 5
static const char *const fuzz_files[FUZZ_CROWD] = {
	"phyint a1 mrdisc ttl-threshold 3\nphyint a2 refresh 10\nphyint a3 disable\n"
	"mroute from a1 group 225.1.1.0/24 to a2\nmroute from a2 group 225.9.9.9 kernel to a1 a3\n"
	"mroute from a1 source 10.0.0.1 group 225.1.1.1 to a2 a3\nmgroup from a3 group 225.3.3.3\n",

	"phyint a2 ttl-threshold 9\nmroute from a1 group 225.1.1.0/24 to a3\nmroute from a1 group 225.1.1.0/24 to a2\n"
	"mroute from a2 source 10.0.0.0/8 group 225.2.0.0/16 to a1 a3\nmroute from a1 group 225.2.2.2\n"
	"mgroup from a+ group 225.1.1.1\nmgroup from a2 source 10.0.0.1 group 232.1.1.1\n"
	"mroute from a+ group ff05::/16 to a2\nmroute from a1 group 225.9.9.9 kernel to a2\n",

	"", "mroute from a1 group 10.0.0.1 to a2\n",
};

/* A reading of a file, as applets/reload.c has it. */
static struct fuzz_reload {
	uint64_t asked, ended;
	unsigned next, file, in_force;	/* numbers of files: of the next reading, of this one, of the rules */
	struct conf *conf;
	bool is_settling;
	uint64_t ticket;
	int status;
} fuzz_reload;

/* The file of a number; NULL with what is wrong in its stead. */
static struct conf *fuzz_parse(unsigned file, int *status)
{
	struct conf *c = conf_new();
	struct diags d = { 0 };
	struct buf text = { 0 };

	if (file < FUZZ_CROWD)
		buf_str(&text, fuzz_files[file]);
	for (unsigned i = 0; file == FUZZ_CROWD && i < CROWD_RULES; i++)
		buf_printf(&text, "mroute from n%u%s group 225.100.0.%u to a1 o%u\n", i,
			   i & 1 ? " source 10.0.0.1" : "", i, i);
	if (c && !text.failed)
		conf_parse_text(c, &d, "fuzz", text.p ? text.p : "", text.len);
	*status = !c || text.failed ? EXIT_SYSTEM : d.errors ? EXIT_CONFIG : 0;
	if (*status) {
		conf_free(c);
		c = NULL;
	}
	buf_free(&text);
	diags_free(&d);
	return c;
}

static void fuzz_reload_end(int status)
{
	struct fuzz_reload *re = &fuzz_reload;

	conf_free(re->conf);
	re->conf = NULL;
	re->is_settling = false;
	re->status = status;
	re->ended++;
	if (!status)
		state_event(&fuzz_router, &(struct event){ .kind = EVENT_RELOAD });
	server_resume(fuzz_server);
}

/* Goes on with the reading that was asked for. */
static void fuzz_reload_slice(void)
{
	struct fuzz_reload *re = &fuzz_reload;
	struct router *r = &fuzz_router;
	int res;

	if (re->is_settling) {
		if (router_is_done(r, &re->ticket))
			fuzz_reload_end(0);
		return;
	}
	if (re->ended == re->asked)
		return;
	if (!re->conf) {
		re->file = re->next;
		re->conf = fuzz_parse(re->file, &re->status);
		if (!re->conf)
			fuzz_reload_end(re->status);
		return;
	}
	res = r->apply ? router_apply_step(r, 16, r->now) : router_apply_begin(r, re->conf);
	if (r->apply)
		return;
	if (res < 0) {
		fuzz_reload_end(EXIT_SYSTEM);
		return;
	}
	re->is_settling = true;
	re->ticket = ROUTER_PASS;
}

static void fuzz_applied(void *ctx)
{
	(void)ctx;
	fuzz_reload.in_force = fuzz_reload.file;
	journal_reloaded(&fuzz_journal);
	journal_flush(&fuzz_journal);
}

/* ---- what clients ask of a daemon ---- */

static int fuzz_reload_asked(void *ctx, struct call *call)
{
	struct fuzz_reload *re = &fuzz_reload;

	(void)ctx;
	if (!call->is_again) {
		/* The one that goes on may have begun before the file changed. */
		re->asked = re->ended + (re->conf || re->is_settling ? 2 : 1);
		call->later = re->asked;
		call->for_daemon = true;
		return 0;
	}
	if (re->status)
		return call_fail(call, re->status, "nothing was changed");
	call_note(call, "reloaded");
	return 0;
}

static int fuzz_upgrade(void *ctx, struct call *call)
{
	(void)ctx;
	if (call->is_again)
		return call_fail(call, EXIT_SYSTEM, "not here");
	call->later = CALL_UPGRADE;
	call->for_daemon = true;
	return 0;
}

static bool fuzz_is_ended(void *ctx, uint64_t later)
{
	(void)ctx;
	return later == CALL_UPGRADE || fuzz_reload.ended >= later;
}

static int fuzz_hand_over(void *ctx, struct call *call, const char *version)
{
	(void)ctx;
	if (!version)
		return call_fail(call, EXIT_BUSY, "of which version?");
	call->takes_over = true;
	return 0;
}

static void fuzz_give(void *ctx, int fd)
{
	(void)ctx;
	close(fd);
}

static void fuzz_on_upcall(void *ctx, const struct upcall *up)
{
	(void)ctx;
	router_upcall(&fuzz_router, up, fuzz_router.now);
}

static void fuzz_packets(void *ctx)
{
	(void)ctx;
	for (enum fam f = 0; f < FAM_N; f++)
		kernel_mroute_drain(f, 16, fuzz_on_upcall, NULL);
}

static void fuzz_stop(void *ctx)
{
	(void)ctx;
}

static const struct call_daemon fuzz_daemon = {
	.router = &fuzz_router, .reload = fuzz_reload_asked, .upgrade = fuzz_upgrade, .hand_over = fuzz_hand_over,
	.give = fuzz_give, .is_ended = fuzz_is_ended, .packets = fuzz_packets, .stop = fuzz_stop,
	.journal = &fuzz_journal,
};

/* ---- start, and time that goes by ---- */

static void fuzz_event(void *ctx, const struct event *ev)
{
	struct buf text = { 0 }, json = { 0 };

	(void)ctx;
	journal_event(&fuzz_journal, ev);
	if (!fuzz_server || !server_is_followed(fuzz_server))
		return;
	monitor_event_lines(&fuzz_router, ev, 0, &text, &json);
	if (!text.failed && !json.failed)
		server_event(fuzz_server, buf_cstr(&text), buf_cstr(&json));
	buf_free(&text);
	buf_free(&json);
}

static const struct router_ops fuzz_ops = { .event = fuzz_event, .applied = fuzz_applied };

static void fuzz_link(struct router *r, int ifindex, bool up)
{
	struct link_event ev = { .kind = up ? LINK_NEW : LINK_DEL, .ifindex = ifindex,
				 .flags = LINK_UP | LINK_MULTICAST };

	snprintf(ev.name, sizeof ev.name, "a%d", ifindex);
	if (up)
		fake_link_add(ifindex);
	else
		fake_link_del(ifindex);
	router_link_event(r, &ev);
}

/* A router with the rules of a file; no event tells of these. */
static void fuzz_start(struct router *r, const struct router_ops *ops, unsigned file)
{
	struct conf *c;
	int status;

	if (router_init(r, NULL, NULL) < 0)
		abort();
	r->sync.slice = 200;
	r->now = loop_now(fuzz_loop);
	for (enum fam f = 0; f < FAM_N; f++) {
		kernel_mroute_open(f, 0);
		router_family(r, f, true);
		kernel_mrdisc_open(f);
		kernel_report_open(f);
		r->mrdisc->up[f] = r->refresh->up[f] = true;
	}
	for (int i = 1; i <= 3; i++)
		fuzz_link(r, i, true);
	c = fuzz_parse(file, &status);
	if (!c || router_apply(r, c, r->now) < 0)
		abort();
	conf_free(c);
	r->ops = ops;
}

/* Call before somebody comes, who takes another one's place when all are taken. */
static void fuzz_look_for_places(void)
{
	fuzz_may_close |= fuzz_server->n == SERVE_MAX;
}

/* Some turns of the loop, in each of which one of the queue may come, and of all that a daemon does in them. */
static void fuzz_turns(unsigned n)
{
	struct router *r = &fuzz_router;

	while (n--) {
		time_skip(1);
		fuzz_look_for_places();
		loop_turn(fuzz_loop, false);
		r->now = loop_now(fuzz_loop);
		fuzz_reload_slice();
		if (router_due(r) && router_due(r) <= r->now)
			router_tick(r, r->now);
		server_resume(fuzz_server);
	}
}

#endif
