/* SPDX-License-Identifier: ISC
 *
 * In steps: give VIFs to the interfaces that rules refer to (vif.c), see what names mean now (bind.c) and which rules
 * that concerns, bring each marked entry in line (entry.c), take back VIFs that nothing refers to; then memberships,
 * outputs that they have held back (reflect.c), and advertisements.  What is left to do is all in marks: the pass may
 * pause anywhere, and whatever is marked meanwhile is done as well.
 */
#include "router/sync.h"

#include "router/adopt.h"
#include "router/bind.h"
#include "router/entry.h"
#include "router/group.h"
#include "router/inkernel.h"
#include "router/mark.h"
#include "router/mrdisc.h"
#include "router/pending.h"
#include "router/reflect.h"
#include "router/refresh.h"
#include "router/settle.h"
#include "router/table.h"
#include "router/vif.h"
#include "router/wait.h"

/* What things cost, in about 30 ns of a usual machine. */
enum { SYNC_PLACES = 8, SYNC_RULE = 1, SYNC_MARK = 8, SYNC_ENTRY = 16, SYNC_CALL = 64 };

/* Reports of the rules of an entry of any source that they step aside, or no longer. */
static void sync_report(struct router *r, const struct flow *flow)
{
	const struct rules *t = &r->rules.routes;
	const struct flow_range range = flow_range_of(flow);

	for (uint32_t id = rules_chain(t, &range); id != HASH_NONE; id = t->v[id].chain)
		if (t->v[id].in_kernel)
			pending_report(r, id);
}

/* Counts what was done; false when others are to have their turn. */
static bool sync_spend(struct router *r, uint32_t cost)
{
	struct sync *s = &r->sync;
	uint32_t before = s->left;

	s->left -= cost < before ? cost : before;
	if (before / SYNC_LOOK != s->left / SYNC_LOOK && s->slice - s->left >= SYNC_LEAST && r->ops &&
	    r->ops->has_packets && r->ops->has_packets(r->ops_ctx))
		s->left = 0;
	return s->left;
}

static uint32_t sync_count_calls(const struct router *r)
{
	return r->changes.added + r->changes.changed + r->changes.removed + r->changes.failed;
}

/* ---- entries ---- */

/* Brings an entry in line: false when the slice is over. */
static bool sync_entry(struct router *r, uint32_t at, struct inkernel_pass *pass)
{
	/* Each pair of lengths is looked for. */
	uint32_t before = sync_count_calls(r), lengths = 2 * r->rules.routes.lengths.n;

	r->mfc.v[at].flags &= (uint8_t)~MFC_DIRTY;
	if (!mfc_is_any(&r->mfc.v[at])) {
		entry_sync(r, at, -1);
	} else {
		inkernel_sync(r, at, pass);
		if (mfc_is_any(&r->mfc.v[at]))
			sync_report(r, &r->mfc.v[at].flow);
	}
	return sync_spend(r, sync_count_calls(r) == before ? SYNC_ENTRY + lengths : SYNC_CALL + lengths);
}

/* In which walk an entry has its turn. */
static enum mfc_look sync_look_of(const struct mfc *e)
{
	if (mfc_is_any(e))
		return MFC_LOOK_ANY;
	return e->state == MFC_STATIC && !(e->flags & MFC_INSTALLED) ? MFC_LOOK_NEW : MFC_LOOK_REST;
}

/* True when an entry has its turn in a walk.  One that changed its kind after its own walk had passed it is the last
 * one's. */
static bool sync_is_due(const struct mfc *e, enum mfc_look look)
{
	enum mfc_look own = sync_look_of(e);

	return e->state != MFC_FREE && (own == look || (look == MFC_LOOK_REST && own == MFC_LOOK_NEW));
}

/* Looks at all entries there are, when there is no memory to say which. */
static void sync_all_entries(struct router *r)
{
	struct inkernel_pass pass = { 0 };

	for (enum mfc_look look = 0; look < MFC_LOOKS; look++)
		for (uint32_t at = 0; at < r->mfc.n; at++)
			if (sync_is_due(&r->mfc.v[at], look))
				sync_entry(r, at, &pass);
	inkernel_end(&pass);
}

/* Walks over the marked entries of a kind: false when the slice is over. */
static bool sync_walk(struct router *r, enum mfc_look look)
{
	struct mfcs *t = &r->mfc;
	struct inkernel_pass pass = { 0 };
	bool is_left = true;

	while (is_left && t->looked[look] < t->ndirty) {
		uint32_t at = t->dirty[t->looked[look]++];

		if (t->v[at].flags & MFC_DIRTY && sync_is_due(&t->v[at], look))
			is_left = sync_entry(r, at, &pass);
	}
	inkernel_end(&pass);
	return is_left;
}

/* Marks the entries in the ranges that were touched: false when the slice is over. */
static bool sync_touched(struct router *r)
{
	while (r->touched.n) {
		if (!mark_touched(r, SYNC_PLACES))
			sync_all_entries(r);
		if (!sync_spend(r, SYNC_RULE))
			return false;
	}
	return true;
}

/* Looks at all that are marked: false when the slice is over. */
static bool sync_entries(struct router *r)
{
	struct mfcs *t = &r->mfc;

	do {
		if (!sync_touched(r))
			return false;
		if (mfc_anys(t) && (!sync_walk(r, MFC_LOOK_NEW) || !sync_walk(r, MFC_LOOK_ANY)))
			return false;
		/* What one of any source took, or left. */
		if (r->touched.n)
			continue;
		if (!sync_walk(r, MFC_LOOK_REST))
			return false;
	} while (t->looked[MFC_LOOK_REST] < t->ndirty || (mfc_anys(t) && t->looked[MFC_LOOK_ANY] < t->ndirty) ||
		 r->touched.n);
	mfc_clean(t);
	return true;
}

/* ---- names, and the rules that have them ---- */

/* Gives numbers to interfaces, sees what names mean then, and has all rules see it. */
static void sync_names(struct router *r)
{
	struct sync *s = &r->sync;

	r->vifs_stale = r->rules.names.refs_changed = false;
	for (enum fam f = 0; f < FAM_N; f++)
		vif_assign(r, f);
	bind_names(r);
	table_check(r);
	s->walks_again = s->releases = true;
	r->mrdisc->stale = r->waits.is_stale = true;
}

/* Walks over the rules: false when the slice is over. */
static bool sync_rules(struct router *r)
{
	struct rules *t = &r->rules.routes;
	struct sync *s = &r->sync;
	uint32_t id;

	if (!s->walks && s->walks_again) {
		rules_walk_begin(t, &s->walk);
		s->walks = true;
		s->walks_again = false;
	}
	while (s->walks && (id = rules_walk_next(t, &s->walk)) != HASH_NONE)
		if (!sync_spend(r, bind_rule(r, id) ? SYNC_MARK : SYNC_RULE))
			return false;
	if (!s->walks)
		return true;
	rules_walk_end(t, &s->walk);
	s->walks = false;
	if (!s->walks_again)
		bind_end(r);
	return true;
}

/* Takes back numbers that nothing wants, and frees those that no entry has any more. */
static void sync_release(struct router *r)
{
	for (enum fam f = 0; f < FAM_N; f++) {
		bool any;

		if (r->sync.releases && r->up[f])
			vif_release_unwanted(r, f);
		any = vif_remove_left(r, f);
		/* A number that became free may be waited for. */
		for (struct iface *i = NULL; any && (i = iface_next(&r->ifs, i));)
			r->vifs_stale |= i->waits[f];
	}
	r->sync.releases = false;
}

/* ---- all of it ---- */

/* What comes of rules and entries: false when there is more to do for these. */
static bool sync_rest(struct router *r)
{
	groups_sync(r);
	if (reflect_look(r)) {
		sync_entries(r);
		r->sync.walks_again = true;
		return false;
	}
	if (wait_is_due(r))
		wait_report(r);
	mrdisc_sync(r);
	refresh_sync(r);
	if (r->adopts && r->has_rules) {
		adopt_trim(r);
		r->adopts = false;
	}
	return true;
}

/* A slice: true when that was all. */
static bool sync_slice(struct router *r)
{
	struct sync *s = &r->sync;

	do {
		bind_fresh(r);
		if (r->vifs_stale || r->rules.names.refs_changed)
			sync_names(r);
		if (!sync_rules(r) || !sync_entries(r))
			return false;
		if (!s->walks_again)
			sync_release(r);
		if (s->walks_again || s->releases || r->vifs_stale || r->rules.names.refs_changed || r->mfc.ndirty ||
		    r->touched.n)
			continue;
		if (sync_rest(r))
			return true;
	} while (true);
}

void router_sync(struct router *r)
{
	/* What was taken over stays as it is until it is known what is wanted. */
	if (r->adopts && !r->has_rules)
		return;
	r->sync.left = r->sync.slice;
	r->sync.is_running = true;
	r->sync.is_busy = !sync_slice(r);
	r->sync.is_running = false;
	if (!router_is_busy(r)) {
		settle_step(r);
		r->retry_ms = r->retry_due ? r->retry_ms : 0;
	}
	if (r->ops && r->ops->wake)
		r->ops->wake(r->ops_ctx);
}

bool router_is_done(const struct router *r, uint64_t *ticket)
{
	if (*ticket == ROUTER_PASS) {
		if (router_is_busy(r))
			return false;
		if (!groups_ticket(r->groups))
			return true;
		*ticket = groups_ticket(r->groups);
	}
	return groups_done(r->groups, *ticket);
}
