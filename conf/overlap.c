/* SPDX-License-Identifier: ISC
 *
 * See overlap.h.  Rules are indexed by their range.  A rule finds those that cover it by looking itself up, cut to each
 * pair of prefix lengths that occurs, so the work grows with the number of rules times that of pairs; a bound on all of
 * it keeps odd files from taking long.
 */
#include "conf/overlap.h"

#include <stdlib.h>

#include "lib/grow.h"

#define OVERLAP_LOOKUPS 4000000u	/* well under a second */
#define OVERLAP_SAME_RANGE 64		/* rules of one range that are compared with another; there are 32 VIFs */
#define OVERLAP_ENTRIES 8ull		/* in the index with cut groups, for each rule on average */

/* Rules by range and, where it matters, inbound interface; those with the same ones in a chain. */
struct overlap_index {
	struct overlap_entry {
		struct flow_range range;
		uint16_t iif;			/* number of a name, or 0 for all */
		uint32_t rule;
		uint32_t next;			/* in the chain; HASH_NONE at its end */
	} *v;
	uint32_t n, cap;
	struct hash by_range;
};

/* The pairs of prefix lengths that the rules of a family have: few, whatever the number of rules. */
struct overlap_lengths {
	struct overlap_pair {
		uint8_t source, group;
		bool is_new_source;		/* no pair before has this length of the source */
	} pairs[129 * 129];
	uint32_t n;
	bool has[129][129], has_source[129], has_group[129];
};

struct overlap {
	const struct conf *c;
	struct diags *d;
	const uint16_t *wider;
	uint32_t budget;		/* look-ups left */
	bool is_partial;		/* something was left out */
	uint32_t *mark, stamp;		/* by name: the last set under test that has it */
	bool *is_output, *is_fed;	/* by name: some rule names it as an output; some rule sends there */
	bool *is_reported;		/* by rule: that it goes the other way of an earlier one */
	struct overlap_lengths lengths[FAM_N];
	/* The rules by range and inbound interface; those that may go both ways by range; and with the group cut. */
	struct overlap_index all, whole, cut;
};

struct overlap_key {
	const struct flow_range *range;
	uint16_t iif;
};

static uint32_t overlap_key_hash(const struct overlap_key *k)
{
	return flow_range_hash(k->range) + k->iif * 0x9e3779b1u;
}

static uint32_t overlap_entry_hash(const void *ctx, uint32_t id)
{
	const struct overlap_entry *e = &((const struct overlap_index *)ctx)->v[id];

	return overlap_key_hash(&(struct overlap_key){ &e->range, e->iif });
}

static bool overlap_entry_equal(const void *ctx, uint32_t id, const void *key)
{
	const struct overlap_entry *e = &((const struct overlap_index *)ctx)->v[id];
	const struct overlap_key *k = key;

	return e->iif == k->iif && flow_range_eq(&e->range, k->range);
}

static const struct hash_ops overlap_ops = { overlap_entry_hash, overlap_entry_equal };

/* Enters a rule under a range, which need not be its own; false when memory ran out. */
static bool overlap_enter(struct overlap_index *x, const struct flow_range *range, uint16_t iif, uint32_t rule)
{
	struct overlap_key k = { range, iif };
	uint32_t h = overlap_key_hash(&k), first = hash_find(&x->by_range, &overlap_ops, x, h, &k);
	struct overlap_entry *v = grow(x->v, &x->cap, x->n + 1, sizeof *v);

	if (!v)
		return false;
	x->v = v;
	v[x->n] = (struct overlap_entry){ .range = *range, .iif = iif, .rule = rule, .next = HASH_NONE };
	if (first != HASH_NONE) {
		v[x->n].next = v[first].next;
		v[first].next = x->n;
	} else if (hash_add(&x->by_range, &overlap_ops, x, h, x->n) < 0) {
		return false;
	}
	x->n++;
	return true;
}

static void overlap_add_lengths(struct overlap_lengths *l, uint8_t source, uint8_t group)
{
	if (!l->has[source][group])
		l->pairs[l->n++] = (struct overlap_pair){ source, group, !l->has_source[source] };
	l->has[source][group] = l->has_source[source] = l->has_group[group] = true;
}

static struct flow_range overlap_cut(const struct flow_range *range, unsigned source_len, unsigned group_len)
{
	struct flow_range cut = *range;

	cut.source_len = (uint8_t)source_len;
	cut.group_len = (uint8_t)group_len;
	addr_mask(&cut.flow.source, cut.source_len);
	addr_mask(&cut.flow.group, cut.group_len);
	return cut;
}

/* Looks at rule i and one that covers it; true when it has been reported. */
typedef bool overlap_try(struct overlap *o, uint32_t i, const struct overlap_entry *e);

/* Tries the entries of an index whose range covers that of rule i until `try` says that no more are needed.  True
 * then, and when there were too many look-ups.  In the index with cut groups the group is that of the rule. */
static bool overlap_search(struct overlap *o, const struct overlap_index *x, uint32_t i, uint16_t iif, overlap_try *try)
{
	const struct flow_range *range = &o->c->mroutes[i].range;
	const struct overlap_lengths *l = &o->lengths[flow_range_fam(range)];

	for (const struct overlap_pair *p = l->pairs; p < l->pairs + l->n; p++) {
		uint8_t group_len = x == &o->cut ? range->group_len : p->group;

		if (p->source > range->source_len || group_len > range->group_len)
			continue;
		if (x == &o->cut && !p->is_new_source)
			continue;
		if (!o->budget) {
			o->is_partial = true;
			return true;
		}
		o->budget--;
		struct flow_range wide = overlap_cut(range, p->source, group_len);
		struct overlap_key k = { &wide, iif };
		uint32_t at = hash_find(&x->by_range, &overlap_ops, x, overlap_key_hash(&k), &k);

		for (int n = 0; at != HASH_NONE && n < OVERLAP_SAME_RANGE; n++, at = x->v[at].next)
			if (x->v[at].rule != i && try(o, i, &x->v[at]))
				return true;
	}
	return false;
}

static void overlap_index_free(struct overlap_index *x)
{
	hash_free(&x->by_range);
	free(x->v);
}

/* True when all outputs of rule a are outputs of rule b too. */
static bool overlap_outputs_within(struct overlap *o, const struct conf_rule *a, const struct conf_rule *b)
{
	const struct conf *c = o->c;
	const struct conf_set *x = &c->sets[a->oifs], *y = &c->sets[b->oifs];

	if (a->oifs == b->oifs)
		return true;
	o->stamp++;
	for (uint32_t i = 0; i < y->n; i++)
		o->mark[c->pool[y->off + i]] = o->stamp;
	for (uint32_t i = 0; i < x->n; i++) {
		uint16_t id = c->pool[x->off + i], by = id;

		/* A wildcard of b takes an output in, but never the inbound interface. */
		while (by != CONF_NONE && o->mark[by] != o->stamp)
			by = o->wider[by];
		if (by == CONF_NONE || (by != id && id == a->iif))
			return false;
	}
	return true;
}

static bool overlap_outputs_equal(struct overlap *o, const struct conf_rule *a, const struct conf_rule *b)
{
	return overlap_outputs_within(o, a, b) && overlap_outputs_within(o, b, a);
}

static bool overlap_report(struct overlap *o, const struct conf_rule *rule, const struct conf_rule *other)
{
	diag_add(o->d, rule->where, false, "superfluous: line %lu of %s does all that this line does",
		 (unsigned long)other->where.line, o->c->files[other->where.file]);
	return true;
}

/* Reports rule i when one of the same range has all of its outputs: those of both add up. */
static bool overlap_try_same(struct overlap *o, uint32_t i, const struct overlap_entry *e)
{
	const struct conf_rule *rule = &o->c->mroutes[i], *other = &o->c->mroutes[e->rule];
	bool is_same = e->iif == rule->iif;

	/* Of two with one inbound interface one that says "kernel" has it for both. */
	if (!flow_range_eq(&e->range, &rule->range) || !overlap_outputs_within(o, rule, other) ||
	    rule->in_kernel > other->in_kernel)
		return false;
	/* Of two that say the same the later one is reported.  Beside a wildcard one without outputs stops. */
	if (is_same ? e->rule > i && rule->in_kernel == other->in_kernel && overlap_outputs_within(o, other, rule) :
	    !rule->oifs && other->oifs)
		return false;
	return overlap_report(o, rule, other);
}

/* True when one that covers rule i sends elsewhere: rule i is an exception to it, or a part of what it says. */
static bool overlap_try_other(struct overlap *o, uint32_t i, const struct overlap_entry *e)
{
	return !overlap_outputs_equal(o, &o->c->mroutes[i], &o->c->mroutes[e->rule]);
}

/* Reports rule i when a wider one does what it does. */
static bool overlap_try_wider(struct overlap *o, uint32_t i, const struct overlap_entry *e)
{
	const struct conf_rule *rule = &o->c->mroutes[i], *other = &o->c->mroutes[e->rule];

	return !rule->in_kernel && flow_range_is_inside(&rule->range, &e->range) && overlap_report(o, rule, other);
}

/* Looks for what `try` wants among the rules that cover rule i. */
static bool overlap_search_all(struct overlap *o, uint32_t i, overlap_try *try)
{
	for (uint16_t iif = o->c->mroutes[i].iif; iif != CONF_NONE; iif = o->wider[iif])
		if (overlap_search(o, &o->all, i, iif, try))
			return true;
	return false;
}

static bool overlap_warn_superfluous(struct overlap *o)
{
	const struct conf *c = o->c;

	for (uint32_t i = 0; i < c->nmroutes; i++) {
		const struct flow_range *range = &c->mroutes[i].range;

		overlap_add_lengths(&o->lengths[flow_range_fam(range)], range->source_len, range->group_len);
		if (!overlap_enter(&o->all, range, c->mroutes[i].iif, i))
			return false;
	}
	for (uint32_t i = 0; i < c->nmroutes; i++)
		if (!overlap_search_all(o, i, overlap_try_same) && !overlap_search_all(o, i, overlap_try_other))
			overlap_search_all(o, i, overlap_try_wider);
	return true;
}

/* Finds the names that rules send to, by themselves or by others that mean the same interfaces in part. */
static void overlap_find_fed(struct overlap *o)
{
	for (uint32_t i = 0; i < o->c->npool; i++)
		o->is_output[o->c->pool[i]] = true;
	for (uint32_t id = 0; id < o->c->nnames; id++)
		for (uint16_t name = (uint16_t)id; name != CONF_NONE; name = o->wider[name]) {
			o->is_fed[id] |= o->is_output[name];
			o->is_fed[name] |= o->is_output[id];
		}
}

/* Enters a rule with its group cut to each shorter length that occurs. */
static bool overlap_enter_cut(struct overlap *o, uint32_t i)
{
	const struct flow_range *range = &o->c->mroutes[i].range;
	const bool *has_group = o->lengths[flow_range_fam(range)].has_group;

	for (unsigned len = range->group_len; len--;) {
		if (!has_group[len])
			continue;
		if (o->cut.n > OVERLAP_ENTRIES * o->c->nmroutes) {
			o->is_partial = true;
			break;
		}
		struct flow_range cut = overlap_cut(range, range->source_len, len);

		if (!overlap_enter(&o->cut, &cut, 0, i))
			return false;
	}
	return true;
}

static bool overlap_name_covers(const struct overlap *o, uint16_t wide, uint16_t id)
{
	while (id != CONF_NONE && id != wide)
		id = o->wider[id];
	return id != CONF_NONE;
}

/* True when rule a sends to where the packets of rule b come from. */
static bool overlap_sends(const struct overlap *o, const struct conf_rule *a, const struct conf_rule *b)
{
	const struct conf_set *set = &o->c->sets[a->oifs];

	for (uint32_t i = 0; i < set->n; i++) {
		uint16_t oif = o->c->pool[set->off + i];

		if (overlap_name_covers(o, oif, b->iif) || overlap_name_covers(o, b->iif, oif))
			return true;
	}
	return false;
}

/* Reports the later one of two rules that go both ways. */
static bool overlap_try_mutual(struct overlap *o, uint32_t i, const struct overlap_entry *e)
{
	const struct conf_rule *rule = &o->c->mroutes[i], *other = &o->c->mroutes[e->rule];
	const struct conf_rule *early = i > e->rule ? other : rule, *late = i > e->rule ? rule : other;
	bool *is_reported = &o->is_reported[late - o->c->mroutes];

	if (other->iif == rule->iif || !overlap_sends(o, rule, other) || !overlap_sends(o, other, rule))
		return false;
	if (!*is_reported)
		diag_add(o->d, late->where, false, "line %lu of %s sends the same packets the other way: a loop, if "
			 "these networks meet elsewhere too", (unsigned long)early->where.line,
			 o->c->files[early->where.file]);
	*is_reported = true;
	return true;
}

/* True when some rule sends to where the packets of this one come from, and it sends them elsewhere. */
static bool overlap_may_be_mutual(const struct overlap *o, const struct conf_rule *rule)
{
	const struct conf_set *set = &o->c->sets[rule->oifs];

	return o->is_fed[rule->iif] && (set->n > 1 || (set->n && o->c->pool[set->off] != rule->iif));
}

/* Of two rules that overlap the one with the
 * longer source finds the other: as it is when its group is the longer one too, else by its cut group. */
static bool overlap_warn_mutual(struct overlap *o)
{
	const struct conf *c = o->c;

	overlap_find_fed(o);
	for (uint32_t i = 0; i < c->nmroutes; i++)
		if (overlap_may_be_mutual(o, &c->mroutes[i]) && !overlap_enter(&o->whole, &c->mroutes[i].range, 0, i))
			return false;
	for (uint32_t i = 0; i < o->whole.n; i++)
		if (!overlap_enter_cut(o, o->whole.v[i].rule))
			return false;
	for (uint32_t k = 0; k < o->whole.n; k++) {
		uint32_t i = o->whole.v[k].rule;

		if (!overlap_search(o, &o->whole, i, 0, overlap_try_mutual))
			overlap_search(o, &o->cut, i, 0, overlap_try_mutual);
	}
	return true;
}

bool overlap_warn(const struct conf *c, const uint16_t *wider, struct diags *d, bool *is_partial)
{
	struct overlap *o = calloc(1, sizeof *o);
	bool ok = false;

	if (!o)
		return false;
	o->c = c;
	o->d = d;
	o->wider = wider;
	o->budget = OVERLAP_LOOKUPS;
	o->mark = calloc(c->nnames + 1u, sizeof *o->mark);
	o->is_output = calloc(c->nnames + 1u, sizeof *o->is_output);
	o->is_fed = calloc(c->nnames + 1u, sizeof *o->is_fed);
	o->is_reported = calloc(c->nmroutes + 1u, sizeof *o->is_reported);
	if (o->mark && o->is_output && o->is_fed && o->is_reported)
		ok = overlap_warn_superfluous(o) && overlap_warn_mutual(o);
	*is_partial = o->is_partial;
	overlap_index_free(&o->all);
	overlap_index_free(&o->whole);
	overlap_index_free(&o->cut);
	free(o->mark);
	free(o->is_output);
	free(o->is_fed);
	free(o->is_reported);
	free(o);
	return ok;
}
