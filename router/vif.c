/* SPDX-License-Identifier: ISC
 *
 * Sole caller of kernel_vif_add() and kernel_vif_del().
 */
#include "router/vif.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "router/entry.h"
#include "router/mark.h"
#include "router/reflect.h"

static void vif_log(const struct iface *i, enum fam fam, int vif, const char *what)
{
	log_at(LOG_LVL_DEBUG, "%s: %s %d%s", i->name, fam == FAM_4 ? "VIF" : "MIF", vif, what);
}

void vif_refresh(struct router *r, enum fam fam, int vif)
{
	for (uint32_t at = 0; at < r->mfc.n; at++) {
		struct mfc *e = &r->mfc.v[at];

		if (e->state == MFC_FREE || e->state == MFC_ASIDE || flow_fam(&e->flow) != fam ||
		    !(e->oifs >> vif & 1))
			continue;
		e->flags |= MFC_STALE;
		mark_entry(r, at);
	}
}

/* Has an entry looked at again that comes in or goes out on a number: until then no other interface gets that, whose
 * packets it would take or which would get its packets. */
static void vif_hold(struct router *r, enum fam fam, int vif, uint32_t at)
{
	r->ifs.held[fam] |= UINT32_C(1) << vif;
	mark_entry(r, at);
}

void vif_leave(struct router *r, enum fam fam, struct iface *i, bool stays)
{
	int vif = i->vif[fam];

	for (uint32_t at = 0; at < r->mfc.n; at++) {
		struct mfc *e = &r->mfc.v[at];

		if (e->state == MFC_FREE || flow_fam(&e->flow) != fam)
			continue;
		if (e->iif == vif && mfc_is_any(e)) {
			/* The names of rules that want it mean another number then, which has them ask for it again. */
			r->ifs.held[fam] |= UINT32_C(1) << vif;
			if (!entry_drop(r, at))
				mark_entry(r, at);
		} else if (e->iif == vif) {
			/* Later nobody knows whose number it was. */
			if (mfc_is_dynamic(e))
				entry_report(r, EVENT_GONE, e);
			e->flags |= MFC_STALE;
			vif_hold(r, fam, vif, at);
		} else if (e->state != MFC_ASIDE && e->oifs >> vif & 1) {
			vif_hold(r, fam, vif, at);
		}
	}
	iface_slot_free(&r->ifs, fam, i);
	if (stays)
		r->ifs.leaving[fam] |= UINT32_C(1) << vif;
}

void vif_release_unwanted(struct router *r, enum fam fam)
{
	for (int vif = 0; vif < KERNEL_VIFS; vif++) {
		struct iface *i = iface_by_vif(&r->ifs, fam, vif);

		if (!i || i->wanted[fam])
			continue;
		vif_leave(r, fam, i, true);
		vif_log(i, fam, vif, " released");
	}
}

/* The numbers that entries have, in the kernel or until they are looked at: of one that is to be put anew, that may be
 * any. */
static uint32_t vif_in_entries(const struct router *r, enum fam fam)
{
	uint32_t vifs = 0;

	for (uint32_t at = 0; at < r->mfc.n; at++) {
		const struct mfc *e = &r->mfc.v[at];

		if (e->state != MFC_FREE && e->flags & (MFC_INSTALLED | MFC_DIRTY) && flow_fam(&e->flow) == fam)
			vifs |= e->flags & MFC_STALE ? UINT32_MAX : e->oifs | UINT32_C(1) << e->iif;
	}
	return vifs;
}

bool vif_remove_left(struct router *r, enum fam fam)
{
	uint32_t held = r->ifs.held[fam], leaving = r->ifs.leaving[fam];
	uint32_t used = held | leaving ? vif_in_entries(r, fam) : 0;

	/* What the kernel refuses to rewrite keeps its number from others. */
	r->ifs.held[fam] &= used;
	for (uint32_t vifs = leaving & ~used; vifs; vifs &= vifs - 1) {
		/* It is gone when its interface is (net/ipv4/ipmr.c, ipmr_device_event), which is heard later. */
		if (kernel_vif_del(fam, __builtin_ctz(vifs)) < 0 && errno != EADDRNOTAVAIL)
			state_failed(r, NULL, 0);
		else
			r->ifs.leaving[fam] &= ~(vifs & -vifs);
	}
	return r->ifs.held[fam] != held || r->ifs.leaving[fam] != leaving;
}

/* Prepares for a number that no interface has: entries that were taken over from another process may send to it.  They
 * keep an output whose interface went (net/ipv4/ipmr.c, vif_delete), which nothing tells, until they are put anew.
 * Those of an interface that goes from now on are seen to by vif_leave().  False when the kernel refuses that. */
static bool vif_clear_numbers(struct router *r, enum fam fam)
{
	bool is_clear = true;

	if (!r->has_old_numbers[fam])
		return true;
	for (uint32_t at = 0; at < r->mfc.n; at++) {
		struct mfc *e = &r->mfc.v[at];
		uint32_t held;

		if (e->state == MFC_FREE || e->state == MFC_ASIDE || !(e->flags & MFC_INSTALLED) ||
		    flow_fam(&e->flow) != fam)
			continue;
		held = mfc_is_any(e) ? 0 : reflect_held(r, at, e->iif, e->oifs);
		e->flags |= MFC_STALE;
		is_clear &= entry_put(r, at, e->iif, e->oifs & ~held);
	}
	r->has_old_numbers[fam] = !is_clear;
	return is_clear;
}

static void vif_take(struct router *r, enum fam fam, struct iface *i)
{
	int vif = iface_slot_alloc(&r->ifs, fam, i);

	/* One that nothing wants becomes free when no entry has it any more. */
	i->waits[fam] = vif < 0;
	if (vif < 0)
		return;
	if (!vif_clear_numbers(r, fam)) {
		iface_slot_free(&r->ifs, fam, i);
		return;
	}
	int err = kernel_vif_add(fam, vif, i->ifindex, i->ttl) < 0 ? errno : 0;

	if (err) {
		iface_slot_free(&r->ifs, fam, i);
		state_failed(r, NULL, 0);
		/* Of one that has no address yet all is told by who waits for it. */
		if (err != i->vif_errno[fam] && err != EADDRNOTAVAIL)
			log_limited(&r->lim_kernel, r->now, LOG_LVL_ERR, "%s: the kernel refused it as a multicast "
				    "interface for %s: %s", i->name, fam_str(fam), strerror(err));
	}
	i->vif_errno[fam] = err;
	if (err)
		return;
	i->table[fam] = TABLE_UNKNOWN;
	if (fam == FAM_4)
		r->ttl[vif] = i->ttl;
	vif_log(i, fam, vif, "");
}

struct vif_request {
	uint32_t rank;
	const struct ifname *name;
};

static int vif_by_rank(const void *a, const void *b)
{
	const struct vif_request *x = a, *y = b;

	return (x->rank > y->rank) - (x->rank < y->rank);
}

/* Gives a number to the interfaces that a name means and that have none and were not tried yet. */
static void vif_serve(struct router *r, enum fam fam, const struct ifname *name)
{
	for (struct iface *i = NULL; (i = iface_match(&r->ifs, name, i));)
		if (i->vif[fam] < 0 && i->wanted[fam] == IFACE_WANTED) {
			i->wanted[fam] = IFACE_TRIED;
			vif_take(r, fam, i);
		}
}

void vif_assign(struct router *r, enum fam fam)
{
	const struct names *t = &r->rules.names;
	struct iface *i = NULL;
	uint32_t n = 0;

	if (!r->up[fam])
		return;

	struct vif_request *order = malloc((t->n + 1) * sizeof *order);

	if (!order) {
		state_failed(r, NULL, 0);
		return;
	}
	while ((i = iface_next(&r->ifs, i)))
		i->wanted[fam] = IFACE_UNWANTED;
	for (uint32_t id = 0; id < t->n; id++) {
		const struct name *name = &t->v[id];

		if (!name->refs[t->side][fam])
			continue;
		order[n++] = (struct vif_request){ name->rank[fam], &name->ifname };
		while ((i = iface_match(&r->ifs, &name->ifname, i)))
			if (iface_usable(i, &name->ifname))
				i->wanted[fam] = IFACE_WANTED;
	}
	while ((i = iface_next(&r->ifs, i)))
		i->waits[fam] &= i->wanted[fam] == IFACE_WANTED;
	qsort(order, n, sizeof *order, vif_by_rank);
	for (uint32_t k = 0; k < n; k++)
		vif_serve(r, fam, order[k].name);
	free(order);
}
