/* SPDX-License-Identifier: ISC
 *
 * A flow, (S,G): what multicast routing keys everything by.  And a range of flows, (S/LEN, G/LEN): what a rule is for.
 */
#ifndef LIB_FLOW_H
#define LIB_FLOW_H

#include "lib/addr.h"

/* Both addresses are of one family.  Where a source may be left out it is all zero. */
struct flow {
	struct addr source, group;
};

/* Lengths are counted from 128, bits past them are zero.  Any source of a family is what addr_any() gives. */
struct flow_range {
	struct flow flow;
	uint8_t source_len, group_len;
};

/* Room for "(S, G)" with prefix lengths and the NUL. */
#define FLOW_STRLEN (2 * ADDR_STRLEN + 4)

/* The family of a flow. */
static inline enum fam flow_fam(const struct flow *f)
{
	return addr_fam(&f->group);
}

static inline bool flow_eq(const struct flow *a, const struct flow *b)
{
	return addr_eq(&a->source, &b->source) && addr_eq(&a->group, &b->group);
}

/* A hash of both addresses, see hash_bytes(). */
uint32_t flow_hash(const struct flow *f);

/* Writes "(S, G)", or "(*, G)", to buf[FLOW_STRLEN] and returns buf. */
const char *flow_str(const struct flow *f, char *buf);

/* The family of a range. */
static inline enum fam flow_range_fam(const struct flow_range *r)
{
	return flow_fam(&r->flow);
}

/* Writes "(S/LEN, G/LEN)", any source as "*", to at most FLOW_STRLEN bytes at p without a NUL, and returns the end. */
char *flow_range_put(const struct flow_range *r, char *p);

/* True when the range is one flow: one source and one group. */
static inline bool flow_range_is_single(const struct flow_range *r)
{
	return r->source_len == 128 && r->group_len == 128;
}

/* True when the range takes in every source of its family. */
static inline bool flow_range_any_source(const struct flow_range *r)
{
	return r->source_len == (flow_range_fam(r) == FAM_4 ? ADDR_V4_BITS : 0);
}

/* True when the source of a flow is left out: what addr_any() gives. */
static inline bool flow_any_source(const struct flow *f)
{
	return !f->source.w[3] && !f->source.w[0] && !f->source.w[1] && (!f->source.w[2] || flow_fam(f) == FAM_4);
}

/* The range of one flow, or of any source. */
static inline struct flow_range flow_range_of(const struct flow *f)
{
	uint8_t any_len = flow_fam(f) == FAM_4 ? ADDR_V4_BITS : 0;

	return (struct flow_range){
		.flow = *f, .source_len = flow_any_source(f) ? any_len : 128, .group_len = 128,
	};
}

bool flow_range_eq(const struct flow_range *a, const struct flow_range *b);

/* A hash of the addresses and lengths. */
uint32_t flow_range_hash(const struct flow_range *r);

/* True when the flow is in the range. */
bool flow_range_has(const struct flow_range *r, const struct flow *f);

/* True when a lies inside b: all its flows are b's, and b has more. */
bool flow_range_is_inside(const struct flow_range *a, const struct flow_range *b);

/* True when some flow is in both. */
bool flow_range_meets(const struct flow_range *a, const struct flow_range *b);

#endif
