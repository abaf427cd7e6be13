/* SPDX-License-Identifier: ISC
 *
 * See ring.h.  A ring is looked for among the rules that decide about the packets of one range: that of a rule, or what
 * two rules have in common of which neither lies inside the other.
 */
#include "conf/ring.h"

#include <stdlib.h>

#define RING_RULES 64		/* that decide about one range; there are 32 VIFs */
#define RING_SHOWN 8		/* interfaces of a ring that are named */

struct ring {
	struct overlap_index whole, cut;	/* the rules by range, and with the group cut */
	bool *is_output, *is_fed;	/* by name: some rule names it as an output; some rule sends there */
	bool *is_reported;		/* by rule, the last one of a ring */
	const struct conf_rule *rule;	/* whose rings are looked for */
	struct ring_node {
		const struct conf_rule *rule;
		uint32_t from;		/* the node that sends to it, while searching; RING_RULES = none yet */
	} nodes[RING_RULES];
	uint32_t n;
};

/* Finds the names that rules send to, by themselves or by others that mean the same interfaces in part. */
static void ring_find_fed(const struct overlap *o, struct ring *x)
{
	for (uint32_t i = 0; i < o->c->npool; i++)
		x->is_output[o->c->pool[i]] = true;
	for (uint32_t id = 0; id < o->c->nnames; id++)
		for (uint16_t name = (uint16_t)id; name != CONF_NONE; name = o->wider[name]) {
			x->is_fed[id] |= x->is_output[name];
			x->is_fed[name] |= x->is_output[id];
		}
}

/* True when a rule sends elsewhere than to its inbound interface. */
static bool ring_goes_on(const struct overlap *o, const struct conf_rule *rule)
{
	const struct conf_set *set = &o->c->sets[rule->oifs];

	return set->n > 1 || (set->n && o->c->pool[set->off] != rule->iif);
}

/* Enters the rules that some rule sends to. */
static bool ring_enter(struct overlap *o, struct ring *x)
{
	for (uint32_t i = 0; i < o->c->nmroutes; i++) {
		const struct conf_rule *rule = &o->c->mroutes[i];

		if (x->is_fed[rule->iif] && (!overlap_enter(&x->whole, &rule->range, OVERLAP_ANY_IIF, i) ||
					     !overlap_enter_cut(o, &x->cut, OVERLAP_ANY_IIF, i)))
			return false;
	}
	return true;
}

/* ---- the rules that decide ---- */

/* Takes in a rule that covers the range, unless a narrower one sets it aside, which has come before it. */
static bool ring_take(struct overlap *o, void *ctx, const struct overlap_entry *e)
{
	struct ring *x = ctx;
	const struct conf_rule *rule = &o->c->mroutes[e->rule];

	for (uint32_t i = 0; i < x->n; i++) {
		if (!overlap_spend(o))
			return true;
		if (flow_range_is_inside(&x->nodes[i].rule->range, &rule->range) &&
		    overlap_name_covers(o, x->nodes[i].rule->iif, rule->iif))
			return false;
	}
	x->nodes[x->n++] = (struct ring_node){ rule, RING_RULES };
	o->is_partial |= x->n == RING_RULES;
	return x->n == RING_RULES;
}

/* True when a rule without outputs stops what a node would forward; that it may be set aside itself for a part of that
 * is not looked at. */
static bool ring_is_stopped(const struct overlap *o, const struct ring *x, const struct conf_rule *rule)
{
	for (uint32_t i = 0; i < x->n; i++)
		if (!x->nodes[i].rule->oifs && overlap_name_covers(o, x->nodes[i].rule->iif, rule->iif))
			return true;
	return false;
}

/* Collects the rules that decide about a range and forward it.  Returns the node of x->rule, or RING_RULES. */
static uint32_t ring_collect(struct overlap *o, struct ring *x, const struct flow_range *range)
{
	uint32_t start = RING_RULES, n = 0;

	x->n = 0;
	overlap_search(o, &x->whole, range, OVERLAP_ANY_IIF, ring_take, x);
	for (uint32_t i = 0; i < x->n; i++)
		if (ring_is_stopped(o, x, x->nodes[i].rule))
			x->nodes[i].from = 0;
	for (uint32_t i = 0; i < x->n; i++) {
		if (x->nodes[i].from != RING_RULES || !ring_goes_on(o, x->nodes[i].rule))
			continue;
		if (x->nodes[i].rule == x->rule)
			start = n;
		x->nodes[n++] = x->nodes[i];
	}
	x->n = n;
	return start;
}

/* ---- rings among them ---- */

/* Reports the ring that ends with node `last`, at the rule of it that was written last. */
static void ring_report(struct overlap *o, struct ring *x, uint32_t start, uint32_t last)
{
	const struct conf *c = o->c;
	const struct conf_rule *late = x->rule, *early = x->nodes[last].rule;
	struct buf names = { 0 }, lines = { 0 };
	uint32_t path[RING_RULES], n = 0;

	for (uint32_t k = last; k != start; k = x->nodes[k].from) {
		path[n++] = k;
		if (x->nodes[k].rule > late)
			late = x->nodes[k].rule;
	}
	path[n++] = start;
	if (x->is_reported[late - c->mroutes])
		return;
	x->is_reported[late - c->mroutes] = true;
	if (!overlap_tell(o, OVERLAP_RING))
		return;
	if (n == 2) {
		early = late == early ? x->rule : early;
		diag_add(o->d, late->where, false, "line %lu of %s sends the same packets the other way: a loop, if "
			 "these networks meet elsewhere too", (unsigned long)early->where.line,
			 c->files[early->where.file]);
		return;
	}
	for (uint32_t i = n; i-- && n - i <= RING_SHOWN;) {
		const struct conf_rule *rule = x->nodes[path[i]].rule;

		buf_printf(&names, "%s -> ", c->names[rule->iif].ifname.text);
		if (rule != late)
			buf_printf(&lines, "%sline %lu of %s", lines.len ? " and " : "",
				   (unsigned long)rule->where.line, c->files[rule->where.file]);
	}
	diag_add(o->d, late->where, false, "with %s this is a ring, %s%s%s: if these networks meet elsewhere too, "
		 "packets go round until their TTL ends", buf_cstr(&lines), buf_cstr(&names),
		 n > RING_SHOWN ? "... -> " : "", c->names[x->rule->iif].ifname.text);
	buf_free(&names);
	buf_free(&lines);
}

/* Looks for the shortest way from x->rule back to it through rules that decide about a range; true when there is one,
 * which has been reported. */
static bool ring_find(struct overlap *o, struct ring *x, const struct flow_range *range)
{
	uint32_t start = ring_collect(o, x, range), queue[RING_RULES], head = 0, tail = 0;

	if (start == RING_RULES)
		return false;
	queue[tail++] = start;
	while (head < tail) {
		uint32_t at = queue[head++];

		for (uint32_t k = 0; k < x->n; k++) {
			struct ring_node *node = &x->nodes[k];

			if (k == start || node->from != RING_RULES || node->rule->iif == x->rule->iif)
				continue;
			if (!overlap_spend(o))
				return true;
			if (node->rule->iif == x->nodes[at].rule->iif ||
			    !overlap_sends(o, x->nodes[at].rule, node->rule))
				continue;
			node->from = at;
			queue[tail++] = k;
			if (overlap_sends(o, node->rule, x->rule)) {
				ring_report(o, x, start, k);
				return true;
			}
		}
	}
	return false;
}

/* Looks for rings of what x->rule and another one have in common, which has shorter sources and longer groups. */
static bool ring_try_common(struct overlap *o, void *ctx, const struct overlap_entry *e)
{
	struct ring *x = ctx;
	const struct flow_range *other = &o->c->mroutes[e->rule].range;
	struct flow_range common = x->rule->range;

	common.flow.group = other->flow.group;
	common.group_len = other->group_len;
	return ring_find(o, x, &common);
}

bool ring_warn(struct overlap *o)
{
	const struct conf *c = o->c;
	struct ring *x = calloc(1, sizeof *x);
	bool ok = false;

	if (!x)
		return false;
	x->cut.is_cut = true;
	x->is_output = calloc(c->nnames + 1u, sizeof *x->is_output);
	x->is_fed = calloc(c->nnames + 1u, sizeof *x->is_fed);
	x->is_reported = calloc(c->nmroutes + 1u, sizeof *x->is_reported);
	if (x->is_output && x->is_fed && x->is_reported) {
		ring_find_fed(o, x);
		ok = ring_enter(o, x);
	}
	for (uint32_t i = 0; ok && i < c->nmroutes; i++) {
		x->rule = &c->mroutes[i];
		if (x->is_fed[x->rule->iif] && ring_goes_on(o, x->rule) && !ring_find(o, x, &x->rule->range))
			overlap_search(o, &x->cut, &x->rule->range, OVERLAP_ANY_IIF, ring_try_common, x);
	}
	overlap_index_free(&x->whole);
	overlap_index_free(&x->cut);
	free(x->is_output);
	free(x->is_fed);
	free(x->is_reported);
	free(x);
	return ok;
}
