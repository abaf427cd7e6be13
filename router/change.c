/* SPDX-License-Identifier: ISC
 *
 * Each change edits claims, marks what the rule has a say in, and is reported.
 */
#include "router/change.h"

#include <errno.h>
#include <stdlib.h>

#include "router/claims.h"
#include "router/group.h"
#include "router/mark.h"
#include "router/pending.h"

bool change_is_of(uint32_t owner, uint32_t claimed_by)
{
	return claimed_by == owner || (owner < OWNER_NAMED && claimed_by < OWNER_NAMED);
}

/* Reports a change of a rule, or of a join: *ev has the owner, and what else there is to say. */
static void change_report(struct router *r, enum event_kind kind, const struct rule *rule, struct event *ev)
{
	bool is_join = kind == EVENT_JOINED || kind == EVENT_LEFT;

	ev->kind = kind;
	ev->fam = flow_range_fam(&rule->range);
	*(is_join ? &ev->join : &ev->rule) = rule;
	state_event(r, ev);
}

/* Holds the list of outputs that is made of another one and the names of a route, or, with `take`, lacks those;
 * HASH_NONE with ENOMEM or ENOSPC. */
static uint32_t change_combine(struct names *t, uint32_t list, const struct change_rule *rule, bool take)
{
	uint16_t *v = calloc(rule->noifs + 1, sizeof *v);
	uint32_t n = 0, id = 0;

	if (!v)
		return HASH_NONE;
	for (uint32_t i = 0; i < rule->noifs && id != HASH_NONE; i++) {
		/* A name that nobody refers to is in no list. */
		if (take && name_find(t, &rule->oifs[i]) == HASH_NONE)
			continue;
		id = name_hold(t, &rule->oifs[i]);
		if (id != HASH_NONE)
			v[n++] = (uint16_t)id;
	}
	list = id == HASH_NONE ? HASH_NONE : oif_list_combine(t, list, v, n, take);
	while (n)
		name_drop(t, v[--n]);
	free(v);
	return list;
}

/* Edits the claims to a rule that is there, which at least one is left of.  0, or -1 with ENOMEM. */
static int change_claims(struct router *r, struct rules *t, uint32_t id, const struct claim_edit *e)
{
	struct claim_result res;

	if (claims_reserve(t, 1) < 0 || claims_plan(&r->rules, t, id, e, &res) < 0)
		return -1;
	claims_commit(&r->rules, t, id, e, &res);
	oif_list_drop(&r->rules.names, res.oifs);
	return 0;
}

/* The list that an owner asks for of a rule; HASH_NONE when it asks for nothing of it. */
static uint32_t change_own_list(const struct rules *t, uint32_t id, uint32_t owner)
{
	struct claim claim;

	return id != HASH_NONE && claims_find(t, id, owner, &claim) ? claim.oifs : HASH_NONE;
}

/* ---- asking ---- */

/* True when a list has all outputs of a route. */
static bool change_has_all(const struct names *t, uint32_t list, const struct change_rule *rule)
{
	for (uint32_t i = 0; i < rule->noifs; i++)
		if (!oif_list_has_name(t, list, name_find(t, &rule->oifs[i])))
			return false;
	return true;
}

/* Gives an owner its claim to a rule, which is number *id or, for HASH_NONE, is added.  0, or -1 with ENOMEM. */
static int change_claim(struct router *r, const struct change_rule *rule, uint32_t iif, const struct claim_edit *e,
			uint32_t *id)
{
	struct rules *t = &r->rules.routes;

	if (*id != HASH_NONE)
		return change_claims(r, t, *id, e);
	*id = rules_add(&r->rules, t, &rule->range, iif, e->oifs);
	if (*id == HASH_NONE)
		return -1;
	claims_begin(&r->rules, t, *id, e->owner);
	return 0;
}

/* True when an owner asks for these outputs of a rule already; what the configuration asks for needs no second owner
 * that goes when it does. */
static bool change_is_asked(const struct router *r, const struct change_rule *rule, uint32_t id,
			    const struct claim_edit *e)
{
	const struct rules *t = &r->rules.routes;
	uint32_t own = change_own_list(t, id, e->owner), config = change_own_list(t, id, OWNER_CONFIG);

	if (e->for_unnamed)
		return own == e->oifs && config == HASH_NONE;
	return own == e->oifs || (e->owner < OWNER_NAMED && config != HASH_NONE &&
				  change_has_all(&r->rules.names, config, rule));
}

/* True when one more route of this range would make packets cost too much. */
static bool change_is_costly(const struct rules *t, const struct flow_range *range)
{
	uint32_t n = 0;

	for (uint32_t id = rules_chain(t, range); id != HASH_NONE; id = t->v[id].chain)
		n++;
	return n >= CHANGE_IIFS || (!n && t->lengths.n >= CHANGE_LENGTHS && !lengths_has(&t->lengths, range));
}

int change_add(struct router *r, const struct change_rule *rule, enum change_how how, uint32_t *id)
{
	struct rules *t = &r->rules.routes;
	struct names *names = &r->rules.names;
	bool is_unnamed = rule->owner < OWNER_NAMED;
	struct claim_edit e = { .owner = rule->owner, .for_unnamed = how == CHANGE_REPLACE && is_unnamed,
				.is_wanted = true };
	struct event ev = { .owner = rule->owner };
	/* What was asked for before there was a limit stays. */
	uint32_t iif, own, most = how == CHANGE_RESTORE ? UINT32_MAX : CHANGE_OUTPUTS;
	int res = 0;

	if (rule->noifs > most) {
		errno = E2BIG;
		return -1;
	}
	errno = EMLINK;
	if (how != CHANGE_RESTORE && rules_find(&r->rules, t, &rule->iif, &rule->range) == HASH_NONE &&
	    change_is_costly(t, &rule->range))
		return -1;
	/* With room for its entry mark_rule() cannot fail. */
	if (flow_range_is_single(&rule->range) && mfc_reserve(&r->mfc, 1) < 0)
		return -1;
	iif = name_hold(names, &rule->iif);
	if (iif == HASH_NONE)
		return -1;
	*id = rules_in_chain(t, rules_chain(t, &rule->range), iif);
	own = change_own_list(t, *id, rule->owner);
	ev.of_config = rule->owner == OWNER_CONFIG ||
		       (e.for_unnamed && change_own_list(t, *id, OWNER_CONFIG) != HASH_NONE);
	e.oifs = change_combine(names, own == HASH_NONE || how != CHANGE_MORE ? 0 : own, rule, false);
	if (e.oifs != HASH_NONE && names->lists[e.oifs].n > most) {
		oif_list_drop(names, e.oifs);
		e.oifs = HASH_NONE;
		errno = E2BIG;
	}
	if (e.oifs == HASH_NONE) {
		name_drop(names, iif);
		return -1;
	}
	if (how == CHANGE_RESTORE || !change_is_asked(r, rule, *id, &e)) {
		res = change_claim(r, rule, iif, &e, id);
		if (!res)
			change_report(r, EVENT_ADDED, &t->v[*id], &ev);
	}
	oif_list_drop(names, e.oifs);
	name_drop(names, iif);
	if (!res)
		mark_rule(r, &t->v[*id]);
	return res;
}

/* True when there would be too many memberships with those of a join. */
static bool change_is_too_much(const struct router *r, const struct ifname *iif, const struct flow_range *range)
{
	unsigned bits = conf_join_bits(range);
	uint64_t n = 0;

	for (struct iface *i = NULL; (i = iface_match(&r->ifs, iif, i));)
		n += UINT64_C(1) << (bits > CONF_JOIN_BITS ? 0 : bits);
	return n && r->groups->live + n > CHANGE_MEMBERS;
}

int change_join(struct router *r, const struct ifname *iif, const struct flow_range *range, uint32_t owner)
{
	struct rules *t = &r->rules.joins;
	struct claim_edit e = { .owner = owner, .is_wanted = true };
	uint32_t id = rules_find(&r->rules, t, iif, range);

	if (id != HASH_NONE) {
		group_retry(r, id);
		if (change_own_list(t, id, owner) != HASH_NONE ||
		    (owner < OWNER_NAMED && change_own_list(t, id, OWNER_CONFIG) != HASH_NONE))
			return 0;
		if (change_claims(r, t, id, &e) < 0)
			return -1;
	} else {
		errno = EDQUOT;
		if (change_is_too_much(r, iif, range) || group_join(r, iif, range) < 0)
			return -1;
		id = rules_find(&r->rules, t, iif, range);
		claims_begin(&r->rules, t, id, owner);
	}
	change_report(r, EVENT_JOINED, &t->v[id], &(struct event){ .owner = owner });
	return 0;
}

/* ---- taking back ---- */

bool change_has_output(const struct router *r, uint32_t id, uint32_t owner, const struct ifname *oif)
{
	uint32_t name = name_find(&r->rules.names, oif);
	struct claim claim;

	for (struct claim_walk w = claims_walk(&r->rules.routes, id); claims_next(&w, &claim);)
		if (change_is_of(owner, claim.owner) && oif_list_has_name(&r->rules.names, claim.oifs, name))
			return true;
	return false;
}

/* Takes outputs out of one claim to a rule.  0, 1 when it has none of them, or -1 with ENOMEM. */
static int change_take_outputs(struct router *r, const struct change_rule *rule, uint32_t id, uint32_t owner)
{
	struct rules *t = &r->rules.routes;
	struct claim_edit e = { .owner = owner };
	uint32_t own = change_own_list(t, id, owner);
	int res = 1;

	if (own == HASH_NONE)
		return 1;
	e.oifs = change_combine(&r->rules.names, own, rule, true);
	if (e.oifs == HASH_NONE)
		return -1;
	/* One who had outputs and has none left asks for nothing, but somebody must ask for the rule. */
	e.is_wanted = e.oifs || t->v[id].owner != OWNER_SEVERAL;
	if (e.oifs != own)
		res = change_claims(r, t, id, &e);
	oif_list_drop(&r->rules.names, e.oifs);
	return res;
}

/* The same for all claims that the owner may take back. */
static int change_remove_outputs(struct router *r, const struct change_rule *rule, uint32_t id)
{
	uint32_t before = r->rules.routes.v[id].oifs, last = rule->owner, owner = last < OWNER_NAMED ? 0 : last;
	struct event ev = { .owner = last, .before = before };
	bool is_done = false;
	int res = 0, err;

	if (last < OWNER_NAMED)
		last = OWNER_NAMED - 1;
	oif_list_keep(&r->rules.names, before);
	for (; res >= 0 && owner <= last; owner++) {
		res = change_take_outputs(r, rule, id, owner);
		is_done |= !res;
		ev.of_config |= !res && owner == OWNER_CONFIG;
	}
	/* Who hears of it may have another one. */
	err = res < 0 ? errno : ENOENT;
	if (is_done)
		change_report(r, EVENT_REMOVED, &r->rules.routes.v[id], &ev);
	oif_list_drop(&r->rules.names, before);
	errno = err;
	return is_done && res >= 0 ? 0 : -1;
}

/* Takes back all that an owner asks for of a rule or join; is_one: what others without a name ask for stays.  As
 * change_remove(). */
static int change_take_back(struct router *r, struct rules *t, uint32_t id, uint32_t owner, bool is_one)
{
	enum event_kind kind = t == &r->rules.routes ? EVENT_REMOVED : EVENT_LEFT;
	struct claim_edit e = { .owner = owner, .for_unnamed = !is_one && owner < OWNER_NAMED };
	struct event ev = { .owner = owner, .before = t->v[id].oifs };
	uint32_t before = t->v[id].oifs, own = 0, others = 0;
	struct claim claim;
	int res = 0;

	for (struct claim_walk w = claims_walk(t, id); claims_next(&w, &claim);) {
		bool is_own = claim.owner == owner || (e.for_unnamed && change_is_of(owner, claim.owner));

		++*(is_own ? &own : &others);
		ev.of_config |= is_own && claim.owner == OWNER_CONFIG;
	}
	if (!own) {
		errno = ENOENT;
		return -1;
	}
	oif_list_keep(&r->rules.names, before);
	if (others)
		res = change_claims(r, t, id, &e);
	ev.is_gone = !others;
	if (!res)
		change_report(r, kind, &t->v[id], &ev);
	if (kind == EVENT_REMOVED && !res)
		mark_range(r, &t->v[id].range);
	if (!others) {
		claims_drop(&r->rules, t, id);
		if (kind == EVENT_REMOVED)
			rules_del(&r->rules, t, id);
		else
			group_leave(r, id);
	}
	oif_list_drop(&r->rules.names, before);
	return res;
}

int change_remove(struct router *r, const struct change_rule *rule, uint32_t id)
{
	int res;

	if (!rule->noifs)
		return change_take_back(r, &r->rules.routes, id, rule->owner, false);
	res = change_remove_outputs(r, rule, id);
	mark_range(r, &rule->range);
	return res;
}

int change_leave(struct router *r, uint32_t join, uint32_t owner)
{
	return change_take_back(r, &r->rules.joins, join, owner, false);
}

int change_restore(struct router *r, const struct change_rule *rule, bool is_join, bool is_wanted)
{
	struct rules *t = is_join ? &r->rules.joins : &r->rules.routes;
	uint32_t id = rules_find(&r->rules, t, &rule->iif, &rule->range);

	uint32_t own = change_own_list(t, id, rule->owner);

	/* What is the configuration's is in the file, but for what was taken back since that was read. */
	if (!is_wanted || rule->owner == OWNER_CONFIG) {
		if (own == HASH_NONE || (is_wanted && !change_has_all(&r->rules.names, own, rule)))
			return 0;
		if (!is_wanted)
			return change_take_back(r, t, id, rule->owner, true);
	}
	return is_join ? change_join(r, &rule->iif, &rule->range, rule->owner) :
	       change_add(r, rule, CHANGE_RESTORE, &id);
}

int change_disown(struct router *r, uint32_t owner)
{
	struct rules *const tables[] = { &r->rules.joins, &r->rules.routes };
	unsigned n = 0;
	int res = 0;

	state_edit(r);
	for (int k = 0; k < 2; k++)
		for (uint32_t id = tables[k]->first, next; !res && id != HASH_NONE; id = next) {
			next = tables[k]->v[id].next;
			if (change_own_list(tables[k], id, owner) == HASH_NONE)
				continue;
			if (n++ == STATE_EDITED)
				return 1;

			const struct rule *rule = &tables[k]->v[id];
			bool stays = rule->owner == OWNER_SEVERAL;

			(tables[k] == &r->rules.routes ? state_edit_add : state_edit_leave)
				(r, &r->rules.names.v[rule->iif].ifname, &rule->range);
			res = change_take_back(r, tables[k], id, owner, false);
			if (stays && tables[k] == &r->rules.routes)
				pending_report(r, id);
		}
	return res;
}
