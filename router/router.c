/* SPDX-License-Identifier: ISC
 *
 * What changes the rules marks what that concerns; sync.c does the rest.
 */
#include "router/router.h"

#include <stdio.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "router/apply.h"
#include "router/budget.h"
#include "router/entry.h"
#include "router/expire.h"
#include "router/mark.h"
#include "router/reflect.h"
#include "router/settle.h"
#include "router/storm.h"
#include "router/wait.h"

#define ROUTER_FLUSH 512		/* entries of a slice */

int router_init(struct router *r, const struct router_ops *ops, void *ctx)
{
	memset(r, 0, sizeof *r);
	ifaces_init(&r->ifs);
	memset(r->ttl, 1, sizeof r->ttl);
	r->expire_sec = 60;
	r->max_dynamic = 65536;
	r->sync.slice = SYNC_SLICE;
	r->lim_moved.burst = 20;
	r->lim_evicted.burst = 1;
	r->lim_wait.burst = WAIT_LINES;
	r->ops = ops;
	r->ops_ctx = ctx;
	r->groups = groups_new();
	r->mrdisc = mrdisc_new();
	r->refresh = refresh_new();
	bool lacks = mfcs_init(&r->mfc) < 0;

	lacks |= ruleset_init(&r->rules) < 0;
	return !lacks && r->groups && r->mrdisc && r->refresh ? 0 : -1;
}

void router_family(struct router *r, enum fam fam, bool up)
{
	r->up[fam] = up;
	r->vifs_stale = true;
	if (up)
		mark_family(r, fam);
}

void router_family_lacks(struct router *r, enum fam fam, const char *why)
{
	snprintf(r->lacks[fam], sizeof r->lacks[fam], "%s", why);
	r->waits.is_stale = true;
}

void router_shutdown(struct router *r)
{
	mrdisc_end(r);
	refresh_end();
	/* Closing the socket takes VIFs and entries out of the kernel in one go. */
	for (enum fam f = 0; f < FAM_N; f++)
		kernel_mroute_close(f);
	kernel_join_close();
}

void router_free(struct router *r)
{
	mrdisc_free(r->mrdisc);
	refresh_free(r->refresh);
	groups_free(r->groups);
	mfcs_free(&r->mfc);
	ifaces_free(&r->ifs);
	apply_free(r->apply);
	ruleset_free(&r->rules);
	waits_free(&r->waits);
	storm_free(&r->storm);
	adopt_free(r);
	memset(r, 0, sizeof *r);
}

int router_apply_begin(struct router *r, const struct conf *c)
{
	r->apply = apply_new(r, c);
	return r->apply ? 0 : -1;
}

/* New rules have come into force: has the kernel follow. */
static void router_switched(struct router *r)
{
	if (r->ops && r->ops->applied)
		r->ops->applied(r->ops_ctx);
	r->vifs_stale = r->groups->stale = true;
	for (struct iface *i = NULL; (i = iface_next(&r->ifs, i));)
		link_configure(r, i);
	mark_refused(r);
	reflect_mark(r);
	wait_tell_all(r);
	memset(&r->changes, 0, sizeof r->changes);
	r->has_rules = true;
	router_sync(r);
}

int router_apply_step(struct router *r, uint32_t n, int64_t now)
{
	enum apply_step step;
	int err;

	r->now = now;
	step = apply_step(r->apply, n);
	if (step == APPLY_SWITCHED)
		router_switched(r);
	if (step == APPLY_MORE || step == APPLY_SWITCHED)
		return 1;
	err = errno;
	apply_free(r->apply);
	r->apply = NULL;
	/* What nobody refers to any more is released. */
	router_sync(r);
	errno = err;
	return step == APPLY_FAILED ? -1 : 0;
}

int router_apply(struct router *r, const struct conf *c, int64_t now)
{
	int res = router_apply_begin(r, c);

	if (res)
		return res;
	do
		res = router_apply_step(r, UINT32_MAX, now);
	while (res > 0);
	return res;
}

int64_t router_due(const struct router *r)
{
	const int64_t due[] = {
		r->pass_due, mrdisc_due(r->mrdisc), reflect_due(r), storm_due(r), refresh_due(r->refresh),
		adopt_due(r), r->waits.due, r->apply ? 0 : r->retry_due,
	};
	int64_t first = 0;

	if (r->sync.is_busy || r->settles || groups_ticket(r->groups))
		return r->now ? r->now : 1;
	for (unsigned i = 0; i < sizeof due / sizeof *due; i++)
		if (due[i] && (!first || due[i] < first))
			first = due[i];
	return first;
}

/* Has all be looked at again, as something was refused. */
static void router_retry(struct router *r)
{
	r->retry_due = 0;
	r->groups->stale |= r->groups->is_left;
	r->vifs_stale = true;
	r->groups->is_left = false;
	mark_all(r);
	router_sync(r);
	budget_keep(r, HASH_NONE);
}

void router_tick(struct router *r, int64_t now)
{
	r->now = now;
	expire_tick(r);
	groups_tick(r);
	mrdisc_tick(r);
	refresh_tick(r);
	if (r->retry_due && now >= r->retry_due && !router_is_busy(r))
		router_retry(r);
	bool syncs = reflect_tick(r) || r->sync.is_busy || (r->waits.due && r->now >= r->waits.due);

	if (syncs)
		router_sync(r);
	storm_tick(r);
	if (router_is_busy(r))
		return;
	if (r->has_rules)
		adopt_tick(r);
	/* A sync has done so already. */
	if (!syncs)
		settle_step(r);
}

bool router_flush(struct router *r, struct router_flush *flush)
{
	/* From the end, as those at the end may get places before them. */
	if (!flush->place)
		flush->place = r->mfc.n;
	for (uint32_t end = flush->entries + flush->failed + ROUTER_FLUSH; flush->place; flush->place--) {
		if (flush->entries + flush->failed == end)
			return true;
		if (flush->place > r->mfc.n || !mfc_is_dynamic(&r->mfc.v[flush->place - 1]))
			continue;
		if (entry_drop(r, flush->place - 1))
			flush->entries++;
		else
			flush->failed++;
	}
	state_event(r, &(struct event){ .kind = EVENT_FLUSHED, .entries = flush->entries });
	router_sync(r);
	return false;
}
