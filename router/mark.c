/* SPDX-License-Identifier: ISC
 *
 * An (S,G) is one look-up and goes to the list of the mirror at once.  For templates
 * all entries are walked over, once for all templates that changed: in sync.
 */
#include "router/mark.h"

bool mark_entry(struct router *r, uint32_t at)
{
	if (mfc_dirty(&r->mfc, at) == 0)
		return true;
	state_failed(r);
	return false;
}

void mark_entries_in(struct router *r, const struct flow_range *range)
{
	if (!r->touched.n++)
		r->touched.first = *range;
}

/* Marks the entry of an (S,G), which with `add` is added when it is new. */
static void mark_flow(struct router *r, const struct flow *flow, bool add)
{
	uint32_t at;

	if (!r->up[flow_fam(flow)])
		return;
	at = add ? mfc_get(&r->mfc, flow, MFC_STATIC) : mfc_find(&r->mfc, flow);
	if (at != HASH_NONE)
		mark_entry(r, at);
	else if (add)
		state_failed(r);
}

void mark_rule(struct router *r, const struct rule *rule)
{
	if (flow_range_is_single(&rule->range))
		mark_flow(r, &rule->range.flow, ruleset_iifs(&r->rules, rule) != 0);
	else
		mark_entries_in(r, &rule->range);
}

void mark_range(struct router *r, const struct flow_range *range)
{
	if (flow_range_is_single(range))
		mark_flow(r, &range->flow, false);
	else
		mark_entries_in(r, range);
}

void mark_refused(struct router *r)
{
	for (uint32_t at = 0; at < r->mfc.n; at++)
		if (r->mfc.v[at].state != MFC_FREE && r->mfc.v[at].failed)
			mark_entry(r, at);
}

void mark_touched(struct router *r)
{
	/* Entries of (S,G) rules as well: the outputs of all rules add up. */
	for (uint32_t at = 0; r->touched.n && at < r->mfc.n; at++) {
		const struct mfc *e = &r->mfc.v[at];

		if (e->state != MFC_FREE && (r->touched.n > 1 || flow_range_has(&r->touched.first, &e->flow)))
			mark_entry(r, at);
	}
	r->touched.n = 0;
}
