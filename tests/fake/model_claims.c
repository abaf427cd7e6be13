/* SPDX-License-Identifier: ISC
 *
 * Who asks for which outputs of a rule: the file, whoever has no name, and owners with names.
 */
#include <errno.h>
#include <string.h>

#include "router/claims.h"
#include "tests/fake/meaning.h"
#include "tests/fake/model_parts.h"

bool model_is_heir;

static const char *const model_owners[MEANING_OWNERS] = { [OWNER_NAMED] = "one", "two" };

static uint32_t model_find_owner(unsigned owner)
{
	return owner < OWNER_NAMED ? owner : owner_find(&model_router.rules.owners, model_owners[owner]);
}

uint32_t model_hold_owner(unsigned owner)
{
	return owner < OWNER_NAMED ? owner : owner_hold(&model_router.rules.owners, model_owners[owner]);
}

void model_add_claim(struct meaning_rule *m, unsigned owner, bool is_more, unsigned outputs)
{
	/* What the file says needs no second one who says it. */
	if (owner == OWNER_UNNAMED && is_more && m->asked & 1 << OWNER_CONFIG && !(outputs & ~m->own[OWNER_CONFIG]))
		return;
	if (owner == OWNER_UNNAMED && !is_more)
		m->asked &= ~(1 << OWNER_CONFIG);
	if (!is_more || !(m->asked >> owner & 1))
		m->own[owner] = 0;
	m->asked |= 1 << owner;
	m->own[owner] |= outputs;
	meaning_sum(m);
}

bool model_take_claims(struct meaning_rule *m, unsigned owner, unsigned outputs)
{
	bool has_any = false;

	for (unsigned o = owner == OWNER_UNNAMED ? OWNER_CONFIG : owner; o <= owner; o++) {
		unsigned left = outputs ? m->own[o] & ~outputs : 0;

		if (!(m->asked >> o & 1) || (outputs && left == m->own[o]))
			continue;
		has_any = true;
		/* The last output of the last one who asks leaves a rule that stops. */
		if (!left && (!outputs || m->asked != 1 << o))
			m->asked &= ~(1 << o);
		m->own[o] = left;
	}
	meaning_sum(m);
	return has_any;
}

struct meaning_rule model_in_file(const struct meaning_rule *m)
{
	struct meaning_rule next = *m;
	unsigned both = 1 << OWNER_CONFIG | 1 << OWNER_UNNAMED;

	next.own[OWNER_CONFIG] = 0;
	for (unsigned o = 0; o < OWNER_NAMED; o++)
		next.own[OWNER_CONFIG] |= m->asked >> o & 1 ? m->own[o] : 0;
	next.asked = (m->asked & ~both) | (m->asked & both ? 1 << OWNER_CONFIG : 0);
	if (!(next.asked & 1 << OWNER_CONFIG))
		model_drop_file(&next);
	return next;
}

void model_drop_file(struct meaning_rule *m)
{
	m->asked &= ~(1 << OWNER_CONFIG);
	m->in_kernel = false;
	meaning_sum(m);
}

/* The outputs of a list of the engine, as bits. */
static unsigned model_outputs(uint32_t list_id)
{
	const struct names *t = &model_router.rules.names;
	const struct oif_list *list = &t->lists[list_id];
	unsigned out = 0;

	for (uint32_t i = 0; i < list->n; i++)
		for (unsigned o = 0; o < MEANING_NAMES; o++)
			out |= strcmp(t->v[list->names[i]].ifname.text, meaning_names[o]) ? 0 : 1u << o;
	return out;
}

static uint32_t model_find_rule(const struct meaning_rule *m)
{
	struct flow_range range = model_range(m);
	struct ifname iif = model_ifname(m->iif);

	return rules_find(&model_router.rules, &model_router.rules.routes, &iif, &range);
}

void model_read_claims(struct meaning_rule *m)
{
	uint32_t id = model_find_rule(m);
	struct claim claim;

	m->asked = 0;
	for (unsigned o = 0; o < MEANING_OWNERS && id != HASH_NONE; o++)
		if (claims_find(&model_router.rules.routes, id, model_find_owner(o), &claim)) {
			m->asked |= 1 << o;
			m->own[o] = model_outputs(claim.oifs);
		}
	meaning_sum(m);
}

void model_disown(uint64_t random)
{
	struct router *r = &model_router;
	unsigned o = OWNER_NAMED + model_take(&random, MEANING_OWNERS - OWNER_NAMED);
	uint32_t owner = model_find_owner(o);
	int res;

	if (owner == HASH_NONE)
		return;
	owner_refer(&r->rules.owners, owner);
	model_begin_scarce();
	while ((res = change_disown(r, owner)) > 0) {
		router_sync(r);
		model_settle();
	}
	if (res < 0 && (errno != ENOMEM || !model_is_scarce))
		model_say("not all is taken back");
	model_end_scarce();
	owner_drop(&r->rules.owners, owner);
	for (struct meaning_rule *m = meaning_rules; m < meaning_rules + MEANING_RULES; m++) {
		if (res < 0 && m->is_there)
			model_read_claims(m);
		m->asked &= res < 0 ? m->asked : ~(1 << o);
		meaning_sum(m);
	}
	router_sync(r);
	model_settle();
}

void model_restore_claims(void)
{
	struct ifname oifs[MEANING_NAMES];
	struct change_rule rule;

	for (const struct meaning_rule *m = meaning_rules; m < meaning_rules + MEANING_RULES; m++)
		for (unsigned o = OWNER_NAMED; o < MEANING_OWNERS; o++) {
			if (!(m->asked >> o & 1))
				continue;
			model_fill_rule(&rule, oifs, m, m->own[o]);
			rule.owner = model_hold_owner(o);
			if (change_restore(&model_router, &rule, false, true) < 0)
				model_say("what an owner asked for cannot be restored");
			owner_drop(&model_router.rules.owners, rule.owner);
		}
}

void model_compare_rules(void)
{
	const struct rules *t = &model_router.rules.routes;
	struct claim claim;

	for (const struct meaning_rule *m = meaning_rules; m < meaning_rules + MEANING_RULES; m++) {
		uint32_t id = m->is_there ? model_find_rule(m) : HASH_NONE;

		if (id == HASH_NONE && m->is_there)
			model_say("a rule is lost");
		if (id == HASH_NONE)
			continue;
		if (model_outputs(t->v[id].oifs) != m->outputs)
			model_say("a rule has outputs %x, not %x", model_outputs(t->v[id].oifs), m->outputs);
		for (unsigned o = 0; o < MEANING_OWNERS; o++) {
			bool is_asked = claims_find(t, id, model_find_owner(o), &claim);

			if (is_asked != (m->asked >> o & 1))
				model_say("owner %u does %sask for a rule", o, is_asked ? "" : "not ");
			else if (is_asked && model_outputs(claim.oifs) != m->own[o])
				model_say("owner %u asks for outputs %x, not %x", o, model_outputs(claim.oifs),
					  m->own[o]);
		}
	}
}
