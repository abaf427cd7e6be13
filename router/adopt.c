/* SPDX-License-Identifier: ISC
 *
 * The mirror is filled from what the kernel has.  Of the entries only those that differ from what the rules want cost a
 * call later.
 */
#include "router/adopt.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/grow.h"
#include "router/budget.h"
#include "router/entry.h"
#include "router/learn.h"
#include "router/link.h"
#include "router/mark.h"

/* Flows that are remembered at most, and how long the kernel's own questions about them, unread so far, may take. */
#define ADOPT_UNRESOLVED 65536
#define ADOPT_UNRESOLVED_MS 500
/* Entries read between two words that it goes on. */
#define ADOPT_WORD 1024

/* An entry that has no place in the mirror. */
struct adopt_odd {
	struct flow flow;
	int iif;			/* VIF, or -1 */
};

struct adopt_pass {
	struct router *r;
	enum fam fam;
	int err;			/* errno of the first failure */
	uint32_t vifs;			/* that an interface has */
	uint32_t ttl_known;		/* VIFs whose threshold an entry has told */
	struct adopt_odd *odd;
	uint32_t nodd, codd;
	uint32_t read;
};

/* Forgets what is known of a family, without a word to the kernel. */
static void adopt_forget(struct router *r, enum fam fam)
{
	for (uint32_t at = 0; at < r->mfc.n; at++)
		if (r->mfc.v[at].state != MFC_FREE && flow_fam(&r->mfc.v[at].flow) == fam)
			mfc_del(&r->mfc, at);
	for (int vif = 0; vif < KERNEL_VIFS; vif++) {
		struct iface *i = iface_by_vif(&r->ifs, fam, vif);

		if (i)
			iface_slot_free(&r->ifs, fam, i);
	}
	r->ifs.leaving[fam] = 0;
}

/* Takes the VIFs; one of an interface that is unknown, or has another one, is to be removed. */
static int adopt_vifs(struct router *r, enum fam fam)
{
	int ifindex[KERNEL_VIFS];

	if (kernel_vifs_read(fam, ifindex) < 0)
		return -1;
	for (int vif = 0; vif < KERNEL_VIFS; vif++) {
		struct iface *i = ifindex[vif] ? iface_find(&r->ifs, ifindex[vif]) : NULL;

		if (i && i->vif[fam] < 0) {
			iface_slot_set(&r->ifs, fam, i, vif);
			i->table[fam] = TABLE_UNKNOWN;
		} else if (ifindex[vif]) {
			r->ifs.leaving[fam] |= UINT32_C(1) << vif;
		}
	}
	return 0;
}

/* Removes an entry.  One of any source is found by its VIF (net/ipv4/ipmr_base.c, mr_mfc_find_parent), which may be any
 * that no interface has. */
static void adopt_remove(struct router *r, const struct adopt_odd *odd)
{
	enum fam fam = flow_fam(&odd->flow);
	int vif = odd->iif;

	if (vif >= 0 || !flow_any_source(&odd->flow)) {
		kernel_mfc_del(&odd->flow, vif >= 0 ? vif : 0);
		return;
	}
	for (vif = 0; vif < KERNEL_VIFS; vif++)
		if (!iface_by_vif(&r->ifs, fam, vif) && kernel_mfc_del(&odd->flow, vif) == 0)
			return;
}

/* Notes an entry to be removed after the dump: that counts entries, and would leave one out for each that goes
 * meanwhile (net/ipv4/ipmr_base.c, mr_table_dump). */
static void adopt_note_odd(struct adopt_pass *p, const struct mfc_found *f)
{
	struct adopt_odd *v = grow(p->odd, &p->codd, p->nodd + 1, sizeof *v);

	if (!v) {
		p->err = ENOMEM;
		return;
	}
	p->odd = v;
	v[p->nodd++] = (struct adopt_odd){ f->flow, f->iif };
}

/* True when its outputs are VIFs that we know, and its thresholds are theirs, which the first entry that has one
 * tells. */
static bool adopt_outputs(struct adopt_pass *p, const struct mfc_found *f)
{
	bool are_same = !(f->oifs & ~p->vifs);
	struct router *r = p->r;

	for (uint32_t oifs = p->fam == FAM_4 ? f->oifs & p->vifs : 0; oifs; oifs &= oifs - 1) {
		int vif = __builtin_ctz(oifs);

		if (!(p->ttl_known >> vif & 1))
			r->ttl[vif] = iface_by_vif(&r->ifs, FAM_4, vif)->ttl = f->ttl[vif];
		p->ttl_known |= UINT32_C(1) << vif;
		are_same &= r->ttl[vif] == f->ttl[vif];
	}
	return are_same;
}

/* Without memory it has to wait for the kernel's next question. */
static void adopt_note_unresolved(struct router *r, const struct flow *flow)
{
	struct unresolved *u = &r->unresolved;
	struct flow *v = u->n < ADOPT_UNRESOLVED ? grow(u->v, &u->cap, u->n + 1, sizeof *v) : NULL;

	if (!v)
		return;
	u->v = v;
	v[u->n++] = *flow;
	u->due = r->now + ADOPT_UNRESOLVED_MS;
}

static void adopt_entry(void *ctx, const struct mfc_found *f)
{
	struct adopt_pass *p = ctx;
	struct mfcs *t = &p->r->mfc;
	bool is_any = flow_any_source(&f->flow);
	uint32_t at;

	if (++p->read % ADOPT_WORD == 0 && p->r->ops && p->r->ops->adopting)
		p->r->ops->adopting(p->r->ops_ctx);
	if (f->is_unresolved)
		adopt_note_unresolved(p->r, &f->flow);
	if (p->err || f->is_unresolved)
		return;
	if (f->iif < 0 || !(p->vifs >> f->iif & 1) || !addr_is_multicast(&f->flow.group, 128)) {
		adopt_note_odd(p, f);
		return;
	}
	if (is_any)
		at = mfc_get_any(t, &f->flow.group, f->iif);
	else
		at = mfc_get(t, &f->flow, f->oifs ? MFC_LEARNED : MFC_BLOCKED);
	if (at == HASH_NONE) {
		p->err = ENOMEM;
		return;
	}
	mfc_state(t, at, is_any ? MFC_KERNEL : (enum mfc_state)t->v[at].state, p->r->now - f->idle_ms);
	if (!is_any)
		mfc_use(t, at)->seen = mfc_use(t, at)->mark = (uint32_t)f->st.packets;
	t->v[at].iif = (uint8_t)f->iif;
	t->v[at].oifs = f->oifs & p->vifs;
	t->v[at].flags |= adopt_outputs(p, f) ? MFC_INSTALLED : MFC_INSTALLED | MFC_STALE;
}

static int adopt_entries(struct router *r, enum fam fam)
{
	struct adopt_pass p = { .r = r, .fam = fam };

	for (int vif = 0; vif < KERNEL_VIFS; vif++)
		p.vifs |= (uint32_t)(iface_by_vif(&r->ifs, fam, vif) != NULL) << vif;
	if (kernel_mfc_read(fam, adopt_entry, &p) < 0)
		p.err = errno;
	for (uint32_t i = 0; !p.err && i < p.nodd; i++)
		adopt_remove(r, &p.odd[i]);
	free(p.odd);
	errno = p.err;
	return p.err ? -1 : 0;
}

int router_adopt(struct router *r, enum fam fam, int64_t now)
{
	int err = 0;

	r->now = now;
	adopt_forget(r, fam);
	if (adopt_vifs(r, fam) < 0 || adopt_entries(r, fam) < 0) {
		err = errno;
		adopt_forget(r, fam);
		kernel_mroute_reset(fam);
	}
	r->has_old_numbers[fam] = !err;
	r->adopts |= !err;
	r->up[fam] = kernel_mroute_fd(fam) >= 0;
	r->vifs_stale = true;
	mark_family(r, fam);
	mark_all(r);
	for (struct iface *i = NULL; r->has_rules && (i = iface_next(&r->ifs, i));)
		link_configure(r, i);
	errno = err;
	return err ? -1 : 0;
}

/* The only VIF on which rules cover a flow, or -1: where its packets came in is not told. */
static int adopt_guess_iif(const struct router *r, const struct flow *flow)
{
	int found = -1;

	for (int vif = 0; vif < KERNEL_VIFS; vif++) {
		if (!iface_by_vif(&r->ifs, flow_fam(flow), vif) || !ruleset_covers(&r->rules, flow, vif))
			continue;
		if (found >= 0)
			return -1;
		found = vif;
	}
	return found;
}

/* Any VIF of a family, -1 = there is none. */
static int adopt_any_vif(const struct router *r, enum fam fam)
{
	int vif = 0;

	while (vif < KERNEL_VIFS && !iface_by_vif(&r->ifs, fam, vif))
		vif++;
	return vif < KERNEL_VIFS ? vif : -1;
}

void adopt_tick(struct router *r)
{
	struct unresolved *u = &r->unresolved;

	if (!u->due || r->now < u->due)
		return;
	for (uint32_t i = 0; i < u->n; i++) {
		int vif = adopt_guess_iif(r, &u->v[i]);
		struct upcall up = { UPCALL_NOCACHE, flow_fam(&u->v[i]), vif, u->v[i] };

		if (mfc_find(&r->mfc, &up.flow) != HASH_NONE)
			continue;
		if (vif < 0)
			up.vif = adopt_any_vif(r, up.fam);
		if (vif >= 0)
			router_upcall(r, &up, r->now);
		else if (up.vif >= 0)
			learn_let_go(r, &up, 0);
	}
	adopt_free(r);
}

void adopt_free(struct router *r)
{
	free(r->unresolved.v);
	r->unresolved = (struct unresolved){ 0 };
}

/* A learned or blocked entry with its age. */
struct adopt_age {
	uint32_t ticks;
	uint32_t at;
};

static int adopt_by_age(const void *a, const void *b)
{
	const struct adopt_age *x = a, *y = b;

	return (x->ticks < y->ticks) - (x->ticks > y->ticks);
}

void adopt_trim(struct router *r)
{
	struct mfcs *t = &r->mfc;
	struct adopt_age *ages = malloc((mfc_dynamic(t) + 1) * sizeof *ages);
	uint32_t n = 0;

	/* Without memory they stay in the order in which the rules were looked at. */
	for (uint32_t at = 0; ages && at < t->n; at++)
		if (mfc_is_dynamic(&t->v[at]))
			ages[n++] = (struct adopt_age){ (uint32_t)(r->now / MFC_TICK) - mfc_use(t, at)->used, at };
	if (n)
		qsort(ages, n, sizeof *ages, adopt_by_age);
	for (uint32_t i = 0; i < n; i++)
		share_renew(&t->shares, ages[i].at);
	free(ages);
	budget_keep(r, HASH_NONE);
}
