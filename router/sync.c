/* SPDX-License-Identifier: ISC
 *
 * Wanted against mirrored state, in four steps: give VIFs to the interfaces
 * that something refers to (vif.c), see what names mean now (bind.c), bring each
 * marked entry in line, take back VIFs that nothing refers to.
 */
#include "router/sync.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "router/table.h"

void sync_failed(struct router *r)
{
	r->changes.failed++;
	r->changes.err = errno;
	r->count.errors++;
}

/* ---- entries ---- */

void sync_drop(struct router *r, uint32_t at)
{
	struct mfc *e = &r->mfc.v[at];

	if (e->flags & MFC_INSTALLED) {
		if (kernel_mfc_del(&e->flow) < 0 && errno != ENOENT)
			sync_failed(r);
		r->changes.removed++;
	}
	mfc_del(&r->mfc, at);
}

struct want {
	enum mfc_state state;	/* MFC_FREE: the entry shall not be */
	int iif;
	uint32_t oifs;
};

/* What the rules want of an entry, alone being the first that names (S,G) alone.  The iif stays where it is
 * as long as a rule covers it. */
static void find_want(const struct router *r, const struct mfc *e, int prefer, uint32_t alone, struct want *w)
{
	const struct rules *x = &r->rules;
	enum fam fam = flow_fam(&e->flow);
	uint32_t statics = 0, first = 0;	/* VIFs that rules alone name as iif, and the first such rule */
	bool covered = false;

	for (uint32_t id = alone; id != HASH_NONE; id = r->conf->mroutes[id].next) {
		statics |= rule_iifs(x, &r->conf->mroutes[id]);
		if (!first)
			first = statics;
	}
	/* A new (S,G) rule takes an entry over that was learned or blocked on another interface. */
	if (prefer < 0 && (mfc_is_dynamic(e) ? !statics || (statics >> e->iif & 1) : e->flags & MFC_INSTALLED))
		prefer = e->iif;
	w->oifs = 0;
	w->iif = iface_by_vif(&r->ifs, fam, prefer) ? prefer : -1;
	if (w->iif >= 0)
		covered = rules_outputs(x, &e->flow, alone, w->iif, &w->oifs);
	if (!covered && statics) {
		w->iif = __builtin_ctz(first);
		covered = rules_outputs(x, &e->flow, alone, w->iif, &w->oifs);
	}
	/* Without reports of wrong VIFs a blocked entry would keep out for good what comes in on a VIF that
	 * rules do name. */
	for (int vif = 0; !covered && vif < KERNEL_VIFS && !kernel_mroute_has_pim(fam); vif++)
		if (iface_by_vif(&r->ifs, fam, vif) && rules_outputs(x, &e->flow, alone, vif, &w->oifs)) {
			w->iif = vif;
			covered = true;
		}
	w->state = statics ? MFC_STATIC : covered ? MFC_LEARNED :
		   w->iif >= 0 && e->state != MFC_STATIC ? MFC_BLOCKED : MFC_FREE;
}

/* Gives the entry to the kernel.  On failure it stays as it was there. */
static bool install(struct router *r, struct mfc *e, int iif, uint32_t oifs)
{
	char flow[FLOW_STRLEN];

	if (kernel_mfc_add(&e->flow, iif, oifs, r->ttl) < 0) {
		e->failed = (uint8_t)errno;
		sync_failed(r);
		log_limited(&r->lim_kernel, r->now, LOG_LVL_ERR, "the kernel refused route %s: %s",
			    flow_str(&e->flow, flow), strerror(e->failed));
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

static bool sync_one(struct router *r, uint32_t at, int prefer, uint32_t alone)
{
	struct mfc *e = &r->mfc.v[at];
	struct want w;

	find_want(r, e, prefer, alone, &w);
	/* One that loses its (S,G) rule counts as learned from now on. */
	if (w.state == MFC_LEARNED && e->state == MFC_STATIC && mfc_dynamic(&r->mfc) >= r->max_dynamic)
		w.state = MFC_FREE;
	if (w.state != MFC_FREE &&
	    ((e->flags & (MFC_INSTALLED | MFC_STALE)) != MFC_INSTALLED || e->iif != w.iif || e->oifs != w.oifs) &&
	    !install(r, e, w.iif, w.oifs) && !(e->flags & MFC_INSTALLED) && w.state != MFC_STATIC)
		w.state = MFC_FREE;
	if (w.state == MFC_FREE) {
		sync_drop(r, at);
		return false;
	}
	if (e->state != w.state)
		mfc_state(&r->mfc, at, w.state, r->now);
	if (w.state != MFC_STATIC && r->expire_sec && !r->pass_due)
		r->pass_due = r->now + 1;
	return e->flags & MFC_INSTALLED;
}

bool sync_entry(struct router *r, uint32_t at, int prefer)
{
	return sync_one(r, at, prefer, rules_alone(&r->rules, &r->mfc.v[at].flow));
}

void sync_touch_rule(struct router *r, uint32_t id)
{
	const struct conf_rule *m = &r->conf->mroutes[id];
	if (!flow_range_is_single(&m->range)) {
		if (!r->touched.n++)
			r->touched.first = *m;
		return;
	}
	if (!r->up[flow_range_fam(&m->range)])
		return;
	uint32_t at = mfc_get(&r->mfc, &m->range.flow, MFC_STATIC);
	if (at == HASH_NONE || mfc_dirty(&r->mfc, at) < 0)
		sync_failed(r);
}

/* True when a template that matches the entry was touched, when any was. */
static bool is_touched(const struct router *r, const struct mfc *e)
{
	const struct touched *t = &r->touched;

	return t->n > 1 || flow_range_has(&t->first.range, &e->flow);
}

/* Looks at all entries, those that the (S,G) rules want first. */
static void sync_all(struct router *r)
{
	const struct conf *c = r->conf;
	struct mfcs *t = &r->mfc;

	mfc_round(t);
	for (uint32_t id = 0; id < c->nmroutes; id++) {
		const struct conf_rule *m = &c->mroutes[id];

		if (m->iif == CONF_NONE || !flow_range_is_single(&m->range) || !r->up[flow_range_fam(&m->range)])
			continue;
		uint32_t before = t->by_sg.used, at = mfc_get(t, &m->range.flow, MFC_STATIC);

		if (at == HASH_NONE)
			sync_failed(r);
		else if (t->by_sg.used > before || mfc_first_look(t, at))
			sync_one(r, at, -1, id);	/* id is the first of its chain */
	}
	for (uint32_t at = 0; at < t->n; at++)
		if (t->v[at].state != MFC_FREE && mfc_first_look(t, at))
			sync_entry(r, at, -1);
}

static void sync_entries(struct router *r)
{
	struct mfcs *t = &r->mfc;

	if (r->adopted)
		sync_all(r);
	/* Those of (S,G) rules as well: the outputs of all rules add up. */
	for (uint32_t at = 0; !r->adopted && at < t->n && r->touched.n; at++)
		if (t->v[at].state != MFC_FREE && is_touched(r, &t->v[at]) && mfc_dirty(t, at) < 0)
			sync_entry(r, at, -1);
	r->touched.n = 0;
	r->adopted = false;
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
}

void sync_vif(struct router *r, enum fam fam, int vif, bool leaves)
{
	uint32_t bit = UINT32_C(1) << vif;

	for (uint32_t at = 0; at < r->mfc.n; at++) {
		struct mfc *e = &r->mfc.v[at];
		bool in = leaves && e->iif == vif;

		if (e->state == MFC_FREE || flow_fam(&e->flow) != fam || !(in || (e->oifs & bit)))
			continue;
		/* Looked at again later: the number may be another interface's by then. */
		if (leaves && !in)
			install(r, e, e->iif, e->oifs & ~bit);
		else
			e->flags |= MFC_STALE;
		if ((in && mfc_is_dynamic(e)) || (mfc_dirty(&r->mfc, at) < 0 && in))
			sync_drop(r, at);
	}
}

static void sync_groups(struct router *r)
{
	struct groups *t = &r->groups;

	if (!t->stale && !t->some_stale)
		return;
	groups_begin(t);
	if (t->stale)
		groups_sync(r, 0);
	for (struct iface *i = NULL; (i = iface_next(&r->ifs, i));) {
		if (i->groups_stale && !t->stale)
			groups_sync(r, i->ifindex);
		i->groups_stale = false;
	}
	t->stale = t->some_stale = false;
}

void router_sync(struct router *r)
{
	bool vifs = r->vifs_stale;

	if (vifs) {
		r->vifs_stale = false;
		for (enum fam f = 0; f < FAM_N; f++)
			vif_assign(r, f);
		bind_names(r);
		table_check(r);
	}
	sync_entries(r);
	/* A number that became free may be waited for. */
	for (enum fam f = 0; vifs && f < FAM_N; f++)
		if (r->up[f] && vif_release_unwanted(r, f))
			for (struct iface *i = NULL; (i = iface_next(&r->ifs, i));)
				r->vifs_stale |= i->waits[f];
	if (r->vifs_stale)
		router_sync(r);
	sync_entries(r);
	sync_groups(r);
	r->mrdisc.stale |= vifs;
	mrdisc_sync(r);
	if (r->ops && r->ops->wake)
		r->ops->wake(r->ops_ctx);
}
