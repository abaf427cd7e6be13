/* SPDX-License-Identifier: ISC
 *
 * Sources that no (S,G) rule named beforehand, bounded in number.  Addresses in here come from strangers.
 */
#include "router/learn.h"

#include <errno.h>

#include "conf/match.h"
#include "router/budget.h"
#include "router/entry.h"

void learn_let_go(struct router *r, const struct upcall *up, uint32_t oifs)
{
	bool is_any = flow_any_source(&up->flow);
	uint32_t at;

	/* One that cannot be removed again needs a place in the mirror.  Without memory for that, and where one of all
	 * sources stands already, the kernel drops the packets, in 10 s (net/ipv4/ipmr.c, ipmr_expire_process). */
	if (mfc_reserve(&r->mfc, 1) < 0 || (is_any && mfc_find_any(&r->mfc, &up->flow.group, up->vif) != HASH_NONE))
		return;
	if (kernel_mfc_add(&up->flow, up->vif, oifs, r->ttl) < 0 || kernel_mfc_del(&up->flow, up->vif) == 0 ||
	    errno == ENOENT)
		return;
	state_failed(r, &up->flow, 0);
	at = is_any ? mfc_get_any(&r->mfc, &up->flow.group, up->vif) : mfc_get(&r->mfc, &up->flow, MFC_BLOCKED);
	mfc_state(&r->mfc, at, is_any ? MFC_KERNEL : MFC_BLOCKED, r->now);
	r->mfc.v[at].iif = (uint8_t)up->vif;
	r->mfc.v[at].oifs = oifs;
	r->mfc.v[at].flags |= MFC_INSTALLED;
}

/* Counts a new source that gets no entry. */
static void learn_refused(struct router *r, const struct upcall *up, const char *why)
{
	char flow[FLOW_STRLEN];

	r->count.refused++;
	log_limited(&r->lim_refused, r->now, LOG_LVL_ERR, "no entry for new source %s: %s",
		    flow_str(&up->flow, flow), why);
}

/* The kernel asks for an entry that it has: a packet that looked for it just before it came waits in
 * vain, as only an entry that is new lets packets go (net/ipv4/ipmr.c, ipmr_mfc_add).  Packets that come
 * between the two steps here have the kernel ask again, and may miss the second one as well; whoever
 * makes it ask for ever shall not keep us busy. */
static void learn_again(struct router *r, uint32_t at)
{
	struct mfc *e = &r->mfc.v[at];
	struct mfc_use *f = mfc_use(&r->mfc, at);
	uint8_t asked = e->flags & MFC_ASKED;
	bool was_there = e->flags & MFC_INSTALLED;
	uint32_t packets;

	if (asked == MFC_ASKED)
		return;
	/* What it has counted goes with it. */
	if (mfc_is_dynamic(e) && entry_read_packets(e, &packets))
		mfc_sample(&r->mfc, at, packets, r->now);
	if (!entry_take_out(r, at))
		return;
	f->seen = f->mark = 0;
	if (!entry_sync(r, at, e->iif))
		return;
	e->flags |= (uint8_t)(asked + MFC_ASKED_ONCE);
	/* It is as it was. */
	r->changes.removed -= was_there;
	r->changes.added -= was_there;
}

/* Makes an entry for a source that is new. */
static void learn_new(struct router *r, const struct upcall *up)
{
	/* One place more than it takes, for one that cannot be let go of. */
	uint32_t at = mfc_reserve(&r->mfc, 2) < 0 ? HASH_NONE : mfc_get(&r->mfc, &up->flow, MFC_BLOCKED);
	char flow[FLOW_STRLEN];

	if (at == HASH_NONE) {
		learn_let_go(r, up, 0);
		learn_refused(r, up, "out of memory");
		return;
	}
	struct mfc *e = &r->mfc.v[at];

	e->iif = (uint8_t)up->vif;
	mfc_state(&r->mfc, at, MFC_BLOCKED, r->now);
	if (!entry_sync(r, at, -1)) {
		r->count.refused++;
		return;
	}
	if (!budget_keep(r, at)) {
		learn_refused(r, up, "as many as there may be (option -M), and its interface's are in use");
		return;
	}
	const char *iif = iface_str(iface_by_vif(&r->ifs, up->fam, e->iif));
	enum event_kind kind = EVENT_LEARNED;

	if (e->state == MFC_BLOCKED) {
		kind = EVENT_BLOCKED;
		r->count.blocked++;
		if (match_stays_here(&up->flow.source))
			log_debug("%s on %s: no router forwards packets of this source, blocked",
				  flow_str(&up->flow, flow), iif);
		else
			log_limited(&r->lim_blocked, r->now, LOG_LVL_INFO, "no rule for %s on %s, blocked",
				    flow_str(&up->flow, flow), iif);
	} else {
		r->count.learned++;
		log_debug("learned %s on %s", flow_str(&up->flow, flow), iif);
	}
	entry_report(r, kind, e);
}

static void learn_no_cache(struct router *r, const struct upcall *up)
{
	uint32_t at = mfc_find(&r->mfc, &up->flow);

	/* It asked before it got the entry of all sources. */
	if (at == HASH_NONE && mfc_has_any(&r->mfc, &up->flow.group, up->vif))
		learn_let_go(r, up, r->mfc.v[mfc_find_any(&r->mfc, &up->flow.group, up->vif)].oifs);
	else if (at == HASH_NONE)
		learn_new(r, up);
	else if (r->mfc.v[at].flags & MFC_INSTALLED)
		learn_again(r, at);
	else
		entry_sync(r, at, up->vif);
}

/* True when the entry may give its inbound interface up for another one that a rule covers. */
static bool learn_yields(const struct router *r, const struct mfc *e, struct mfc_use *f)
{
	uint32_t packets;

	if (e->state == MFC_BLOCKED || !iface_by_vif(&r->ifs, flow_fam(&e->flow), e->iif) ||
	    !ruleset_covers(&r->rules, &e->flow, e->iif))
		return true;
	if (!entry_read_packets(e, &packets))
		return errno == ENOENT;
	if (packets == f->mark)
		return true;
	f->mark = packets;
	return false;
}

static void learn_wrong_vif(struct router *r, const struct upcall *up)
{
	char flow[FLOW_STRLEN];
	uint32_t at = mfc_find(&r->mfc, &up->flow);

	r->count.wrong_vif++;
	if (at == HASH_NONE) {
		/* What comes in on an output of an entry of all sources is a wrong one of that. */
		if (!mfc_any_vifs(&r->mfc, &up->flow.group))
			learn_new(r, up);
		return;
	}
	struct mfc *e = &r->mfc.v[at];
	struct mfc_use *f = mfc_use(&r->mfc, at);

	if (up->vif == e->iif || !ruleset_covers(&r->rules, &up->flow, up->vif) || !learn_yields(r, e, f) ||
	    !entry_sync(r, at, up->vif))
		return;
	entry_read_packets(e, &f->mark);
	f->seen = f->mark;
	mfc_state(&r->mfc, at, e->state, r->now);
	r->count.moved++;
	log_limited(&r->lim_moved, r->now, LOG_LVL_INFO, "%s moved to %s", flow_str(&up->flow, flow),
		    iface_str(iface_by_vif(&r->ifs, up->fam, up->vif)));
	entry_report(r, EVENT_MOVED, e);
}

void router_upcall(struct router *r, const struct upcall *up, int64_t now)
{
	r->now = now;
	r->count.upcalls[up->fam]++;
	/* A report may be older than the interface that has the number now. */
	if (!iface_by_vif(&r->ifs, up->fam, up->vif) || addr_fam(&up->flow.group) != up->fam)
		return;
	/* A packet from ::, which is no source: an entry of it would be one of all sources. */
	if (flow_any_source(&up->flow))
		learn_let_go(r, up, 0);
	else if (up->kind == UPCALL_WRONGVIF)
		learn_wrong_vif(r, up);
	else
		learn_no_cache(r, up);
}
