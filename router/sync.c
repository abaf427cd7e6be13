/* SPDX-License-Identifier: ISC
 *
 * Wanted against mirrored state, in four steps: give VIFs to the interfaces
 * that something refers to (vif.c), see what names mean now (bind.c), bring each
 * marked entry in line, take back VIFs that nothing refers to.
 */
#include "router/sync.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "router/table.h"

void sync_failed(struct router *r, int err)
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
			sync_failed(r, errno);
		r->changes.removed++;
	}
	mfc_del(&r->mfc, at);
}

struct want {
	enum mfc_state state;	/* MFC_FREE: the entry shall not be */
	int iif;
	uint32_t oifs;
};

/* VIFs that any rule of the chain at id names as iif; *first: those of the first rule that has one. */
static uint32_t chain_iifs(const struct router *r, uint32_t id, enum fam fam, uint32_t *first)
{
	uint32_t all = 0;

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

/* The outputs on another VIF than *iif, of a rule that has it as its iif: without reports of wrong VIFs
 * a blocked entry would keep the packets that come in there out for good. */
static uint32_t elsewhere(struct router *r, const struct mfc *e, int *iif, bool *covered)
{
	enum fam fam = addr_fam(&e->group);
	uint32_t oifs = 0;

	for (int vif = 0; !*covered && vif < KERNEL_VIFS; vif++)
		if (iface_by_vif(&r->ifs, fam, vif)) {
			oifs = rules_outputs(&r->rules, r->conf, vif, &e->source, &e->group, covered);
			if (*covered)
				*iif = vif;
		}
	return oifs;
}

/* What the rules want of an entry, sg being the first that names it alone.  The iif stays where it is as
 * long as a rule covers it. */
static struct want want(struct router *r, const struct mfc *e, int prefer, uint32_t sg)
{
	enum fam fam = addr_fam(&e->group);
	struct want w = { MFC_FREE, prefer, 0 };
	uint32_t first, statics = chain_iifs(r, sg, fam, &first);
	bool covered = false;

	if (prefer < 0 && e->iif != MFC_NO_VIF && (e->state != MFC_STATIC || (e->flags & MFC_INSTALLED)))
		w.iif = e->iif;
	if (w.iif >= 0 && !iface_by_vif(&r->ifs, fam, w.iif))
		w.iif = -1;
	/* A new (S,G) rule takes an entry over that was learned or blocked on another interface. */
	if (w.iif >= 0 && prefer < 0 && statics && e->state != MFC_STATIC && !(statics & (UINT32_C(1) << w.iif)))
		w.iif = -1;
	if (w.iif >= 0)
		w.oifs = rules_outputs_sg(&r->rules, r->conf, sg, w.iif, &e->source, &e->group, &covered);
	if (!covered && statics) {
		w.iif = __builtin_ctz(first);
		w.oifs = rules_outputs_sg(&r->rules, r->conf, sg, w.iif, &e->source, &e->group, &covered);
	}
	if (!covered && !kernel_mroute_has_pim(fam))
		w.oifs = elsewhere(r, e, &w.iif, &covered);
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
		sync_failed(r, errno);
		log_limited(&r->lim_kernel, r->now, LOG_LVL_ERR, "the kernel refused route (%s, %s): %s",
			    addr_str(&e->source, s), addr_str(&e->group, g), strerror(e->failed));
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
	e->iif = (uint8_t)w->iif;
	e->oifs = w->oifs;
	return true;
}

static bool sync_one(struct router *r, uint32_t at, int prefer, uint32_t sg)
{
	struct mfc *e = &r->mfc.v[at];
	struct want w = want(r, e, prefer, sg);

	/* One that loses its (S,G) rule counts as learned from now on. */
	if (w.state == MFC_LEARNED && e->state == MFC_STATIC &&
	    r->mfc.count[MFC_LEARNED] + r->mfc.count[MFC_BLOCKED] >= r->max_dynamic)
		w.state = MFC_FREE;
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
		mfc_flow(&r->mfc, at)->used = (uint32_t)(r->now / MFC_TICK);
		mfc_state(&r->mfc, at, w.state);
	}
	if (w.state != MFC_STATIC && r->expire_sec && !r->pass_due)
		r->pass_due = r->now + 1;
	return e->flags & MFC_INSTALLED;
}

bool sync_entry(struct router *r, uint32_t at, int prefer)
{
	const struct mfc *e = &r->mfc.v[at];

	return sync_one(r, at, prefer, rules_chain(&r->rules, r->conf, &e->source, 128, &e->group, 128));
}

static void touch_template(struct touched *t, const struct mroute *m)
{
	if (!t->n)
		*t = (struct touched){ 0, m->source, m->group, m->slen, m->glen };
	if (t->n < 2)
		t->n++;
}

void sync_touch_rule(struct router *r, uint32_t id)
{
	const struct mroute *m = &r->conf->mroutes[id];
	enum fam fam = addr_fam(&m->group);

	if (!mroute_is_sg(m)) {
		touch_template(&r->touched[fam], m);
		return;
	}
	if (!r->up[fam])
		return;
	uint32_t at = mfc_get(&r->mfc, &m->source, &m->group, MFC_STATIC);
	if (at == HASH_NONE || mfc_dirty(&r->mfc, at) < 0)
		sync_failed(r, ENOMEM);
}

/* True when a template that matches the entry was touched. */
static bool is_touched(const struct router *r, const struct mfc *e)
{
	const struct touched *t = &r->touched[addr_fam(&e->group)];

	return t->n > 1 || (t->n && addr_covers(&t->group, t->glen, &e->group) &&
			    addr_covers(&t->source, t->slen, &e->source));
}

/* Looks at all entries, those that the (S,G) rules want first. */
static void sync_all(struct router *r)
{
	const struct conf *c = r->conf;
	struct mfcs *t = &r->mfc;
	uint32_t seen = 0;

	mfc_round(t);
	for (uint32_t id = 0; id < c->nmroutes; id++) {
		const struct mroute *m = &c->mroutes[id];

		if (id + HASH_AHEAD < c->nmroutes)
			mfc_prefetch(t, &c->mroutes[id + HASH_AHEAD].source);
		if (m->iif == CONF_NONE || !mroute_is_sg(m) || !r->up[addr_fam(&m->group)])
			continue;
		uint32_t before = t->by_sg.used, at = mfc_get(t, &m->source, &m->group, MFC_STATIC);

		if (at == HASH_NONE)
			sync_failed(r, ENOMEM);
		else if (t->by_sg.used > before || mfc_first_look(t, at))
			seen += sync_one(r, at, -1, id);	/* id is the first of its chain */
	}
	for (uint32_t at = 0; seen < t->by_sg.used && at < t->n; at++)
		if (t->v[at].state != MFC_FREE && mfc_first_look(t, at))
			sync_entry(r, at, -1);
	r->touched[FAM_4].n = r->touched[FAM_6].n = 0;
	r->adopted = false;
}

static void sync_entries(struct router *r)
{
	struct mfcs *t = &r->mfc;

	if (r->adopted)
		sync_all(r);

	/* Those of (S,G) rules as well: the outputs of all rules add up. */
	for (uint32_t at = 0; at < t->n && r->touched[FAM_4].n + r->touched[FAM_6].n; at++)
		if (t->v[at].state != MFC_FREE && is_touched(r, &t->v[at]) && mfc_dirty(t, at) < 0)
			sync_entry(r, at, -1);
	r->touched[FAM_4].n = r->touched[FAM_6].n = 0;
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

void sync_ttl(struct router *r, int vif, uint8_t ttl)
{
	r->ttl[vif] = ttl;
	for (uint32_t at = 0; at < r->mfc.n; at++) {
		struct mfc *e = &r->mfc.v[at];

		if (e->state != MFC_FREE && addr_fam(&e->group) == FAM_4 && (e->oifs >> vif & 1)) {
			e->flags |= MFC_STALE;
			mfc_dirty(&r->mfc, at);
		}
	}
}

static void sync_groups(struct router *r)
{
	if (r->groups.stale || r->groups.some_stale)
		groups_begin(&r->groups);
	if (r->groups.stale)
		groups_sync(r, 0);
	for (struct iface *i = NULL; r->groups.some_stale && (i = iface_next(&r->ifs, i));) {
		if (i->groups_stale && !r->groups.stale)
			groups_sync(r, i->ifindex);
		i->groups_stale = false;
	}
	r->groups.stale = r->groups.some_stale = false;
}

void router_sync(struct router *r)
{
	bool vifs = r->vifs_stale;

	if (vifs) {
		r->vifs_stale = false;
		for (enum fam f = 0; f < FAM_N; f++)
			if (r->up[f] && vif_assign(r, f) < 0)
				sync_failed(r, ENOMEM);
		bind_names(r);
		table_tell(r);
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
