/* SPDX-License-Identifier: ISC
 *
 * See mutual.h.  Only rules whose inbound interface some rule sends to are looked at.  They are indexed by range, and
 * with the group also cut to each shorter length that occurs, so that a rule finds partners whose source covers its
 * own whatever way the groups cover each other.
 */
#include "conf/mutual.h"

#include <stdlib.h>

/* Rules of one flow that are compared; there are 32 inbound interfaces at most. */
#define MUTUAL_SAME_FLOW 64
#define MUTUAL_ENTRIES 8ull		/* for each rule, on average */

struct mutual {
	struct flow_search *s;
	const struct conf *c;
	bool *is_reported;		/* by rule */
	bool *is_output, *is_fed;	/* by name: some rule names it as an output; some rule sends there */
	struct flow_index whole, cut;	/* the rules by range; by range with the group cut */
};

/* Finds the names that rules send to, by themselves or by others that mean the same interfaces in part. */
static void mutual_find_fed(struct mutual *m)
{
	const uint16_t *wider = m->s->wider;

	for (uint32_t i = 0; i < m->c->npool; i++)
		m->is_output[m->c->pool[i]] = true;
	for (uint32_t id = 0; id < m->c->nnames; id++)
		for (uint16_t name = (uint16_t)id; name != CONF_NONE; name = wider[name]) {
			m->is_fed[id] |= m->is_output[name];
			m->is_fed[name] |= m->is_output[id];
		}
}

static bool mutual_enter(struct mutual *m, uint32_t i)
{
	const struct flow_range *range = &m->c->mroutes[i].range;
	const struct flow_lengths *groups = &m->s->groups[flow_range_fam(range)];

	if (!flow_index_add(&m->whole, range, 0, i))
		return false;
	for (unsigned k = 0; k < groups->n; k++) {
		if (groups->v[k] >= range->group_len)
			continue;
		if (m->whole.n + m->cut.n > MUTUAL_ENTRIES * m->c->nmroutes) {
			m->s->is_partial = true;
			break;
		}
		struct flow_range cut = flow_index_cut(range, range->source_len, groups->v[k]);

		if (!flow_index_add(&m->cut, &cut, 0, i))
			return false;
	}
	return true;
}

static bool mutual_covers(const struct mutual *m, uint16_t wide, uint16_t id)
{
	while (id != CONF_NONE && id != wide)
		id = m->s->wider[id];
	return id != CONF_NONE;
}

/* True when rule a sends to where the packets of rule b come from. */
static bool mutual_sends(const struct mutual *m, const struct conf_rule *a, const struct conf_rule *b)
{
	const struct conf_set *set = &m->c->sets[a->oifs];

	for (uint32_t i = 0; i < set->n; i++) {
		uint16_t oif = m->c->pool[set->off + i];

		/* A wildcard never takes its own inbound interface. */
		if (oif != a->iif && (mutual_covers(m, oif, b->iif) || mutual_covers(m, b->iif, oif)))
			return true;
	}
	return false;
}

static void mutual_report(struct mutual *m, uint32_t a, uint32_t b)
{
	const struct conf_rule *late = &m->c->mroutes[a > b ? a : b], *early = &m->c->mroutes[a > b ? b : a];
	bool *is_reported = &m->is_reported[a > b ? a : b];

	if (!*is_reported)
		diag_add(m->s->d, late->where, false, "line %lu of %s sends the same packets the other way: a loop, if "
			 "these networks meet elsewhere too", (unsigned long)early->where.line,
			 m->c->files[early->where.file]);
	*is_reported = true;
}

/* Looks for an opposite of rule i among those of one range that covers it; true when no more need be looked for. */
static bool mutual_try(struct mutual *m, uint32_t i, const struct flow_index *x, uint8_t source_len, uint8_t group_len)
{
	const struct conf_rule *rule = &m->c->mroutes[i];

	if (source_len > rule->range.source_len || group_len > rule->range.group_len)
		return false;
	if (!flow_search_spend(m->s))
		return true;
	struct flow_range wide = flow_index_cut(&rule->range, source_len, group_len);
	uint32_t at = flow_index_find(x, &wide, 0);

	for (int n = 0; at != HASH_NONE && n < MUTUAL_SAME_FLOW; n++, at = x->v[at].next) {
		const struct conf_rule *other = &m->c->mroutes[x->v[at].rule];

		if (other->iif == rule->iif || !mutual_sends(m, rule, other) || !mutual_sends(m, other, rule))
			continue;
		mutual_report(m, i, x->v[at].rule);
		return true;
	}
	return false;
}

/* Looks for rules that overlap this one, cover its source and go the other way. */
static void mutual_find(struct mutual *m, uint32_t i)
{
	const struct flow_range *range = &m->c->mroutes[i].range;
	enum fam fam = flow_range_fam(range);
	const struct flow_lengths *sources = &m->s->sources[fam];

	for (uint32_t k = 0; k < m->s->npairs[fam]; k++)
		if (mutual_try(m, i, &m->whole, m->s->pairs[fam][k].source_len, m->s->pairs[fam][k].group_len))
			return;
	for (unsigned k = 0; k < sources->n; k++)
		if (mutual_try(m, i, &m->cut, sources->v[k], range->group_len))
			return;
}

bool mutual_warn(struct flow_search *s)
{
	const struct conf *c = s->c;
	struct mutual m = { .s = s, .c = c };
	bool ok;

	m.is_reported = calloc(c->nmroutes + 1u, sizeof *m.is_reported);
	m.is_output = calloc(c->nnames + 1u, sizeof *m.is_output);
	m.is_fed = calloc(c->nnames + 1u, sizeof *m.is_fed);
	ok = m.is_reported && m.is_output && m.is_fed;
	if (ok)
		mutual_find_fed(&m);
	for (uint32_t i = 0; ok && i < c->nmroutes; i++)
		ok = !m.is_fed[c->mroutes[i].iif] || mutual_enter(&m, i);
	for (uint32_t i = 0; ok && i < c->nmroutes; i++)
		if (m.is_fed[c->mroutes[i].iif])
			mutual_find(&m, i);
	flow_index_free(&m.whole);
	flow_index_free(&m.cut);
	free(m.is_reported);
	free(m.is_output);
	free(m.is_fed);
	return ok;
}
