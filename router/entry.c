/* SPDX-License-Identifier: ISC
 *
 * Sole caller of kernel_mfc_add() and kernel_mfc_del() for entries of the mirror.
 */
#include "router/entry.h"

#include <errno.h>
#include <string.h>

#include "conf/match.h"
#include "router/reflect.h"

void entry_report(struct router *r, enum event_kind kind, const struct mfc *e)
{
	enum fam fam = flow_fam(&e->flow);
	const struct iface *i = iface_by_vif(&r->ifs, fam, e->iif);
	struct event ev = {
		.kind = kind, .fam = fam, .flow = &e->flow,
		.iif = i ? i->name : NULL, .oifs = e->oifs,
	};

	state_event(r, &ev);
}

/* Counts a refusal and says so; vifs: where packets come in, by what there is or is wanted. */
static void entry_refused(struct router *r, const struct mfc *e, uint32_t vifs, const char *what)
{
	char flow[FLOW_STRLEN];
	int err = errno;

	state_failed(r, &e->flow, vifs);
	log_limited(&r->lim_kernel, r->now, LOG_LVL_ERR, "the kernel refused %sroute %s: %s", what,
		    flow_str(&e->flow, flow), strerror(err));
}

bool entry_take_out(struct router *r, uint32_t at)
{
	struct mfc *e = &r->mfc.v[at];

	if (!(e->flags & MFC_INSTALLED))
		return true;
	if (kernel_mfc_del(&e->flow, e->iif) < 0 && errno != ENOENT) {
		entry_refused(r, e, UINT32_C(1) << e->iif, "to remove ");
		return false;
	}
	e->flags &= (uint8_t)~MFC_INSTALLED;
	r->changes.removed++;
	return true;
}

bool entry_drop(struct router *r, uint32_t at)
{
	if (!entry_take_out(r, at))
		return false;
	mfc_del(&r->mfc, at);
	return true;
}

bool entry_is_unknown(const struct mfc *e)
{
	return flow_any_source(&e->flow) && (e->failed == ENOPROTOOPT || e->failed == EOPNOTSUPP);
}

struct entry_want {
	enum mfc_state state;	/* MFC_FREE: the entry shall not be */
	int iif;
	uint32_t oifs;
	uint32_t template;	/* number of a rule that decides, HASH_NONE: none does */
};

/* VIFs that (S,G) rules of the flow alone name as their iif; *first: those of the first rule that has any. */
static uint32_t entry_static_iifs(const struct router *r, const struct flow *flow, uint32_t *first)
{
	const struct rules *t = &r->rules.routes;
	struct flow_range range = flow_range_of(flow);
	uint32_t all = 0, rank = UINT32_MAX;

	*first = 0;
	for (uint32_t id = rules_chain(t, &range); id != HASH_NONE; id = t->v[id].chain) {
		uint32_t iifs = ruleset_iifs(&r->rules, &t->v[id]);

		all |= iifs;
		if (iifs && t->v[id].rank < rank) {
			rank = t->v[id].rank;
			*first = iifs;
		}
	}
	return all;
}

/* True when an entry that no rule covers on `from`, or that came in nowhere (-1), is to be for a VIF that a rule does
 * name.  A blocked one would keep out what comes in there: for good without reports of wrong VIFs, again and again
 * where an entry of all sources has it, and the first packet where each one comes in twice. */
static bool entry_may_be_for(const struct router *r, const struct mfc *e, int from, int vif)
{
	enum fam fam = flow_fam(&e->flow);
	const struct iface *i = iface_by_vif(&r->ifs, fam, vif), *at = iface_by_vif(&r->ifs, fam, from);

	return i && (!kernel_mroute_has_pim(fam) || mfc_has_any(&r->mfc, &e->flow.group, vif) ||
		     (at && i->copies && i->flags & LINK_UP && i->copies == (at->copies ? at->copies : at->ifindex)));
}

/* What the rules want of an entry.  The iif stays where it is as long as a rule covers it. */
static struct entry_want entry_find_want(const struct router *r, const struct mfc *e, int prefer)
{
	enum fam fam = flow_fam(&e->flow);
	bool may_pass = !match_stays_here(&e->flow.source);
	uint32_t first = 0, statics = may_pass ? entry_static_iifs(r, &e->flow, &first) : 0;
	struct entry_want w = { .template = HASH_NONE };

	/* A new (S,G) rule takes an entry over that was learned or blocked on another interface. */
	if (prefer < 0 && (mfc_is_dynamic(e) ? !statics || (statics >> e->iif & 1) : e->flags & MFC_INSTALLED))
		prefer = e->iif;
	w.iif = iface_by_vif(&r->ifs, fam, prefer) ? prefer : -1;
	/* Its interface is gone, see vif_leave(). */
	if (w.iif < 0 && mfc_is_dynamic(e) && !statics)
		return w;
	/* An entry of all sources has it. */
	if (w.iif >= 0 && may_pass && !statics && mfc_has_any(&r->mfc, &e->flow.group, w.iif))
		return w;
	if (w.iif >= 0 && may_pass)
		w.template = ruleset_decision(&r->rules, &e->flow, w.iif, &w.oifs);
	if (w.template == HASH_NONE && statics) {
		w.iif = __builtin_ctz(first);
		w.template = ruleset_decision(&r->rules, &e->flow, w.iif, &w.oifs);
	}
	for (int vif = 0, from = w.iif; may_pass && w.template == HASH_NONE && vif < KERNEL_VIFS; vif++)
		if (entry_may_be_for(r, e, from, vif) &&
		    (w.template = ruleset_decision(&r->rules, &e->flow, vif, &w.oifs)) != HASH_NONE)
			w.iif = vif;
	w.state = statics ? MFC_STATIC : w.template != HASH_NONE ? MFC_LEARNED :
		  w.iif >= 0 && e->state != MFC_STATIC ? MFC_BLOCKED : MFC_FREE;
	return w;
}

/* Gives the entry to the kernel.  On failure it stays as it was there. */
static bool entry_install(struct router *r, struct mfc *e, int iif, uint32_t oifs)
{
	uint32_t was = e->flags & MFC_INSTALLED ? UINT32_C(1) << e->iif : 0;

	if (kernel_mfc_add(&e->flow, iif, oifs, r->ttl) < 0) {
		e->failed = (uint8_t)errno;
		if (!entry_is_unknown(e))
			entry_refused(r, e, was | UINT32_C(1) << iif, "");
		return false;
	}
	if (e->flags & MFC_INSTALLED) {
		r->changes.changed++;
	} else {
		r->changes.added++;
		e->flags &= (uint8_t)~MFC_ASKED;
	}
	e->failed = 0;
	e->flags = (uint8_t)((e->flags | MFC_INSTALLED) & ~MFC_STALE);
	e->iif = (uint8_t)iif;
	e->oifs = oifs;
	return true;
}

bool entry_put(struct router *r, uint32_t at, int iif, uint32_t oifs)
{
	struct mfc *e = &r->mfc.v[at];

	return ((e->flags & (MFC_INSTALLED | MFC_STALE)) == MFC_INSTALLED && e->iif == iif && e->oifs == oifs) ||
	       entry_install(r, e, iif, oifs);
}

/* Reports what became of an entry that is learned or blocked now. */
static void entry_report_change(struct router *r, const struct mfc *was, const struct mfc *e)
{
	if (was->state != e->state)
		entry_report(r, e->state == MFC_LEARNED ? EVENT_LEARNED : EVENT_BLOCKED, e);
	else if (was->iif != e->iif)
		entry_report(r, EVENT_MOVED, e);
	else if (was->oifs != e->oifs)
		entry_report(r, EVENT_CHANGED, e);
}

bool entry_sync(struct router *r, uint32_t at, int prefer)
{
	struct mfc *e = &r->mfc.v[at];
	struct entry_want w = entry_find_want(r, e, prefer);
	const struct mfc was = *e;
	/* Who asks for an interface reports what comes of that; that one is gone vif_leave() has. */
	bool reports = prefer < 0 && e->flags & MFC_INSTALLED && iface_by_vif(&r->ifs, flow_fam(&e->flow), e->iif);

	if (w.state != MFC_FREE)
		w.oifs &= ~reflect_held(r, at, w.iif, w.oifs);
	/* One that loses its (S,G) rule counts as learned from now on. */
	if (w.state == MFC_LEARNED && e->state == MFC_STATIC && mfc_dynamic(&r->mfc) >= r->max_dynamic)
		w.state = MFC_FREE;
	if (w.state != MFC_FREE && !entry_put(r, at, w.iif, w.oifs) &&
	    !(e->flags & MFC_INSTALLED) && w.state != MFC_STATIC)
		w.state = MFC_FREE;
	if (w.state == MFC_FREE) {
		if (!entry_take_out(r, at))
			return false;
		if (reports && mfc_is_dynamic(e))
			entry_report(r, EVENT_GONE, e);
		entry_drop(r, at);
		return false;
	}
	/* What a rule makes of it is no packet. */
	if (e->state != w.state)
		mfc_state(&r->mfc, at, w.state,
			  mfc_is_dynamic(e) ? (int64_t)mfc_use(&r->mfc, at)->used * MFC_TICK : r->now);
	if (w.state != MFC_STATIC) {
		mfc_share(&r->mfc, at, w.template);
		if (r->expire_sec && !r->pass_due)
			r->pass_due = r->now + 1;
	}
	if (reports && mfc_is_dynamic(e))
		entry_report_change(r, &was, e);
	return e->flags & MFC_INSTALLED;
}

void entry_sync_reflecting(struct router *r)
{
	for (uint32_t at = 0; r->mfc.reflecting && at < r->mfc.n; at++)
		if (r->mfc.v[at].flags & MFC_REFLECTS)
			entry_sync(r, at, -1);
}

bool entry_read_packets(const struct mfc *e, uint32_t *packets)
{
	struct mfc_stats st;
	bool is_there = kernel_mfc_stats(&e->flow, &st) == 0;

	*packets = is_there ? (uint32_t)st.packets : 0;
	return is_there;
}
