/* SPDX-License-Identifier: ISC
 *
 * Flows and ranges of them: comparing, hashing, text.
 */
#include "lib/flow.h"

#include <stdio.h>

#include "lib/hash.h"

uint32_t flow_hash(const struct flow *f)
{
	return hash_bytes(f, sizeof *f);
}

const char *flow_str(const struct flow *f, char *buf)
{
	char source[ADDR_STRLEN], group[ADDR_STRLEN];

	snprintf(buf, FLOW_STRLEN, "(%s, %s)", flow_any_source(f) ? "*" : addr_str(&f->source, source),
		 addr_str(&f->group, group));
	return buf;
}

char *flow_range_put(const struct flow_range *r, char *p)
{
	*p++ = '(';
	if (flow_range_any_source(r))
		*p++ = '*';
	else
		p = prefix_put(&r->flow.source, r->source_len, p);
	*p++ = ',';
	*p++ = ' ';
	p = prefix_put(&r->flow.group, r->group_len, p);
	*p++ = ')';
	return p;
}

bool flow_range_eq(const struct flow_range *a, const struct flow_range *b)
{
	return a->source_len == b->source_len && a->group_len == b->group_len && flow_eq(&a->flow, &b->flow);
}

uint32_t flow_range_hash(const struct flow_range *r)
{
	/* Two odd constants spread the lengths over all bits. */
	return flow_hash(&r->flow) ^ (r->source_len * 0x9e3779b1u + r->group_len * 0x85ebca6bu);
}

bool flow_range_has(const struct flow_range *r, const struct flow *f)
{
	return addr_covers(&r->flow.group, r->group_len, &f->group) &&
	       addr_covers(&r->flow.source, r->source_len, &f->source);
}

bool flow_range_is_inside(const struct flow_range *a, const struct flow_range *b)
{
	return (a->source_len != b->source_len || a->group_len != b->group_len) &&
	       addr_covers(&b->flow.source, b->source_len, &a->flow.source) && b->source_len <= a->source_len &&
	       addr_covers(&b->flow.group, b->group_len, &a->flow.group) && b->group_len <= a->group_len;
}

bool flow_range_meets(const struct flow_range *a, const struct flow_range *b)
{
	uint8_t source_len = a->source_len < b->source_len ? a->source_len : b->source_len;
	uint8_t group_len = a->group_len < b->group_len ? a->group_len : b->group_len;

	return addr_covers(&a->flow.source, source_len, &b->flow.source) &&
	       addr_covers(&a->flow.group, group_len, &b->flow.group);
}
