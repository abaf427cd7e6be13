/* SPDX-License-Identifier: ISC
 *
 * What is in the way of an entry is remembered, so that only when it goes the rules are searched for another one.  The
 * first entry of a pass goes through all rules for that; for more of them those in question are gathered and sorted.
 */
#include "router/inkernel.h"

#include <stdlib.h>
#include <string.h>

#include "lib/sorted.h"
#include "router/entry.h"
#include "router/mark.h"

static uint32_t inkernel_bit(const struct mfc *e)
{
	return UINT32_C(1) << e->iif;
}

/* The first rule of the kernel that wants an entry, HASH_NONE when none does. */
static uint32_t inkernel_rule(const struct router *r, const struct mfc *e)
{
	const struct rules *t = &r->rules.routes;
	const struct flow_range range = flow_range_of(&e->flow);
	uint32_t id = HASH_NONE;

	if (iface_by_vif(&r->ifs, flow_fam(&e->flow), e->iif))
		id = rules_chain(t, &range);
	while (id != HASH_NONE && !(t->v[id].in_kernel && ruleset_iifs(&r->rules, &t->v[id]) & inkernel_bit(e)))
		id = t->v[id].chain;
	return id;
}

/* True when a range takes only a part of the sources of groups, and needs to hear of each of them. */
static bool inkernel_is_split(enum fam fam, uint8_t source_len, uint8_t group_len)
{
	return source_len > (fam == FAM_4 ? ADDR_V4_BITS : 0) && (source_len < 128 || group_len < 128);
}

static bool inkernel_is_part(const struct rule *rule)
{
	return inkernel_is_split(flow_range_fam(&rule->range), rule->range.source_len, rule->range.group_len);
}

/* True when a rule for a part of the sources keeps an entry with these outputs out of the kernel. */
static bool inkernel_is_split_by(const struct router *r, const struct mfc *e, uint32_t oifs, const struct rule *rule)
{
	const struct flow_range *range = &rule->range;
	uint32_t iifs = ruleset_iifs(&r->rules, rule);

	return inkernel_is_part(rule) && flow_range_fam(range) == flow_fam(&e->flow) &&
	       addr_covers(&range->flow.group, range->group_len, &e->flow.group) &&
	       (iifs & inkernel_bit(e) || (rule->oifs && iifs & oifs));
}

static uint32_t inkernel_group_hash(const struct addr *group, uint8_t len)
{
	return hash_bytes(group, sizeof *group) + len * 0x9e3779b1u;
}

static int inkernel_by_group(const void *a, const void *b)
{
	const struct inkernel_part *x = a, *y = b;

	return (x->group > y->group) - (x->group < y->group);
}

/* Gathers the rules for a part of the sources; without memory it does not. */
static void inkernel_gather(const struct rules *t, struct inkernel_pass *pass)
{
	pass->parts = malloc((t->live + 1) * sizeof *pass->parts);
	for (uint32_t id = pass->parts ? t->first : HASH_NONE; id != HASH_NONE; id = t->v[id].next) {
		const struct flow_range *range = &t->v[id].range;

		if (inkernel_is_part(&t->v[id]))
			pass->parts[pass->n++] = (struct inkernel_part){
				inkernel_group_hash(&range->flow.group, range->group_len), id,
			};
	}
	if (pass->parts)
		qsort(pass->parts, pass->n, sizeof *pass->parts, inkernel_by_group);
}

/* Looks among those whose group, of that length, has the entry's; HASH_NONE when none is in the way. */
static uint32_t inkernel_search_parts(const struct router *r, const struct mfc *e, uint32_t oifs, uint8_t group_len,
				      const struct inkernel_pass *pass)
{
	struct addr group = e->flow.group;
	const struct inkernel_part *part = pass->parts, *end = part + pass->n;
	struct inkernel_part key;

	addr_mask(&group, group_len);
	key.group = inkernel_group_hash(&group, group_len);
	part += sorted_first(&key, part, pass->n, sizeof key, inkernel_by_group);
	for (; part < end && part->group == key.group; part++)
		if (inkernel_is_split_by(r, e, oifs, &r->rules.routes.v[part->id]))
			return part->id;
	return HASH_NONE;
}

/* A rule for a part of the sources that is in the way; HASH_NONE when none is. */
static uint32_t inkernel_find_split(const struct router *r, const struct mfc *e, uint32_t oifs,
				    struct inkernel_pass *pass)
{
	const struct rules *t = &r->rules.routes;
	uint32_t id = HASH_NONE;

	if (pass->searches++ == 1)
		inkernel_gather(t, pass);
	for (uint32_t i = 0; i < t->lengths.n && id == HASH_NONE; i++) {
		const struct rule_lengths *l = &t->lengths.v[i];

		if (l->fam != flow_fam(&e->flow) || !inkernel_is_split(l->fam, l->source_len, l->group_len))
			continue;
		if (pass->parts) {
			id = inkernel_search_parts(r, e, oifs, l->group_len, pass);
			continue;
		}
		for (id = t->first; id != HASH_NONE && !inkernel_is_split_by(r, e, oifs, &t->v[id]); id = t->v[id].next)
			;
		return id;
	}
	return id;
}

void inkernel_end(struct inkernel_pass *pass)
{
	free(pass->parts);
}

/* A rule that decides about packets on an output. */
struct inkernel_decider {
	const struct rules *rules;
	uint32_t id;			/* one with outputs, or HASH_NONE */
	bool is_stopped;
};

static void inkernel_note_decider(void *ctx, uint32_t id)
{
	struct inkernel_decider *d = ctx;

	if (d->rules->v[id].oifs)
		d->id = id;
	else
		d->is_stopped = true;
}

/* A rule of any source that forwards packets of the group which come in on one of the outputs; HASH_NONE when there is
 * none. */
static uint32_t inkernel_find_input(const struct router *r, const struct mfc *e, uint32_t oifs)
{
	for (; oifs; oifs &= oifs - 1) {
		struct inkernel_decider d = { &r->rules.routes, HASH_NONE, false };

		ruleset_deciding(&r->rules, &e->flow, __builtin_ctz(oifs), inkernel_note_decider, &d);
		if (d.id != HASH_NONE && !d.is_stopped)
			return d.id;
	}
	return HASH_NONE;
}

/* The rule that keeps an entry of rule `own` with these outputs out of the kernel; HASH_NONE when none does. */
static uint32_t inkernel_find_hindrance(const struct router *r, const struct mfc *e, uint32_t oifs, uint32_t own,
					struct inkernel_pass *pass)
{
	const struct rules *t = &r->rules.routes;
	uint32_t id = e->state == MFC_ASIDE ? e->hindrance : HASH_NONE;

	if (oifs & inkernel_bit(e))
		return own;
	if (id < t->n && rules_is_live(t, id) && inkernel_is_split_by(r, e, oifs, &t->v[id]))
		return id;
	id = inkernel_find_input(r, e, oifs);
	return id != HASH_NONE ? id : inkernel_find_split(r, e, oifs, pass);
}

/* Says why an entry is not in the kernel. */
static void inkernel_explain(const struct router *r, const struct mfc *e, struct buf *out)
{
	enum fam fam = flow_fam(&e->flow);
	const struct rules *t = &r->rules.routes;
	bool is_live = e->hindrance < t->n && rules_is_live(t, e->hindrance);
	const struct rule *rule = is_live ? &t->v[e->hindrance] : NULL;
	uint32_t oifs;

	buf_str(out, "not in the kernel, its sources are learned: ");
	if (!rule) {
		buf_str(out, entry_is_unknown(e) ? "this system has no such entries" : strerror(e->failed));
		return;
	}
	ruleset_outputs(&r->rules, &e->flow, e->iif, &oifs);
	if (oifs & inkernel_bit(e)) {
		buf_printf(out, "it sends out of %s what comes in there",
			   iface_str(iface_by_vif(&r->ifs, fam, e->iif)));
		return;
	}
	ruleset_print(out, &r->rules, rule, "\"mroute", 0);
	if (inkernel_is_part(rule) && ruleset_iifs(&r->rules, rule) & inkernel_bit(e))
		buf_str(out, "\" takes a part of them");
	else
		buf_printf(out, "\" takes packets of the group in on an output of it");
}

static void inkernel_log(struct router *r, const struct mfc *e)
{
	struct buf why = { 0 };
	char flow[FLOW_STRLEN];

	inkernel_explain(r, e, &why);
	log_limited(&r->lim_wait, r->now, LOG_LVL_NOTICE, "%s from %s: %s", flow_str(&e->flow, flow),
		    iface_str(iface_by_vif(&r->ifs, flow_fam(&e->flow), e->iif)), buf_cstr(&why));
	buf_free(&why);
}

/* Keeps an entry out of the kernel, for a rule or, with HASH_NONE, because that refused it. */
static void inkernel_step_aside(struct router *r, uint32_t at, uint32_t hindrance)
{
	struct mfc *e = &r->mfc.v[at];
	bool is_news = e->state == MFC_KERNEL || (e->hindrance == HASH_NONE && hindrance != HASH_NONE);

	if (e->state == MFC_KERNEL)
		mfc_state(&r->mfc, at, MFC_ASIDE, r->now);
	e->hindrance = hindrance;
	if (is_news)
		inkernel_log(r, e);
}

void inkernel_sync(struct router *r, uint32_t at, struct inkernel_pass *pass)
{
	struct mfc *e = &r->mfc.v[at];
	uint32_t own = inkernel_rule(r, e), oifs, hindrance;
	uint8_t failed = e->failed;

	if (own == HASH_NONE) {
		entry_drop(r, at);
		return;
	}
	ruleset_outputs(&r->rules, &e->flow, e->iif, &oifs);
	hindrance = inkernel_find_hindrance(r, e, oifs, own, pass);
	if (hindrance != HASH_NONE) {
		if (entry_take_out(r, at))
			inkernel_step_aside(r, at, hindrance);
	} else if (!entry_put(r, at, e->iif, oifs)) {
		/* One that is in stays as it was. */
		if (e->state == MFC_KERNEL)
			return;
		e->hindrance = HASH_NONE;
		if (e->failed != failed && entry_is_unknown(e))
			inkernel_log(r, e);
	} else if (e->state == MFC_ASIDE) {
		const struct flow_range range = flow_range_of(&e->flow);

		mfc_state(&r->mfc, at, MFC_KERNEL, r->now);
		mark_entries_in(r, &range);
	}
}

/* The first entry of a rule that was looked at and is kept out of the kernel; NULL when none is. */
static const struct mfc *inkernel_find_aside(const struct router *r, const struct rule *rule)
{
	uint32_t iifs = rule->in_kernel ? ruleset_iifs(&r->rules, rule) : 0;

	for (; iifs; iifs &= iifs - 1) {
		uint32_t at = mfc_find_any(&r->mfc, &rule->range.flow.group, __builtin_ctz(iifs));
		const struct mfc *e = at != HASH_NONE ? &r->mfc.v[at] : NULL;

		if (e && e->state == MFC_ASIDE && (e->hindrance != HASH_NONE || e->failed))
			return e;
	}
	return NULL;
}

bool inkernel_is_aside(const struct router *r, const struct rule *rule)
{
	return inkernel_find_aside(r, rule);
}

bool inkernel_reason(const struct router *r, const struct rule *rule, struct buf *out)
{
	const struct mfc *e = inkernel_find_aside(r, rule);

	if (e)
		inkernel_explain(r, e, out);
	return e;
}
