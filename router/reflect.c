/* SPDX-License-Identifier: ISC
 *
 * Our own memberships are those that the joins among the rules ask for, whether they are joined yet or not.  Those of
 * other programs the kernel tells: at once where it can, and every few seconds it is asked, but only while there is an
 * entry that goes out where it comes in.
 */
#include "router/reflect.h"

#include <errno.h>

#include "router/mark.h"

/* How often the memberships are read, and for how many of them it is a ms later: to read 32,768 takes 0.16 s. */
#define REFLECT_MS 2000
#define REFLECT_PER_MS 4

static void reflect_read(struct router *r, bool *differ)
{
	uint32_t n;
	int res;

	if (!r->reflect.is_read)
		kernel_members_follow(true);
	res = kernel_members_read(&n);
	r->reflect.always = res < 0 && errno == EOPNOTSUPP;
	*differ = res != 0;
	r->reflect.is_read = true;
	r->reflect.is_stale = false;
	r->reflect.soonest = r->now + 1 + n / REFLECT_PER_MS;
	r->reflect.due = r->reflect.soonest + REFLECT_MS;
}

/* ---- our own memberships ---- */

/* True when a join has packets of the range that leave on one of the VIFs come back.  Of IPv4 only a join for any
 * source surely does; of the others kernel_members_loop() knows. */
static bool reflect_join_meets(const struct ruleset *s, const struct rule *join, const struct flow_range *range,
			       uint32_t vifs)
{
	return (ruleset_iifs(s, join) & vifs) && flow_range_meets(&join->range, range) &&
	       (flow_range_fam(range) == FAM_6 || flow_range_any_source(&join->range));
}

/* The same of all joins.  Those that are for all of the range are found by the lengths of prefixes that joins have; all
 * joins are only walked over where some may be for a part of it. */
static bool reflect_is_joined(const struct ruleset *s, const struct flow_range *range, uint32_t vifs)
{
	enum fam fam = flow_range_fam(range);
	const struct rules *t = &s->joins;
	bool has_parts = false;

	for (uint32_t i = 0; i < t->lengths.n; i++) {
		const struct rule_lengths *l = &t->lengths.v[i];
		struct flow_range join = { range->flow, l->source_len, l->group_len };

		if (l->fam != fam || (fam == FAM_4 && l->source_len > ADDR_V4_BITS))
			continue;
		if (l->source_len > range->source_len || l->group_len > range->group_len) {
			has_parts = true;
			continue;
		}
		addr_mask(&join.flow.source, l->source_len);
		addr_mask(&join.flow.group, l->group_len);
		for (uint32_t id = rules_chain(t, &join); id != HASH_NONE; id = t->v[id].chain)
			if (reflect_join_meets(s, &t->v[id], range, vifs))
				return true;
	}
	for (uint32_t id = has_parts ? t->first : HASH_NONE; id != HASH_NONE; id = t->v[id].next)
		if (reflect_join_meets(s, &t->v[id], range, vifs))
			return true;
	return false;
}

/* ---- what is held back ---- */

/* Why packets of the range that leave on a VIF would come back, NULL when they would not. */
static const char *reflect_why(const struct router *r, const struct flow_range *range, int vif)
{
	const struct iface *i = iface_by_vif(&r->ifs, flow_range_fam(range), vif);

	if (i && r->reflect.always)
		return "held back as output, as this system takes in again what it sends and each packet would come "
		       "back: drop this output";
	if (i && reflect_is_joined(&r->rules, range, UINT32_C(1) << vif))
		return "held back as output, as smcroute is a member of the group there and each packet would come "
		       "back: drop the mgroup line or this output";
	if (i && r->reflect.is_read && kernel_members_loop(i->ifindex, range))
		return "held back as output, as a program of this host is a member of the group there and each packet "
		       "would come back: end that or drop this output";
	return NULL;
}

bool reflect_holds(const struct mfc *e)
{
	return e->flags & MFC_REFLECTS && e->flags & MFC_INSTALLED && !(e->oifs >> e->iif & 1);
}

/* Says that the output of an entry is held back from now on, or no longer. */
static void reflect_log(struct router *r, const struct mfc *e, int iif, const char *why)
{
	const char *name = iface_str(iface_by_vif(&r->ifs, flow_fam(&e->flow), iif));
	char flow[FLOW_STRLEN];

	if (why)
		log_limited(&r->lim_reflect, r->now, LOG_LVL_NOTICE, "%s: %s %s", flow_str(&e->flow, flow), name, why);
	else
		log_limited(&r->lim_reflect, r->now, LOG_LVL_NOTICE, "%s: %s is an output again",
			    flow_str(&e->flow, flow), name);
}

void reflect_mark(struct router *r)
{
	for (uint32_t at = 0; r->mfc.reflecting && at < r->mfc.n; at++)
		if (r->mfc.v[at].flags & MFC_REFLECTS)
			mark_entry(r, at);
}

uint32_t reflect_held(struct router *r, uint32_t at, int iif, uint32_t oifs)
{
	const struct mfc *e = &r->mfc.v[at];
	uint32_t bit = iif < 0 ? 0 : oifs & UINT32_C(1) << iif;
	struct flow_range range = flow_range_of(&e->flow);
	bool was_held = reflect_holds(e), is_first = !r->mfc.reflecting, differ;
	const char *why;

	mfc_set_reflects(&r->mfc, at, bit != 0);
	if (!bit)
		return 0;
	/* Who joined just now has its packets behind it, and the report of that may be read after theirs. */
	if (is_first || (!r->reflect.always && !(e->flags & MFC_INSTALLED) && r->now >= r->reflect.soonest)) {
		reflect_read(r, &differ);
		if (differ && !is_first) {
			reflect_mark(r);
			r->reflect.is_stale = true;
		}
	}
	why = reflect_why(r, &range, iif);
	if (was_held != !!why)
		reflect_log(r, e, iif, why);
	return why ? bit : 0;
}

const char *reflect_reason(const struct router *r, const struct rule *rule, const char **which)
{
	enum fam fam = flow_range_fam(&rule->range);
	uint32_t bits = ruleset_iifs(&r->rules, rule) & r->rules.names.lists[rule->oifs].bits.exact[fam];
	const char *why = NULL;

	for (; bits && !why; bits &= bits - 1) {
		why = reflect_why(r, &rule->range, __builtin_ctz(bits));
		if (why)
			*which = iface_str(iface_by_vif(&r->ifs, fam, __builtin_ctz(bits)));
	}
	return why;
}

const char *reflect_of_join(const struct router *r, const struct ifname *iif, const struct flow_range *range)
{
	enum fam fam = flow_range_fam(range);
	uint32_t name = name_find(&r->rules.names, iif), bits = 0, oifs;
	const struct mfc *e;

	if (name != HASH_NONE && (fam == FAM_6 || flow_range_any_source(range)))
		bits = r->rules.names.v[name].bits.exact[fam] | r->rules.names.v[name].bits.wild[fam];
	for (uint32_t left = bits; left; left &= left - 1) {
		int vif = __builtin_ctz(left);

		if (ruleset_outputs(&r->rules, &range->flow, vif, &oifs) && oifs >> vif & 1)
			return iface_str(iface_by_vif(&r->ifs, fam, vif));
	}
	for (uint32_t at = 0; bits && r->mfc.reflecting && at < r->mfc.n; at++) {
		e = &r->mfc.v[at];
		if (e->state != MFC_FREE && reflect_holds(e) && bits >> e->iif & 1 && flow_range_has(range, &e->flow))
			return iface_str(iface_by_vif(&r->ifs, fam, e->iif));
	}
	return NULL;
}

/* ---- what changes ---- */

int64_t reflect_due(const struct router *r)
{
	if (!r->mfc.reflecting || r->reflect.always)
		return 0;
	return r->reflect.is_stale ? r->reflect.soonest : r->reflect.due;
}

static bool reflect_is_due(const struct router *r)
{
	int64_t due = reflect_due(r);

	return due && r->now >= due;
}

bool reflect_look(struct router *r)
{
	bool differ = false;

	if (!r->mfc.reflecting) {
		if (r->reflect.is_read)
			kernel_members_follow(false);
		r->reflect = (struct reflect){ 0 };
		return false;
	}
	if (!reflect_is_due(r))
		return false;
	reflect_read(r, &differ);
	if (!differ)
		return false;
	reflect_mark(r);
	return true;
}

bool reflect_tick(struct router *r)
{
	log_limit_flush(&r->lim_reflect, r->now, LOG_LVL_NOTICE, "outputs held back");
	return reflect_is_due(r);
}
