/* SPDX-License-Identifier: ISC
 *
 * An (S,G) is one look-up and goes to the list of the mirror at once.  For templates
 * all entries are walked over, once for all templates that changed: in sync.
 */
#include "router/mark.h"

/* As many ranges as it takes for all entries to be looked at. */
#define MARK_ALL 2

void mark_all(struct router *r)
{
	r->touched.n = MARK_ALL;
	r->touched.place = 0;
}

void mark_entry(struct router *r, uint32_t at)
{
	if (mfc_dirty(&r->mfc, at) < 0)
		mark_all(r);
}

void mark_touch(struct touched_ranges *touched, const struct flow_range *range)
{
	touched->place = 0;
	if (touched->n && flow_range_eq(&touched->first, range))
		return;
	if (!touched->n++)
		touched->first = *range;
}

void mark_entries_in(struct router *r, const struct flow_range *range)
{
	mark_touch(&r->touched, range);
}

/* Marks the entry of an (S,G), which with `add` is added when it is new.  0, or -1 with ENOMEM when it could not be
 * added. */
static int mark_flow(struct router *r, const struct flow *flow, bool add)
{
	uint32_t at;

	if (!r->up[flow_fam(flow)])
		return 0;
	at = add ? mfc_get(&r->mfc, flow, MFC_STATIC) : mfc_find(&r->mfc, flow);
	if (at != HASH_NONE)
		mark_entry(r, at);
	return add && at == HASH_NONE ? -1 : 0;
}

/* Marks the entries of any source that a rule of the kernel wants, which are added when they are new.  0, or -1 with
 * ENOMEM. */
static int mark_in_kernel(struct router *r, const struct rule *rule)
{
	uint32_t iifs = r->up[flow_range_fam(&rule->range)] ? ruleset_iifs(&r->rules, rule) : 0;

	for (; iifs; iifs &= iifs - 1) {
		uint32_t at = mfc_get_any(&r->mfc, &rule->range.flow.group, __builtin_ctz(iifs));

		if (at == HASH_NONE)
			return -1;
		mark_entry(r, at);
	}
	return 0;
}

void mark_rule(struct router *r, struct rule *rule)
{
	rule->is_marked = false;
	if (!flow_range_is_single(&rule->range)) {
		mark_entries_in(r, &rule->range);
		if (rule->in_kernel && mark_in_kernel(r, rule) < 0) {
			rule->is_marked = true;
			state_failed(r, &rule->range.flow, ruleset_iifs(&r->rules, rule));
		}
	} else if (mark_flow(r, &rule->range.flow, ruleset_iifs(&r->rules, rule) != 0) < 0) {
		rule->is_marked = true;
		state_failed(r, &rule->range.flow, ruleset_iifs(&r->rules, rule));
	}
}

void mark_family(struct router *r, enum fam fam)
{
	struct rules *t = &r->rules.routes;

	for (uint32_t id = t->first; id != HASH_NONE; id = t->v[id].next)
		t->v[id].is_marked |= flow_range_fam(&t->v[id].range) == fam;
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

/* True when rules of a range have a say in an entry: in one of any source those for a part of them, too. */
static bool mark_concerns(const struct flow_range *range, const struct mfc *e)
{
	return mfc_is_any(e) ? addr_covers(&range->flow.group, range->group_len, &e->flow.group) :
			       flow_range_has(range, &e->flow);
}

bool mark_touched(struct router *r, uint32_t n)
{
	struct touched_ranges *t = &r->touched;

	/* Entries of (S,G) rules as well: one may come in on a VIF where only a template covers it. */
	for (; n && t->place < r->mfc.n; n--, t->place++) {
		const struct mfc *e = &r->mfc.v[t->place];

		if (e->state != MFC_FREE && (t->n >= MARK_ALL || mark_concerns(&t->first, e)) &&
		    mfc_dirty(&r->mfc, t->place) < 0) {
			t->n = 0;
			return false;
		}
	}
	if (t->place >= r->mfc.n)
		t->n = 0;
	return true;
}
