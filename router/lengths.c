/* SPDX-License-Identifier: ISC
 * See lengths.h. */
#include "router/lengths.h"

#include "lib/grow.h"

/* Where the lengths of a range stand; behind all others when no range has had them yet. */
static struct rule_lengths *lengths_find(const struct lengths *t, const struct flow_range *range)
{
	struct rule_lengths *l = t->v;

	while (l < t->v + t->n && (l->fam != flow_range_fam(range) ||
						l->source_len != range->source_len || l->group_len != range->group_len))
		l++;
	return l;
}

bool lengths_has(const struct lengths *t, const struct flow_range *range)
{
	return lengths_find(t, range) < t->v + t->n;
}

int lengths_add(struct lengths *t, const struct flow_range *range)
{
	struct rule_lengths *l = grow(t->v, &t->cap, t->n + 1, sizeof *l);

	if (!l)
		return -1;
	t->v = l;
	l = lengths_find(t, range);
	if (l == t->v + t->n) {
		*l = (struct rule_lengths){
			.fam = flow_range_fam(range), .source_len = range->source_len, .group_len = range->group_len,
		};
		t->n++;
	}
	l->ranges++;
	return 0;
}

void lengths_del(struct lengths *t, const struct flow_range *range)
{
	struct rule_lengths *l = lengths_find(t, range);

	if (!--l->ranges)
		*l = t->v[--t->n];
}
