/* SPDX-License-Identifier: ISC
 *
 * Wanted against mirrored state, in four steps: give VIFs to the interfaces
 * that something refers to, see what names mean now, bring each marked entry
 * in line, take back VIFs that nothing refers to.  Nobody else adds or
 * removes a VIF; flow.c installs single entries through sync_entry().
 */
#include "router/router.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void count_failure(struct router *r, int err)
{
	r->changes.failed++;
	r->changes.err = err;
	r->count.errors++;
}

/* ---- entries ---- */

void sync_drop(struct router *r, uint32_t at)
{
	struct mfc *e = &r->mfc.v[at];

	if (e->flags & MFC_INSTALLED) {
		if (kernel_mfc_del(addr_fam(&e->group), &e->source, &e->group) < 0 && errno != ENOENT)
			count_failure(r, errno);
		r->changes.removed++;
	}
	mfc_del(&r->mfc, at);
}

struct want {
	enum mfc_state state;	/* MFC_FREE: the entry shall not be */
	int iif;
	uint32_t oifs;
};

/* VIFs that any (S,G) rule of the entry names as iif; *first: those of the first rule that has one. */
static uint32_t static_iifs(const struct router *r, const struct mfc *e, enum fam fam, uint32_t *first)
{
	uint32_t id = rules_chain(&r->rules, r->conf, &e->source, 128, &e->group, 128), all = 0;

	*first = 0;
	for (; id != HASH_NONE; id = r->conf->mroutes[id].next) {
		const struct rule_mask *m = &r->rules.names[r->conf->mroutes[id].iif];
		uint32_t bits = m->exact[fam] | m->wild[fam];

		all |= bits;
		if (!*first)
			*first = bits;
	}
	return all;
}

/* What the rules want of an entry.  The iif stays where it is as long as a rule covers it. */
static struct want want(struct router *r, const struct mfc *e, int prefer)
{
	enum fam fam = addr_fam(&e->group);
	struct want w = { MFC_FREE, prefer, 0 };
	uint32_t first, statics = static_iifs(r, e, fam, &first);
	bool covered = false;

	if (prefer < 0 && e->iif != MFC_NO_VIF && (e->state != MFC_STATIC || (e->flags & MFC_INSTALLED)))
		w.iif = e->iif;
	if (w.iif >= 0 && !iface_by_vif(&r->ifs, fam, w.iif))
		w.iif = -1;
	/* A new (S,G) rule takes an entry over that was learned or blocked on another interface. */
	if (w.iif >= 0 && prefer < 0 && statics && e->state != MFC_STATIC && !(statics & (UINT32_C(1) << w.iif)))
		w.iif = -1;
	if (w.iif >= 0)
		w.oifs = rules_outputs(&r->rules, r->conf, w.iif, &e->source, &e->group, &covered);
	if (!covered && statics) {
		w.iif = __builtin_ctz(first);
		w.oifs = rules_outputs(&r->rules, r->conf, w.iif, &e->source, &e->group, &covered);
	}
	if (statics)
		w.state = MFC_STATIC;
	else if (covered)
		w.state = MFC_LEARNED;
	else if (w.iif >= 0 && e->state != MFC_STATIC)
		w.state = MFC_BLOCKED;
	return w;
}

/* Gives the entry to the kernel.  On failure it stays as it was there. */
static bool install(struct router *r, struct mfc *e, const struct want *w)
{
	enum fam fam = addr_fam(&e->group);
	char s[ADDR_STRLEN], g[ADDR_STRLEN];

	if (kernel_mfc_add(fam, &e->source, &e->group, w->iif, w->oifs, r->ttl) < 0) {
		e->failed = (uint8_t)errno;
		count_failure(r, errno);
		log_limited(&r->lim_kernel, r->now, LOG_LVL_ERR, "the kernel refused route (%s, %s): %s",
			    addr_str(&e->source, s), addr_str(&e->group, g), strerror(e->failed));
		return false;
	}
	if (e->flags & MFC_INSTALLED)
		r->changes.changed++;
	else
		r->changes.added++;
	e->failed = 0;
	e->flags = (uint8_t)((e->flags | MFC_INSTALLED) & ~MFC_STALE);
	e->iif = (uint8_t)w->iif;
	e->oifs = w->oifs;
	return true;
}

bool sync_entry(struct router *r, uint32_t at, int prefer)
{
	struct mfc *e = &r->mfc.v[at];
	struct want w = want(r, e, prefer);

	if (w.state == MFC_FREE) {
		sync_drop(r, at);
		return false;
	}
	if (!(e->flags & MFC_INSTALLED) || (e->flags & MFC_STALE) || e->iif != w.iif || e->oifs != w.oifs) {
		if (!install(r, e, &w) && !(e->flags & MFC_INSTALLED) && w.state != MFC_STATIC) {
			sync_drop(r, at);
			return false;
		}
	}
	if (e->state != w.state) {
		e->used = (uint32_t)(r->now / MFC_TICK);
		mfc_state(&r->mfc, at, w.state);
	}
	return e->flags & MFC_INSTALLED;
}

void sync_touch_rule(struct router *r, uint32_t id)
{
	const struct mroute *m = &r->conf->mroutes[id];
	enum fam fam = addr_fam(&m->group);

	if (!mroute_is_sg(m)) {
		r->dynamic_stale[fam] = true;
		return;
	}
	if (!r->up[fam])
		return;
	uint32_t at = mfc_find(&r->mfc, &m->source, &m->group);
	if (at == HASH_NONE)
		at = mfc_new(&r->mfc, &m->source, &m->group, MFC_STATIC);
	if (at == HASH_NONE || mfc_dirty(&r->mfc, at) < 0)
		count_failure(r, ENOMEM);
	else
		r->mfc.v[at].flags |= MFC_SEEN;
}

static void sync_entries(struct router *r)
{
	struct mfcs *t = &r->mfc;

	for (uint32_t i = 0; i < t->ndirty; i++) {
		uint32_t at = t->dirty[i];

		t->v[at].flags &= (uint8_t)~MFC_DIRTY;
		if (t->v[at].state != MFC_FREE)
			sync_entry(r, at, -1);
	}
	t->ndirty = 0;
	if (t->cdirty > 4096) {
		free(t->dirty);
		t->dirty = NULL;
		t->cdirty = 0;
	}
	if (!r->dynamic_stale[FAM_4] && !r->dynamic_stale[FAM_6])
		return;
	for (uint32_t at = 0; at < t->n && t->count[MFC_LEARNED] + t->count[MFC_BLOCKED]; at++) {
		const struct mfc *e = &t->v[at];

		if (e->state != MFC_FREE && r->dynamic_stale[addr_fam(&e->group)])
			sync_entry(r, at, -1);
	}
	r->dynamic_stale[FAM_4] = r->dynamic_stale[FAM_6] = false;
}

/* ---- VIFs ---- */

void sync_leave_vif(struct router *r, enum fam fam, int vif)
{
	uint32_t bit = UINT32_C(1) << vif;

	for (uint32_t at = 0; at < r->mfc.n; at++) {
		struct mfc *e = &r->mfc.v[at];

		if (e->state == MFC_FREE || addr_fam(&e->group) != fam)
			continue;
		if (e->iif == vif && e->state == MFC_STATIC) {
			e->flags |= MFC_STALE;
			if (mfc_dirty(&r->mfc, at) < 0)
				sync_drop(r, at);
		} else if (e->iif == vif) {
			sync_drop(r, at);
		} else if (e->oifs & bit) {
			struct want w = { e->state, e->iif, e->oifs & ~bit };

			/* Looked at again later: the number may be another interface's by then. */
			install(r, e, &w);
			mfc_dirty(&r->mfc, at);
		}
	}
}

static void vif_release(struct router *r, enum fam fam, uint32_t at)
{
	int vif = r->ifs.v[at].vif[fam];

	sync_leave_vif(r, fam, vif);
	if (kernel_vif_del(fam, vif) < 0)
		count_failure(r, errno);
	log_debug("%s: %s %d released", r->ifs.v[at].name, fam == FAM_4 ? "VIF" : "MIF", vif);
	iface_slot_free(&r->ifs, fam, at);
}

/* Releases the numbers of interfaces that nothing wants; true when there was one. */
static bool release_unwanted(struct router *r, enum fam fam)
{
	bool any = false;

	for (int vif = 0; vif < KERNEL_VIFS; vif++) {
		const struct iface *i = iface_by_vif(&r->ifs, fam, vif);

		if (i && !i->wanted[fam]) {
			vif_release(r, fam, r->ifs.vif[fam][vif]);
			any = true;
		}
	}
	return any;
}

static void vif_take(struct router *r, enum fam fam, uint32_t at)
{
	struct iface *i = &r->ifs.v[at];
	int vif = iface_slot_alloc(&r->ifs, fam, at);

	if (vif < 0 && release_unwanted(r, fam))
		vif = iface_slot_alloc(&r->ifs, fam, at);
	if (vif < 0 && !i->waits[fam])
		log_notice("%s: all %d %s interfaces of the kernel are taken, it waits for one",
			   i->name, KERNEL_VIFS, fam_str(fam));
	i->waits[fam] = vif < 0;
	if (vif < 0)
		return;
	if (kernel_vif_add(fam, vif, i->ifindex, i->ttl) < 0) {
		int err = errno;

		iface_slot_free(&r->ifs, fam, at);
		i->vif_errno[fam] = (int16_t)err;
		count_failure(r, err);
		log_err("%s: the kernel refused it as a multicast interface for %s: %s", i->name,
			fam_str(fam), strerror(err));
		return;
	}
	i->vif_errno[fam] = 0;
	if (fam == FAM_4)
		r->ttl[vif] = i->ttl;
	log_debug("%s: %s %d", i->name, fam == FAM_4 ? "VIF" : "MIF", vif);
}

struct ranked {
	uint32_t rank;
	uint16_t name;
};

static int by_rank(const void *a, const void *b)
{
	const struct ranked *x = a, *y = b;

	return (x->rank > y->rank) - (x->rank < y->rank);
}

/* Calls fn for each usable interface that a name means. */
static void each_match(struct router *r, uint16_t id, void (*fn)(struct router *, enum fam, uint32_t), enum fam fam)
{
	const struct conf_name *n = &r->conf->names[id];

	if (!n->wild) {
		uint32_t at = iface_find_name(&r->ifs, n->name);

		if (at != IFACE_NONE && iface_usable(&r->ifs.v[at]))
			fn(r, fam, at);
		return;
	}
	for (uint32_t at = 0; at < r->ifs.n; at++)
		if (r->ifs.v[at].ifindex && iface_usable(&r->ifs.v[at]) &&
		    iface_name_matches(r->ifs.v[at].name, n->name, n->len, true))
			fn(r, fam, at);
}

static void mark_wanted(struct router *r, enum fam fam, uint32_t at)
{
	if (!r->ifs.v[at].wanted[fam])
		r->ifs.v[at].wanted[fam] = IFACE_WANTED;
}

static void take_wanted(struct router *r, enum fam fam, uint32_t at)
{
	struct iface *i = &r->ifs.v[at];

	if (i->vif[fam] < 0 && i->wanted[fam] == IFACE_WANTED) {
		i->wanted[fam] = IFACE_TRIED;
		vif_take(r, fam, at);
	}
}

static int assign_vifs(struct router *r, enum fam fam)
{
	const struct conf *c = r->conf;
	struct ranked *order = malloc((c->nnames + 1) * sizeof *order);
	uint32_t n = 0;

	if (!order)
		return -1;
	for (uint32_t id = 0; id < c->nnames; id++)
		if (c->names[id].refs[fam])
			order[n++] = (struct ranked){ c->names[id].first[fam], (uint16_t)id };
	qsort(order, n, sizeof *order, by_rank);
	for (uint32_t at = 0; at < r->ifs.n; at++)
		r->ifs.v[at].wanted[fam] = IFACE_UNWANTED;
	for (uint32_t k = 0; k < n; k++)
		each_match(r, order[k].name, mark_wanted, fam);
	for (uint32_t at = 0; at < r->ifs.n; at++)
		r->ifs.v[at].waits[fam] &= r->ifs.v[at].wanted[fam] != IFACE_UNWANTED;
	for (uint32_t k = 0; k < n; k++)
		each_match(r, order[k].name, take_wanted, fam);
	free(order);
	return 0;
}

/* ---- what names mean ---- */

static struct rule_mask name_mask(struct router *r, uint16_t id)
{
	const struct conf_name *n = &r->conf->names[id];
	struct rule_mask m = { { 0 }, { 0 }, { 0 } };

	for (uint32_t at = n->wild ? 0 : iface_find_name(&r->ifs, n->name); at < r->ifs.n; at++) {
		const struct iface *i = &r->ifs.v[at];

		if (i->ifindex && iface_usable(i) && iface_name_matches(i->name, n->name, n->len, n->wild))
			for (enum fam f = 0; f < FAM_N; f++)
				if (i->vif[f] >= 0)
					(n->wild ? m.wild : m.exact)[f] |= UINT32_C(1) << i->vif[f];
		if (!n->wild)
			break;
	}
	for (enum fam f = 0; f < FAM_N; f++)
		m.lacks[f] = !(m.exact[f] | m.wild[f]);
	return m;
}

/* What rebind() found of a name or a list: it differs, and whether something lacked before. */
enum { CHANGED = 1, LACKED = 2 };

static char change_of(const struct rule_mask *old, enum fam fam)
{
	return (char)(CHANGED << 4 * fam | (old->lacks[fam] ? LACKED << 4 * fam : 0));
}

/* Tells that a rule began or ceased to wait for an interface. */
static void tell_pending(struct router *r, const struct mroute *m, char iif, char oifs)
{
	enum fam fam = addr_fam(&m->group);
	uint16_t which;
	bool lacked_iif = r->rules.names[m->iif].lacks[fam], lacked_oifs = r->rules.sets[m->oifs].lacks[fam];
	bool lacks = lacked_iif || lacked_oifs;

	if (iif)
		lacked_iif = iif >> 4 * fam & LACKED;
	if (oifs)
		lacked_oifs = oifs >> 4 * fam & LACKED;
	if (lacks == (lacked_iif || lacked_oifs))
		return;
	struct event ev = {
		.kind = lacks ? EVENT_PENDING : EVENT_ACTIVE, .fam = fam, .rule = m,
		.text = lacks ? router_rule_reason(r, m, &which) : NULL,
	};
	router_event(r, &ev);
}

/* Computes all masks anew and marks the rules that see a difference. */
static void rebind(struct router *r)
{
	const struct conf *c = r->conf;
	char *changed = calloc((size_t)c->nnames + c->nsets + 1, 1);
	bool any = false;

	if (!changed || rules_masks(&r->rules, c) < 0) {
		free(changed);
		count_failure(r, ENOMEM);
		return;
	}
	for (uint32_t id = 0; id < c->nnames; id++) {
		struct rule_mask m = name_mask(r, (uint16_t)id);

		if (memcmp(&m, &r->rules.names[id], sizeof m)) {
			changed[id] = (char)(change_of(&r->rules.names[id], FAM_4) | change_of(&r->rules.names[id], FAM_6));
			r->rules.names[id] = m;
			any = true;
		}
	}
	for (uint32_t id = 0; any && id < c->nsets; id++) {
		struct rule_mask old = r->rules.sets[id];

		if (rules_set_mask(&r->rules, c, id))
			changed[c->nnames + id] = (char)(change_of(&old, FAM_4) | change_of(&old, FAM_6));
	}
	for (uint32_t id = 0; any && id < c->nmroutes; id++) {
		const struct mroute *m = &c->mroutes[id];

		if (m->iif == CONF_NONE || !(changed[m->iif] || changed[c->nnames + m->oifs]))
			continue;
		sync_touch_rule(r, id);
		tell_pending(r, m, changed[m->iif], changed[c->nnames + m->oifs]);
	}
	free(changed);
}

static void sync_groups(struct router *r)
{
	if (r->groups.stale)
		groups_sync(r, 0);
	for (uint32_t at = 0; r->groups.some_stale && at < r->ifs.n; at++) {
		struct iface *i = &r->ifs.v[at];

		if (i->ifindex && i->groups_stale && !r->groups.stale)
			groups_sync(r, i->ifindex);
		i->groups_stale = false;
	}
	r->groups.stale = r->groups.some_stale = false;
}

void router_sync(struct router *r)
{
	if (r->sweeping)
		return;
	bool vifs = r->vifs_stale;

	if (vifs) {
		r->vifs_stale = false;
		for (enum fam f = 0; f < FAM_N; f++)
			if (r->up[f] && assign_vifs(r, f) < 0)
				count_failure(r, ENOMEM);
		rebind(r);
	}
	sync_entries(r);
	/* A number that became free may be waited for. */
	for (enum fam f = 0; vifs && f < FAM_N; f++)
		if (r->up[f] && release_unwanted(r, f)) {
			bool waits = false;

			for (uint32_t at = 0; at < r->ifs.n; at++)
				waits |= r->ifs.v[at].ifindex && r->ifs.v[at].waits[f];
			r->vifs_stale |= waits;
		}
	if (r->vifs_stale)
		router_sync(r);
	sync_entries(r);
	sync_groups(r);
	r->mrdisc.stale |= vifs;
	mrdisc_sync(r);
}
