/* SPDX-License-Identifier: ISC
 *
 * Decides who gives way; who has how many is in share.c.
 */
#include "router/budget.h"

#include <errno.h>

#include "router/entry.h"

/* Entries of a list that are looked at for one that is idle, at 0.6 us.  Most often it is one: what was looked at in
 * vain counts as used from then on, and is not looked at for BUDGET_IDLE. */
#define BUDGET_LOOKS 64

/* Templates that are looked at of those that have one entry, as has the new source's. */
#define BUDGET_TEMPLATES 8

/* One whose last packet is known to be no older is in use, and not looked at; in ticks. */
#define BUDGET_IDLE (2000 / MFC_TICK)

/* True when packets have come since the last look, beside the one that made the entry: that is noted, and it is the
 * last of those to give way.  So is one of which the kernel does not tell now. */
static bool budget_is_used(struct router *r, uint32_t at)
{
	uint32_t packets;

	if (entry_read_packets(&r->mfc.v[at], &packets))
		return packets > 1 && mfc_sample(&r->mfc, at, packets, r->now);
	share_renew(&r->mfc.shares, at);
	return errno != ENOENT;
}

/* An entry of a share that is not in use and not the fresh one; HASH_NONE when none is found. */
static uint32_t budget_find_idle(struct router *r, uint32_t share, uint32_t fresh)
{
	const struct shares *s = &r->mfc.shares;
	uint32_t now = (uint32_t)(r->now / MFC_TICK), at;

	for (enum share_class class = 0; class < SHARE_CLASSES; class++)
		for (int looks = 0; looks < BUDGET_LOOKS; looks++) {
			at = share_first(s, share, class);
			if (at == HASH_NONE || at == fresh ||
			    (class == SHARE_USED && now - s->use[at].used < BUDGET_IDLE))
				break;
			if (!budget_is_used(r, at))
				return at;
		}
	return HASH_NONE;
}

/* The same among those who have one entry, as has who the fresh one is of: each template of its slot, and where it is
 * the only one there, each slot with one. */
static uint32_t budget_find_single(struct router *r, uint32_t fresh)
{
	struct shares *s = &r->mfc.shares;
	uint32_t share = share_of(s, fresh), at = HASH_NONE;
	struct share_slot *own = &s->slot[s->v[share].slot];

	for (uint32_t k = 0; at == HASH_NONE && k < own->n && k < BUDGET_TEMPLATES; k++)
		at = budget_find_idle(r, own->heap[own->turn++ % own->n], fresh);
	for (unsigned i = 0; at == HASH_NONE && own->count == 1 && i < SHARE_SLOTS; i++) {
		if (s->slot[i].count != 1 || &s->slot[i] == own)
			continue;
		at = share_first(s, i, SHARE_ONCE);
		if (at == HASH_NONE)
			at = budget_find_idle(r, s->slot[i].heap[0], fresh);
	}
	return at == HASH_NONE ? fresh : at;
}

/* The entry that gives way, maybe the fresh one; HASH_NONE when none is in a share, as after a take-over. */
static uint32_t budget_find(struct router *r, uint32_t fresh)
{
	const struct shares *s = &r->mfc.shares;
	uint32_t share = fresh == HASH_NONE ? HASH_NONE : share_of(s, fresh);
	unsigned own = share == HASH_NONE ? 0 : s->v[share].slot, most = share_biggest(s, own);
	uint32_t at = share_first(s, most, SHARE_ONCE), top;
	bool is_blocked = share < SHARE_SLOTS;

	if ((at != HASH_NONE && at != fresh) || !s->slot[most].count)
		return at;
	top = s->slot[most].n ? s->slot[most].heap[0] : share;
	if (share != HASH_NONE && most == own && s->v[top].count == s->v[share].count)
		top = share;
	at = budget_find_idle(r, top, fresh);
	if (at != HASH_NONE)
		return at;
	if (top == share && s->v[share].count == 1)
		return budget_find_single(r, fresh);
	if (top == share || (is_blocked && most == own))
		return fresh;
	/* It has more than its share: it keeps not even all that are in use. */
	at = share_first(s, top, SHARE_USED);
	return at != HASH_NONE ? at : share_first(s, top, SHARE_ONCE);
}

bool budget_keep(struct router *r, uint32_t fresh)
{
	char flow[FLOW_STRLEN];

	while (mfc_dynamic(&r->mfc) > r->max_dynamic) {
		uint32_t at = budget_find(r, fresh);

		if (at == HASH_NONE)
			return true;
		if (at == fresh) {
			entry_drop(r, at);
			return false;
		}
		const struct mfc *e = &r->mfc.v[at];
		enum fam fam = flow_fam(&e->flow);

		if (!entry_take_out(r, at))
			return true;
		r->count.evicted++;
		log_limited(&r->lim_evicted, r->now, LOG_LVL_NOTICE,
			    "more than %u sources at once (option -M): %s makes room, one of %u on %s", r->max_dynamic,
			    flow_str(&e->flow, flow), r->mfc.shares.slot[share_slot(fam, e->iif)].count,
			    iface_str(iface_by_vif(&r->ifs, fam, e->iif)));
		entry_report(r, EVENT_EVICTED, e);
		entry_drop(r, at);
	}
	return true;
}
