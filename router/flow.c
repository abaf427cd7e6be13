/* SPDX-License-Identifier: ISC
 *
 * Flows that no (S,G) rule named beforehand: learned from the kernel's reports,
 * moved when their packets come in elsewhere, expired when none come, bounded
 * in number.  Addresses in here come from strangers.
 */
#include "router/router.h"

#include "router/sync.h"

/* Entries that one slice of the expiry pass asks the kernel about, and may have it drop: some 0.6 and 4 us. */
#define SLICE_STATS 256
/* Places that one slice walks over. */
#define SLICE_PLACES 16384

static void flow_event(struct router *r, enum event_kind kind, const struct mfc *e)
{
	enum fam fam = flow_fam(&e->flow);
	const struct iface *i = iface_by_vif(&r->ifs, fam, e->iif);
	struct event ev = {
		.kind = kind, .fam = fam, .flow = &e->flow,
		.iif = i ? i->name : NULL, .oifs = e->oifs,
	};

	router_event(r, &ev);
}

/* Packets of an entry; false, and 0, when the kernel has none such. */
static bool read_packets(const struct mfc *e, uint32_t *packets)
{
	struct mfc_stats st;
	bool is_there = kernel_mfc_stats(&e->flow, &st) == 0;

	*packets = is_there ? (uint32_t)st.packets : 0;
	return is_there;
}

/* Makes room for one more learned or blocked entry; false when all are learned. */
static bool make_room(struct router *r)
{
	uint32_t at = r->mfc.head[MFC_BLOCKED];

	if (mfc_dynamic(&r->mfc) < r->max_dynamic)
		return true;
	if (at == HASH_NONE)
		return false;
	r->count.evicted++;
	flow_event(r, EVENT_EVICTED, &r->mfc.v[at]);
	sync_drop(r, at);
	return true;
}

/* Turns a new source away.  An entry for a moment lets go of the packets that wait for it: the kernel
 * would keep them for 10 s and look through all such sources for each packet of any of them
 * (net/ipv4/ipmr.c, ipmr_cache_unresolved). */
static void refuse(struct router *r, const struct upcall *up, const char *why)
{
	char flow[FLOW_STRLEN];

	if (!kernel_mfc_add(&up->flow, up->vif, 0, NULL))
		kernel_mfc_del(&up->flow);
	r->count.refused++;
	log_limited(&r->lim_refused, r->now, LOG_LVL_ERR, "no entry for new source %s: %s", flow_str(&up->flow, flow), why);
}

/* The kernel asks for an entry that it has: a packet that looked for it just before it came waits in
 * vain, as only an entry that is new lets packets go (net/ipv4/ipmr.c, ipmr_mfc_add).  Packets that come
 * between the two steps here have the kernel ask again, and may miss the second one as well; whoever
 * makes it ask for ever shall not keep us busy. */
static void asked_again(struct router *r, uint32_t at)
{
	struct mfc *e = &r->mfc.v[at];
	struct mfc_flow *f = mfc_flow(&r->mfc, at);
	uint8_t asked = e->flags & MFC_ASKED;

	if (asked == MFC_ASKED)
		return;
	kernel_mfc_del(&e->flow);
	e->flags &= (uint8_t)~MFC_INSTALLED;
	f->seen = f->mark = 0;
	if (sync_entry(r, at, e->iif))
		e->flags |= (uint8_t)(asked + MFC_ASKED_ONCE);
}

/* Makes an entry for a source that is new. */
static void learn(struct router *r, const struct upcall *up)
{
	const char *full = make_room(r) ? NULL : "the table of learned entries is full (option -M)";
	uint32_t at = full ? HASH_NONE : mfc_get(&r->mfc, &up->flow, MFC_BLOCKED);
	char flow[FLOW_STRLEN];

	if (at == HASH_NONE) {
		refuse(r, up, full ? full : "out of memory");
		return;
	}
	struct mfc *e = &r->mfc.v[at];

	e->iif = (uint8_t)up->vif;
	mfc_state(&r->mfc, at, MFC_BLOCKED, r->now);
	if (!sync_entry(r, at, -1)) {
		r->count.refused++;
		return;
	}
	const char *iif = iface_str(iface_by_vif(&r->ifs, up->fam, up->vif));
	enum event_kind kind = EVENT_LEARNED;

	if (e->state == MFC_BLOCKED) {
		kind = EVENT_BLOCKED;
		r->count.blocked++;
		log_limited(&r->lim_blocked, r->now, LOG_LVL_INFO, "no rule for %s on %s, blocked",
			    flow_str(&up->flow, flow), iif);
	} else {
		r->count.learned++;
		log_debug("learned %s on %s", flow_str(&up->flow, flow), iif);
	}
	flow_event(r, kind, e);
}

static void no_cache(struct router *r, const struct upcall *up)
{
	uint32_t at = mfc_find(&r->mfc, &up->flow);

	if (at == HASH_NONE)
		learn(r, up);
	else if (r->mfc.v[at].flags & MFC_INSTALLED)
		asked_again(r, at);
	else
		sync_entry(r, at, up->vif);
}

/* True when the entry may give its inbound interface up for another one that a rule covers. */
static bool yields(const struct router *r, const struct mfc *e, struct mfc_flow *f)
{
	uint32_t packets;

	if (e->state == MFC_BLOCKED || !iface_by_vif(&r->ifs, flow_fam(&e->flow), e->iif) ||
	    !rules_cover(&r->rules, &e->flow, e->iif) || !read_packets(e, &packets) || packets == f->mark)
		return true;
	f->mark = packets;
	return false;
}

static void wrong_vif(struct router *r, const struct upcall *up)
{
	char flow[FLOW_STRLEN];
	uint32_t at = mfc_find(&r->mfc, &up->flow);

	if (at == HASH_NONE) {
		learn(r, up);
		return;
	}
	struct mfc *e = &r->mfc.v[at];
	struct mfc_flow *f = mfc_flow(&r->mfc, at);

	r->count.wrong_vif++;
	if (up->vif == e->iif || !rules_cover(&r->rules, &up->flow, up->vif) || !yields(r, e, f) ||
	    !sync_entry(r, at, up->vif))
		return;
	read_packets(e, &f->mark);
	f->seen = f->mark;
	mfc_state(&r->mfc, at, e->state, r->now);
	r->count.moved++;
	log_limited(&r->lim_moved, r->now, LOG_LVL_INFO, "%s moved to %s", flow_str(&up->flow, flow),
		    iface_str(iface_by_vif(&r->ifs, up->fam, up->vif)));
	flow_event(r, EVENT_MOVED, e);
}

void router_upcall(struct router *r, const struct upcall *up, int64_t now)
{
	r->now = now;
	r->count.upcalls[up->fam]++;
	/* A report may be older than the interface that has the number now. */
	if (!iface_by_vif(&r->ifs, up->fam, up->vif) || addr_fam(&up->flow.group) != up->fam)
		return;
	if (up->kind == UPCALL_WRONGVIF)
		wrong_vif(r, up);
	else
		no_cache(r, up);
}

/* Asks the kernel whether the entry was used and drops it when it was not for too long. */
static void sample(struct router *r, uint32_t at)
{
	const struct mfc *e = &r->mfc.v[at];
	struct mfc_flow *f = mfc_flow(&r->mfc, at);
	uint32_t packets;

	if (!read_packets(e, &packets)) {
		sync_drop(r, at);
	} else if (packets != f->seen) {
		f->seen = packets;
		mfc_state(&r->mfc, at, e->state, r->now);
	} else if ((uint32_t)(r->now / MFC_TICK) - f->used >= r->expire_sec * (1000 / MFC_TICK)) {
		r->count.expired++;
		flow_event(r, EVENT_EXPIRED, e);
		sync_drop(r, at);
	}
}

/* Says how many messages about flows were left out. */
static void tell_limits(struct router *r)
{
	log_limit_flush(&r->lim_refused, r->now, LOG_LVL_ERR, "no entry for new sources");
	log_limit_flush(&r->lim_kernel, r->now, LOG_LVL_ERR, "refusals of the kernel");
	log_limit_flush(&r->lim_blocked, r->now, LOG_LVL_INFO, "sources without a rule");
	log_limit_flush(&r->lim_moved, r->now, LOG_LVL_INFO, "flows that moved");
}

/* A slice of the pass over all learned and blocked entries. */
static void expiry(struct router *r)
{
	unsigned stats = 0, places = 0;

	if (!r->pass_due || r->now < r->pass_due)
		return;
	if (!r->pass_start) {
		r->pass_start = r->now;
		r->cursor = 0;
	}
	for (; r->cursor < r->mfc.n && stats < SLICE_STATS && places < SLICE_PLACES; r->cursor++, places++)
		if (mfc_is_dynamic(&r->mfc.v[r->cursor])) {
			sample(r, r->cursor);
			stats++;
		}
	r->pass_due = r->now;
	if (r->cursor < r->mfc.n)
		return;
	tell_limits(r);
	/* An entry is to go between SEC and SEC + max(SEC / 10, 1) after its last packet: a sample may
	 * see a packet up to one period late, and find the time not quite up once more. */
	int64_t next = r->pass_start + (r->expire_sec < 10 ? 400 : (int64_t)r->expire_sec * 40);

	r->pass_due = !mfc_dynamic(&r->mfc) ? 0 : next > r->now ? next : r->now + 1;
	r->pass_start = 0;
}

int64_t router_due(const struct router *r)
{
	int64_t a = r->pass_due, b = mrdisc_due(&r->mrdisc);

	if (groups_ticket(&r->groups))
		return r->now ? r->now : 1;
	return !a ? b : !b || a < b ? a : b;
}

void router_tick(struct router *r, int64_t now)
{
	r->now = now;
	expiry(r);
	groups_tick(r);
	mrdisc_tick(r);
}

uint32_t router_flush(struct router *r)
{
	uint32_t n = 0;

	for (uint32_t at = 0; at < r->mfc.n; at++)
		if (mfc_is_dynamic(&r->mfc.v[at])) {
			sync_drop(r, at);
			n++;
		}
	return n;
}
