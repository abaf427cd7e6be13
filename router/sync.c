/* SPDX-License-Identifier: ISC
 *
 * In steps: give VIFs to the interfaces that rules refer to (vif.c), see what names mean now (bind.c), bring each
 * marked entry in line (entry.c), take back VIFs that nothing refers to; then memberships, outputs that they have held
 * back (reflect.c), and advertisements.
 */
#include "router/sync.h"

#include "router/bind.h"
#include "router/entry.h"
#include "router/group.h"
#include "router/inkernel.h"
#include "router/mark.h"
#include "router/mrdisc.h"
#include "router/pending.h"
#include "router/reflect.h"
#include "router/refresh.h"
#include "router/table.h"
#include "router/vif.h"
#include "router/wait.h"

/* Reports of the rules of an entry of any source that they step aside, or no longer. */
static void sync_report(struct router *r, const struct flow *flow)
{
	const struct rules *t = &r->rules.routes;
	const struct flow_range range = flow_range_of(flow);

	for (uint32_t id = rules_chain(t, &range); id != HASH_NONE; id = t->v[id].chain)
		if (t->v[id].in_kernel)
			pending_report(r, id);
}

/* Looks at the entries of any source among those that are marked, or all of them. */
static void sync_any_sources(struct router *r, bool all)
{
	struct mfcs *t = &r->mfc;
	struct inkernel_pass pass = { 0 };

	for (uint32_t i = 0; i < (all ? t->n : t->ndirty); i++) {
		uint32_t at = all ? i : t->dirty[i];

		if (mfc_is_any(&t->v[at]))
			inkernel_sync(r, at, &pass);
		if (mfc_is_any(&t->v[at]))
			sync_report(r, &t->v[at].flow);
	}
	inkernel_end(&pass);
}

static void sync_entries(struct router *r)
{
	struct mfcs *t = &r->mfc;
	bool all = !mark_touched(r);

	/* First those of any source: what one of them has is not learned besides. */
	sync_any_sources(r, all);
	all |= !mark_touched(r);

	for (uint32_t i = 0; i < t->ndirty; i++) {
		uint32_t at = t->dirty[i];

		t->v[at].flags &= (uint8_t)~MFC_DIRTY;
		if (t->v[at].state != MFC_FREE && !mfc_is_any(&t->v[at]))
			entry_sync(r, at, -1);
	}
	mfc_clean(t);
	for (uint32_t at = 0; all && at < t->n; at++)
		if (t->v[at].state != MFC_FREE && !mfc_is_any(&t->v[at]))
			entry_sync(r, at, -1);
}

/* Gives numbers to interfaces, sees what names mean then, and takes back the numbers that nothing wants. */
static void sync_vifs(struct router *r)
{
	r->vifs_stale = r->rules.names.refs_changed = false;
	for (enum fam f = 0; f < FAM_N; f++)
		vif_assign(r, f);
	bind_names(r);
	table_check(r);
	sync_entries(r);
	/* A number that became free may be waited for. */
	for (enum fam f = 0; f < FAM_N; f++)
		if (r->up[f] && vif_release_unwanted(r, f))
			for (struct iface *i = NULL; (i = iface_next(&r->ifs, i));)
				r->vifs_stale |= i->waits[f];
}

void router_sync(struct router *r)
{
	/* What was taken over stays as it is until it is known what is wanted. */
	if (r->adopts && !r->has_rules)
		return;
	while (r->vifs_stale || r->rules.names.refs_changed) {
		sync_vifs(r);
		r->mrdisc->stale = r->waits.is_stale = true;
	}
	sync_entries(r);
	groups_sync(r);
	if (reflect_look(r)) {
		sync_entries(r);
		pending_report_all(r);
	}
	if (r->waits.is_stale)
		wait_report(r);
	mrdisc_sync(r);
	refresh_sync(r);
	if (r->ops && r->ops->wake)
		r->ops->wake(r->ops_ctx);
}
