/* SPDX-License-Identifier: ISC
 *
 * See relay.h.  Such rules are few.  Each is looked up among the joins in the order of their groups: those inside its
 * own groups follow each other, and those around it are found by each length that a join has.
 */
#include "conf/relay.h"

#include <stdlib.h>
#include <string.h>

#include "lib/sorted.h"

#define RELAY_LOOKS 4000000u		/* joins that are looked at, in all: well under a second */

struct relay {
	const struct conf *c;
	const struct conf_rule **joins;	/* by group, then by its length */
	uint32_t n, looks;
	bool has_length[129];		/* of the groups of joins */
};

static int relay_compare(const void *a, const void *b)
{
	const struct flow_range *x = &(*(const struct conf_rule *const *)a)->range;
	const struct flow_range *y = &(*(const struct conf_rule *const *)b)->range;
	int order = memcmp(&x->flow.group, &y->flow.group, sizeof x->flow.group);

	return order ? order : x->group_len - y->group_len;
}

/* An output that is named in full and may be the inbound interface of the rule; NULL when there is none. */
static const struct ifname *relay_output(const struct conf *c, const struct conf_rule *rule)
{
	const struct conf_set *set = &c->sets[rule->oifs];

	for (uint32_t i = 0; i < set->n; i++) {
		const struct ifname *out = &c->names[c->pool[set->off + i]].ifname;

		if (!out->is_wildcard && ifname_matches(&c->names[rule->iif].ifname, out->text))
			return out;
	}
	return NULL;
}

/* True when a join has packets of the rule come back: of IPv4 one for any source (kernel_members_loop()). */
static bool relay_meets(const struct relay *y, const struct conf_rule *join, const struct conf_rule *rule,
			const struct ifname *out)
{
	return ifname_matches(&y->c->names[join->iif].ifname, out->text) &&
	       flow_range_meets(&join->range, &rule->range) &&
	       (flow_range_fam(&join->range) == FAM_6 || flow_range_any_source(&join->range));
}

/* The first join of those with a group in the prefix, or with exactly that prefix, that has packets of the rule come
 * back. */
static const struct conf_rule *relay_find(struct relay *y, const struct conf_rule *rule, const struct ifname *out,
					  uint8_t len, bool is_exact)
{
	struct conf_rule key = { .range = rule->range };
	const struct conf_rule *first = &key;
	uint32_t at;

	addr_mask(&key.range.flow.group, len);
	key.range.group_len = is_exact ? len : 0;
	at = sorted_first(&first, y->joins, y->n, sizeof *y->joins, relay_compare);
	for (; at < y->n && y->looks; at++, y->looks--) {
		const struct flow_range *range = &y->joins[at]->range;

		if (!addr_covers(&key.range.flow.group, len, &range->flow.group) ||
		    (is_exact && range->group_len != len))
			return NULL;
		if (relay_meets(y, y->joins[at], rule, out))
			return y->joins[at];
	}
	return NULL;
}

static void relay_check(struct relay *y, struct diags *d, const struct conf_rule *rule)
{
	const struct ifname *out = relay_output(y->c, rule);
	const struct conf_rule *join = NULL;

	if (!out)
		return;
	for (unsigned len = 0; !join && len < rule->range.group_len; len++)
		if (y->has_length[len])
			join = relay_find(y, rule, out, (uint8_t)len, true);
	if (!join)
		join = relay_find(y, rule, out, rule->range.group_len, false);
	if (join)
		diag_add(d, rule->where, false, "packets that go out on %s come back there and go out again, as line "
			 "%lu of %s joins their group there: the router holds that output back, so drop \"%s\" here or "
			 "that mgroup line", out->text, (unsigned long)join->where.line,
			 y->c->files[join->where.file], out->text);
}

bool relay_warn(const struct conf *c, struct diags *d, bool *is_partial)
{
	struct relay y = { .c = c, .looks = RELAY_LOOKS };

	if (!c->nmgroups)
		return true;
	y.joins = malloc(c->nmgroups * sizeof *y.joins);
	if (!y.joins)
		return false;
	for (; y.n < c->nmgroups; y.n++) {
		y.joins[y.n] = &c->mgroups[y.n];
		y.has_length[c->mgroups[y.n].range.group_len] = true;
	}
	qsort(y.joins, y.n, sizeof *y.joins, relay_compare);
	for (uint32_t i = 0; i < c->nmroutes; i++)
		relay_check(&y, d, &c->mroutes[i]);
	*is_partial |= !y.looks;
	free(y.joins);
	return true;
}
